"""Where a server may be: what is merely said is bounded, and never takes the place of what was proved."""

from texswarm_desktop.client.whereabouts import Whereabouts
from texswarm_server.protocol.invite_link import ServerAddress

HOME, ELSEWHERE, EVIL = (ServerAddress(f"10.0.0.{last}") for last in (5, 77, 66))


def many(count: int) -> list[ServerAddress]:
    return [ServerAddress(f"10.0.1.{last}") for last in range(count)]


def test_where_a_link_led_is_where_the_server_is_until_something_else_is_proved() -> None:
    where = Whereabouts(HOME)
    assert (where.addresses, where.proved) == ((HOME,), HOME)
    where.tell([ELSEWHERE], 0.0, has_link=False)
    assert (where.addresses, where.proved) == ((ELSEWHERE, HOME), HOME)
    where.reached(ELSEWHERE)
    assert where.proved == ELSEWHERE


def test_of_what_is_told_only_a_few_are_believed_and_never_in_place_of_what_was_proved() -> None:
    where = Whereabouts(HOME)
    where.reached(ELSEWHERE)
    where.tell(many(100), 0.0, has_link=True)
    assert len(where.addresses) == 10
    assert where.addresses[-2:] == (ELSEWHERE, HOME)


def test_a_late_word_of_where_it_was_does_not_hide_where_it_is() -> None:
    where = Whereabouts(HOME)
    where.tell([ELSEWHERE], 0.0, has_link=True)
    where.tell([HOME], 0.1, has_link=True)
    assert where.elsewhere() == (ELSEWHERE,)


def test_it_is_elsewhere_if_nobody_says_that_it_is_where_we_have_it_from() -> None:
    where = Whereabouts(HOME)
    assert where.tell([ELSEWHERE, HOME], 0.0, has_link=True) is False
    assert where.addresses[0] == HOME, "and there it is looked for first"
    assert where.tell([ELSEWHERE], 1.0, has_link=True) is True
    assert where.tell([ELSEWHERE], 2.0, has_link=True) is True, "as long as the link is to the old place"
    assert where.tell([ELSEWHERE], 3.0, has_link=False) is False, "the next attempt goes there"


def test_news_that_comes_all_the_time_is_heeded_four_times_a_second() -> None:
    where = Whereabouts(HOME)
    heeded = [not where.heed(at / 16) for at in range(320)]
    assert sum(heeded) == 80
    assert where.heed(20.0) == 0
    assert where.heed(20.125) == 0.125, "the wait until it may lead to something"
    assert where.tell([], 30.0, has_link=True) is None


def test_of_what_several_say_each_has_a_place() -> None:
    where = Whereabouts(HOME)
    where.tell([ELSEWHERE], 0.0, has_link=True)
    where.tell(many(100), 0.1, has_link=True)
    where.tell(many(100)[50:], 0.2, has_link=True)
    assert ELSEWHERE in where.elsewhere()
    assert len(where.elsewhere()) <= 32


def test_of_more_than_can_be_believed_each_comes_to_its_turn() -> None:
    where, found = Whereabouts(HOME), set()
    for at in range(40):
        where.tell(many(100), float(at), has_link=True)
        assert set(many(5)) <= set(where.elsewhere()), "who was heard of first is never left out"
        assert len(where.elsewhere()) <= 32
        found |= set(where.elsewhere())
    assert found == set(many(100))


def test_who_showed_another_certificate_is_not_believed_for_a_while() -> None:
    where = Whereabouts(HOME)
    where.tell([EVIL, ELSEWHERE], 0.0, has_link=False)
    where.disproved(EVIL, 1.0)
    assert where.addresses == (ELSEWHERE, HOME)
    assert where.tell([EVIL], 2.0, has_link=True) is None
    assert where.tell([EVIL], 40.0, has_link=True) is True


def test_where_the_link_led_is_kept_whatever_is_found_there() -> None:
    where = Whereabouts(HOME)
    where.disproved(HOME, 0.0)
    assert where.addresses == (HOME,)
    assert not where.is_only_told(HOME)


def test_without_an_answer_each_address_has_its_turn() -> None:
    where = Whereabouts(HOME)
    where.tell([ELSEWHERE], 0.0, has_link=False)
    where.refused()
    assert where.addresses == (HOME, ELSEWHERE)
    where.answered(ELSEWHERE)
    assert where.addresses == (ELSEWHERE, HOME)
