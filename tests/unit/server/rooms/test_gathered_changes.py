"""What changed goes to storage together, and what may do harm goes by itself; nothing is acknowledged before it."""

from __future__ import annotations

from tests.helpers.stored_documents import typed_updates
from texswarm_server.document.updates import merge_updates
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.rooms.acknowledgements import Acknowledgements
from texswarm_server.rooms.effects import Persist, Settle
from texswarm_server.rooms.gathered_changes import GatheredChanges, Taken
from texswarm_server.rooms.member import Member, Profile


def member(name: str) -> Member:
    return Member(Profile(session_id=SessionId(name), user_id=UserId(name), display_name=name, color="", role="editor"))


def shown(update: bytes, edits: int = 1) -> list[Taken]:
    return [Taken(update, edits, is_shown=True)]


def waiting(*updates: bytes) -> list[Taken]:
    return [Taken(each, 1, is_shown=False) for each in updates]


def test_a_few_edits_are_asked_for_once_and_stored_as_one_update() -> None:
    acknowledgements, ada, bob = Acknowledgements(), member("ada"), member("bob")
    changes, (_document, updates) = GatheredChanges(acknowledgements), typed_updates(2)
    first = changes.add(shown(updates[0]), {ada: 1})
    later = [changes.add(shown(each), {bob: place}) for place, each in enumerate(updates[1:], 1)]
    (stored,) = changes.store()

    assert [type(effect) for effect in first] == [Settle]
    assert later == [[]] * len(later)
    assert isinstance(stored, Persist)
    assert (stored.update, stored.edits) == (merge_updates(updates), len(updates))
    assert (changes.is_empty, changes.store()) == (True, [])
    assert acknowledgements.durable(stored.batch) == {ada: 1, bob: len(later)}


def test_many_edits_are_stored_at_once() -> None:
    changes, (_document, updates) = GatheredChanges(Acknowledgements()), typed_updates(2)
    before = changes.add(shown(updates[0], 9), {})
    (stored,) = changes.add(shown(updates[1]), {})

    assert [type(effect) for effect in before] == [Settle]
    assert isinstance(stored, Persist)
    assert stored.edits == 10
    assert changes.is_empty
    assert [type(effect) for effect in changes.add(shown(updates[2]), {})] == [Settle], "it is gathered anew"


def test_what_is_not_shown_yet_is_stored_by_itself_behind_what_was_gathered() -> None:
    acknowledgements, ada = Acknowledgements(), member("ada")
    changes, (_document, updates) = GatheredChanges(acknowledgements), typed_updates(4)
    changes.add(shown(updates[0]), {ada: 1})
    stored = changes.add(waiting(updates[2], updates[3]), {ada: 3})

    assert [(each.update, each.edits) for each in stored if isinstance(each, Persist)] == [
        (updates[0], 1),
        (updates[2], 1),
        (updates[3], 1),
    ]
    batches = [each.batch for each in stored if isinstance(each, Persist)]
    assert [acknowledgements.durable(batch) for batch in batches] == [{ada: 1}, {}, {ada: 3}]


def test_what_needs_no_storing_waits_for_what_does() -> None:
    acknowledgements, ada, bob = Acknowledgements(), member("ada"), member("bob")
    changes, (_document, updates) = GatheredChanges(acknowledgements), typed_updates(1)

    assert changes.ride_along({ada: 1}) == {ada: 1}
    changes.add(shown(updates[0]), {ada: 2})
    assert changes.ride_along({bob: 1}) == {}
    (stored,) = changes.store()
    assert changes.ride_along({bob: 2}) == {}
    assert isinstance(stored, Persist)
    assert acknowledgements.durable(stored.batch) == {ada: 2, bob: 2}
