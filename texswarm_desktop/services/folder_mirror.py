"""Keeps the folder of a project as its document says: a while after the last touch, and at `flush`.

A file is written in this order, so that a crash at any point loses nothing and doubles nothing: the edits become
durable in the replica, together with what is about to be written; the file is replaced; that it was, is noted.
A file that another program changed is never overwritten: the difference to what we last wrote is carried into the
document, and the outcome is written.

Runs without a task: timers and one job at a time in the executor.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from texswarm_desktop.core.project_files import PLAIN, TextFormat, encode_text, format_for, is_project_text
from texswarm_desktop.core.reconcile import (
    Add,
    Discard,
    Known,
    Merge,
    Record,
    Remove,
    Rename,
    Step,
    reconcile,
)
from texswarm_desktop.core.text_merge import merge
from texswarm_desktop.services.project_folder import DiskFile, DiskState, ProjectFolder, digest_of
from texswarm_desktop.services.replica_database import forget_record, put_intent, put_record
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.protocol.errors import ChangedOnDiskError, NotWritableError, TexSwarmError

_DELAY_S: Final = 0.5
_MAX_DELAY_S: Final = 2.0
_RETRY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Base:
    """What we know to be on disk for a file."""

    path: str
    text: str
    format: TextFormat
    state: DiskState

    @property
    def record(self) -> Record:
        """The part that is kept for the next start."""
        return Record(self.path, self.text, self.format, self.state.digest)


@dataclass(frozen=True, slots=True)
class _Write:
    """A file to be written, and what we know of it."""

    file_id: FileId
    path: str
    text: str
    format: TextFormat
    expected: DiskState | None
    old: _Base | None


@dataclass(slots=True)
class _Outcome:
    """What a job found out. `files` has the new base of a file, or None when it is gone from the disk."""

    files: dict[FileId, _Base | None] = field(default_factory=dict)
    changed: dict[FileId, DiskFile] = field(default_factory=dict)
    failed: set[FileId] = field(default_factory=set)
    error: TexSwarmError | None = None

    @contextmanager
    def taking_errors(self, *file_ids: FileId) -> Iterator[None]:
        """One file that cannot be written must not keep the others from it."""
        try:
            yield
        except TexSwarmError as error:
            self.error = error
            self.failed.update(file_ids)


class FolderMirror:
    """The folder's side of an open project. `before_write` hands over to the store what was typed until now."""

    def __init__(
        self,
        document: ProjectDocument,
        folder: ProjectFolder,
        store: ReplicaStore,
        *,
        executor: Executor,
        before_write: Callable[[], None],
        on_problem: Callable[[TexSwarmError | None], None],
        delay_s: float = _DELAY_S,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._document = document
        self._folder = folder
        self._store = store
        self._executor = executor
        self._before_write = before_write
        self._on_problem = on_problem
        self._delay_s = delay_s
        self._retry_s = retry_s
        self._loop = asyncio.get_running_loop()
        self._bases: dict[FileId, _Base] = {}
        self._dirty: set[FileId] = set()
        self._job: asyncio.Future[_Outcome] | None = None
        self._rounds: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._first_touch = self._last_touch = 0.0
        self._is_stopped = False

    # ── opening ─────────────────────────────────────────────────────────────────────────────────────────

    def take_over(self, records: Mapping[str, Record], found: Mapping[str, DiskFile]) -> None:
        """Bring in what other programs did to the folder since it was last written."""
        document: dict[str, tuple[str, str]] = {
            file_id: (entry.path, str(self._document.text(file_id)))
            for file_id, entry in self._document.files.items()
            if is_project_text(entry.path)
        }
        for step in reconcile(records, {path: file.found for path, file in found.items()}, document):
            self._take(step, records, found)
        for file_id in records.keys() - self._bases.keys() - self._document.files.keys():
            self._store.put(forget_record(file_id))
        self._dirty |= self._document.files.keys()
        self._schedule()

    def _take(self, step: Step, records: Mapping[str, Record], found: Mapping[str, DiskFile]) -> None:
        match step:
            case Known(file_id, path):
                self._know(FileId(file_id), path, found[path], records.get(file_id))
            case Merge(file_id, path, base):
                self._merge(FileId(file_id), path, base, found[path])
            case Add(path):
                decoded = found[path].decoded
                assert decoded is not None
                self._know(self._document.add_file(path, decoded.text), path, found[path])
            case Rename(file_id, path):
                self._document.rename_file(FileId(file_id), path)
                self._know(FileId(file_id), path, found[path], records[file_id])
            case Remove(file_id):
                self._document.remove_file(FileId(file_id))
            case Discard(path):
                # Left to the next round, which looks at the file once more.
                owner = next(file_id for file_id, record in records.items() if record.path == path)
                self._bases.setdefault(FileId(owner), _Base(path, "", PLAIN, found[path].state))

    def _know(self, file_id: FileId, path: str, file: DiskFile, record: Record | None = None) -> None:
        text, spelled = (file.decoded.text, file.decoded.format) if file.decoded else ("", PLAIN)
        if record is not None and record.digest == file.state.digest and record.text is not None:
            text, spelled = record.text, record.format
        self._bases[file_id] = base = _Base(path, text, spelled, file.state)
        if record != base.record:
            self._store.put(put_record(file_id, base.record))

    def _merge(self, file_id: FileId, path: str, base: str, file: DiskFile) -> None:
        """Carry what another program changed since `base` into the document."""
        assert file.decoded is not None
        text = self._document.text(file_id)
        edits = merge(base, file.decoded.text, str(text))
        if edits:
            text.merge_cp([(edit.start, edit.end, edit.new) for edit in edits])
        self._know(file_id, path, file)
        self._dirty.add(file_id)

    # ── while it is open ────────────────────────────────────────────────────────────────────────────────

    def touched(self, file_id: FileId) -> None:
        """Hear that a file's text is another one."""
        self._dirty.add(file_id)
        self._schedule()

    def files_changed(self) -> None:
        """Hear that files came, went or were renamed."""
        files = self._document.files
        known = {file_id: base.path for file_id, base in self._bases.items()}
        self._dirty |= {file_id for file_id, entry in files.items() if known.get(file_id) != entry.path}
        if self._dirty or known.keys() - files.keys():
            self._schedule()

    async def flush(self) -> None:
        """Return when the folder is as the document says; raises the error that is in the way, and keeps trying."""
        while not self._is_stopped and (self._job is not None or self._is_behind):
            ended = self._loop.create_future()
            self._rounds.append(ended)
            self._begin()
            await ended

    async def stop(self) -> None:
        """Write no more, and return when nothing is being written."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._job is not None:
            await asyncio.wait([self._job])

    def go_on(self) -> None:
        """Write again after `stop`."""
        self._is_stopped = False
        self._schedule()

    @property
    def _is_behind(self) -> bool:
        return bool(self._dirty) or bool(self._bases.keys() - self._document.files.keys())

    def _schedule(self) -> None:
        """One timer, which looks when it fires whether there was another touch: a key press must cost nothing."""
        self._last_touch = self._loop.time()
        if self._timer is None and not self._is_stopped:
            self._first_touch = self._last_touch
            self._timer = self._loop.call_later(self._delay_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = self._loop.time()
        rest_s = min(self._last_touch + self._delay_s, self._first_touch + _MAX_DELAY_S) - now
        if rest_s > self._delay_s / 10:
            self._timer = self._loop.call_later(rest_s, self._on_timer)
        else:
            self._begin()

    # ── one round ───────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        if self._job is not None or self._is_stopped:
            return
        self._before_write()
        files = self._document.files
        writes = self._writes()
        removals = {file_id: base for file_id, base in self._bases.items() if file_id not in files}
        self._dirty.clear()
        taken = {entry.path for entry in files.values()}
        self._job = self._loop.run_in_executor(self._executor, self._run, writes, removals, taken)
        self._job.add_done_callback(self._on_done)

    def _writes(self) -> list[_Write]:
        files = self._document.files
        at_path = {base.path: base.state for base in self._bases.values()}
        writes = []
        for file_id in sorted(self._dirty & files.keys()):
            path, base = files[file_id].path, self._bases.get(file_id)
            if not is_project_text(path):
                continue
            text = str(self._document.text(file_id))
            if base is None or base.path != path:
                writes.append(_Write(file_id, path, text, base.format if base else PLAIN, at_path.get(path), base))
            elif base.text != text:
                writes.append(_Write(file_id, path, text, base.format, base.state, base))
        return writes

    def _on_done(self, job: "asyncio.Future[_Outcome]") -> None:
        self._job = None
        outcome = job.result()
        with self._store.together():
            self._note(outcome)
            self._before_write()
        self._dirty |= outcome.failed
        rounds, self._rounds = self._rounds, []
        for ended in rounds:
            if not ended.done():
                ended.set_exception(outcome.error) if outcome.error else ended.set_result(None)
        self._on_problem(outcome.error)
        self._go_on(outcome)

    def _note(self, outcome: _Outcome) -> None:
        for file_id, base in outcome.files.items():
            if base is None:
                self._bases.pop(file_id, None)
                self._store.put(forget_record(file_id))
            else:
                self._bases[file_id] = base
                self._store.put(put_record(file_id, base.record))
        files = self._document.files
        for file_id, file in outcome.changed.items():
            if file_id in files:
                old = self._bases.get(file_id)
                path = files[file_id].path
                self._merge(file_id, path, old.text if old and old.path == path else "", file)
        self._store.wake()

    def _go_on(self, outcome: _Outcome) -> None:
        if self._is_stopped:
            return
        if outcome.error is not None and self._timer is None:
            self._timer = self._loop.call_later(self._retry_s, self._on_timer)
        elif outcome.changed:
            self._begin()
        elif self._is_behind:
            self._schedule()

    # ── in the executor ─────────────────────────────────────────────────────────────────────────────────

    def _run(self, writes: list[_Write], removals: Mapping[FileId, _Base], taken: Collection[str]) -> _Outcome:
        outcome = _Outcome()
        data = {write.file_id: encode_text(write.text, write.format) for write in writes}
        for write in writes:
            self._store.enqueue(put_intent(write.file_id, write.path, digest_of(data[write.file_id])))
        with outcome.taking_errors(*data):
            self._store.commit_now()
        if outcome.error is not None:
            return outcome
        for write in writes:
            with outcome.taking_errors(write.file_id):
                self._write(outcome, write, data[write.file_id], taken)
        for file_id, base in removals.items():
            with outcome.taking_errors():
                if base.path not in taken:
                    self._folder.remove(base.path, expected=base.state)
                outcome.files[file_id] = None
        return outcome

    def _write(self, outcome: _Outcome, write: _Write, data: bytes, taken: Collection[str]) -> None:
        try:
            state = self._folder.write(write.path, data, expected=write.expected)
        except ChangedOnDiskError:
            outcome.changed[write.file_id] = self._read_changed(write.path)
            return
        if write.old is not None and write.old.path not in taken:
            self._folder.remove(write.old.path, expected=write.old.state)
        outcome.files[write.file_id] = _Base(write.path, write.text, format_for(write.text, write.format), state)

    def _read_changed(self, path: str) -> DiskFile:
        file = self._folder.read(path)
        if file is None or file.decoded is None:
            raise NotWritableError(f"{path}: another program put something there that is not text")
        return file
