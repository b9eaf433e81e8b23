"""Places are kept while nothing of their document is in memory, and what a restart must not forget is told once."""

from __future__ import annotations

import pytest

from texswarm_server.protocol.ids import DocumentId, SessionId, UserId
from texswarm_server.rooms.member import Profile
from texswarm_server.rooms.places import Places

ADA, BOB = SessionId("ada"), SessionId("bob")
PAPER, BOOK = DocumentId("paper"), DocumentId("book")


def profile(session_id: SessionId) -> Profile:
    return Profile(
        session_id=session_id, user_id=UserId(session_id), display_name=session_id.title(), color="", role="editor"
    )


@pytest.fixture
def places() -> Places:
    """Ada and Bob, whose paper was put away."""
    places = Places()
    for session_id in (ADA, BOB):
        places.take(session_id, PAPER)
    places.keep(PAPER, [profile(ADA), profile(BOB)])
    return places


def test_the_next_room_gets_who_was_in_the_one_before_once(places: Places) -> None:
    assert [each.session_id for each in places.recall(PAPER)] == [ADA, BOB]
    assert places.recall(PAPER) == []
    assert places.of(ADA) == [PAPER]


def test_who_gave_up_the_place_is_not_kept(places: Places) -> None:
    places.wait_for(ADA, PAPER, 5.0)
    places.give_up(ADA, PAPER)
    places.keep(PAPER, [profile(ADA)])
    assert [each.session_id for each in places.recall(PAPER)] == [BOB]
    assert not places.is_awaited(ADA, PAPER)
    assert places.overdue(9.0) == []


def test_nothing_is_left_of_those_who_have_gone(places: Places) -> None:
    for session_id in (ADA, BOB):
        places.give_up(session_id, PAPER)
    places.changes()
    assert len(places) == 0
    assert {name: value for name, value in vars(places).items() if not name.startswith("_awaited") and value} == {}


def test_who_is_kept_may_get_another_name_and_role(places: Places) -> None:
    places.describe(ADA, "Ada L.", "#112233")
    places.change_role(BOB, PAPER, "viewer")
    places.change_role(BOB, BOOK, "owner")
    kept = places.recall(PAPER)
    assert [(each.display_name, each.color, each.role) for each in kept] == [
        ("Ada L.", "#112233", "editor"),
        ("Bob", "", "viewer"),
    ]


def test_each_change_is_told_once_and_what_was_taken_back_as_given_up(places: Places) -> None:
    places.take(ADA, BOOK)
    places.give_up(ADA, BOOK)
    assert places.changes() == ([(ADA, PAPER), (BOB, PAPER)], [(ADA, BOOK)])
    places.take(ADA, PAPER)
    assert not places.has_changes


def test_what_could_not_be_stored_is_told_again_as_it_is_by_then(places: Places) -> None:
    places.give_up(BOB, PAPER)
    taken, given_up = places.changes()
    places.give_up(ADA, PAPER)
    places.put_back(taken, given_up)
    assert places.changes() == ([], [(ADA, PAPER), (BOB, PAPER)])


def test_a_place_that_was_stored_for_nothing_is_removed_from_storage(places: Places) -> None:
    places.changes()
    places.disown(ADA, PAPER)
    assert not places.has_changes
    places.disown(ADA, BOOK)
    assert places.changes() == ([], [(ADA, BOOK)])


def test_a_place_of_before_a_restart_is_known_to_storage() -> None:
    places = Places()
    places.restore(profile(ADA), PAPER)
    places.take(ADA, PAPER)
    assert not places.has_changes
    places.give_up(ADA, PAPER)
    assert places.changes() == ([], [(ADA, PAPER)])


def test_who_is_expected_is_overdue_once(places: Places) -> None:
    places.wait_for(ADA, PAPER, 5.0)
    assert places.is_awaited(ADA, PAPER)
    assert places.overdue(4.9) == []
    assert places.overdue(5.0) == [(ADA, PAPER)]
    assert not places.is_awaited(ADA, PAPER)
