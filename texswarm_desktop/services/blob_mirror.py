"""Keeps the binary files of a project's folder and of its document the same, as `FolderMirror` does with the text.

What another program puts into the folder is copied among the contents of this replica, once it has settled, and named
in the document; what the document names is written out as soon as its content is here. What is to be done is decided
by `core.figure_changes`. A file is written so that a crash at any point loses nothing: the document and what is known
of the disk become durable together; files are replaced whole; what was written is noted.

Runs without a task: timers, and one job at a time of those that `run` is given.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from texswarm_desktop.core.figure_changes import (
    AddFigure,
    BringBack,
    DeleteOut,
    DiskStep,
    Figure,
    FigureFacts,
    Forget,
    KeepBoth,
    KeepLate,
    KeepLost,
    Know,
    LateStep,
    RemoveFigure,
    RenameBeside,
    RenameFigure,
    Return,
    ReturnLate,
    TakeContent,
    TakeLate,
    WriteOut,
    figure_steps,
)
from texswarm_desktop.core.ignore_rules import SharedOnPurpose
from texswarm_desktop.core.project_files import is_usual, may_be_binary
from texswarm_desktop.core.settling import Change, Doubt, Sight, settle
from texswarm_desktop.services.figure_folder import FigureFolder, FigureLook
from texswarm_desktop.services.figure_jobs import FigureJobs, FigureOrder, FiguresDone, FiguresTaken
from texswarm_desktop.services.figure_record import FigureRecord
from texswarm_desktop.services.replaced_figures import ReplacedFigures
from texswarm_desktop.services.replica_database import forget_figure, put_figure
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.project_document import FileEntry, FileId, ProjectDocument
from texswarm_server.protocol.errors import (
    ChangedOnDiskError,
    DocumentError,
    KindNotTakenError,
    KindNotWantedError,
    RejectedError,
    StorageError,
    TexSwarmError,
)
from texswarm_server.protocol.ids import BlobHash

_DELAY_S: Final = 0.05
_RETRY_S: Final = 2.0
#: How much is copied in one job, so that what travels need not wait for all of it.
_AT_ONCE_BYTES: Final = 16 * 1024 * 1024
#: How long `flush` waits for files that another program is writing.
_PATIENCE_S: Final = 2.0
_NS: Final = 1e9
#: What is told of single files, and hinders nothing else; the second also has what is larger than the server takes.
_NOT_HERE: Final = (KindNotTakenError, KindNotWantedError)
_OF_ONE_FILE: Final = (*_NOT_HERE, RejectedError)


#: Does blocking work elsewhere, one after the other; what is given second is called on the loop with what came of it.
Run = Callable[[Callable[[], Any], Callable[[Any, TexSwarmError | None], None]], None]


class BlobMirror:
    """The binary side of an open project's folder. `contents` are the whole ones that this replica has."""

    def __init__(
        self,
        document: ProjectDocument,
        folder: FigureFolder,
        store: ReplicaStore,
        contents: dict[BlobHash, int],
        *,
        run: Run,
        before_write: Callable[[], None],
        on_problem: Callable[[TexSwarmError | None], None],
        on_contents: Callable[[], None],
        on_reports: Callable[[], None] = lambda: None,
        may_write: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._document, self._folder, self._store, self._contents = document, folder, store, contents
        self._run, self._before_write, self._on_problem, self._on_contents = run, before_write, on_problem, on_contents
        self._on_reports, self._may_write = on_reports, may_write
        self._clock, self._wall_clock = clock, wall_clock
        self._jobs = FigureJobs(folder)
        self._loop = asyncio.get_running_loop()
        self._records: dict[FileId, FigureRecord] = {}
        self._fresh: dict[str, FigureRecord] = {}
        self._replaced = ReplacedFigures()
        self._sights: Mapping[str, Sight] = {}
        self._unsettled: set[str] = set()
        self._failed: Collection[str] = ()
        self._on_purpose = SharedOnPurpose()
        self.problems: dict[str, TexSwarmError] = {}
        self._told: dict[str, str] = {}
        self.most_bytes = 0
        self._error: TexSwarmError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_busy = self._is_wanted = False
        self._is_stopped = True
        self._due_at = self._patient_until = 0.0
        self._waiting: list[asyncio.Future[None]] = []

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, records: Mapping[FileId, FigureRecord]) -> None:
        """Begin with what was last known of the disk."""
        self._records = dict(records)
        self._is_stopped = False
        self._begin()

    def hint(self) -> None:
        """Hear that the folder, the document or the contents may be others."""
        if self._is_busy:
            self._is_wanted = True
        elif not self._is_stopped:
            self._later(_DELAY_S)

    async def flush(self) -> None:
        """Return when the folder was looked at and what could be written is; raises the error that is in the way."""
        if self._is_stopped:
            return
        ended = self._loop.create_future()
        self._waiting.append(ended)
        self._patient_until = self._loop.time() + _PATIENCE_S
        self._is_wanted = self._is_busy
        if not self._is_busy:
            self._begin()
        await ended

    async def stop(self) -> None:
        """Look and write no more, and return when nothing of that is going on."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._is_busy:
            ended = self._loop.create_future()
            self._waiting.append(ended)
            await asyncio.wait([ended])
            ended.exception()
        self._replaced.close()
        self._end_waiting(None)

    def go_on(self) -> None:
        """Look and write again after `stop`."""
        self._is_stopped = False
        self._begin()

    def _later(self, delay_s: float) -> None:
        due = self._loop.time() + delay_s
        if self._timer is None or self._due_at > due:  # the handles of Qt's loop do not say when they are due
            if self._timer is not None:
                self._timer.cancel()
            self._due_at = due
            self._timer = self._loop.call_at(due, self._begin)

    # ── a look ──────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_busy or self._is_stopped:
            self._is_wanted = self._is_busy
            return
        self._is_busy, self._is_wanted, self._failed = True, False, ()
        known = {*(record.path for record in self._records.values())}
        named = {entry.path for entry in self._written_here().values()}
        texts = {entry.path for entry in self._document.text_files.values()} - named
        replaced = self._replaced.look()

        def look() -> FigureLook:
            look = self._folder.look(known | named, texts)
            look.late.update(replaced())
            return look

        self._run(look, self._on_looked)

    def _on_looked(self, look: FigureLook | None, error: TexSwarmError | None) -> None:
        if error is not None or look is None or self._is_stopped:
            self._end_round(error)
            return
        self._on_purpose = look.on_purpose
        self.problems = {path: reason for path, reason in self.problems.items() if path in look.stamps}
        ready = self._settled(look)
        self._fresh = {path: seen for path, seen in self._fresh.items() if look.stamps.get(path) == seen.stamp}
        due = self._due(look, ready)
        late = {name: self._replaced.figure(name) for name in look.late.keys() & ready}
        if due or late:
            claimed = {entry.path for entry in self._document.files.values()}
            work = partial(self._jobs.take_in, due, late, self.most_bytes, claimed)
            self._run(work, lambda taken, error: self._on_taken(look, taken, error))
        else:
            self._decide(look)

    def _due(self, look: FigureLook, ready: set[str]) -> list[str]:
        """Return what to copy now; the rest of a lot comes in the next round.

        What could not be copied before is tried again beside it, and keeps nothing waiting. What is left out is looked
        at only where a file is gone: it may be that one under another name.
        """
        due: list[str] = []
        size = 0
        wanted = ready & look.stamps.keys()
        if not self._gone(look):
            wanted -= look.left_out
        for path in sorted(wanted):
            if path not in self.problems:
                if size and size + look.stamps[path].size > _AT_ONCE_BYTES:
                    self._unsettled |= wanted - set(due) | {record.path for record in self._gone(look)}
                    self._is_wanted = True
                    break
                size += look.stamps[path].size
            due.append(path)
        return due

    def _gone(self, look: FigureLook) -> list[FigureRecord]:
        return [record for record in self._records.values() if record.path not in look.stamps]

    def _settled(self, look: FigureLook) -> set[str]:
        """Return the paths of new contents that can be copied now; what else has changed is unsettled."""
        known = {record.path: record for record in self._records.values()}
        changes: dict[str, Change] = {}
        for path, stamp in (*look.stamps.items(), *look.late.items()):
            seen = self._fresh.get(path) or known.get(path)
            if seen is None or seen.stamp != stamp or seen.blob.blob_hash not in self._contents:
                age_s = (self._wall_clock() * _NS - stamp.modified_ns) / _NS
                changes[path] = Change(stamp, Doubt.GROWING, age_s)
        gone = known.keys() - look.stamps.keys()
        for path in gone:
            changes[path] = Change(None, Doubt.GONE)
        settled = settle(self._sights, changes, self._clock())
        self._sights = settled.sights  # also of what is ready: it may not be taken this time
        self._unsettled = set(settled.waiting)
        if self._unsettled & gone:  # one of the new ones may be one that is about to go, and which is not known yet
            self._unsettled |= {path for path in look.stamps if path not in known} | gone
        if settled.again_s is not None:
            self._later(settled.again_s)
        return set(settled.ready) - self._unsettled

    def _on_taken(self, look: FigureLook, taken: FiguresTaken | None, error: TexSwarmError | None) -> None:
        if error is not None or taken is None or self._is_stopped:
            self._end_round(error)
            return
        for path, record in taken.files.items():
            self._fresh[path] = record
            self._contents[record.blob.blob_hash] = record.blob.size
        self._contents |= {record.blob.blob_hash: record.blob.size for record in taken.late.values()}
        self._unsettled |= taken.errors.keys()
        changing = {path for path, reason in taken.errors.items() if isinstance(reason, ChangedOnDiskError)}
        if changing:
            self._later(Doubt.GROWING.value)
        kept = {path: reason for path, reason in self.problems.items() if path not in taken.files}
        failed = {path: reason for path, reason in taken.errors.items() if path not in changing}
        self._failed = failed.keys()
        self.problems = {path: reason for path, reason in (kept | failed).items() if path in look.stamps}
        self._error = next((reason for reason in failed.values() if isinstance(reason, StorageError)), None)
        self._is_wanted = self._is_wanted or bool(taken.beside)
        self._decide(look, taken.late, taken.beside)

    # ── what is to be done ──────────────────────────────────────────────────────────────────────────────

    def _decide(
        self,
        look: FigureLook,
        late: Mapping[str, FigureRecord] = MappingProxyType({}),
        beside: Mapping[str, FigureRecord] = MappingProxyType({}),
    ) -> None:
        on_disk = self._on_disk(look)
        files = self._written_here()
        facts = FigureFacts(
            records={each: Figure(record.path, record.blob.blob_hash) for each, record in self._records.items()},
            disk={path: seen.blob.blob_hash for path, seen in on_disk.items()},
            document={each: Figure(entry.path, _blob(entry.blob).blob_hash) for each, entry in files.items()},
            unsettled=self._unsettled,
            left_out=look.left_out,
            taken={entry.path for entry in self._document.files.values()},
            lacking={_blob(entry.blob).blob_hash for entry in files.values()} - self._contents.keys(),
            lost=self._lost_here(files),
            returning=self._document.changed_while_removed,
            may_return=self._may_write(),
            late=self._replaced.saves(late),
            is_whole=look.is_whole,
        )
        orders: list[FigureOrder] = []
        with self._store.together():
            for step in figure_steps(facts):
                try:
                    if isinstance(step, LateStep):
                        self._take_late(step, late)
                    else:
                        self._take_step(step, on_disk, orders)
                except DocumentError as error:
                    self.problems[getattr(step, "path", str(step))] = error
            self._before_write()
        self._note_late({**late, **beside})
        self._store.wake()
        self._on_contents()
        if orders:
            claimed = {entry.path for entry in self._document.files.values()}
            self._run(lambda: self._jobs.carry_out(orders, claimed), self._on_done)
        else:
            self._end_round(None)

    def _written_here(self) -> Mapping[FileId, FileEntry]:
        """Return the binary files of the document that may be in this folder, and take note of the others."""
        files = self._document.blob_files
        here = {each: one for each, one in files.items() if each in self._records or self._is_wanted_here(one.path)}
        others = (one.path for each, one in files.items() if each not in here)
        kept = {path: error for path, error in self.problems.items() if not isinstance(error, _NOT_HERE)}
        self.problems = kept | {
            path: KindNotWantedError(path) if may_be_binary(path) else KindNotTakenError(path) for path in others
        }
        return here

    def _lost_here(self, files: Mapping[FileId, FileEntry]) -> dict[str, list[str]]:
        """Return what lost against another content and is here; who may only read keeps nothing for others."""
        if not self._may_write():
            return {}
        lost = {each: blobs for each, blobs in self._document.lost_blobs.items() if each in files}
        here = self._contents.keys()
        return {each: [one.blob_hash for one in blobs if one.blob_hash in here] for each, blobs in lost.items()}

    def _is_wanted_here(self, path: str) -> bool:
        return may_be_binary(path) and (is_usual(path) or self._on_purpose.names(path))

    def _on_disk(self, look: FigureLook) -> dict[str, FigureRecord]:
        """Return what is known to be on disk now, by path."""
        known = {record.path: record for record in self._records.values()}
        on_disk = {}
        for path, stamp in look.stamps.items():
            seen = self._fresh.get(path) or known.get(path)
            if seen is not None and seen.stamp == stamp:
                on_disk[path] = seen
        return on_disk

    def _take_step(self, step: DiskStep, on_disk: Mapping[str, FigureRecord], orders: list[FigureOrder]) -> None:
        match step:
            case Know(file_id):
                self._know(FileId(file_id), on_disk[self._document.files[FileId(file_id)].path])
            case AddFigure(path):
                self._know(self._document.add_blob(path, on_disk[path].blob), on_disk[path])
            case TakeContent(file_id, path):
                self._document.set_blob(FileId(file_id), on_disk[path].blob)
                self._know(FileId(file_id), on_disk[path])
            case RenameFigure(file_id, path):
                self._document.rename_file(FileId(file_id), path)
                self._know(FileId(file_id), on_disk[path])
            case RenameBeside(file_id, path):
                self._forget(FileId(file_id))
                self._document.rename_file(FileId(file_id), path)
                self._is_wanted = True  # the next round writes it
            case RemoveFigure(file_id):
                self._forget(FileId(file_id))
                self._document.remove_file(FileId(file_id))
            case BringBack(file_id, path):
                self._document.bring_back_blob(FileId(file_id), path, on_disk[path].blob)
                self._know(FileId(file_id), on_disk[path])
            case KeepBoth(path, copy_path):
                self._document.add_blob(copy_path, on_disk[path].blob)
                self._is_wanted = True  # the next round writes it
            case KeepLost(file_id, blob_hash, copy_path):
                blob = BlobRef(BlobHash(blob_hash), self._contents[BlobHash(blob_hash)])
                self._document.keep_lost_blob(FileId(file_id), blob, copy_path)
                self._is_wanted = True
            case Return(file_id):
                self._document.return_blobs(FileId(file_id))
                self._is_wanted = True
            case Forget(file_id):
                self._forget(FileId(file_id))
            case DeleteOut() | WriteOut():
                orders.append(self._order(step, on_disk))

    def _take_late(self, step: LateStep, late: Mapping[str, FigureRecord]) -> None:
        match step:
            case TakeLate(name, file_id):
                self._document.set_blob(FileId(file_id), late[name].blob)
            case ReturnLate(name, file_id, path):
                self._document.bring_back_blob(FileId(file_id), self._document.free_path(path), late[name].blob)
            case KeepLate(name, copy_path):
                copy = self._document.add_blob(copy_path, late[name].blob)
                self._replaced.taken(name, late[name], self._clock(), copy)
        self._is_wanted = True  # the next round writes it

    def _note_late(self, late: Mapping[str, FigureRecord]) -> None:
        now = self._clock()
        for name, record in late.items():
            self._replaced.taken(name, record, now)
        self._replaced.drop_old(now, kept=self._unsettled)

    def _order(self, step: DeleteOut | WriteOut, on_disk: Mapping[str, FigureRecord]) -> FigureOrder:
        file_id = FileId(step.file_id)
        if isinstance(step, DeleteOut):
            record = self._records[file_id]
            return FigureOrder(file_id, record.path, None, on_disk[record.path], None, file_id)
        entry = self._document.files[file_id]
        blob, old = _blob(entry.blob), self._old(file_id, on_disk)
        expected = on_disk.get(entry.path)
        whose = self._owner(expected) if expected is not None else None
        return FigureOrder(file_id, entry.path, blob, expected, old, whose)

    def _old(self, file_id: FileId, on_disk: Mapping[str, FigureRecord]) -> FigureRecord | None:
        """Return the file as it is where it was, None if it is not there any more."""
        known = self._records.get(file_id)
        there = on_disk.get(known.path) if known is not None else None
        if known is None or there is None:
            return None
        if there.blob not in {known.blob, self._document.files[file_id].blob}:  # it keeps the name, and becomes a file
            self._is_wanted = True
            return None
        return there  # with the latter, another program put there what the document says: it moves along

    def _owner(self, there: FigureRecord) -> FileId | None:
        """Say which file of the project what is on disk is."""
        records = (each for each, one in self._records.items() if (one.path, one.blob) == (there.path, there.blob))
        named = (each for each, entry in self._document.blob_files.items() if entry.blob == there.blob)
        return next(records, None) or next(named, None)

    def _know(self, file_id: FileId, record: FigureRecord) -> None:
        self._fresh.pop(record.path, None)
        if self._records.get(file_id) != record:
            self._records[file_id] = record
            self._store.put(put_figure(file_id, record))

    def _forget(self, file_id: FileId) -> None:
        if self._records.pop(file_id, None) is not None:
            self._store.put(forget_figure(file_id))

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    def _on_done(self, done: FiguresDone | None, error: TexSwarmError | None) -> None:
        if done is None:
            self._end_round(error)
            return
        for file_id, record in done.records.items():
            if record is None:
                self._forget(file_id)
            else:
                self._know(file_id, record)
                self.problems.pop(record.path, None)
        self._replaced.keep(done.replaced, self._clock())
        for blob_hash in done.damaged:  # it is to be fetched again
            self._contents.pop(blob_hash, None)
        self._store.wake()
        self.problems |= done.errors
        self._is_wanted = self._is_wanted or done.is_changed
        self._end_round(next(iter(done.errors.values()), None))

    def _end_round(self, error: TexSwarmError | None) -> None:
        self._is_busy = False
        error = error or self._error
        self._error = None
        hindering = (problem for problem in self.problems.values() if not isinstance(problem, _OF_ONE_FILE))
        self._on_problem(error or next(hindering, None))
        self._tell_reports()
        if error is not None and not self._is_stopped:
            self._later(_RETRY_S)
        rest_s = self._replaced.rest_s(self._clock())
        if rest_s is not None and not self._is_stopped:
            self._later(rest_s)
        awaited = self._unsettled.difference(self._failed)  # what could not be copied was told, and is not waited for
        if self._is_wanted and not self._is_stopped and error is None:
            self._begin()
        elif self._is_stopped or error is not None or not awaited or self._loop.time() > self._patient_until:
            self._end_waiting(error)

    def _tell_reports(self) -> None:
        now = {path: str(problem) for path, problem in self.problems.items()}
        if now != self._told:
            self._told = now
            self._on_reports()

    def _end_waiting(self, error: TexSwarmError | None) -> None:
        waiting, self._waiting = self._waiting, []
        for ended in waiting:
            if not ended.done():
                ended.set_exception(error) if error else ended.set_result(None)


def _blob(blob: BlobRef | None) -> BlobRef:
    assert blob is not None
    return blob
