"""Keeps logs short and histories useful, on a thread of its own, while everything else goes on.

When a document's log has grown long, and when nobody has it open any more, its updates become one snapshot; what does
harm is set aside, never thrown away. At the same moments a version is kept where the policy asks for one. What is
damaged is not touched.
"""

import asyncio
import logging
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from texswarm_server.protocol.ids import DocumentId
from texswarm_server.storage.compactor import Answer, Compactor, Request
from texswarm_server.storage.history import HistoryPolicy
from texswarm_server.storage.politeness import give_way
from texswarm_server.storage.read_only import tolerant_text
from texswarm_server.storage.schema import open_for_reading
from texswarm_server.storage.versions import latest_version, put_version

_logger = logging.getLogger(__name__)

COMPACT_AFTER: Final = 2000
_RESTING_AFTER: Final = 50
_POLITENESS: Final = 10

Write = Callable[[Callable[[sqlite3.Connection], None]], None]


@dataclass(frozen=True, slots=True)
class _Digest:
    """What is to be written about one document."""

    document_id: DocumentId
    answer: Answer
    wants_snapshot: bool
    wants_version: bool
    now: float


class Upkeep:
    """Belongs to a loop. `close` ends the thread; what was not written by then is done another time."""

    def __init__(
        self,
        path: Path,
        write: Write,
        *,
        wall_clock: Callable[[], float],
        policy: HistoryPolicy,
        compact_after: int = COMPACT_AFTER,
        compactor: Compactor | None = None,
    ) -> None:
        """`write` has something done in a transaction of the writer; `compact_after`: updates in a document's log."""
        self._path = path
        self._write = write
        self._wall_clock = wall_clock
        self._policy = policy
        self._compact_after = compact_after
        self._compactor = compactor or Compactor()
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="texswarm-store-upkeep", initializer=give_way, initargs=(_POLITENESS,)
        )
        self._lengths: Counter[DocumentId] = Counter()
        self._at_work: set[DocumentId] = set()
        self._is_closing = False

    @property
    def is_at_work(self) -> bool:
        """Whether a document is being looked after."""
        return bool(self._at_work)

    def note_length(self, document_id: DocumentId, updates: int) -> None:
        """Note how long the log of a document is."""
        self._lengths[document_id] = updates

    def note_append(self, document_id: DocumentId) -> None:
        """Note that the log grew by one; a long one is compacted."""
        self._lengths[document_id] += 1
        if self._lengths[document_id] >= self._compact_after:
            self._look_after(document_id, is_resting=False)

    def rest(self, document_id: DocumentId) -> None:
        """Look after a document that nobody has open any more."""
        self._lengths.pop(document_id, None)
        self._look_after(document_id, is_resting=True)

    async def close(self) -> None:
        """End the thread, at once."""
        self._is_closing = True
        self._compactor.stop()
        await self._loop.run_in_executor(None, partial(self._thread.shutdown, cancel_futures=True))

    def _look_after(self, document_id: DocumentId, *, is_resting: bool) -> None:
        if self._is_closing or document_id in self._at_work:
            return
        self._at_work.add(document_id)
        self._lengths[document_id] = 0
        done = self._loop.run_in_executor(self._thread, partial(self._digest, document_id, is_resting=is_resting))
        done.add_done_callback(partial(self._on_digested, document_id))

    def _on_digested(self, document_id: DocumentId, digested: "asyncio.Future[_Digest | None]") -> None:
        self._at_work.discard(document_id)
        if digested.cancelled():
            return
        if error := digested.exception():
            if not self._is_closing:
                _logger.error("document %s was not compacted: %s", document_id, error)
        elif digest := digested.result():
            self._write(partial(_store, digest=digest, policy=self._policy))

    # ── on the thread ───────────────────────────────────────────────────────────────────────────────────

    def _digest(self, document_id: DocumentId, *, is_resting: bool) -> _Digest | None:
        now = self._wall_clock()
        with closing(open_for_reading(self._path)) as database:
            database.text_factory = tolerant_text
            database.execute("BEGIN")
            extent = _log_extent(database, document_id)
            wants_snapshot = extent.updates >= (_RESTING_AFTER if is_resting else 1)
            latest = latest_version(database, document_id)
            wants_version = self._policy.is_due(latest, extent.through, now, is_resting=is_resting)
        if not wants_snapshot and not wants_version:
            return None
        answer = self._compactor.compact(Request(str(self._path), document_id, wants_version), extent.size_bytes)
        return _Digest(document_id, answer, wants_snapshot, wants_version, now)


class _Extent(NamedTuple):
    """How many updates are in a log, the number of the last that was ever stored, and about how large it all is."""

    updates: int
    through: int
    size_bytes: int


def _log_extent(database: sqlite3.Connection, document_id: DocumentId) -> _Extent:
    """Measure a log without reading what is in it."""
    query = "SELECT count(*), max(number), total(length(data)) FROM updates WHERE document_id = ?"
    updates, last, log_bytes = database.execute(query, (document_id,)).fetchone()
    query = "SELECT through, coalesce(length(data), 0) FROM snapshots WHERE document_id = ?"
    through, snapshot_bytes = database.execute(query, (document_id,)).fetchone() or (0, 0)
    return _Extent(updates, last or through, int(log_bytes) + snapshot_bytes)


def _store(database: sqlite3.Connection, *, digest: _Digest, policy: HistoryPolicy) -> None:
    """Write snapshot and version; the writer holds the transaction."""
    if digest.wants_snapshot or digest.answer.harmful:
        _replace_log(database, digest)
    if digest.wants_version:
        put_version(
            database,
            digest.document_id,
            through=digest.answer.through,
            packed=digest.answer.packed,
            size_bytes=len(digest.answer.content),
            now=digest.now,
            policy=policy,
        )


def _replace_log(database: sqlite3.Connection, digest: _Digest) -> None:
    answer, content = digest.answer, digest.answer.content
    if answer.harmful:
        _logger.warning("document %s: %d updates that break it are set aside", digest.document_id, len(answer.harmful))
    database.executemany(
        "INSERT OR REPLACE INTO harmful_updates (number, document_id, found_at, crc, data) VALUES (?, ?, ?, ?, ?)",
        [(number, digest.document_id, digest.now, zlib.crc32(data), data) for number, data in answer.harmful],
    )
    database.execute(
        "INSERT OR REPLACE INTO snapshots (document_id, through, crc, data) VALUES (?, ?, ?, ?)",
        (digest.document_id, answer.through, zlib.crc32(content), content),
    )
    database.execute("DELETE FROM updates WHERE document_id = ? AND number <= ?", (digest.document_id, answer.through))
