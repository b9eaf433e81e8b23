"""A room is made from what storage holds, carefully where that does harm, and takes no edits where it is damaged."""

import pytest

from tests.helpers.time_bombs import time_bomb
from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.errors import CorruptSnapshotError, ReadOnlyReason
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.protocol.version import Limits
from texswarm_server.room_factory import RoomFactory
from texswarm_server.sessions.records import DocumentRecord
from texswarm_server.storage.store import StoredDocument

PAPER = DocumentId("paper")
NOW = 1_700_000_000.0


def typed() -> list[bytes]:
    """The updates of a titled project in which a word was typed letter by letter."""
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    document.initialise("On rooms", Lineage("history"))
    file_id = document.add_file("main.tex")
    for number in range(4):
        document.text(file_id).replace_u16(number, number, "abcd"[number])
    return updates


def stored(updates: list[bytes], *damage: str) -> StoredDocument:
    record = DocumentRecord(
        document_id=PAPER, title="", lineage=Lineage("history"), owner_id=UserId("ada"), updated_at=0
    )
    return StoredDocument(record, updates, sum(map(len, updates)), damage)


def factory() -> RoomFactory:
    return RoomFactory(Limits())


def test_a_room_shows_what_was_stored_under_a_handle_of_its_own() -> None:
    makes, content = factory(), stored(typed())
    rooms = [makes.make(content, NOW) for _ in range(3)]

    assert {(room.document_id, room.lineage, room.title, room.read_only) for room in rooms} == {
        (PAPER, Lineage("history"), "On rooms", "")
    }
    assert len({room.handle for room in rooms}) == 3


@pytest.mark.expects_log
def test_a_damaged_document_takes_no_edits_and_in_a_damaged_database_none_does(caplog) -> None:
    makes = factory()

    assert makes.make(stored(typed(), "a torn row"), NOW).read_only == ReadOnlyReason.DOCUMENT_DAMAGED
    assert "a torn row" in caplog.text
    assert makes.make(stored(typed()), NOW, is_database_damaged=True).read_only == ReadOnlyReason.DATABASE_DAMAGED


@pytest.mark.expects_log
def test_what_breaks_the_document_is_left_out_and_told(caplog) -> None:
    updates = typed()
    room = factory().make(stored([*updates[:3], time_bomb(updates, 3, 9), *updates[3:]]), NOW)

    assert room.title == "On rooms"
    assert "shown without 1 updates that break it" in caplog.text


def test_a_distrusted_document_is_made_carefully_also_when_it_loads_well() -> None:
    makes = factory()
    assert not makes.make(stored(typed()), NOW)._is_cautious
    makes.distrust(PAPER)

    assert makes.make(stored(typed()), NOW)._is_cautious


def test_what_cannot_be_read_from_the_start_makes_no_room() -> None:
    with pytest.raises(CorruptSnapshotError):
        factory().make(stored([b"\xff\xff\xff"]), NOW)
