"""The store on a real file: durable appends in groups, loads, compaction, full disks, damaged files."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.full_disk import full_disk
from tests.helpers.run_async import runs_async, until
from tests.helpers.stored_documents import (
    add_document,
    append_all,
    spoil_page,
    text_of,
    typed_updates,
    upkeep_done,
)
from texswarm_server.document import ProjectDocument
from texswarm_server.document.updates import merge_updates
from texswarm_server.protocol.errors import (
    CorruptSnapshotError,
    ErrorCode,
    NotWritableError,
    RejectedError,
    StorageError,
)
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.sessions.audit import OPERATOR, AuditAction, AuditEntry
from texswarm_server.sessions.records import DocumentRecord, Records, User
from texswarm_server.storage.folder_lock import FolderLock, last_followed
from texswarm_server.storage.sqlite_records import SqliteRecords
from texswarm_server.storage.sqlite_store import SqliteStore
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PAPER = DocumentId("paper")


@asynccontextmanager
async def opened(data: Path, **options: Any) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(data, **options)
    try:
        yield store
    finally:
        await store.close(time_limit_s=20)


def add_paper(records: Records) -> None:
    records.put_document(
        DocumentRecord(document_id=PAPER, title="", lineage=Lineage("l"), owner_id=UserId("u"), updated_at=0)
    )


async def stored(store: SqliteStore) -> list[bytes]:
    loaded = await store.load(PAPER)
    assert loaded is not None
    return loaded.updates


async def append(store: SqliteStore, *updates: bytes) -> None:
    """Append and wait until all are durable."""
    done: list[bytes] = []
    for update in updates:
        store.append(PAPER, update, lambda update=update: done.append(update))  # type: ignore[misc]
    await until(lambda: len(done) == len(updates))
    assert done == list(updates)


@runs_async
async def test_updates_come_back_in_order_after_reopening(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await store.run(add_paper)
        await append(store, b"one", b"two", b"three")
        assert store.backlog_bytes == 0
    async with opened(tmp_path / "data") as store:
        loaded = await store.load(PAPER)

    assert loaded is not None
    assert (loaded.updates, loaded.size_bytes) == ([b"one", b"two", b"three"], 11)


@runs_async
async def test_an_update_of_many_edits_waits_for_no_others(tmp_path: Path) -> None:
    stored: list[int] = []
    async with opened(tmp_path) as store:
        await store.run(add_paper)
        store.append(PAPER, b"first", lambda: stored.append(1))
        await until(lambda: stored == [1])
        began = asyncio.get_running_loop().time()
        store.append(PAPER, b"few", lambda: stored.append(9), edits=9)
        assert store._handing_over is not None
        assert store._handing_over.when() > began  # type: ignore[attr-defined]
        store.append(PAPER, b"one more", lambda: stored.append(10))
        assert store._handing_over is None, "given to the writer"
        await until(lambda: stored == [1, 9, 10])


@runs_async
async def test_a_document_nobody_made_is_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        assert await store.load(PAPER) is None


@runs_async
async def test_what_a_job_raises_undoes_what_it_wrote_and_nothing_else(tmp_path: Path) -> None:
    def fail(records: Records) -> None:
        records.put_user(User(user_id=UserId("b")))
        raise RejectedError(ErrorCode.FORBIDDEN)

    async with opened(tmp_path) as store:
        first = store.run(lambda records: records.put_user(User(user_id=UserId("a"))))
        second = store.run(fail)
        await first
        with pytest.raises(RejectedError):
            await second
        found = await store.run(lambda records: [records.find_user(UserId(name)) is not None for name in "ab"])

    assert found == [True, False]


@runs_async
async def test_closing_stores_what_is_still_queued(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.run(add_paper)
        for number in range(500):
            store.append(PAPER, b"%d" % number, lambda: None)
    async with opened(tmp_path) as store:
        assert await stored(store) == [b"%d" % number for number in range(500)]


# ── compaction ──────────────────────────────────────────────────────────────────────────────────────────


def typed(letters: int) -> tuple[ProjectDocument, list[bytes]]:
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    file_id = document.add_file("main.tex")
    for _ in range(letters):
        document.text(file_id).replace_u16(0, 0, "a")
    return document, updates


@runs_async
async def test_a_long_log_becomes_a_snapshot_that_says_the_same(tmp_path: Path) -> None:
    document, updates = typed(60)
    async with opened(tmp_path, compact_after=20) as store:
        await store.run(add_paper)
        for number in range(0, len(updates), 10):
            await append(store, *updates[number : number + 10])
        await upkeep_done(store)
        kept = await stored(store)
    copy = ProjectDocument()
    copy.apply(merge_updates(kept))

    assert len(kept) < len(updates)
    assert copy.update_since() == document.update_since()


@runs_async
async def test_compaction_keeps_what_waits_for_its_predecessor(tmp_path: Path) -> None:
    document, updates = typed(30)
    late = updates.pop(5)
    async with opened(tmp_path, compact_after=10) as store:
        await store.run(add_paper)
        await append(store, *updates)
        await upkeep_done(store)
        await store.run(lambda _records: None)
        kept = await stored(store)
    copy = ProjectDocument()
    copy.apply(merge_updates([*kept, late]))

    assert len(kept) == 1
    assert copy.update_since() == document.update_since()


@pytest.mark.expects_log
@runs_async
async def test_a_log_that_cannot_be_compacted_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path, compact_after=3) as store:
        await store.run(add_paper)
        await append(store, b"not", b"an", b"update")
        await upkeep_done(store)

        assert await stored(store) == [b"not", b"an", b"update"]
    assert "was not compacted" in caplog.text


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_a_full_disk_loses_nothing_and_is_told_once(tmp_path: Path) -> None:
    heard: list[str] = []
    durable: list[int] = []
    async with opened(tmp_path) as store:
        store.listener.on_trouble = lambda error: heard.append(type(error).__name__)
        store.listener.on_recovered = lambda: heard.append("recovered")
        await store.run(add_paper)
        async with full_disk(store):
            for number in range(40):
                store.append(PAPER, bytes([number]) * 5000, lambda number=number: durable.append(number))  # type: ignore[misc]
            await until(lambda: heard)
            assert await store.run(lambda records: records.find_document(PAPER)) is not None
            with pytest.raises(NotWritableError):
                await store.run(lambda records: records.put_setting("k", "x" * 100_000))
            assert store.backlog_bytes > 0
        await until(lambda: len(durable) == 40)
        await until(lambda: len(heard) == 2)
        assert heard == ["NotWritableError", "recovered"]
        assert durable == list(range(40))
        assert [update[0] for update in await stored(store)] == durable


@runs_async
async def test_closing_on_a_full_disk_gives_up_in_time_and_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.run(add_paper)
    await store.run(lambda records: records._db.execute("PRAGMA max_page_count = 1"))  # type: ignore[attr-defined]
    store.append(PAPER, b"x" * 100_000, lambda: None)
    with pytest.raises(StorageError, match="100000 bytes"):
        await store.close(time_limit_s=0.2)


@runs_async
async def test_bytes_that_changed_on_the_disk_are_not_taken_for_a_document(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.run(add_paper)
        await append(store, b"one", b"two")
        await store.run(lambda records: records._db.execute("UPDATE updates SET data = x'00' WHERE number = 1"))  # type: ignore[attr-defined]
        loaded = await store.load(PAPER)
        await store.run(lambda records: records._db.execute("UPDATE updates SET crc = 0"))  # type: ignore[attr-defined]
        with pytest.raises(CorruptSnapshotError, match="nothing of document paper can be read"):
            await store.load(PAPER)
    assert loaded is not None
    assert (loaded.updates, loaded.damage) == ([b"two"], ("update 1 is not what was written",))


@runs_async
async def test_what_lies_on_other_pages_than_the_broken_one_is_read(tmp_path: Path) -> None:
    _document, updates = typed_updates(600, text="word ")
    async with opened(tmp_path) as store:
        await store.run(add_paper)
        await append(store, *updates)
    spoil_page(database_path(tmp_path), updates[300])
    async with opened(tmp_path) as store:
        loaded = await store.load(PAPER)
    assert loaded is not None
    assert loaded.damage
    assert len(updates) - 200 < len(loaded.updates) < len(updates)
    assert set(text_of(loaded.updates).split()) == {"word"}


@pytest.mark.parametrize("content", [b"junk" * 500, b"SQLite format 3\x00" + b"\x07" * 5000])
@runs_async
async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    database_path(tmp_path).write_bytes(content)
    with pytest.raises(StorageError):
        SqliteStore(tmp_path)

    assert database_path(tmp_path).read_bytes() == content


@runs_async
async def test_databases_of_others_and_of_tomorrow_are_left_alone(tmp_path: Path) -> None:
    for number, statement in enumerate(("CREATE TABLE theirs (x)", "PRAGMA user_version = 99")):
        data = tmp_path / str(number)
        data.mkdir()
        with closing(sqlite3.connect(database_path(data))) as other:
            other.execute(statement)
            other.commit()
        with pytest.raises(CorruptSnapshotError):
            SqliteStore(data)


@runs_async
async def test_what_is_kept_is_private(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    async with opened(data):
        files = {path: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}

        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert set(files.values()) == {0o600}


def test_a_folder_belongs_to_one_server(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(NotWritableError, match="another server"):
        FolderLock(tmp_path)
    lock.followed(7)
    with pytest.raises(NotWritableError, match=rf"\(process {os.getpid()}\)$"):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()


def test_a_server_tells_commands_how_far_it_has_followed_while_it_runs(tmp_path: Path) -> None:
    assert last_followed(tmp_path) is None
    lock = FolderLock(tmp_path)
    assert last_followed(tmp_path) is None
    for number in (12, 3):
        lock.followed(number)
        assert last_followed(tmp_path) == number
    lock.release()
    assert last_followed(tmp_path) is None


@pytest.mark.skipif(os.name != "posix", reason="there a dead process cannot be told from one of somebody else's")
def test_what_a_killed_server_said_last_holds_nobody_up(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    FolderLock(tmp_path).release()
    (tmp_path / "server.lock").write_bytes(b"%d 12\n" % dead.pid)
    assert last_followed(tmp_path) is None


@runs_async
async def test_many_appends_share_the_cost_of_being_durable(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        commits: list[str] = []
        await store.run(add_paper)
        store._db.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
        await append(store, *[b"x"] * 1500)
        store._db.set_trace_callback(None)

    assert len(commits) < 1000
    logging.getLogger(__name__).info("%d commits", len(commits))


@runs_async
async def test_jobs_and_appends_of_many_tasks_all_get_their_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.run(add_paper)

        async def work(number: int) -> str | None:
            await append_one(store, b"%d" % number)
            await store.run(lambda records: records.put_setting(str(number), str(number)))
            return await store.run(lambda records: records.find_setting(str(number)))

        answers = await asyncio.gather(*(work(number) for number in range(100)))

    assert answers == [str(number) for number in range(100)]


async def append_one(store: SqliteStore, update: bytes) -> None:
    durable = asyncio.Event()
    store.append(PAPER, update, durable.set)
    await durable.wait()


@runs_async
async def test_whether_the_audit_log_has_grown_is_known_without_a_lock(tmp_path: Path) -> None:
    entry = AuditEntry(at=0.0, action=AuditAction.USER_REMOVED, actor=OPERATOR)
    async with opened(tmp_path) as store:
        await add_document(store)
        first = store.audit_version()
        await append_all(store, [b"\x00\x00"])
        assert store.audit_version() == first
        with closing(sqlite3.connect(database_path(tmp_path), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            SqliteRecords(other).put_audit(entry)
            assert [store.audit_version() for _ in range(3)] == [first] * 3
            other.execute("COMMIT")
        second = store.audit_version()
        await store.run(lambda records: records.put_audit(entry))
        assert len({first, second, store.audit_version()}) == 3
