"""A project is loaded again now and then, and not over and over."""

from texswarm_desktop.core.reload_limit import ReloadLimit


def test_three_times_a_minute_are_allowed_and_no_fourth() -> None:
    limit = ReloadLimit()

    assert [limit.allows(now) for now in (0.0, 1.0, 2.0, 3.0)] == [True, True, True, False]


def test_what_is_a_minute_ago_does_not_count() -> None:
    limit = ReloadLimit()

    assert all(limit.allows(20.0 * number) for number in range(10))


def test_tries_that_were_not_allowed_count_as_well() -> None:
    limit = ReloadLimit()
    tries = [limit.allows(float(now)) for now in range(0, 120, 10)]

    assert tries == [True] * 3 + [False] * 9
