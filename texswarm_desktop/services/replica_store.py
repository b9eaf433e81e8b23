"""The durable replica of one project, written behind the back of whoever types.

`append` and its like return at once: what they say is queued, and one job in the executor writes everything that is
queued in one transaction (group commit). The queue is emptied only by a transaction that succeeded, so on a full disk
everything is still there; the failure is told once, and tried again.

All methods belong to the loop's thread, except `enqueue` and `commit_now`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Final

from texswarm_desktop.services.replica_database import (
    Operation,
    ReplicaDatabase,
    StoredReplica,
    add_row,
    confirm_rows,
    is_loose,
    put_meta,
)
from texswarm_server.protocol.errors import StorageError

_log = logging.getLogger(__name__)

ProblemListener = Callable[[StorageError | None], None]

_RETRY_S: Final = 1.0
#: Compacting this much, some five thousand key presses, holds the interpreter for about 35 ms, and so would the next
#: start; a large document is compacted more seldom, because all of it is written.
_COMPACT_ABOVE_BYTES: Final = 128 * 1024
_COMPACT_ABOVE_SHARE: Final = 4
#: Large edits load as fast as a snapshot: what a folder brought in is left as it is, and only small ones count.
_COMPACT_ABOVE_EDITS: Final = 64
#: At the end the rest is compacted too, where that takes no time, or where the next start would take longer.
_ALWAYS_BELOW_BYTES: Final = 2 * 1024 * 1024
_AT_THE_END_ABOVE_EDITS: Final = 1000


class ReplicaStore:
    """An open replica. Invariant: what is queued and what is on disk together are everything that was appended."""

    def __init__(
        self,
        path: Path,
        *,
        executor: Executor,
        on_problem: ProblemListener = lambda _: None,
        retry_s: float = _RETRY_S,
        open_database: Callable[[Path], ReplicaDatabase] = ReplicaDatabase,
    ) -> None:
        self._path = path
        self._executor = executor
        self._on_problem = on_problem
        self._retry_s = retry_s
        self._open_database = open_database
        self._database: ReplicaDatabase | None = None
        self._loop = asyncio.get_running_loop()
        self._gate = RLock()
        self._disk = Lock()
        self._queue: list[Operation] = []
        self._queued = 0
        self._durable = 0
        self._loose_bytes = self._loose_edits = self._whole_bytes = 0
        self._compact_above = _COMPACT_ABOVE_BYTES
        self._job: asyncio.Future[None] | None = None
        self._rounds: list[asyncio.Future[None]] = []
        self._retry: asyncio.TimerHandle | None = None
        self._problem: StorageError | None = None
        self._awaited: list[tuple[int, Callable[[], None]]] = []
        self.last_row = 0

    async def load(self, now: float) -> StoredReplica:
        """Open the database and read it; edits that wait count as made at `now`.

        Raises CorruptSnapshotError (nothing was changed, and nothing will be), NotReadableError, NotWritableError.
        """
        stored = await self._loop.run_in_executor(self._executor, self._load, now)
        self.last_row = stored.last_row
        return stored

    def append(self, update: bytes, edits: int, *, is_local: bool) -> int:
        """Keep an update and return its row; `is_local`: made here, and so to be confirmed by a server."""
        self.last_row += 1
        self._whole_bytes += len(update)
        if is_loose(update, edits):
            self._loose_bytes += len(update)
            self._loose_edits += max(edits, 1)
        self.put(add_row(self.last_row, update, edits, is_waiting=is_local))
        return self.last_row

    def confirm(self, row: int) -> None:
        """Keep that a server has every row up to `row`."""
        self.put(confirm_rows(row))

    def set_meta(self, key: str, value: str | None) -> None:
        """Keep a value under a name, or forget it."""
        self.put(put_meta(key, value))

    def put(self, operation: Operation) -> None:
        """Queue an operation and see that it is written."""
        self.enqueue(operation)
        self._start()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Whatever is queued inside is written in one transaction; nothing of it when what is inside fails."""
        with self._gate:
            mark = len(self._queue)
            try:
                yield
            except BaseException:
                self._queued -= len(self._queue) - mark
                del self._queue[mark:]
                raise

    def enqueue(self, operation: Operation) -> None:
        """Queue an operation, from any thread; it is written with the next commit."""
        with self._gate:
            self._queue.append(operation)
            self._queued += 1

    def commit_now(self) -> None:
        """Write what is queued, in this thread, which is not the loop's; raises StorageError and keeps the queue."""
        with self._disk:
            with self._gate:
                operations, self._queue = self._queue, []
                upto = self._queued
            try:
                if self._database is not None and operations:
                    self._database.commit(operations)
            except StorageError:
                with self._gate:
                    self._queue[:0] = operations
                raise
            self._durable = upto
            self._compact_at_times()

    async def flushed(self) -> None:
        """Return when everything queued until now is durable; raises StorageError if it cannot be written now.

        Nothing is forgotten then: it stays queued and is tried again.
        """
        target = self._queued
        if self._job is not None:  # what began earlier does not say whether it can be written now
            await asyncio.wait([self._job])
        while self._durable < target:
            ended = self._loop.create_future()
            self._rounds.append(ended)
            self._start()
            await ended

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call back once everything queued until now is durable, unless it is closed before."""
        self._awaited.append((self._queued, call))
        self.wake()

    async def close(self) -> None:
        """Write what is queued, compact, and close; raises StorageError and stays open if it cannot be written."""
        if self._database is None:
            return
        await self.flushed()
        await self._idle()
        database, self._database = self._database, None
        self._stop_retrying()
        await self._loop.run_in_executor(self._executor, self._finish, database)

    async def abandon(self) -> None:
        """Close without writing what cannot be written."""
        self._stop_retrying()
        await self._idle()
        database, self._database = self._database, None
        self._stop_retrying()
        if database is not None:
            await self._loop.run_in_executor(self._executor, database.close)

    # ── on the loop ─────────────────────────────────────────────────────────────────────────────────────

    def wake(self) -> None:
        """Start writing unless that is going on; after `commit_now` elsewhere, call back who waited for it."""
        self._call_back()
        if self._queue:
            self._start()

    def _start(self) -> None:
        if self._job is None and self._database is not None:
            self._stop_retrying()
            self._job = self._loop.run_in_executor(self._executor, self.commit_now)
            self._job.add_done_callback(self._on_written)

    def _on_written(self, job: "asyncio.Future[None]") -> None:
        self._job = None
        error = None if job.cancelled() else job.exception()
        rounds, self._rounds = self._rounds, []
        for ended in rounds:
            if not ended.done():
                ended.set_exception(error) if error else ended.set_result(None)
        if isinstance(error, StorageError):
            self._tell(error)
            self._retry = self._loop.call_later(self._retry_s, self.wake)
        elif error is None:
            self._tell(None)
            self._call_back()
            self.wake()
        else:
            self._loop.call_exception_handler({"message": "the replica was not written", "exception": error})

    def _call_back(self) -> None:
        due = [call for target, call in self._awaited if target <= self._durable]
        self._awaited = [(target, call) for target, call in self._awaited if target > self._durable]
        for call in due:
            call()

    def _tell(self, problem: StorageError | None) -> None:
        if str(problem) != str(self._problem):
            self._problem = problem
            self._on_problem(problem)

    def _stop_retrying(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    async def _idle(self) -> None:
        while self._job is not None:
            await asyncio.wait([self._job])

    # ── in the executor ─────────────────────────────────────────────────────────────────────────────────

    def _load(self, now: float) -> StoredReplica:
        database = self._open_database(self._path)
        try:
            stored = database.load(now)
        except StorageError:
            database.close()
            raise
        self._database = database
        self._loose_bytes, self._loose_edits = stored.loose_bytes, stored.loose_edits
        self._set_whole(stored.whole_bytes)
        return stored

    def _compact_at_times(self) -> None:
        is_much = self._loose_bytes > self._compact_above and self._loose_edits > _COMPACT_ABOVE_EDITS
        if self._database is not None and is_much:
            self._loose_bytes = self._loose_edits = 0
            self._compact(self._database)

    def _set_whole(self, size: int) -> None:
        self._whole_bytes = size
        self._compact_above = _COMPACT_ABOVE_BYTES + size // _COMPACT_ABOVE_SHARE

    def _finish(self, database: ReplicaDatabase) -> None:
        try:
            if self._whole_bytes < _ALWAYS_BELOW_BYTES or self._loose_edits > _AT_THE_END_ABOVE_EDITS:
                self._compact(database)
        finally:
            database.close()

    def _compact(self, database: ReplicaDatabase) -> None:
        """A replica that could not be compacted, for want of room say, is complete all the same."""
        try:
            self._set_whole(database.compact())
        except StorageError as error:
            _log.info("not compacted: %s", error)
