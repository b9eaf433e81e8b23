"""The store in one SQLite file: a writer thread that commits in groups, a second thread for loads, a third for upkeep.

What is asked for in one turn of the loop is handed to the writer at its end, updates when some have come together or a
moment has passed: a thread that is woken for each would do nothing else. The writer takes everything that lies there
into one transaction, so that the cost of making it durable is shared, and reports on the loop afterwards. Updates that
the disk refuses stay at the head of the queue and are tried again with growing pauses; jobs are answered at once either
way.
"""

import asyncio
import logging
import math
import queue
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from texswarm_server.protocol.errors import (
    CorruptSnapshotError,
    NotWritableError,
    StorageError,
    TexSwarmError,
)
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.sessions.records import DocumentRecord, Records
from texswarm_server.storage.damage import find_damage, forget_suspicion, note_layout, note_suspicion
from texswarm_server.storage.document_log import DocumentLog, read_log
from texswarm_server.storage.history import HistoryPolicy
from texswarm_server.storage.politeness import give_way
from texswarm_server.storage.read_only import tolerant_text
from texswarm_server.storage.recovery import clear_attempts, recover
from texswarm_server.storage.schema import open_database, open_for_reading, prepare_folder, storage_error
from texswarm_server.storage.sqlite_records import SqliteRecords
from texswarm_server.storage.store import StoredDocument, StoreListener, database_path
from texswarm_server.storage.upkeep import COMPACT_AFTER, Upkeep

T = TypeVar("T")
_logger = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_BATCH_ITEMS: Final = 10_000
#: Edits are made durable together this often, or as soon as there are many: a commit costs as much as a hundred of
#: the updates in it, and a fifth of a second is soon enough for a few to be told that they are safe.
_GATHERING_S: Final = 0.2
_MANY: Final = 10
_WRITER_POLITENESS: Final = 3
_INSERTED_AT_ONCE: Final = 32
_INSERT: Final = "INSERT INTO updates (document_id, crc, data) VALUES (?, ?, ?)"


@dataclass(slots=True)
class _Append:
    document_id: DocumentId
    update: bytes
    on_durable: Callable[[], None]


@dataclass(slots=True)
class _Job:
    """`answer` is called on the loop."""

    work: Callable[[Records], Any]
    answer: Callable[[Any, BaseException | None], None]


class _Stop:
    pass


_Item = _Append | _Job | _Stop


class SqliteStore:
    """Implements `storage.store.Store`. Made on the loop that uses it; `close` ends its threads."""

    def __init__(
        self,
        data: Path,
        *,
        compact_after: int = COMPACT_AFTER,
        policy: HistoryPolicy | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or make the database in `data`, a folder that nobody else serves; raises StorageError.

        `compact_after`: updates in a document's log; `policy`: which former states are kept.
        """
        prepare_folder(data)
        clear_attempts(data)
        self._path = database_path(data)
        self.damage = find_damage(self._path)
        if self.damage:
            damaged, self._path = self._path, _recovered(self._path, self.damage)
            _logger.error("%s is damaged (%s); what can be read is served read-only", damaged, self.damage)
        self._db = open_database(self._path)
        if not self.damage:
            forget_suspicion(self._path)
            note_layout(self._db, self._path)
        self._records = SqliteRecords(self._db)
        self._loop = asyncio.get_running_loop()
        self._gathered: list[_Item] = []
        self._edits_gathered = 0
        self._handing_over: asyncio.Handle | None = None
        self._is_urgent = False
        self._handed_over_at = -math.inf
        self._queue: queue.SimpleQueue[list[_Item]] = queue.SimpleQueue()
        self._unsaved: list[_Append] = []
        self._is_in_trouble = False
        self._is_abandoned = threading.Event()
        self._backlog = 0
        self.upkeep = Upkeep(
            self._path,
            self._write_beside,
            wall_clock=wall_clock,
            policy=policy or HistoryPolicy(),
            compact_after=compact_after,
        )
        self.listener = StoreListener()
        self._watching_db = open_for_reading(self._path)
        self._watching_db.execute("PRAGMA busy_timeout = 0")
        self._watching = SqliteRecords(self._watching_db)
        self._watched_at: int | None = None
        self._audit_version = self._unsure = 0
        self._reader_db = open_for_reading(self._path)
        self._reader_db.text_factory = tolerant_text
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="texswarm-store-reader")
        self._writer = threading.Thread(target=self._write, name="texswarm-store-writer", daemon=True)
        self._writer.start()

    @property
    def backlog_bytes(self) -> int:
        """Bytes of updates that are not durable yet."""
        return self._backlog

    def audit_version(self) -> int:
        """Ask SQLite; see `Store.audit_version`. Where it cannot tell, something may have been written."""
        try:
            data_version = self._watching_db.execute("PRAGMA data_version").fetchone()[0]
            if data_version != self._watched_at:
                self._audit_version = self._watching.last_audit_number()
                self._watched_at = data_version
        except sqlite3.Error:
            self._unsure -= 1
            return self._unsure
        return self._audit_version

    def append(self, document_id: DocumentId, update: bytes, on_durable: Callable[[], None], *, edits: int = 1) -> None:
        """Queue an update; see `Store.append`."""
        self._backlog += len(update)
        self._gathered.append(_Append(document_id, update, on_durable))
        self._edits_gathered += edits
        if self._edits_gathered >= _MANY:
            self._hand_over()
        elif self._handing_over is None:
            wait_s = self._handed_over_at + _GATHERING_S - self._loop.time()
            self._handing_over = self._loop.call_later(max(wait_s, 0.0), self._hand_over)

    def run(self, job: Callable[[Records], T]) -> "asyncio.Future[T]":
        """Queue a transaction; see `Store.run`."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._ask(_Job(job, partial(_settle, future)))
        return future

    def load(self, document_id: DocumentId) -> "asyncio.Future[StoredDocument | None]":
        """Read a document on the second thread; everything of it must be durable already. See `Store.load`."""
        return self._loop.run_in_executor(self._reader, self._load, document_id)

    def rest(self, document_id: DocumentId) -> None:
        """Tidy up after a document; see `Store.rest`."""
        if not self.damage:
            self.upkeep.rest(document_id)

    async def close(self, time_limit_s: float) -> None:
        """Flush and end; see `Store.close`."""
        await self.upkeep.close()
        self._gathered.append(_Stop())
        self._hand_over()
        await self._loop.run_in_executor(None, self._writer.join, time_limit_s)
        has_flushed = not self._writer.is_alive()
        self._is_abandoned.set()
        self._queue.put([_Stop()])
        await self._loop.run_in_executor(None, partial(self._reader.shutdown, cancel_futures=True))
        self._reader_db.close()
        self._watching_db.close()
        if not has_flushed:
            raise NotWritableError(f"{self._backlog} bytes could not be stored in time")

    def _ask(self, job: _Job) -> None:
        """Queue something that somebody waits for; all that is asked for in this turn of the loop goes together."""
        self._gathered.append(job)
        if not self._is_urgent:
            self._is_urgent = True
            self._forget_timer()
            self._handing_over = self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Give the writer what was gathered."""
        self._forget_timer()
        self._is_urgent = False
        if self._edits_gathered:
            self._edits_gathered, self._handed_over_at = 0, self._loop.time()
        items, self._gathered = self._gathered, []
        self._queue.put(items)

    def _forget_timer(self) -> None:
        if self._handing_over is not None:
            self._handing_over.cancel()
            self._handing_over = None

    # ── writer thread ───────────────────────────────────────────────────────────────────────────────────

    def _write(self) -> None:
        give_way(_WRITER_POLITENESS)
        pause_s = 0.0
        is_stopping = False
        while not (self._is_abandoned.is_set() or (is_stopping and not self._unsaved)):
            items, saw_stop = self._next_items(pause_s if self._unsaved else None)
            is_stopping = is_stopping or saw_stop
            pause_s = 0.0 if self._save(items) else min(max(pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._db.close()

    def _next_items(self, wait_s: float | None) -> tuple[list[_Item], bool]:
        """Return what is queued; waits for something, but no longer than `wait_s` when there is work left over."""
        items: list[_Item] = []
        with suppress(queue.Empty):
            items += self._queue.get(timeout=wait_s)
            while len(items) < _BATCH_ITEMS:
                items += self._queue.get_nowait()
        saw_stop = any(isinstance(item, _Stop) for item in items)
        return [item for item in items if not isinstance(item, _Stop)], saw_stop

    def _save(self, items: list[_Item]) -> bool:
        """Make `items` and what was left over durable; False when updates are left over now."""
        appends = self._unsaved + [item for item in items if isinstance(item, _Append)]
        jobs = [item for item in items if isinstance(item, _Job)]
        self._unsaved = []
        try:
            outcomes = self._commit(appends, jobs)
        except sqlite3.Error as error:
            self._fall_back(appends, jobs, error)
        else:
            self._report(appends, jobs, outcomes)
        return not self._unsaved

    def _commit(self, appends: list[_Append], jobs: list[_Job]) -> list[tuple[Any, BaseException | None]]:
        if not appends and not jobs:
            return []
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(appends), _INSERTED_AT_ONCE):
                self._insert(appends[start : start + _INSERTED_AT_ONCE])
            outcomes = [self._attempt(job) for job in jobs]
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return outcomes

    def _insert(self, appends: list[_Append]) -> None:
        """Write updates by one statement: after each, the threads of this process contend for the interpreter."""
        values = [value for each in appends for value in (each.document_id, zlib.crc32(each.update), each.update)]
        self._db.execute(_INSERT + ", (?, ?, ?)" * (len(appends) - 1), values)

    def _attempt(self, job: _Job) -> tuple[Any, BaseException | None]:
        """Run one job inside the open transaction; what it raises undoes only what it wrote."""
        self._db.execute("SAVEPOINT job")
        try:
            result = job.work(self._records)
        except sqlite3.Error:
            raise
        except Exception as error:  # a border: whoever asked for the job hears of it
            self._db.execute("ROLLBACK TO job")
            self._db.execute("RELEASE job")
            return None, error
        self._db.execute("RELEASE job")
        return result, None

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _fall_back(self, appends: list[_Append], jobs: list[_Job], error: sqlite3.Error) -> None:
        """Answer each job by itself, so that those that only read still work, and keep the updates for later."""
        for job in jobs:
            try:
                result, refusal = self._commit([], [job])[0]
            except sqlite3.Error as job_error:
                result, refusal = None, storage_error(job_error)
                self._suspect(job_error)
            self._post(job.answer, result, refusal)
        if jobs and self._save(list(appends)):
            return
        if not appends:
            return
        self._unsaved = appends
        if not self._is_in_trouble:
            self._is_in_trouble = True
            self._suspect(error)
            self._post(self._tell_trouble, storage_error(error))

    def _report(
        self, appends: list[_Append], jobs: list[_Job], outcomes: list[tuple[Any, BaseException | None]]
    ) -> None:
        if jobs:
            self._post(_answer_all, jobs, outcomes)
        if not appends:
            return
        self._post(self._on_durable, appends)
        if self._is_in_trouble:
            self._is_in_trouble = False
            self._post(self._tell_recovered)

    def _suspect(self, error: sqlite3.Error) -> None:
        if storage_error(error).__class__ is CorruptSnapshotError:
            note_suspicion(self._path)

    def _post(self, call: Callable[..., None], *values: Any) -> None:
        """Call on the loop; a loop that is gone has nobody left to tell."""
        try:
            self._loop.call_soon_threadsafe(call, *values)
        except RuntimeError:
            _logger.debug("the loop is closed; nobody to tell")

    # ── on the loop ─────────────────────────────────────────────────────────────────────────────────────

    def _on_durable(self, appends: list[_Append]) -> None:
        for each in appends:
            self._backlog -= len(each.update)
            self.upkeep.note_append(each.document_id)
            each.on_durable()

    def _write_beside(self, work: Callable[[sqlite3.Connection], None]) -> None:
        self._queue.put([_Job(lambda _records: work(self._db), _log_failure)])

    def _tell_trouble(self, error: StorageError) -> None:
        self.listener.on_trouble(error)

    def _tell_recovered(self) -> None:
        self.listener.on_recovered()

    # ── reader thread ───────────────────────────────────────────────────────────────────────────────────

    def _load(self, document_id: DocumentId) -> StoredDocument | None:
        def read(database: sqlite3.Connection) -> tuple[DocumentRecord | None, DocumentLog]:
            return SqliteRecords(database).find_document(document_id), read_log(database, document_id)

        record, log = self._read(read)
        if record is None:
            return None
        if log.damage and not log.content:
            raise CorruptSnapshotError(f"nothing of document {document_id} can be read: {'; '.join(log.damage)}")
        self._post(self.upkeep.note_length, document_id, len(log.updates))
        return StoredDocument(record, log.content, log.size_bytes, tuple(log.damage))

    def _read(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Read what is written by others meanwhile as it is at one moment."""
        try:
            self._reader_db.execute("BEGIN")
            try:
                return look(self._reader_db)
            finally:
                if self._reader_db.in_transaction:
                    self._reader_db.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._suspect(error)
            raise storage_error(error, self._path) from error


def _recovered(path: Path, damage: str) -> Path:
    try:
        return recover(path)
    except CorruptSnapshotError as error:
        raise CorruptSnapshotError(f"{error} ({damage})") from error


def _answer_all(jobs: list[_Job], outcomes: list[tuple[Any, BaseException | None]]) -> None:
    for job, (result, error) in zip(jobs, outcomes, strict=True):
        job.answer(result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, TexSwarmError):
        future.set_exception(error)
    else:
        _logger.error("a job of the store failed", exc_info=error)
        future.set_exception(error)


def _log_failure(_result: Any, error: BaseException | None) -> None:
    if error is not None:
        _logger.error("a snapshot was not stored: %s", error)
