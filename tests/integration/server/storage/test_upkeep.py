"""Logs become snapshots and former states are kept, while others write; nothing is thrown away."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.fake_time import FakeTime
from tests.helpers.run_async import runs_async, until
from tests.helpers.stored_documents import (
    PAPER,
    add_document,
    append_all,
    opened_store,
    text_of,
    typed_updates,
    upkeep_done,
)
from tests.helpers.time_bombs import time_bomb
from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.loading import load_document
from texswarm_server.protocol.errors import CorruptSnapshotError, NotReadableError
from texswarm_server.storage.compactor import Compactor, Request, answer_to
from texswarm_server.storage.history import HistoryPolicy
from texswarm_server.storage.read_only import open_read_only
from texswarm_server.storage.store import database_path
from texswarm_server.storage.versions import list_versions, restore_version, version_content

if TYPE_CHECKING:
    from pathlib import Path

    from texswarm_server.storage.sqlite_store import SqliteStore


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database_path(data))) as database:
        return database.execute(query).fetchall()


async def content(store: SqliteStore) -> list[bytes]:
    loaded = await store.load(PAPER)
    assert loaded is not None
    return loaded.updates


# ── compaction ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.expects_log
@runs_async
async def test_a_document_with_a_harmful_update_is_compacted_and_the_update_set_aside(tmp_path: Path, caplog) -> None:
    document, updates = typed_updates(30)
    bomb = time_bomb(updates[1:], 3, 5)
    async with opened_store(tmp_path, compact_after=30) as store:
        await add_document(store)
        await append_all(store, [*updates[:10], bomb, *updates[10:]])
        await upkeep_done(store)
        kept = await content(store)
    loaded = load_document(kept)

    assert len(kept) < 5
    assert not isinstance(loaded, CarefulDocument)
    assert loaded.update_since() == document.update_since()
    assert rows(tmp_path, "SELECT document_id, data FROM harmful_updates") == [(PAPER, bomb)]
    assert "1 updates that break it are set aside" in caplog.text


@runs_async
async def test_a_large_document_is_compacted_elsewhere_and_the_loop_goes_on(tmp_path: Path) -> None:
    _document, updates = typed_updates(100, text="words " * 200)
    compactor, turns = Compactor(large_bytes=1), 0
    async with opened_store(tmp_path, compact_after=102) as store:
        store.upkeep._compactor = compactor
        await add_document(store)
        await append_all(store, updates)
        await until(lambda: compactor._process)
        while store.upkeep.is_at_work:
            turns += 1
            await asyncio.sleep(0)
        await upkeep_done(store)
        kept = await content(store)

    assert turns > 10
    assert len(kept) == 1
    assert text_of(kept) == "words " * 20_000


@runs_async
async def test_the_answer_is_the_same_from_another_process(tmp_path: Path) -> None:
    _document, updates = typed_updates(20)
    bomb = time_bomb(updates[1:], 3, 5)
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, [*updates[:9], bomb, *updates[9:]])
    request = Request(str(database_path(tmp_path)), PAPER, wants_version=True)
    lost = Request(str(tmp_path / "none" / "none.db"), PAPER, wants_version=False)
    compactor = Compactor(large_bytes=1)

    try:
        answer = compactor.compact(request, 1)
        assert answer == answer_to(request)
        assert [data for _number, data in answer.harmful] == [bomb]
        assert answer.through == len(updates) + 1
        process = compactor._process
        with pytest.raises(CorruptSnapshotError, match="unable to open"):
            compactor.compact(lost, 1)
        assert compactor.compact(request, 1) == answer
        assert process is compactor._process is not None
        process.kill()
        process.wait()
        assert compactor.compact(request, 1) == answer, "asked another one, because that one was gone"
    finally:
        compactor.stop()
    with pytest.raises(CorruptSnapshotError, match="stopping"):
        compactor.compact(request, 1)


@runs_async
async def test_a_log_that_cannot_be_read_is_refused_by_the_process_too(tmp_path: Path) -> None:
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, [b"no update", *typed_updates(3)[1]])
    request, compactor = Request(str(database_path(tmp_path)), PAPER, wants_version=False), Compactor(large_bytes=1)

    try:
        with pytest.raises(CorruptSnapshotError, match="what everything stands on"):
            compactor.compact(request, 1)
        with closing(sqlite3.connect(database_path(tmp_path))) as database:
            database.execute("UPDATE updates SET crc = crc + 1 WHERE number = 2")
            database.commit()
        with pytest.raises(CorruptSnapshotError, match="update 2 is not what was written"):
            compactor.compact(request, 1)
    finally:
        compactor.stop()


@runs_async
async def test_closing_does_not_wait_for_a_process_that_is_at_work(tmp_path: Path) -> None:
    _document, updates = typed_updates(40, text="words " * 5_000)
    async with opened_store(tmp_path, compact_after=20) as store:
        store.upkeep._compactor = compactor = Compactor(large_bytes=1)
        await add_document(store)
        await append_all(store, updates)
        await until(lambda: compactor._process or not store.upkeep.is_at_work)
    async with opened_store(tmp_path) as store:
        assert text_of(await content(store)) == "words " * 200_000
    assert not any(thread.name.startswith("texswarm-store") for thread in threading.enumerate())


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_a_version_is_kept_when_a_document_rests_and_something_changed(tmp_path: Path) -> None:
    clock = FakeTime(wall=1000.0)
    _document, updates = typed_updates(10, text="word ")
    async with opened_store(tmp_path, wall_clock=clock.wall_clock) as store:
        await add_document(store)
        await append_all(store, updates[:6])
        for _ in range(2):
            store.rest(PAPER)
            await upkeep_done(store)
        clock.wall_now += 3600
        await append_all(store, updates[6:])
        store.rest(PAPER)
        await upkeep_done(store)

    versions = list_versions(tmp_path, PAPER)
    with closing(open_read_only(database_path(tmp_path))) as database:
        texts = [text_of([version_content(database, each.version_id)]) for each in versions]
        with pytest.raises(NotReadableError):
            version_content(database, 99)
    assert [each.created_at for each in versions] == [1000, 4600]
    assert texts == ["word " * 4, "word " * 10]
    with pytest.raises(NotReadableError):
        list_versions(tmp_path, "nobody's")


@runs_async
async def test_while_people_write_versions_follow_the_policy(tmp_path: Path) -> None:
    clock = FakeTime(wall=1000.0)
    _document, updates = typed_updates(200, text="word ")
    policy = HistoryPolicy(every_s=60, steps=((600, 60), (float("inf"), 600)))
    async with opened_store(tmp_path, compact_after=4, wall_clock=clock.wall_clock, policy=policy) as store:
        await add_document(store)
        for at in range(0, 200, 4):
            await append_all(store, updates[at : at + 4])
            await upkeep_done(store)
            clock.wall_now += 30
        versions = list_versions(tmp_path, PAPER)
    ages = [clock.wall_now - each.created_at for each in versions]

    assert sum(age <= 600 for age in ages) in {9, 10, 11}
    assert sum(age > 600 for age in ages) in {1, 2, 3}
    assert rows(tmp_path, "SELECT count(*) FROM updates") == [(0,)]


@runs_async
async def test_a_version_becomes_a_document_of_its_own_beside_the_present_one(tmp_path: Path) -> None:
    clock = FakeTime(wall=0.0)
    _document, updates = typed_updates(10, text="word ")
    async with opened_store(tmp_path, wall_clock=clock.wall_clock) as store:
        await add_document(store)
        await append_all(store, updates[:6])
        store.rest(PAPER)
        await upkeep_done(store)
        await append_all(store, updates[6:])
        (version,) = list_versions(tmp_path, PAPER)
        before = await content(store)
        record = restore_version(tmp_path, version.version_id, now=5.0, random=bytes)
        loaded = await store.load(record.document_id)
        listed = await store.run(lambda records: records.documents_of(record.owner_id))
        assert await content(store) == before

    assert loaded is not None
    document = load_document(loaded.updates)
    assert text_of(loaded.updates) == "word " * 4
    assert (document.lineage, document.title) == (record.lineage, "Paper (1970-01-01 00:00 UTC)")
    assert record.lineage != "l"
    assert {(each.record.document_id, each.role) for each in listed} == {
        (PAPER, "owner"),
        (record.document_id, "owner"),
    }


@runs_async
async def test_a_version_stands_for_a_snapshot_that_cannot_be_read(tmp_path: Path) -> None:
    _document, updates = typed_updates(100, text="word ")
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, updates[:80])
        store.rest(PAPER)
        await upkeep_done(store)
        await append_all(store, updates[80:])
    with closing(sqlite3.connect(database_path(tmp_path))) as database:
        database.execute("UPDATE snapshots SET data = x'00'")
        database.commit()
    async with opened_store(tmp_path) as store:
        loaded = await store.load(PAPER)

    assert loaded is not None
    assert loaded.damage == ("the snapshot is not what was written",)
    assert text_of(loaded.updates) == "word " * 100


@pytest.mark.expects_log
@runs_async
async def test_a_damaged_document_is_not_touched(tmp_path: Path, caplog) -> None:
    _document, updates = typed_updates(100)
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, updates)
    with closing(sqlite3.connect(database_path(tmp_path))) as database:
        database.execute("UPDATE updates SET data = x'00' WHERE number = 50")
        database.commit()
    before = rows(tmp_path, "SELECT * FROM updates")
    async with opened_store(tmp_path) as store:
        store.rest(PAPER)
        await upkeep_done(store)

    assert rows(tmp_path, "SELECT * FROM updates") == before
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(0,)]
    assert "was not compacted: update 50" in caplog.text
