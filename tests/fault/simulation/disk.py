"""A disk that a killed server leaves behind, and a store on it that keeps the promises of `storage.store.Store`.

What was not committed when the server died is gone; what was committed and not yet reported is there. The records are
the real tables, in memory.
"""

import asyncio
import random
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, TypeVar

from texswarm_server.document.updates import compact
from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.sessions.records import Records
from texswarm_server.storage.migrations import migrate
from texswarm_server.storage.sqlite_records import SqliteRecords
from texswarm_server.storage.store import StoredDocument, StoreListener

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


@cache
def _empty_database() -> bytes:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, 0)
    image = connection.serialize()
    connection.close()
    return image


class Disk:
    """What survives the server. `is_full`: nothing can be written; `stall_s`: every commit takes so much longer."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.deserialize(_empty_database())
        self.records = SqliteRecords(self.db)
        self.updates: dict[DocumentId, list[bytes]] = defaultdict(list)
        self.is_full = False
        self.stall_s = 0.0

    def close(self) -> None:
        self.db.close()

    def compact(self) -> None:
        """Replace every log by one snapshot, as the real store does beside its other work."""
        for document_id, updates in self.updates.items():
            if updates and not self.is_full:
                self.updates[document_id] = [compact(updates)]

    def transact(self, job: Callable[[Records], T]) -> T:
        """Run `job` by itself, all or nothing; raises what it raises, and NotWritableError when the disk is full."""
        before = self.db.total_changes
        self.db.execute("BEGIN")
        try:
            result = job(self.records)
            if self.is_full and self.db.total_changes != before:
                raise NotWritableError("disk full")  # noqa: TRY301
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return result


@dataclass(slots=True)
class _Append:
    document_id: DocumentId
    update: bytes
    on_durable: Callable[[], None]


@dataclass(slots=True)
class _Job:
    work: Callable[[Records], Any]
    future: "asyncio.Future[Any]"


class SimulatedStore:
    """Implements `storage.store.Store` over a `Disk`, until it dies."""

    def __init__(self, disk: Disk, chance: random.Random) -> None:
        self.listener = StoreListener()
        self.damage = ""
        self._disk, self._chance = disk, chance
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Append | _Job] = []
        self._unsaved: list[_Append] = []
        self._is_busy = self._is_pausing = self._is_dead = self._is_in_trouble = False
        self._next: asyncio.TimerHandle
        self._pause_s = _FIRST_PAUSE_S
        self._reports: deque[Callable[[], None]] = deque()
        self._reported_at = 0.0
        self.backlog_bytes = 0

    def die(self) -> None:
        """Stop as a killed process stops: nothing is written and nobody is told anything any more."""
        self._is_dead = True

    # ── Store ───────────────────────────────────────────────────────────────────────────────────────────

    def audit_version(self) -> int:
        return self._disk.records.last_audit_number()

    def append(self, document_id: DocumentId, update: bytes, on_durable: Callable[[], None], *, edits: int = 1) -> None:
        self.backlog_bytes += len(update)
        self._take(_Append(document_id, update, on_durable))

    def run(self, job: Callable[[Records], T]) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self._loop.create_future()
        self._take(_Job(job, future))
        return future

    def load(self, document_id: DocumentId) -> "asyncio.Future[StoredDocument | None]":
        future: asyncio.Future[StoredDocument | None] = self._loop.create_future()
        self._loop.call_later(self._chance.uniform(0.0005, 0.01) + self._disk.stall_s, self._load, document_id, future)
        return future

    def rest(self, document_id: DocumentId) -> None:
        """Have no log that could be made short."""

    async def close(self, time_limit_s: float) -> None:
        give_up_at = self._loop.time() + time_limit_s
        while self._queue or self._unsaved or self._is_busy:
            if self._loop.time() > give_up_at:
                raise NotWritableError(f"{self.backlog_bytes} bytes could not be stored in time")
            await asyncio.sleep(0.01)
        self.die()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, item: _Append | _Job) -> None:
        if self._is_dead:
            return
        self._queue.append(item)
        if self._is_pausing and isinstance(item, _Job):  # who asks is not kept waiting, and all is tried again
            self._next.cancel()
            self._is_busy = self._is_pausing = False
        if not self._is_busy:
            self._is_busy = True
            self._commit_after(0.0)

    def _commit_after(self, pause_s: float) -> None:
        self._is_pausing = pause_s > 0
        delay_s = self._chance.uniform(0.0005, 0.012) + self._disk.stall_s + pause_s
        self._next = self._loop.call_later(delay_s, self._commit)

    def _commit(self) -> None:
        if self._is_dead:
            return
        items, self._queue = self._queue, []
        appends = self._unsaved + [item for item in items if isinstance(item, _Append)]
        self._unsaved = []
        if self._disk.is_full and appends:
            self._refuse(appends)
        else:
            self._save(appends)
        for job in [item for item in items if isinstance(item, _Job)]:
            self._attempt(job)
        self._is_busy = bool(self._queue or self._unsaved)
        if self._is_busy:
            self._commit_after(self._pause_s if self._unsaved else 0.0)

    def _save(self, appends: list[_Append]) -> None:
        for each in appends:
            self._disk.updates[each.document_id].append(each.update)
        if appends:
            self._pause_s = _FIRST_PAUSE_S
            self._report(self._on_durable, appends)
        if appends and self._is_in_trouble:
            self._is_in_trouble = False
            self._report(self.listener.on_recovered)

    def _refuse(self, appends: list[_Append]) -> None:
        self._unsaved = appends
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        if not self._is_in_trouble:
            self._is_in_trouble = True
            self._report(lambda: self.listener.on_trouble(NotWritableError("disk full")))

    def _attempt(self, job: _Job) -> None:
        try:
            result = self._disk.transact(job.work)
        except Exception as error:
            self._report(self._settle, job.future, None, error)
        else:
            self._report(self._settle, job.future, result, None)

    def _report(self, call: Callable[..., None], *values: Any) -> None:
        """Call on the loop a little later, in order."""
        self._reported_at = max(self._reported_at, self._loop.time() + self._chance.uniform(0.0, 0.004))
        self._reports.append(partial(call, *values))
        self._loop.call_at(self._reported_at, self._tell)

    def _tell(self) -> None:
        report = self._reports.popleft()
        if not self._is_dead:
            report()

    def _on_durable(self, appends: list[_Append]) -> None:
        for each in appends:
            self.backlog_bytes -= len(each.update)
            each.on_durable()

    @staticmethod
    def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _load(self, document_id: DocumentId, future: "asyncio.Future[StoredDocument | None]") -> None:
        if self._is_dead or future.cancelled():
            return
        record = self._disk.records.find_document(document_id)
        updates = list(self._disk.updates[document_id])
        future.set_result(record and StoredDocument(record, updates, sum(map(len, updates))))
