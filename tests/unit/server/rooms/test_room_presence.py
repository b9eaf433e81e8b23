"""Who is where in a room: each state has one owner, and clocks only rise."""

import pytest

from texswarm_server.document.presence import Presence, PresenceEntry, encode_presence
from texswarm_server.protocol.errors import RemoteProtocolError
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.rooms.member import Member, Profile
from texswarm_server.rooms.room_presence import RoomPresence


def member(name: str, *, user: str = "", is_forgetful: bool = False) -> Member:
    profile = Profile(
        session_id=SessionId(name),
        user_id=UserId(user or name),
        display_name=name.title(),
        color="#123456",
        role="editor",
        is_forgetful=is_forgetful,
    )
    return Member(profile)


def browser(presence: RoomPresence, name: str, user: str = "") -> Member:
    """Let in a client of y-protocols."""
    arrival = member(name, user=user, is_forgetful=True)
    presence.welcome(arrival)
    return arrival


def said(client_id: int, state: dict[str, object] | None, clock: int = 1) -> bytes:
    return encode_presence([PresenceEntry(client_id, clock, state)])


def test_nobody_speaks_for_somebody_who_is_here() -> None:
    presence, ada, mallory = RoomPresence(), member("ada"), member("mallory")
    presence.publish(ada, said(1, {"at": 5}))

    assert presence.publish(mallory, said(1, {"at": 0}, clock=99)) == []
    assert presence.publish(mallory, said(1, None, clock=99)) == []
    assert presence.entries() == [PresenceEntry(1, 1, {"at": 5})]


def test_nobody_points_in_anothers_name() -> None:
    presence, mallory = RoomPresence(), member("mallory")
    (news,) = presence.publish(mallory, said(1, {"user": {"id": "ada", "name": "Ada", "more": 1}, "at": 5}))

    assert news.state == {
        "user": {"id": "mallory", "name": "Mallory", "color": "#123456", "more": 1},
        "at": 5,
    }


def test_one_update_may_publish_and_take_away() -> None:
    presence, ada = RoomPresence(), member("ada")
    presence.publish(ada, said(1, {}))
    news = presence.publish(ada, encode_presence([PresenceEntry(1, 2, None), PresenceEntry(2, 1, {})]))

    assert [(entry.client_id, entry.state) for entry in news] == [(1, None), (2, {})]
    assert ada.awareness_ids == {2}


def test_who_comes_back_is_believed_whatever_its_clock_says() -> None:
    presence, ada, reader = RoomPresence(), member("ada"), Presence()
    reader.apply(presence.publish(ada, said(1, {"at": 1}, clock=7)))
    reader.apply(presence.remove_of(ada))
    assert reader.states == {}

    reader.apply(presence.publish(ada, said(1, {"at": 2}, clock=8)))

    assert reader.states == {1: {"at": 2}}


def test_a_session_that_came_back_keeps_its_state_until_it_says_another() -> None:
    presence, before, after = RoomPresence(), member("ada"), member("ada")
    presence.publish(before, said(1, {"at": 1}))
    presence.hand_over(before, after)
    assert [entry.client_id for entry in presence.entries()] == [1]

    news = presence.publish(after, said(2, {"at": 2}))

    assert {entry.client_id: entry.state for entry in news} == {2: {"at": 2}, 1: None}
    assert presence.remove_former_of(after) == []


def test_a_session_that_came_back_and_says_nothing_is_shown_no_longer() -> None:
    presence, before, after = RoomPresence(), member("ada"), member("ada")
    presence.publish(before, said(1, {}))
    presence.hand_over(before, after)

    assert [entry.state for entry in presence.remove_former_of(after)] == [None]


def test_the_state_of_somebody_who_dropped_out_may_be_taken_over() -> None:
    presence, old, new = RoomPresence(), member("old"), member("new")
    presence.publish(old, said(1, {"at": 1}))
    old.state = "reconnecting"

    assert len(presence.publish(new, said(1, {"at": 2}))) == 1
    assert presence.remove_of(old) == []


def test_leaving_without_having_been_there_is_no_news() -> None:
    assert RoomPresence().publish(member("ada"), said(1, None)) == []


def test_a_member_has_a_limited_number_of_states() -> None:
    presence, ada = RoomPresence(), member("ada")
    many = encode_presence([PresenceEntry(number, 1, {}) for number in range(40)])

    assert len(presence.publish(ada, many)) == 16


def test_memory_of_those_who_left_is_bounded() -> None:
    presence, ada = RoomPresence(), member("ada")
    for number in range(3000):
        presence.publish(ada, said(number, {}))
        presence.publish(ada, said(number, None))

    assert len(presence.history()) == 1024
    assert presence.entries() == []


def test_what_nobody_told_for_a_while_is_told_under_a_new_clock() -> None:
    presence, ada, bob = RoomPresence(), member("ada"), member("bob")
    presence.publish(ada, said(1, {"at": 1}))
    presence.publish(bob, said(2, {"at": 2}))
    assert presence.renew() == [], "both have just been told"
    presence.publish(bob, said(2, {"at": 3}, clock=2))
    assert presence.renew() == [(ada, PresenceEntry(1, 2, {"at": 1}))]
    assert presence.renew() == [(ada, PresenceEntry(1, 3, {"at": 1})), (bob, PresenceEntry(2, 3, {"at": 3}))]

    reader = Presence()
    reader.apply(presence.publish(ada, said(1, {"at": 9}, clock=2)))
    assert reader.states == {1: {"at": 9}}
    presence.remove_of(ada)
    presence.remove_of(bob)
    assert presence.renew() == []


# ── clients of y-protocols, which say again what they hear ──────────────────────────────────────────────


def test_an_echo_does_not_take_the_place_of_somebody_who_is_reconnecting() -> None:
    presence, ada = RoomPresence(), member("ada")
    presence.publish(ada, said(1, {"at": 1}, clock=5))
    web = browser(presence, "web")
    ada.state = "reconnecting"
    assert presence.publish(web, said(1, {"at": 1}, clock=6)) == []

    back = member("ada")
    presence.hand_over(ada, back)

    assert [entry.state for entry in presence.publish(back, said(1, {"at": 2}, clock=6))] == [{"at": 2}]


def test_an_echo_does_not_bring_back_who_has_just_left() -> None:
    presence, ada = RoomPresence(), member("ada")
    web = browser(presence, "web")
    presence.publish(ada, said(1, {"at": 1}, clock=5))
    presence.remove_of(ada)

    assert presence.publish(web, said(1, {"at": 1}, clock=5)) == []
    assert presence.entries() == []


def test_a_browser_that_comes_back_is_believed_whatever_its_clock_says() -> None:
    presence, before = RoomPresence(), member("web", is_forgetful=True)
    presence.publish(before, said(1, {"at": 1}, clock=5))
    presence.remove_of(before)
    after = browser(presence, "again")

    assert len(presence.publish(after, said(1, {"at": 1}, clock=5))) == 1


def test_a_browser_whose_dead_connection_is_given_up_shows_itself_again() -> None:
    """Its new connection is there before the old one is known to be dead; y-protocols contradicts being taken away."""
    presence, before = RoomPresence(), member("web", is_forgetful=True)
    presence.publish(before, said(1, {"at": 1}, clock=5))
    after = browser(presence, "again")
    assert presence.publish(after, said(1, {"at": 1}, clock=5)) == []

    (gone,) = presence.remove_of(before)

    assert len(presence.publish(after, said(1, {"at": 1}, clock=gone.clock + 1))) == 1


def test_a_browser_may_show_again_what_it_took_away() -> None:
    presence = RoomPresence()
    web = browser(presence, "web")
    presence.publish(web, said(1, {}, clock=5))
    for _ in range(6):
        presence.renew()
    presence.publish(web, said(1, None, clock=6))

    assert len(presence.publish(web, said(1, {}, clock=7))) == 1


def test_a_browser_that_comes_back_is_told_newer_clocks_than_it_remembers() -> None:
    presence, ada, reader = RoomPresence(), member("ada"), Presence()
    reader.apply(presence.publish(ada, said(1, {"at": 1}, clock=5)))
    known = presence.entries()

    (told,) = presence.welcome(member("web", is_forgetful=True))

    assert told == PresenceEntry(1, known[0].clock + 1, {"at": 1})
    assert presence.welcome(member("desktop")) == [told]
    assert presence.publish(ada, said(1, {"at": 2}, clock=6))[0].clock > told.clock


def test_a_browser_is_not_told_as_news_what_may_be_its_own() -> None:
    presence, before = RoomPresence(), member("web", is_forgetful=True)
    presence.publish(before, said(1, {"at": 1}, clock=5))

    assert presence.welcome(member("again", user="web", is_forgetful=True)) == [PresenceEntry(1, 5, {"at": 1})]


def test_clocks_begin_above_those_of_a_former_room() -> None:
    presence, ada = RoomPresence(first_clock=1000), member("ada")

    assert presence.publish(ada, said(1, {}, clock=3))[0].clock == 1000


@pytest.mark.parametrize("entry", [PresenceEntry(1, 2**62, {}), PresenceEntry(2**60, 1, {})])
def test_numbers_that_others_could_not_read_are_refused(entry: PresenceEntry) -> None:
    with pytest.raises(RemoteProtocolError, match="frame_invalid"):
        RoomPresence().publish(member("ada"), encode_presence([entry]))
