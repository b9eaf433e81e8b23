"""Keeps the folder of a project and its document the same: a moment after the last touch, and at `flush`.

A file is written in this order, so that a crash at any point loses nothing and doubles nothing: the edits become
durable in the replica, together with what is about to be written; the file is replaced; that it was, is noted.
A file that another program changed is never overwritten: the difference to what we last wrote is carried into the
document, and the outcome is written. While it is watched, that happens as soon as the other program is done.

Runs without a task: timers and one job at a time in the executor, a look or a round of writing.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from texswarm_desktop.core.disk_changes import DiskStep
from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.ignore_rules import SharedOnPurpose
from texswarm_desktop.core.local_names import NameRules
from texswarm_desktop.core.reconcile import Add, Record, meant_by, reconcile
from texswarm_desktop.core.stale_saves import FormerState
from texswarm_desktop.core.text_bytes import format_for
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.file_reports import FileReports
from texswarm_desktop.services.folder_import import FolderImport, can_wait
from texswarm_desktop.services.folder_intake import FolderIntake, MergedText, Sighting, TextMerge, all_merged
from texswarm_desktop.services.folder_keeper import FolderKeeper
from texswarm_desktop.services.folder_watch import FolderWatch
from texswarm_desktop.services.folder_writer import FileWrite, FolderWriter, WritingOutcome, WritingRound
from texswarm_desktop.services.kept_open import HELD_S
from texswarm_desktop.services.known_files import KnownFiles
from texswarm_desktop.services.mirrored_paths import MirroredPaths
from texswarm_desktop.services.project_folder import Look, ProjectFolder
from texswarm_desktop.services.replica_database import put_left
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_desktop.services.step_taker import StepTaker
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.protocol.errors import FilePathError, TexSwarmError

#: After the last touch, and at the most after the first.
_DELAY_S: Final = 0.15
_MAX_DELAY_S: Final = 0.6
_RETRY_S: Final = 2.0
#: How often to see whether another program is done, when somebody waits for that.
_LOOK_S: Final = 0.02
#: How often a merge is computed aside while somebody goes on writing in that text.
_MERGE_TRIES: Final = 3


_Merged = list[tuple[TextMerge, MergedText]]


class FolderMirror:
    """The folder's side of an open project. `before_write` hands over to the store what was typed until now.

    `after_taking` does so too, and tells nobody else before it is durable: after a crash what another program wrote is
    found in the folder once more, and would be there twice for whoever heard of it before.

    `on_hint` is called where something may have happened in the folder: others look for what is no text.
    """

    def __init__(
        self,
        document: ProjectDocument,
        folder: ProjectFolder,
        store: ReplicaStore,
        *,
        executor: Executor,
        before_write: Callable[[], None],
        after_taking: Callable[[], None],
        on_problem: Callable[[TexSwarmError | None], None],
        on_hint: Callable[[], None] = lambda: None,
        on_reports: Callable[[], None] = lambda: None,
        delay_s: float = _DELAY_S,
        retry_s: float = _RETRY_S,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._document = document
        self._folder = folder
        self._intake = FolderIntake(folder, document, lambda: self._paths.of_files, clock=clock, wall_clock=wall_clock)
        self._watch: FolderWatch | None = None
        self._again: asyncio.TimerHandle | None = None
        self._late: asyncio.TimerHandle | None = None
        self._write_error: TexSwarmError | None = None
        self._look_error: TexSwarmError | None = None
        self._store = store
        self._executor = executor
        self._wall_clock = wall_clock
        self._before_write = before_write
        self._after_taking = after_taking
        self._on_problem = on_problem
        self._on_hint = on_hint
        self._delay_s = delay_s
        self._retry_s = retry_s
        self._loop = asyncio.get_running_loop()
        self._writer = FolderWriter(folder, store, wall_clock)
        self._known = KnownFiles(store)
        self._paths = MirroredPaths(document, lambda: self._known.paths)
        self._folders = FolderKeeper(document, self._paths, store)
        self._dirty: Final[set[FileId]] = set()  # others add to it
        self._taker = StepTaker(
            document,
            self._paths,
            self._known,
            self._intake,
            on_unwritten=self._dirty.add,
            wall_clock=wall_clock,
        )
        self._reports = FileReports(self._paths, on_changed=on_reports)
        self._import = FolderImport(store, add=self._taker.add, before_write=before_write, on_done=self._resume)
        self._job: asyncio.Future[WritingOutcome] | asyncio.Future[Look] | asyncio.Future[_Merged] | None = None
        self._rounds: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._first_touch = self._last_touch = 0.0
        self._is_stopped = self._is_ahead = False

    def obey(
        self,
        rules: NameRules,
        folders: str | None = None,
        former: Mapping[str, Sequence[FormerState]] = MappingProxyType({}),
        *,
        left: Mapping[str, Left] = MappingProxyType({}),
        had: Collection[str] = (),
    ) -> None:
        """Spell names as this disk takes them; before anything is taken over.

        Known from the last time: `folders`, what was in files before, what was where before (`left`), and ids of files
        that we `had`.
        """
        self._paths.obey(rules)
        self._paths.had({meant_by(file_id) for file_id in had})
        self._folders.remember(folders)
        self._known.load_former(former)
        self._intake.remember(left)

    @property
    def paths(self) -> Mapping[FileId, str]:
        """Where the files of the document are on this disk, by id."""
        return self._paths.of_files

    # ── opening ─────────────────────────────────────────────────────────────────────────────────────────

    def want(self, on_purpose: SharedOnPurpose) -> None:
        """Hear what the people here wish to share, before anything is taken over."""
        self._paths.want(on_purpose)

    def go_ahead(self) -> None:
        """Neither look nor write before `take_over`: somebody writes already, and what is on the disk is not known."""
        self._is_ahead = True

    def take_over(
        self, records: Mapping[str, Record], found: Mapping[str, DiskFile], *, bit_by_bit: bool = False
    ) -> None:
        """Bring in what other programs did to the folder since it was last written.

        `bit_by_bit`: of many new files one now and the others by and by; until then nobody looks or writes here.
        """
        document: dict[str, tuple[str, str]] = {
            file_id: (path, str(self._document.text(file_id))) for file_id, path in self._paths.of_files.items()
        }
        figures = {entry.path for entry in self._document.blob_files.values()}
        texts = {path: file.found for path, file in found.items() if path not in figures}
        left = self._intake.left_at(texts.keys(), self._known.former)
        steps = reconcile(records, texts, document, lambda one: self._known.former_of(FileId(one)).some, left)
        later = can_wait(steps, found, has_main=self._document.main_file is not None) if bit_by_bit else frozenset()
        for step in steps:
            if not (isinstance(step, Add) and step.path in later):
                self._taker.take_found(step, records, found)
        self._import.begin({path: found[path] for path in later})
        self._known.let_go_of_others(records, self._wall_clock())
        self._dirty.update(self._paths.of_files.keys())
        self._is_ahead = False
        self._schedule()

    # ── while it is open ────────────────────────────────────────────────────────────────────────────────

    def touched(self, file_id: FileId) -> None:
        """Hear that a file's text is another one."""
        self._dirty.add(file_id)
        self._schedule()

    def files_changed(self) -> None:
        """Hear that files came, went or were renamed."""
        known, spelling = self._known.paths, self._taker.spelling
        paths = self._paths.of_files.items()
        self._dirty.update({each for each, path in paths if known.get(each) != path or spelling.is_behind(each)})
        if self._is_behind:
            self._schedule()

    def watch(self, watch: FolderWatch | None = None) -> None:
        """Bring in from now on, as it happens, what other programs do to the folder."""
        self._watch = watch or FolderWatch(self.hint)
        self._taker.is_watched = True
        self.hint()

    def hint(self, paths: Collection[Path] = ()) -> None:
        """Hear that something may have happened in the folder."""
        if self._watch is not None:
            self._intake.hint(paths)
            self._on_hint()
            self._begin()

    @property
    def file_problems(self) -> Mapping[str, TexSwarmError]:
        """Files that are not the same here and in the document, by path, and why."""
        return self._reports.all

    async def flush(self) -> None:
        """Return when the folder is as the document says; raises the error that is in the way, and keeps trying."""
        while not self._is_stopped and (self._is_busy or self._is_behind):
            ended = self._loop.create_future()
            self._rounds.append(ended)
            self._begin()
            await ended

    async def taken_in(self) -> None:
        """Return when what other programs did until now is in the document, or cannot be looked at."""
        self.hint()
        while not self._is_stopped:
            with suppress(TexSwarmError):
                await self.flush()
            if self._again is None or self._look_error is not None:
                return
            await asyncio.sleep(_LOOK_S)

    def stop_importing(self) -> None:
        """Leave what was not brought in yet to the next opening: to look now would bring in all of it."""
        if self._import.is_going:
            self._import.give_up()
            self._intake.is_wanted = False

    async def stop(self) -> None:
        """Write and look no more, and return when nothing of that is going on."""
        self._is_stopped = True
        self._import.give_up()
        for timer in (self._timer, self._again, self._late):
            if timer is not None:
                timer.cancel()
        self._timer = self._again = self._late = None
        watch, self._watch = self._watch, None
        self._taker.is_watched = False
        if watch is not None:
            watch.stop()
        while self._job is not None:
            await asyncio.wait([self._job])
        self._intake.close()
        self._reports.stop()
        self._end_rounds(None)
        if watch is not None:
            await watch.stopped()

    def go_on(self) -> None:
        """Write and look again after `stop`."""
        self._is_stopped = False
        if not self._is_ahead:
            self.watch()
        self._schedule()

    @property
    def _is_busy(self) -> bool:
        return self._job is not None or self._import.is_going or self._is_ahead

    @property
    def _is_behind(self) -> bool:
        return bool(self._dirty or self._known.files.keys() - self._paths.of_files.keys()) or self._folders.is_behind

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
        if self._is_busy or self._is_stopped:
            return
        if self._intake.is_wanted:
            self._begin_look()
            return
        self._before_write()
        paths = self._paths.of_files
        removals = {file_id: base for file_id, base in self._known.files.items() if file_id not in paths}
        folders = self._folders.facts
        order = WritingRound(
            self._writes(paths),
            removals,
            set(paths.values()),
            self._watch is not None,
            make=folders.to_make,
            unmake=folders.to_unmake,
            kept=folders.shared,
        )
        self._dirty.clear()
        job = self._job = self._loop.run_in_executor(self._executor, self._writer.run, order)
        job.add_done_callback(self._on_done)

    def _writes(self, paths: Mapping[FileId, str]) -> list[FileWrite]:
        at_path = {base.path: (file_id, base) for file_id, base in self._known.files.items()}
        writes = []
        for file_id in sorted(self._dirty & paths.keys()):
            path, base = paths[file_id], self._known.files.get(file_id)
            if path in self._reports.on_disk:
                continue
            text, said = str(self._document.text(file_id)), self._taker.spelling.said(file_id)
            spelled = format_for(text, said)
            self._reports.note_spelling(file_id, is_lost=spelled.encoding != said.encoding)
            if base is None or (base.path, base.text, base.format) != (path, text, spelled):
                there = (file_id, base) if base is not None and base.path == path else at_path.get(path)
                writes.append(FileWrite(file_id, path, text, spelled, base, there))
        return writes

    def _on_done(self, job: "asyncio.Future[WritingOutcome]") -> None:
        self._job = None
        outcome = job.result()
        with self._store.together():
            self._note(outcome)
            self._before_write()
        self._dirty.update(outcome.failed)
        self._end_rounds(outcome.error)
        self._write_error = outcome.error
        self._tell_problem()
        self._go_on(outcome)

    def _end_rounds(self, error: TexSwarmError | None) -> None:
        rounds, self._rounds = self._rounds, []
        for ended in rounds:
            if not ended.done():
                ended.set_exception(error) if error else ended.set_result(None)

    def _tell_problem(self) -> None:
        self._on_problem(self._write_error or self._look_error)
        self._reports.tell()

    def _note(self, outcome: WritingOutcome) -> None:
        for file_id, base in outcome.files.items():
            if base is None:
                self._known.forget(file_id)
                self._dirty.update({file_id} & self._paths.of_files.keys())  # it came back while it was being removed
            else:
                self._known.know(file_id, base)
                if self._paths.of_files.get(file_id, base.path) != base.path or self._taker.spelling.is_behind(file_id):
                    self._dirty.add(file_id)  # it got back what it was before while it was being moved or written
        for file_id, former in outcome.former:
            self._known.before(file_id, former)
        paths = self._paths.of_files
        for file_id, file in outcome.changed.items():
            if file_id not in paths:
                continue
            old = self._known.files.get(file_id)
            path = paths[file_id]
            if file is None:
                if path not in self._reports.on_disk:
                    self._dirty.add(file_id)
                self._intake.hint([self._folder.root / path])
            else:
                self._taker.merge(file_id, path, old.text if old and old.path == path else None, file)
        if outcome.kept:
            self._intake.hint(self._folder.root / base.path for base in outcome.kept.values())
        self._remember(outcome.left)
        if outcome.replaced:
            self._intake.keep(outcome.replaced)
            self._look_for_late()
        self._reports.written(outcome.files, outcome.refused, outcome.hindered)
        self._folders.tried(outcome.made, outcome.unmade, outcome.stuck)
        self._store.wake()

    def _remember(self, left: Mapping[str, Left]) -> None:
        """Know what was where, now and at the next start."""
        self._intake.remember(left)
        for path, one in left.items():
            self._store.put(put_left(path, one, self._wall_clock()))

    def _go_on(self, outcome: WritingOutcome) -> None:
        if self._is_stopped:
            return
        if outcome.error is not None and self._timer is None:
            self._timer = self._loop.call_later(self._retry_s, self._on_timer)
        if outcome.changed or self._intake.is_wanted:
            self._begin()
        elif self._is_behind and outcome.error is None:
            self._schedule()

    # ── what other programs did ─────────────────────────────────────────────────────────────────────────

    def _begin_look(self) -> None:
        look = self._intake.begin({base.path: base.state for base in self._known.files.values()})
        job = self._job = self._loop.run_in_executor(self._executor, look)
        job.add_done_callback(self._on_looked)

    def _on_looked(self, job: "asyncio.Future[Look]") -> None:
        self._job = None
        error = job.exception()
        if error is not None and not isinstance(error, TexSwarmError):
            raise error
        if isinstance(error, TexSwarmError):
            self._look_error = error
            self._tell_problem()
            self._look_again(self._retry_s)  # nothing can be written either
            self._end_rounds(error)
            return
        if self._is_stopped:
            return
        look = job.result()
        self._look_error = None
        if self._watch is not None:
            self._watch.watch(look.folders)
        if self._paths.want(look.on_purpose):
            self._dirty.update(self._paths.of_files.keys() - self._known.files.keys())
        sighting = self._intake.sort(look, self._known.files, self._folders.facts)
        self._look_again(sighting.again_s)
        self._known.written_again(look.touched)
        self._merge_aside(sighting, _MERGE_TRIES)

    def _look_again(self, delay_s: float | None) -> None:
        if self._again is not None:
            self._again.cancel()
        self._again = None
        if delay_s is not None and not self._is_stopped:
            self._again = self._loop.call_later(delay_s, self.hint)

    def _look_for_late(self) -> None:
        """Look once more when nobody can be writing any more to what was replaced."""
        if self._late is not None:
            self._late.cancel()
        self._late = None if self._is_stopped else self._loop.call_later(HELD_S, self.hint)

    def _merge_aside(self, sighting: Sighting, tries: int, done: _Merged | None = None) -> None:
        """Compare large texts where nobody waits for it; what is done to the document meanwhile counts."""
        steps = self._intake.steps(sighting, self._known.files, self._known.former)
        merges = self._intake.merges(sighting, steps, self._known.former)
        known = dict(done or [])
        if not tries or all(one in known for one in merges):
            self._take_steps(sighting, steps, known)
            return
        job = self._job = self._loop.run_in_executor(self._executor, all_merged, merges)
        job.add_done_callback(lambda job: self._on_merged(job, sighting, tries))

    def _on_merged(self, job: "asyncio.Future[_Merged]", sighting: Sighting, tries: int) -> None:
        self._job = None
        if self._is_stopped:
            self._intake.hint()  # the next look decides anew
        else:
            self._merge_aside(sighting, tries - 1, job.result())

    def _take_steps(self, sighting: Sighting, steps: list[DiskStep], merged: Mapping[TextMerge, MergedText]) -> None:
        """The document's edits and what is known of the disk become durable together."""
        before, now = self._reports.on_disk, dict(sighting.look.errors)
        self._reports.on_disk = now
        self._reports.note(sighting.look.notes)
        with self._store.together():
            for step in steps:
                try:
                    self._taker.take_seen(step, sighting.look, merged)
                except FilePathError as error:
                    now[getattr(step, "path", str(step))] = error
            self._folders.take(sighting.came, sighting.went)
            self._folders.emptied(sighting.look.empty)
            if steps or sighting.came or sighting.went:
                self._after_taking()
        self._store.wake()
        again = before.keys() - now.keys()
        self._dirty.update({file_id for file_id, path in self._paths.of_files.items() if path in again})
        self._tell_problem()
        self._resume()

    def _resume(self) -> None:
        if self._is_stopped:
            return
        if self._intake.is_wanted or self._rounds:
            self._begin()
        elif self._is_behind:
            self._schedule()
