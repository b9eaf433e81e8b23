"""One opened project as a window shows it: its files as a tree, and which of them are open, each with its binding.

Knows the document and Qt's models, and no widgets. A file that somebody else removes stays open until its tab is
closed: what is on the screen is never taken away.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.services.server_word import VIEWER
from texswarm_desktop.viewmodels.figure_view import FigureFacts, FigureSource, TransferFacts, transfer_facts
from texswarm_desktop.viewmodels.file_tree import FileTreeModel
from texswarm_desktop.viewmodels.text_binding import TextBinding
from texswarm_server.document import FileId, ProjectDocument
from texswarm_server.document.presence import Presence, PresenceData
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import StorageError
from texswarm_server.protocol.messages import Participant


class ProjectLike(Protocol):
    """The part of a project that windows look at."""

    @property
    def document(self) -> ProjectDocument:
        """The replica."""

    @property
    def folder(self) -> Path:
        """Where its files are."""

    @property
    def presence(self) -> Presence:
        """Who is where."""

    @property
    def blobs(self) -> FigureSource | None:
        """Where the contents of its binary files are."""

    @property
    def participants(self) -> list[Participant]:
        """Who is in the document, as the server says."""

    @property
    def read_only(self) -> str | None:
        """Why nothing is to be written here; None when one may write."""

    @property
    def file_problems(self) -> Mapping[str, Exception]:
        """Files that are not the same here and in the document, by path, and why."""

    def set_presence(self, state: PresenceData | None) -> None:
        """Tell the others where this user is."""

    def subscribe(self, listener: Any) -> Callable[[], None]:
        """Tell `listener` from now on; returns the way out."""


class ProjectView(QObject, ProjectListener):
    """A project on the screen. Invariant: `current` is one of `open_files`, or None when there are none.

    Signals: `title_changed(str)`; `file_opened(str)`, `file_closed(str)`, `current_changed(str)` with file ids, the
    last empty when nothing is open; `file_renamed(str, str)` with id and path; `file_removed(str)` for an open file
    that somebody took out of the project; `can_write_changed(bool)`; `figures_changed()`: what is known of binary files
    may be another thing; `transfer_changed(object)` with TransferFacts or None; `reports_changed()`.
    """

    title_changed = Signal(str)
    file_opened = Signal(str)
    file_closed = Signal(str)
    current_changed = Signal(str)
    file_renamed = Signal(str, str)
    file_removed = Signal(str)
    can_write_changed = Signal(bool)
    figures_changed = Signal()
    transfer_changed = Signal(object)
    reports_changed = Signal()

    def __init__(
        self, project: ProjectLike, parent: QObject | None = None, *, obstacle: StorageError | None = None
    ) -> None:
        """`obstacle`: why the folder is only looked at, and no project of this window."""
        super().__init__(parent)
        self._project = project
        self.obstacle = obstacle
        self._bindings: dict[FileId, TextBinding | None] = {}
        self._transfer: TransferFacts | None = None
        self._paths: dict[FileId, str] = {}
        self._removed: set[FileId] = set()
        self._current: FileId | None = None
        self._title = self.title
        self._can_write = self.can_write
        self._reports = self.reports
        self._is_arriving = not project.document.files
        self.tree = FileTreeModel(self)
        self._unsubscribe = project.subscribe(self)
        self._sync_files()

    def close(self) -> None:
        """Close every file and listen no more."""
        self._unsubscribe()
        self._unsubscribe = nothing
        for file_id in self.open_files:
            self.close_file(file_id)

    # ── the project ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def project(self) -> ProjectLike:
        """The project that is shown."""
        return self._project

    @property
    def folder(self) -> Path:
        """Where the project's files are."""
        return self._project.folder

    @property
    def title(self) -> str:
        """The project's title, or its folder's name while it has none."""
        return self._project.document.title or self._project.folder.name

    @property
    def can_write(self) -> bool:
        """Whether this user may change the project; somebody else decides."""
        return self._project.read_only is None

    @property
    def may_read_only(self) -> bool:
        """Whether it is this user's role that forbids to write, and not what became of the server's copy."""
        return self._project.read_only == VIEWER

    @property
    def reports(self) -> Mapping[str, Exception]:
        """What is to be told of single files, by path."""
        return dict(self._project.file_problems)

    def rename_project(self, title: str) -> None:
        """Give the project another title, for everybody."""
        self._project.document.title = title

    # ── the tree ────────────────────────────────────────────────────────────────────────────────────────

    def path_of(self, file_id: str) -> str:
        """Return the path of a file, also of one that is open and was removed; empty if it was never here."""
        return self._paths.get(FileId(file_id), "")

    def add_file(self, path: str) -> FileId:
        """Add an empty file and open it; raises FilePathError."""
        file_id = self._project.document.add_file(path)
        self._sync_files()
        self.open_file(file_id)
        return file_id

    def rename_file(self, file_id: str, path: str) -> None:
        """Give a file another path, for everybody; raises FilePathError or UnknownFileError."""
        if path != self.path_of(file_id):
            self._project.document.rename_file(FileId(file_id), path)
            self._sync_files()

    def delete_file(self, file_id: str) -> None:
        """Take a file out of the project, for everybody, and close it; raises UnknownFileError."""
        self._project.document.remove_file(FileId(file_id))
        self.close_file(file_id)
        self._sync_files()

    @property
    def main_path(self) -> str | None:
        """The path of the file LaTeX is run on, None while there is none."""
        document = self._project.document
        main = document.main_file
        return document.files[main].path if main is not None else None

    def use_as_main(self, path: str) -> None:
        """Run LaTeX on the file at `path` from now on, if it is another one, and show it."""
        document = self._project.document
        found = next((file_id for file_id, entry in document.files.items() if entry.path == path), None)
        if found is not None and found != document.main_file:
            self.set_main_file(found)
            self.open_file(found)

    def set_main_file(self, file_id: str) -> None:
        """Make a file the one LaTeX is run on; raises UnknownFileError."""
        self._project.document.main_file = FileId(file_id)
        self._sync_files()

    # ── open files ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def open_files(self) -> list[FileId]:
        """The open files, in the order they were opened."""
        return list(self._bindings)

    @property
    def current(self) -> FileId | None:
        """The file that is worked on."""
        return self._current

    def binding(self, file_id: str) -> TextBinding:
        """Return the binding of an open text."""
        binding = self._bindings[FileId(file_id)]
        assert binding is not None, "a binary file has no text"
        return binding

    def is_figure(self, file_id: str) -> bool:
        """Whether an open file is a binary one, to be looked at only."""
        return self._bindings.get(FileId(file_id), ...) is None

    def figure(self, file_id: str) -> FigureFacts:
        """Return what is known of a binary file; of one that was removed its path only."""
        path = self.path_of(file_id)
        entry = self._project.document.files.get(FileId(file_id))
        blob, source = entry.blob if entry else None, self._project.blobs
        return FigureFacts(
            path,
            blob.size if blob else 0,
            self.folder / path,
            is_here=blob is not None and source is not None and source.is_here(blob),
        )

    def open_file(self, file_id: str) -> None:
        """Open a file, or turn to it if it is open; raises UnknownFileError."""
        known = FileId(file_id)
        if known not in self._bindings:
            document = self._project.document
            is_figure = known in document.blob_files
            self._bindings[known] = None if is_figure else TextBinding(document.text(known), self)
            self.file_opened.emit(known)
        self.set_current(known)

    def open_main_file(self) -> None:
        """Open the file the project begins with, if there is one."""
        main = self._project.document.main_file
        if main is not None:
            self.open_file(main)

    def open_again(self, file_ids: Sequence[str], current: str | None) -> None:
        """Open those of `file_ids` that are still there, and turn to `current`."""
        for file_id in file_ids:
            if file_id in self._project.document.files:
                self.open_file(file_id)
        self.set_current(current or "")

    def open_paths(self, paths: Sequence[str], current: str) -> None:
        """Open the files at those of `paths` where one is, and turn to `current`."""
        found = {path: self._project.document.file_at(path) for path in (*paths, current)}
        here = [file_id for path in paths if (file_id := found[path]) is not None]
        self.open_again(here, found[current])

    def close_file(self, file_id: str) -> None:
        """Close a file; the one opened before it is turned to."""
        known = FileId(file_id)
        if known not in self._bindings:
            return
        order = self.open_files
        at = order.index(known)
        binding = self._bindings.pop(known)
        if self._current == known:
            rest = order[:at] + order[at + 1 :]
            self._turn_to(rest[max(0, at - 1)] if rest else None)
        self.file_closed.emit(known)
        if binding is not None:
            binding.close()
            binding.deleteLater()

    def set_current(self, file_id: str) -> None:
        """Turn to an open file."""
        if FileId(file_id) in self._bindings:
            self._turn_to(FileId(file_id))

    def _turn_to(self, file_id: FileId | None) -> None:
        if file_id != self._current:
            self._current = file_id
            self.current_changed.emit(file_id or "")

    # ── what the project tells ──────────────────────────────────────────────────────────────────────────

    def files_changed(self) -> None:
        """Show the tree as it is now."""
        self._sync_files()
        self.figures_changed.emit()
        title = self.title
        if title != self._title:
            self._title = title
            self.title_changed.emit(title)
        before, self._reports = self._reports, self.reports
        if {path: str(error) for path, error in before.items()} != {path: str(e) for path, e in self._reports.items()}:
            self.reports_changed.emit()
        if self._is_arriving and self._project.document.main_file is not None:
            self._is_arriving = False
            self.open_main_file()

    def participants_changed(self) -> None:
        """The people are shown by another view; here, what this user may do."""
        before, self._can_write = self._can_write, self.can_write
        if before != self._can_write:
            self.can_write_changed.emit(self._can_write)

    def transfers_changed(self) -> None:
        """Show how far binary files are that travel for longer than a moment."""
        self.figures_changed.emit()
        before, self._transfer = self._transfer, transfer_facts(self._project.blobs, time.monotonic())
        if before != self._transfer:
            self.transfer_changed.emit(self._transfer)

    def _sync_files(self) -> None:
        document = self._project.document
        paths = {file_id: entry.path for file_id, entry in document.files.items()}
        self.tree.show_files(paths, document.main_file)
        before, self._paths = self._paths, {**self._kept_paths(), **paths}
        gone, self._removed = self._removed, self._bindings.keys() - paths.keys()
        for file_id in self.open_files:
            if file_id in self._removed - gone:
                self.file_removed.emit(file_id)
            elif before.get(file_id) != self._paths[file_id] or file_id in gone - self._removed:
                self.file_renamed.emit(file_id, self._paths[file_id])

    def _kept_paths(self) -> dict[FileId, str]:
        return {file_id: self._paths[file_id] for file_id in self._bindings if file_id in self._paths}
