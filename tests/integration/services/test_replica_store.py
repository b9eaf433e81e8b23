"""The replica on a real disk: what was flushed is there after any end, and damage is never written over."""

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from tests.helpers.run_async import settle
from tests.helpers.small_disk import small_disk
from texswarm_desktop.core.outbox import merge_many
from texswarm_desktop.core.reconcile import NOTHING, Record
from texswarm_desktop.core.stale_saves import former_state
from texswarm_desktop.core.text_merge import Edit
from texswarm_desktop.services.replica_database import (
    Operation,
    ReplicaDatabase,
    StoredReplica,
    put_former,
    put_intent,
    put_record,
    put_removal,
)
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document import ProjectDocument
from texswarm_server.document.text_format import TextFormat
from texswarm_server.protocol.errors import (
    CorruptSnapshotError,
    DiskFullError,
    NotReadableError,
    NotWritableError,
    StorageError,
)


class Typist:
    """A document whose edits are collected."""

    def __init__(self) -> None:
        self.document = ProjectDocument()
        self.updates: list[bytes] = []
        self.document.on_update = lambda update, _: self.updates.append(update)
        self.text = self.document.text(self.document.add_file("main.tex"))

    def type(self, words: str) -> list[bytes]:
        return self.paste(*words)

    def paste(self, *words: str) -> list[bytes]:
        for word in words:
            end = self.text.index.total_cp
            self.text.replace_cp(end, end, word)
        updates, self.updates = self.updates, []
        return updates


def text_in(stored: StoredReplica) -> str:
    assert stored.updates
    document = ProjectDocument()
    document.load(stored.updates)
    (file_id,) = document.files
    return str(document.text(file_id))


async def reopened(path: Path, executor: ThreadPoolExecutor) -> StoredReplica:
    store = ReplicaStore(path, executor=executor)
    stored = await store.load(now=5.0)
    await store.abandon()
    return stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replica.db"


def test_what_was_in_files_that_are_long_gone_is_forgotten(path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        month_ago, now = former_state("old", time.time() - 31 * 24 * 3600.0), former_state("new", time.time())
        for file_id in ("there", "gone"):
            store.put(put_former(file_id, (), (month_ago, now)))
        store.put(put_record("there", Record("a.tex", "x")))
        await store.flushed()
        await store.abandon()
        assert (await reopened(path, executor)).former == {"there": [month_ago, now], "gone": [now]}

    asyncio.run(story())


def test_what_was_flushed_is_there_again(path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        empty = await store.load(now=0.0)
        assert (empty.updates, empty.meta, empty.waiting, empty.last_row) == ([], {}, [], 0)
        rows = [store.append(update, 1, is_local=True) for update in Typist().type("hello")]
        store.append(Typist().type("x")[0], 0, is_local=False)
        store.confirm(rows[1])
        store.set_meta("document_id", "d")
        store.set_meta("server", "s")
        store.set_meta("server", None)
        record = Record("main.tex", "é\n\n", TextFormat("latin-1", newline="\r\n"), b"digest")
        store.put(put_record("f", record))
        store.put(put_intent("f", "main.tex", b"next", Edit(0, 3, "new")))
        going = Record("gone.tex", "x", digest=b"x")
        store.put(put_record("g", going))
        store.put(put_intent("g", "gone.tex", b"next", Edit(0, 1, "new")))
        store.put(put_removal("g"))
        older, newer = former_state("older", 1.0), former_state("newer", 2.0)
        store.put(put_former("f", (), (older,)))
        store.put(put_former("f", (older,), (newer,)))
        await store.flushed()
        await store.abandon()
        stored = await reopened(path, executor)
        assert stored.former == {"f": [newer]}
        assert stored.meta == {"document_id": "d"}
        assert [row.row for row in stored.waiting] == rows[2:]
        assert {row.since for row in stored.waiting} == {5.0}
        assert stored.records == {
            "f": Record("main.tex", "é\n\n", record.format, b"digest", b"next", "new"),
            "g": replace(going, intent=NOTHING),
        }
        assert stored.last_row == rows[-1] + 1

    asyncio.run(story())


def test_closing_leaves_one_snapshot_and_the_edits_that_wait(path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        rows = [store.append(update, 1, is_local=True) for update in Typist().type("hello, world" * 20)]
        store.confirm(rows[100])
        await store.close()
        stored = await reopened(path, executor)
        assert text_in(stored) == "hello, world" * 20
        assert (sum(row.edits for row in stored.waiting), len(stored.waiting)) == (len(rows) - 101, 1)
        assert (stored.last_row, stored.loose_bytes) == (rows[-1], 0)

    asyncio.run(story())


def test_long_work_is_compacted_while_it_goes_on(path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        typist, rows = Typist(), []
        for _ in range(50):
            rows += [store.append(update, 1, is_local=True) for update in typist.type("lorem ipsum " * 10)]
            store.confirm(rows[-1])
            await store.flushed()
        await store.abandon()
        stored = await reopened(path, executor)
        assert text_in(stored) == "lorem ipsum " * 500
        assert stored.loose_bytes < 200_000
        assert (stored.waiting, stored.last_row) == ([], rows[-1])

    asyncio.run(story())


def test_many_edits_in_one_update_count_as_many(path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        typist = Typist()
        for update in typist.paste("x" * 3_000_000):
            store.append(update, 1, is_local=False)
        store.append(merge_many(typist.type("y" * 1100)), 1100, is_local=False)
        await store.close()
        stored = await reopened(path, executor)
        assert text_in(stored) == "x" * 3_000_000 + "y" * 1100
        assert stored.loose_edits == 0
        assert len(stored.updates) == 1

    asyncio.run(story())


@pytest.mark.parametrize(("rows", "is_compacted"), [(20, False), (1100, True)])
def test_much_that_loads_fast_is_left_as_it_is_at_the_end(
    path: Path, executor: ThreadPoolExecutor, rows: int, is_compacted: bool
) -> None:
    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        typist = Typist()
        for update in [*typist.paste("x" * 3_000_000), *typist.type("y" * rows)]:
            store.confirm(store.append(update, 1, is_local=True))
        await store.close()
        stored = await reopened(path, executor)
        assert text_in(stored) == "x" * 3_000_000 + "y" * rows
        assert (stored.loose_edits == 0) == is_compacted

    asyncio.run(story())


def test_large_updates_are_not_read_once_more_to_merge_them(path: Path, executor: ThreadPoolExecutor) -> None:
    """A book is some forty of them: merging those took longer than loading them."""

    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        typist = Typist()
        before, large, after = typist.type("small"), typist.paste(*["x" * 100_000] * 3), typist.type("small again")
        _append(store, [*before, *large, *after])
        await store.flushed()
        await store.abandon()
        stored = await reopened(path, executor)
        assert stored.updates == [merge_many(before), *large, merge_many(after)]
        assert text_in(stored) == "small" + "x" * 300_000 + "small again"

    asyncio.run(story())


def test_who_waits_is_called_back_also_when_another_thread_wrote_it(path: Path, executor: ThreadPoolExecutor) -> None:
    """The mirror's round may be the one that writes; when it has nothing to note, nothing else is written after it."""

    async def story() -> None:
        with ThreadPoolExecutor(max_workers=1) as busy:
            store = ReplicaStore(path, executor=busy)
            await store.load(now=0.0)
            others_work, called = Event(), Event()
            busy.submit(others_work.wait)
            store.append(Typist().type("x")[0], 1, is_local=True)
            store.when_durable(called.set)
            await asyncio.get_running_loop().run_in_executor(executor, store.commit_now)
            store.wake()
            is_called = called.is_set()
            others_work.set()
            await store.abandon()
            assert is_called

    asyncio.run(story())


def test_numbers_go_on_after_everything_was_compacted(path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        typist = Typist()
        for expected in (1, 2, 3):
            store = ReplicaStore(path, executor=executor)
            await store.load(now=0.0)
            updates = typist.type("a")
            row = store.append(updates[-1], 1, is_local=True)
            assert row == expected
            store.confirm(row)
            await store.close()

    asyncio.run(story())


def test_what_fails_inside_together_leaves_nothing(path: Path, executor: ThreadPoolExecutor) -> None:
    def fail(store: ReplicaStore) -> None:
        with store.together():
            store.set_meta("inside", "1")
            raise ZeroDivisionError

    async def story() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        store.set_meta("before", "1")
        with pytest.raises(ZeroDivisionError):
            fail(store)
        store.set_meta("after", "1")
        await store.flushed()
        await store.abandon()
        assert (await reopened(path, executor)).meta == {"before": "1", "after": "1"}

    asyncio.run(story())


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshot SET data = x'0000'",
        "UPDATE snapshot SET data = substr(data, 1, length(data) - 1)",
        "UPDATE rows SET data = x'0000'",
        "DROP TABLE rows",
    ],
)
def test_damage_is_refused_and_left_as_it_is(path: Path, executor: ThreadPoolExecutor, damage: str) -> None:
    async def work() -> None:
        store = ReplicaStore(path, executor=executor)
        await store.load(now=0.0)
        _append(store, Typist().type("hello"))
        await store.close()

    asyncio.run(work())
    _damage(path, damage)
    before = path.read_bytes()
    with pytest.raises(CorruptSnapshotError):
        asyncio.run(reopened(path, executor))
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left(path: Path, executor: ThreadPoolExecutor) -> None:
    path.write_bytes(b"this was once a replica" * 100)
    with pytest.raises(CorruptSnapshotError):
        asyncio.run(reopened(path, executor))
    assert path.read_bytes() == b"this was once a replica" * 100


def test_a_replica_of_a_newer_version_is_left_alone(path: Path, executor: ThreadPoolExecutor) -> None:
    asyncio.run(reopened(path, executor))
    _damage(path, "PRAGMA user_version = 99")
    with pytest.raises(NotReadableError):
        asyncio.run(reopened(path, executor))


def test_a_folder_that_is_not_there_is_a_typed_error(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    with pytest.raises(NotWritableError):
        asyncio.run(reopened(tmp_path / "nowhere" / "replica.db", executor))


def test_a_full_disk_is_told_once_and_nothing_is_forgotten(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story(path: Path) -> None:
        problems: list[StorageError | None] = []
        is_mended = asyncio.Event()

        def on_problem(problem: StorageError | None) -> None:
            problems.append(problem)
            if problem is None:
                is_mended.set()

        store = ReplicaStore(path, executor=executor, on_problem=on_problem, retry_s=0.01)
        await store.load(now=0.0)
        typist = Typist()
        _append(store, typist.type("before "))
        await store.flushed()
        disk.fill()
        _append(store, typist.type("while the disk was full " * 50))
        for _ in range(3):
            with pytest.raises(DiskFullError):
                await store.flushed()
            _append(store, typist.type("on it went "))
        with pytest.raises(DiskFullError):
            await store.close()
        assert [type(problem) for problem in problems] == [DiskFullError]
        disk.make_room()
        await is_mended.wait()
        await store.close()
        stored = await reopened(path, executor)
        assert text_in(stored) == "before " + "while the disk was full " * 50 + "on it went " * 3

    with small_disk(tmp_path) as disk:
        asyncio.run(story(disk.root / "replica.db"))


def test_an_attempt_that_began_on_a_full_disk_is_not_what_is_told_of_the_next(
    path: Path, executor: ThreadPoolExecutor
) -> None:
    begun, has_room = Event(), Event()

    class FullUntilThen(ReplicaDatabase):
        def commit(self, operations: Iterable[Operation]) -> None:
            if not has_room.is_set():
                begun.set()
                has_room.wait()
                raise NotWritableError("full when it began")
            super().commit(operations)

    async def story() -> None:
        store = ReplicaStore(path, executor=executor, open_database=FullUntilThen)
        await store.load(now=0.0)
        _append(store, Typist().type("typed on a full disk"))
        await asyncio.to_thread(begun.wait)
        async with asyncio.TaskGroup() as tasks:
            closing = tasks.create_task(store.close())
            await settle()
            assert not closing.done()
            has_room.set()
        assert text_in(await reopened(path, executor)) == "typed on a full disk"

    asyncio.run(story())


def _append(store: ReplicaStore, updates: list[bytes]) -> None:
    for update in updates:
        store.append(update, 1, is_local=True)


def _damage(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def test_former_states_of_an_earlier_version_are_read(path: Path, executor: ThreadPoolExecutor) -> None:
    state = former_state("older", time.time())
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute(
            "CREATE TABLE former (file_id TEXT NOT NULL, until REAL NOT NULL, text BLOB NOT NULL,"
            " PRIMARY KEY (file_id, until)) WITHOUT ROWID"
        )
        earlier.execute("INSERT INTO former VALUES ('f', ?, ?)", (state.until, state.packed))
        earlier.commit()

    stored = asyncio.run(reopened(path, executor))
    assert stored.former == {"f": [replace(state, digest=b"")]}
