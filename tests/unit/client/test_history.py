"""The history of drops: when, why, how long, how often tried; bounded."""

from itertools import pairwise

import pytest

from texswarm_desktop.client.history import MOST_DROPS, Drop, record
from texswarm_desktop.client.states import (
    Authenticating,
    Closed,
    Connecting,
    Idle,
    Live,
    NeedsUser,
    Offline,
    Rung,
    Syncing,
    Trouble,
    Waiting,
)

LIVE = Live(1, 0.0)


def waiting(generation=1, **changes):
    return Waiting(generation, 1, 10.0, 10.0, 11.0, 10.0, "test", **changes)


def history_of(*states, start=10.0):
    history = ()
    for number, (old, new) in enumerate(pairwise(states)):
        history = record(history, old, new, start + number)
    return history


def test_a_drop_lasts_from_the_loss_until_everything_has_caught_up():
    states = [LIVE, waiting(trouble=Trouble.SILENT), Connecting(2, 1, 10.0), waiting(2), Connecting(3, 2, 10.0)]
    states += [Authenticating(3, Rung.ACCESS, 2, 10.0), Syncing(3, 0, 1, 2, 10.0), Live(3, 16.0)]
    (drop,) = history_of(*states)
    assert drop == Drop(10.0, Trouble.SILENT, 16.0, 2)
    assert drop.lasted_s(100.0) == 6.0


def test_a_drop_that_is_not_over_lasts_until_now():
    (drop,) = history_of(LIVE, Offline(1, 1, 10.0))
    assert (drop.cause, drop.ended_at, drop.lasted_s(25.0)) == (Trouble.NO_NETWORK, None, 15.0)


def test_what_the_server_asked_for_is_the_cause():
    assert history_of(LIVE, waiting(asked="over_capacity"))[0].cause == "over_capacity"


def test_what_needs_the_user_ends_the_story():
    (drop,) = history_of(LIVE, NeedsUser(1, "removed"))
    assert drop == Drop(10.0, "removed", 10.0)
    (drop,) = history_of(LIVE, waiting(), Connecting(2, 1, 10.0), NeedsUser(2, "wrong_certificate"))
    assert (drop.cause, drop.ended_at) == (Trouble.ENDED, 12.0)


@pytest.mark.parametrize("end", [Idle(1), Closed(1)])
def test_who_gives_up_ends_the_drop(end):
    assert history_of(LIVE, waiting(), end)[0].ended_at == 11.0


def test_a_link_that_never_stood_cannot_be_lost():
    assert (
        history_of(Idle(), Connecting(1), waiting(), Connecting(2), Authenticating(2, Rung.INVITE), Live(2, 5.0)) == ()
    )


def test_a_first_catching_up_that_breaks_off_counts():
    assert len(history_of(Syncing(1, 0, 1), waiting())) == 1


def test_another_credential_that_is_shown_counts_as_a_try():
    (drop,) = history_of(LIVE, Connecting(2, 0, 10.0), Live(2, 11.0))
    assert (drop.attempts, drop.ended_at) == (1, 11.0)


def test_old_drops_are_forgotten():
    history = history_of(*[LIVE, waiting()] * 500)
    assert len(history) == MOST_DROPS
    assert history[-1].began_at > history[0].began_at
