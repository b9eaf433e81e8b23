"""A folder that is looked at and never written: another process has its project open, or nothing can be written there.

Its texts are shown as they are on disk and follow it. Nothing is locked, stored or sent, and the document is nobody's:
it is made anew of the files, and ends with the window. Stands where a project stands in what windows show.
"""

import asyncio
import hashlib
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self
from uuid import uuid4

import msgspec

from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.core.project_files import is_project_figure
from texswarm_desktop.core.text_merge import diff
from texswarm_desktop.services.disk_state import DiskFile, DiskState
from texswarm_desktop.services.figure_record import Stamp, stamp_of
from texswarm_desktop.services.folder_walk import FolderWalk
from texswarm_desktop.services.folder_watch import FolderWatch
from texswarm_desktop.services.project_folder import Look, ProjectFolder
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.presence import Presence, PresenceData
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.protocol.errors import NotReadableError, StorageError, TexSwarmError
from texswarm_server.protocol.ids import BlobHash, Lineage

if TYPE_CHECKING:
    from texswarm_server.protocol.messages import Participant

#: What `read_only` says here: not a server's word, but the folder's state.
OBSERVED: Final = "observed"
#: A file that is gone may be one that is just being replaced.
_GONE_AFTER_S: Final = 0.3
_RETRY_S: Final = 2.0


class ObservedListener(Protocol):
    """Hears of another tree, and that the folder cannot be looked at, or (None) can again."""

    def files_changed(self) -> None:
        """The tree, or what is to be told of single files, is another one."""

    def problem(self, error: TexSwarmError | None) -> None:
        """Something is wrong with the disk."""


class _Seen(msgspec.Struct, frozen=True):
    """One look: texts, and the stamps of binary files."""

    texts: Look
    figures: Mapping[str, Stamp] = msgspec.field(default_factory=dict)


class WholeFigures:
    """The binary files of such a folder: what is seen of them is here, and none travels."""

    sending: Progress | None = None
    fetching: Progress | None = None

    def is_here(self, blob: BlobRef) -> bool:
        """Whether a content is here, whole."""
        return blob.size >= 0


class ObservedFolder:
    """`reason`: why it is only looked at. Belongs to its loop; whoever opened it closes it."""

    def __init__(self, folder: Path, reason: StorageError, *, executor: Executor) -> None:
        """Not for others: see `open`."""
        self.folder, self.reason = folder, reason
        self.document = ProjectDocument()
        self.document.initialise(folder.name, Lineage(str(uuid4())))
        self.presence = Presence()
        self.participants: list[Participant] = []
        self.blobs = WholeFigures()
        self.read_only = OBSERVED
        self._texts = ProjectFolder(folder, must_hold="")
        self._figures = FolderWalk(folder, takes=is_project_figure)
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._watch: FolderWatch | None = None
        self._again: asyncio.TimerHandle | None = None
        self._job: asyncio.Future[_Seen] | None = None
        self._is_wanted = False
        self._known: dict[str, DiskState] = {}
        self._gone: frozenset[str] = frozenset()
        self._problems: dict[str, TexSwarmError] = {}
        self._problem: TexSwarmError | None = None
        self._listeners: list[ObservedListener] = []

    @classmethod
    async def open(cls, folder: Path, reason: StorageError, *, executor: Executor) -> Self:
        """Look at a folder from now on; raises NotReadableError when that cannot be."""
        observed = cls(folder, reason, executor=executor)
        observed._take(await observed._loop.run_in_executor(executor, observed._look))
        observed.document.on_files_changed = observed._tell_files
        observed._watch = FolderWatch(lambda _paths: observed._want())
        observed._want()
        return observed

    async def close(self) -> None:
        """Look no more."""
        watch, self._watch = self._watch, None
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if watch is not None:
            watch.stop()
        if self._job is not None:
            await asyncio.wait([self._job])
        if watch is not None:
            await watch.stopped()

    # ── as a window sees it ─────────────────────────────────────────────────────────────────────────────

    @property
    def file_problems(self) -> Mapping[str, TexSwarmError]:
        """Files that cannot be shown, by path, and why."""
        return dict(self._problems)

    def set_presence(self, state: PresenceData | None) -> None:
        """Nobody else is here to be told."""

    def subscribe(self, listener: ObservedListener) -> Callable[[], None]:
        """Tell `listener` from now on; returns the way out."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _want(self) -> None:
        self._is_wanted = True
        if self._job is None and self._watch is not None:
            self._is_wanted = False
            self._job = self._loop.run_in_executor(self._executor, self._look)
            self._job.add_done_callback(self._on_looked)

    def _look(self) -> _Seen:
        """In the executor."""
        texts = self._texts.look(dict(self._known))
        figures: dict[str, Stamp] = {}
        for path in (*self._figures.walk().files, *texts.binary):
            with suppress(OSError):
                status = (self.folder / path).lstat()
                if stat.S_ISREG(status.st_mode):
                    figures[path] = stamp_of(status)
        return _Seen(texts, figures)

    def _on_looked(self, job: "asyncio.Future[_Seen]") -> None:
        self._job = None
        error = job.exception()
        if error is not None and not isinstance(error, TexSwarmError):
            raise error
        if self._watch is None:
            return
        if error is None:
            self._take(job.result())
            self._watch.watch(job.result().texts.folders)
        else:
            self._look_again(_RETRY_S)
        self._tell_problem(error)
        if self._is_wanted:
            self._want()

    def _take(self, seen: _Seen) -> None:
        look, before = seen.texts, dict(self._problems)
        self._problems = {**look.notes, **look.errors}
        self._known |= look.touched
        gone = look.gone if not look.closed else set[str]()  # they may be in a folder that cannot be looked into
        for path in gone & self._gone:
            self._remove(path)
        self._gone = frozenset(gone - self._gone)
        for path, file in look.changed.items():
            self._show(path, file)
        self._show_figures(seen.figures)
        if self._gone:
            self._look_again(_GONE_AFTER_S)
        if before.keys() != self._problems.keys():
            self._tell_files()

    def _show(self, path: str, file: DiskFile) -> None:
        self._known[path] = file.state
        file_id = self.document.file_at(path)
        if file.decoded is None:
            self._problems[path] = NotReadableError(f"not text: {path!r}")
        elif file_id is None:
            self.document.add_file(path, file.decoded.text)
        else:
            text = self.document.text(file_id)
            text.merge_cp([(edit.start, edit.end, edit.new) for edit in diff(str(text), file.decoded.text)])

    def _remove(self, path: str) -> None:
        self._known.pop(path, None)
        file_id = self.document.file_at(path)
        if file_id is not None:
            self.document.remove_file(file_id)

    def _show_figures(self, found: Mapping[str, Stamp]) -> None:
        """A figure is named by how it looks from outside: its content is never asked for by that name."""
        here = {entry.path: (file_id, entry.blob) for file_id, entry in self.document.blob_files.items()}
        wanted = {path: _named(path, stamp) for path, stamp in found.items()}
        for path, blob in wanted.items():
            if path not in here:
                self.document.add_blob(path, blob)
            elif here[path][1] != blob:
                self.document.set_blob(here[path][0], blob)
        for path in here.keys() - wanted.keys():
            self.document.remove_file(FileId(here[path][0]))

    def _look_again(self, delay_s: float) -> None:
        if self._again is not None:
            self._again.cancel()
        self._again = self._loop.call_later(delay_s, self._want)

    def _tell_files(self) -> None:
        for listener in tuple(self._listeners):
            listener.files_changed()

    def _tell_problem(self, error: TexSwarmError | None) -> None:
        """Told when it is another one: who hears that nothing is wrong takes back what was said."""
        if str(error) == str(self._problem):
            return
        self._problem = error
        for listener in tuple(self._listeners):
            listener.problem(error)


def _named(path: str, stamp: Stamp) -> BlobRef:
    name = hashlib.sha256(repr((path, stamp)).encode("utf-8", "surrogateescape")).hexdigest()
    return BlobRef(BlobHash(name), stamp.size)
