"""The binary files of an open project: their contents here, the folder they are in, and what the network asks for.

Implements the blob port of the client. Belongs to the thread of its loop and starts no task; blocking work is done in
the executor, one job after the other.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final

from texswarm_desktop.core.figure_travel import BlobTraffic, Kept, Progress
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.blob_cache import BLOB_FOLDER, BlobCache
from texswarm_desktop.services.blob_mirror import BlobMirror
from texswarm_desktop.services.figure_folder import FigureFolder
from texswarm_desktop.services.figure_record import FigureRecord
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import BlobContentError, RejectedError, StorageError, TexSwarmError
from texswarm_server.protocol.ids import BlobHash
from texswarm_server.protocol.version import Limits

#: How long a content is kept here that the document does not name any more.
_GRACE_S: Final = 14 * 24 * 3600.0
#: A project may be open for weeks.
_COLLECT_EVERY_S: Final = 6 * 3600.0
_TOLD_EVERY_S: Final = 0.2


class ProjectBlobs:
    """Invariant: a content is named in the document by this replica only when it is here, whole and durable."""

    def __init__(
        self,
        root: Path,
        document: ProjectDocument,
        store: ReplicaStore,
        *,
        executor: Executor,
        before_write: Callable[[], None],
        on_problem: Callable[[TexSwarmError | None], None],
        on_progress: Callable[[], None],
        on_reports: Callable[[], None] = lambda: None,
        may_write: Callable[[], bool] = lambda: True,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_ours`: whether what is at `root` is still the folder that was opened."""
        self._document = document
        self._executor = executor
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[tuple[Callable[[], Any], Callable[[Any, TexSwarmError | None], None]]] = deque()
        self._is_working = False
        self._contents: dict[BlobHash, int] = {}
        self._parts: dict[BlobRef, int] = {}
        self._named: frozenset[BlobHash] = frozenset()
        self._refused: dict[BlobRef, str] = {}
        self._traffic: BlobTraffic | None = None
        self._told_at = 0.0
        self._telling: asyncio.TimerHandle | None = None
        self._is_open = False
        self._timers: set[asyncio.TimerHandle] = set()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._cache = BlobCache(root / OWN_FOLDER / BLOB_FOLDER)
        self._mirror = BlobMirror(
            document,
            FigureFolder(root, self._cache, is_ours=is_ours),
            store,
            self._contents,
            run=self._run,
            before_write=before_write,
            on_problem=on_problem,
            on_contents=self._tell_traffic,
            on_reports=on_reports,
            may_write=may_write,
        )
        self._mirror.most_bytes = Limits().max_blob_bytes

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, records: Mapping[FileId, FigureRecord]) -> None:
        """Begin with what was last known of the disk."""
        self._is_open = True
        self._named = self._names()

        def begin(found: Any, _error: TexSwarmError | None) -> None:
            whole, parts = found or ({}, {})
            self._contents.update(whole)
            self._parts.update(parts)
            self._opened.set_result(None)
            if self._is_open:
                self._mirror.start(records)
                self._collect()

        self._run(self._cache.contents, begin)

    async def flush(self) -> None:
        """Return when the folder is as the document says, as far as contents are here; raises what is in the way."""
        if self._is_open:
            await self._opened
            await self._mirror.flush()

    async def stop(self) -> None:
        """Look and write no more."""
        if not self._is_open:
            return
        self._is_open = False
        await self._opened
        await self._mirror.stop()
        for timer in (*self._timers, *filter(None, [self._telling])):
            timer.cancel()
        self._timers.clear()
        self._telling = None
        idle: asyncio.Future[None] = self._loop.create_future()
        self._run(nothing, lambda _result, _error: idle.set_result(None))
        await idle

    def go_on(self) -> None:
        """Go on after `stop`."""
        self._is_open = True
        self._mirror.go_on()
        self.later(_COLLECT_EVERY_S, self._collect)

    def hint(self) -> None:
        """Hear that something may have happened in the folder."""
        self._mirror.hint()

    def files_changed(self) -> None:
        """Hear that the document's tree is another one."""
        before, self._named = self._named, self._names()
        gone = before - self._named
        if gone:
            self._run(lambda: self._cache.release(gone), _ignore)
        if self._is_open and (self._named or before or self._document.blob_files):
            self._mirror.hint()
            self._tell_traffic()

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────

    @property
    def problems(self) -> Mapping[str, TexSwarmError]:
        """Files that cannot be shared or did not arrive, by path, and why."""
        refused = {
            entry.path: RejectedError(self._refused[entry.blob])
            for entry in self._document.blob_files.values()
            if entry.blob in self._refused
        }
        return refused | self._mirror.problems

    @property
    def sending(self) -> Progress | None:
        """How far what goes up is, None while nothing does."""
        return self._traffic.sending if self._traffic else None

    @property
    def fetching(self) -> Progress | None:
        """How far what comes down is, None while nothing does."""
        return self._traffic.fetching if self._traffic else None

    @property
    def is_settled(self) -> bool:
        """Whether everything the document names is here, and what is here is at the server."""
        return self._traffic is not None and self._traffic.is_settled and not self.lacking()

    @property
    def unsent(self) -> int:
        """How many contents are here that the server is still to store; 0 without one."""
        return self._traffic.unsent if self._traffic is not None else 0

    @property
    def missing(self) -> list[str]:
        """Paths of files whose content is not here."""
        lacking = self.lacking()
        return sorted(entry.path for entry in self._document.blob_files.values() if entry.blob in lacking)

    def is_here(self, blob: BlobRef) -> bool:
        """Whether a content is here, whole."""
        return blob.blob_hash in self._contents

    # ── for the client (BlobPort) ───────────────────────────────────────────────────────────────────────

    def attached(self, traffic: BlobTraffic | None) -> None:
        """Contents travel by `traffic` from now on, or no more."""
        self._traffic = traffic
        self._refused.clear()

    def limits_known(self, limits: Limits) -> None:
        """The server takes files up to a size of its own choice."""
        if limits.max_blob_bytes != self._mirror.most_bytes:
            self._mirror.most_bytes = limits.max_blob_bytes
            self._mirror.hint()

    def present(self) -> list[BlobRef]:
        """Return the contents that the document names and that are here."""
        return [blob for blob in self._blobs() if blob.blob_hash in self._contents]

    def lacking(self) -> dict[BlobRef, int]:
        """Return the contents that the document names and that are not here, and how much of each has come."""
        return {blob: self._parts.get(blob, 0) for blob in self._blobs() if blob.blob_hash not in self._contents}

    def read(self, blob: BlobRef, offset: int, length: int, then: Callable[[bytes | None], None]) -> None:
        """Read a part of a content; `then` gets None where it cannot be read any more."""

        def on_read(data: Any, error: TexSwarmError | None) -> None:
            if error is not None:
                self._contents.pop(blob.blob_hash, None)
                self._mirror.hint()
            then(data)

        self._run(lambda: self._cache.read(blob, offset, length), on_read)

    def keep(self, blob: BlobRef, offset: int, data: bytes, then: Callable[[int, Kept], None]) -> None:
        """Write what came of a content; `then` gets how much of it is here, and what came of it."""

        def on_kept(received: Any, error: TexSwarmError | None) -> None:
            if isinstance(error, BlobContentError):
                self._parts.pop(blob, None)
                then(0, Kept.WRONG)
            elif error is not None:
                self._parts[blob] = self._cache.received(blob)
                then(self._parts[blob], Kept.NOT_WRITTEN)
            else:
                self._note_part(blob, received)
                then(received, Kept.WRITTEN)
                if received == blob.size:
                    self._tell_traffic()

        if self.is_here(blob):
            then(blob.size, Kept.WRITTEN)
        else:
            self._run(lambda: self._cache.append(blob, offset, data), on_kept)

    def refused(self, blob: BlobRef, code: str | None) -> None:
        """Note that a content is not taken by the server, or does not arrive."""
        if code is None:
            self._refused.pop(blob, None)
        else:
            self._refused[blob] = code
        self._mirror.hint()

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call back after a while, if the project is still open."""

        def ring() -> None:
            self._timers.discard(timer)
            call()

        timer = self._loop.call_later(delay_s, ring)
        self._timers.add(timer)

    def progressed(self) -> None:
        """Pass on that something travels, not more than a few times a second."""
        if self._telling is None and self._is_open:
            wait_s = self._told_at + _TOLD_EVERY_S - self._loop.time()
            self._telling = self._loop.call_later(max(wait_s, 0.0), self._tell_progress)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _tell_progress(self) -> None:
        self._telling = None
        self._told_at = self._loop.time()
        self._on_progress()

    def _tell_traffic(self) -> None:
        if self._traffic is not None:
            self._traffic.files_changed()

    def _note_part(self, blob: BlobRef, received: int) -> None:
        if received < blob.size:
            self._parts[blob] = received
            return
        self._parts.pop(blob, None)
        self._contents[blob.blob_hash] = blob.size
        self._mirror.hint()

    def _collect(self) -> None:
        self._run(lambda: self._cache.collect(self._named, _GRACE_S), self._on_collected)
        self.later(_COLLECT_EVERY_S, self._collect)

    def _on_collected(self, removed: Any, _error: TexSwarmError | None) -> None:
        for blob_hash in removed or ():
            self._contents.pop(blob_hash, None)

    def _blobs(self) -> list[BlobRef]:
        return list(dict.fromkeys(entry.blob for entry in self._document.blob_files.values() if entry.blob))

    def _names(self) -> frozenset[BlobHash]:
        return frozenset(blob.blob_hash for blob in self._blobs())

    def _run(self, work: Callable[[], Any], then: Callable[[Any, TexSwarmError | None], None]) -> None:
        """Do `work` in the executor after what was asked for before."""
        self._jobs.append((work, then))
        if not self._is_working:
            self._next_job()

    def _next_job(self) -> None:
        work, then = self._jobs.popleft()
        self._is_working = True
        job = self._loop.run_in_executor(self._executor, work)
        job.add_done_callback(lambda job: self._on_job(job, then))

    def _on_job(self, job: "asyncio.Future[Any]", then: Callable[[Any, TexSwarmError | None], None]) -> None:
        self._is_working = False
        error = None if job.cancelled() else job.exception()
        if job.cancelled() or (error is not None and not isinstance(error, TexSwarmError)):
            if error is not None:
                self._loop.call_exception_handler({"message": "a job on binary files failed", "exception": error})
            error = StorageError(f"a job failed: {error}")
        try:
            then(None if error else job.result(), error if isinstance(error, TexSwarmError) else None)
        finally:
            if self._jobs and not self._is_working:
                self._next_job()


def _ignore(_result: Any, _error: TexSwarmError | None) -> None:
    pass
