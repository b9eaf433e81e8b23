"""A database in which the root page of one table is gone: what other tables and other pages tell of it is found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.stored_documents import (
    ADA,
    PAPER,
    add_document,
    append_all,
    opened_store,
    root_of,
    text_of,
    typed_updates,
    upkeep_done,
    write_noise,
)
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.sessions.records import Removal
from texswarm_server.storage.recovery import recovered_path
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from pathlib import Path

    from texswarm_server.sessions.records import Records
    from texswarm_server.storage.sqlite_store import SqliteStore

OTHER = DocumentId("other")
BEA = UserId("bea")
WORDS = 400


async def fill(data: Path) -> Path:
    """Two documents of Ada's, in one of which Bea reads, in a database that was closed well."""
    async with opened_store(data) as store:
        for name in (PAPER, OTHER):
            await add_document(store, name, title="Any")
            await append_all(store, typed_updates(WORDS, text="word ")[1], name)
        await store.run(lambda records: records.put_role(BEA, PAPER, "viewer"))
    return database_path(data)


def spoil_root(path: Path, *tables: str) -> None:
    """Write noise over the first page of each table."""
    write_noise(path, *[root_of(path, table) for table in tables])


async def words_in(store: SqliteStore, document_id: DocumentId) -> int:
    loaded = await store.load(document_id)
    return 0 if loaded is None else len(text_of(loaded.updates).split())


@pytest.mark.parametrize("table", ["documents", "roles", "updates", "documents_of_owner", "updates_of_document"])
@pytest.mark.expects_log
@runs_async
async def test_without_the_root_of_a_table_every_document_is_shown_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    spoil_root(await fill(tmp_path), table)
    async with opened_store(tmp_path) as store:
        assert store.damage
        mine = await store.run(lambda records: records.documents_of(ADA))
        assert {(each.record.document_id, each.role) for each in mine} == {(PAPER, "owner"), (OTHER, "owner")}
        assert {(each.record.lineage, each.record.owner_id) for each in mine} == {("l", ADA)}
        assert [await words_in(store, name) for name in (PAPER, OTHER)] == [WORDS, WORDS]
    assert "is served read-only" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_a_document_without_record_is_called_what_its_content_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)
    spoil_root(path, "documents")
    async with opened_store(tmp_path) as store:
        (paper, other) = await store.run(lambda records: sorted(records.documents(), key=lambda each: each.owner_id))
        assert await store.run(lambda records: records.role_of(BEA, PAPER)) == "viewer"
    assert (paper.title, other.title) == ("Paper", "Paper")
    assert paper.updated_at == pytest.approx(path.stat().st_mtime)
    assert "2 documents have no record any more" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_without_records_and_roles_the_index_tells_the_owner(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil_root(await fill(tmp_path), "documents", "roles")
    async with opened_store(tmp_path) as store:
        assert await store.run(lambda records: records.role_of(ADA, PAPER)) == "owner"
        assert await store.run(lambda records: records.role_of(BEA, PAPER)) is None
    assert "parts of the table roles" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_who_was_taken_out_of_a_document_gets_no_role_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)

    def remove(records: Records) -> None:
        records.remove_role(ADA, PAPER)
        records.put_removal(Removal(user_id=ADA, document_id=PAPER, removed_at=1.0, is_ban=False))

    async with opened_store(tmp_path) as store:
        await store.run(remove)
    spoil_root(path, "roles")
    async with opened_store(tmp_path) as store:
        assert await store.run(lambda records: records.role_of(ADA, PAPER)) is None
        assert await store.run(lambda records: records.role_of(ADA, OTHER)) == "owner"
    assert "parts of the table roles" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_without_the_root_of_the_snapshots_a_long_document_is_shown_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened_store(tmp_path, compact_after=10) as store:
        for number in range(40):  # so many that they do not fit on one page
            name = DocumentId(f"document-{number}-" + "x" * 100)
            await add_document(store, name)
            await append_all(store, typed_updates(12, text=f"{number} " * 1_000)[1], name)
            store.rest(name)
        await upkeep_done(store)
    path = database_path(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM snapshots").fetchone() == (40,)
        kept = {row[0] for row in database.execute("SELECT document_id FROM snapshots")}
        database.execute("DELETE FROM versions")  # which would stand in for them
        database.commit()
    spoil_root(path, "snapshots")
    async with opened_store(tmp_path) as store:
        assert {name: await words_in(store, DocumentId(name)) for name in kept} == dict.fromkeys(kept, 12_000)
    assert "parts of the table snapshots" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_of_half_a_file_the_documents_in_it_are_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [DocumentId(f"document-{number}") for number in range(60)]
    async with opened_store(tmp_path) as store:
        for name in names:
            await add_document(store, name, title="A title that takes up room " * 5)
            await append_all(store, typed_updates(3, text="word " * 300)[1], name)
    path = database_path(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    async with opened_store(tmp_path) as store:
        assert store.damage
        with closing(sqlite3.connect(recovered_path(path))) as database:
            stored = {row[0] for row in database.execute("SELECT DISTINCT document_id FROM updates")}
        documents = await store.run(lambda records: records.documents())
        whole = [each for each in documents if await words_in(store, each.document_id) == 900]
        assert len(whole) >= 15
        assert {(each.lineage, each.owner_id) for each in whole} == {("l", ADA)}
        assert stored <= {each.document_id for each in documents}
    assert "is served read-only" in caplog.text


@runs_async
async def test_what_a_killed_recovery_left_is_gone_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / ".recovering-1a2b"
    left.mkdir()
    (left / "texswarm.db").write_bytes(bytes(10))
    async with opened_store(tmp_path):
        assert not left.exists()
