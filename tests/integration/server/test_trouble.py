"""A full disk, stored bytes that changed, an update that breaks the document: who hears what, and what is kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.helpers.full_disk import full_disk
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import Opened, signed_in_again, signed_in_client
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import read_state_vector
from texswarm_server.protocol.errors import DamagedDocumentError
from texswarm_server.protocol.frames import Update, write_varuint
from texswarm_server.protocol.messages import (
    CreateDocument,
    DocumentClosed,
    DocumentCreated,
    DocumentList,
    Error,
    ListDocuments,
    OpenDocument,
)
from texswarm_server.storage.sqlite_records import SqliteRecords
from texswarm_server.storage.store import database_path


@pytest.mark.expects_log
@runs_async
async def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_lost(premises, caplog) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as bob,
    ):
        mine = await ada.create_and_open("start")
        theirs = await bob.open(mine.facts.document_id)
        before = mine.acknowledged
        async with full_disk(place.server._store):
            for _ in range(20):
                await mine.write("w" * 10_000)
            await theirs.shows("w" * 200_000)
            errors = [await client.heard(Error) for client in (ada, bob)]
            for error in errors:
                assert (error.code, error.handle) == ("storage_unavailable", mine.handle)
            assert mine.acknowledged < mine.sent
            while isinstance(answer := await ada.answer(CreateDocument(title="x" * 200)), DocumentCreated):
                pass  # there is room on pages that are not full
            assert isinstance(answer, Error)
            assert answer.code == "storage_unavailable"
            assert await ada.ask(ListDocuments(), DocumentList)
            assert not place.server._is_ready()
        await mine.acknowledged_all()
        await mine.write("later")
        await mine.acknowledged_all()
        assert mine.acknowledged > before
        assert len([fact for fact in bob.facts if isinstance(fact, Error)]) == 1
    async with premises.running() as place, signed_in_again(place.url, ada) as again:
        assert (await again.open(mine.facts.document_id)).text() == mine.text()
    assert "storage does not take updates" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_where_the_disk_refuses_to_note_who_is_where_documents_can_be_opened(
    premises, monkeypatch, caplog
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(SqliteRecords, "put_places", refuse)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open("start")
        assert opened.text() == "start"
    assert "not stored" in caplog.text


async def sent_alone(opened: Opened, update: bytes) -> None:
    """Send an update and wait until it is stored, or the document closed because of it."""
    client, heard = opened.client, len(opened.client.facts)
    await opened.send(Update(update))
    await client.until(lambda: opened.acknowledged >= opened.sent or len(client.facts) > heard)


async def reopened(opened: Opened) -> Opened:
    """Open a document again that is loaded again, with what its client has of it."""
    client, facts = opened.client, opened.facts
    await client.until(lambda: opened.handle not in client.documents)
    return await client.open(facts.document_id, lineage=facts.lineage)


@runs_async
async def test_edits_that_come_in_another_order_than_they_were_made_in_are_shown_to_all(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as bob,
    ):
        mine = await ada.create_and_open("start")
        theirs = await bob.open(mine.facts.document_id)
        file_id = mine.replica.file_at("main.tex")
        for letter in "abcde":
            mine.replica.text(file_id).replace_u16(5, 5, letter)
        updates, mine.outgoing = mine.outgoing, []
        for number in (2, 3, 0, 1, 4):
            await sent_alone(mine, updates[number])
            if not ada.documents:
                mine, theirs = await reopened(mine), await reopened(theirs)
        await theirs.shows("startedcba")


@pytest.mark.expects_log
@runs_async
async def test_a_document_that_cannot_be_read_is_refused_and_never_written_over(premises, caplog) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        broken = await ada.create_and_open("precious")
        whole = await ada.create_and_open("fine", title="Other")
    path = database_path(premises.config.data)
    with closing(sqlite3.connect(path)) as database:
        statement = "UPDATE updates SET data = x'0000' WHERE document_id = ?"
        database.execute(statement, (broken.facts.document_id,))
        database.commit()
        before = database.execute("SELECT * FROM updates").fetchall()
    async with premises.running() as place, signed_in_again(place.url, ada) as again:
        for _ in range(2):
            assert await again.refused(OpenDocument(document_id=broken.facts.document_id)) == "storage_unavailable"
        assert (await again.open(whole.facts.document_id)).text() == "fine"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT * FROM updates").fetchall() == before
    assert "is refused" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_an_update_that_breaks_the_document_harms_nobody_else(premises, caplog, monkeypatch) -> None:
    apply = SharedDocument.apply

    def brittle(document: SharedDocument, update: bytes) -> bytes | None:
        if b"poison" in update:
            raise DamagedDocumentError
        return apply(document, update)

    monkeypatch.setattr(SharedDocument, "apply", brittle)
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as eve,
    ):
        mine = await ada.create_and_open("start")
        document_id = mine.facts.document_id
        theirs = await eve.open(document_id)
        await theirs.write("poison")
        closed = [await client.heard(DocumentClosed) for client in (ada, eve)]
        assert [each.code for each in closed] == ["document_reloaded"] * 2
        mine = await ada.open(document_id)
        assert mine.handle != closed[0].handle
        theirs = await eve.open(document_id)
        assert (await eve.heard(Error)).code == "update_invalid"
        await theirs.acknowledged_all()
        await mine.write(" goes on")
        await mine.acknowledged_all()
        assert mine.text() == "start goes on"
        await theirs.shows("goes on")
    assert "damaged" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_a_time_bomb_harms_nobody_and_does_not_block_the_document_after_a_restart(premises, caplog) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as mallory,
    ):
        mine = await ada.create_and_open("start")
        document_id = mine.facts.document_id
        theirs = await mallory.open(document_id)
        ((author, clock),) = read_state_vector(mine.replica.state_vector()).items()
        inside = write_varuint(author) + write_varuint(clock)
        await theirs.send(Update(b"\x01\x01\x05\x00\x04\x00" + inside + b"\x01z\x00"))
        await theirs.acknowledged_all()
        await mine.write(" of a letter that is not to blame")
        assert (await ada.heard(DocumentClosed)).code == "document_reloaded"
        mine = await ada.open(document_id)
        await mine.acknowledged_all()
        await mine.write(" goes on")
        await mine.acknowledged_all()
        assert not any(isinstance(fact, Error) for fact in ada.facts)
    async with premises.running() as place, signed_in_again(place.url, ada) as again:
        opened = await again.open(document_id)
        assert opened.text() == mine.text() == "start of a letter that is not to blame goes on"
    assert "is shown without 1 updates" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_a_mistake_of_ours_in_one_room_stops_no_other(premises, caplog, monkeypatch) -> None:
    apply = SharedDocument.apply

    def mistaken(document: SharedDocument, update: bytes) -> bytes | None:
        if b"mistake" in update:
            raise LookupError("a mistake of ours")
        return apply(document, update)

    monkeypatch.setattr(SharedDocument, "apply", mistaken)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        one, other = await ada.create_and_open("one"), await ada.create_and_open("other")
        await one.write("mistake")
        await other.write(" goes on")
        assert (await ada.heard(DocumentClosed)).handle == one.handle
        await other.acknowledged_all()
        one = await ada.open(one.facts.document_id)
        assert "one" in one.text()
    assert "a mistake of ours" in caplog.text


@runs_async
async def test_a_sender_is_sent_away_while_storage_is_too_far_behind(premises) -> None:
    async with premises.running(max_backlog_bytes=-1) as place, signed_in_client(place.url, place.host_invite) as ada:
        created = await ada.create()
        ada.is_automatic = False
        opened = await ada.open(created.document_id)
        await opened.write("x")
        assert await ada.closed() == 1013


@runs_async
async def test_stopping_twice_is_fine_and_everything_typed_is_there(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open("start")
        for number in range(50):
            await opened.write(str(number))
        await opened.acknowledged_all()
        await place.server.stop()
        await place.server.stop()
        assert await ada.closed() == 1012
    async with premises.running() as place, signed_in_again(place.url, ada) as again:
        assert (await again.open(opened.facts.document_id)).text() == opened.text()


@runs_async
async def test_stopping_does_not_wait_for_who_does_not_answer(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        ada.connection.transport.pause_reading()
        await place.server.stop()
        assert place.server._peers == set()
        ada.connection.transport.resume_reading()
        await until(lambda: ada.close_code is not None)
