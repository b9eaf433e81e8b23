"""A window on a fake project, with everything a person at it can see and do, and a colleague somewhere else."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from tests.helpers.fake_join import idle_join
from tests.helpers.fake_project import FakeProject
from texswarm_desktop.client.states import Idle, LinkState
from texswarm_desktop.ui.editor.latex_editor import LatexEditor
from texswarm_desktop.ui.error_texts import need_words
from texswarm_desktop.ui.main_window import MainWindow
from texswarm_desktop.ui.project_page import ProjectPage
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.participants_view import ParticipantsView
from texswarm_desktop.viewmodels.people import Person
from texswarm_desktop.viewmodels.presence_view import PresenceView
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_desktop.viewmodels.start_view import RecentProject, StartView
from texswarm_server.document import FileId, ProjectDocument

ME = Person("me", "Me", "#3b82f6")


class FakeConnection:
    """A connection whose state a test sets."""

    def __init__(self, state: LinkState | None = None) -> None:
        self.state: LinkState = state or Idle()
        self.listeners: list[Callable[[LinkState, LinkState], None]] = []
        self.retries: list[str] = []

    def subscribe(self, listener: Callable[[LinkState, LinkState], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def retry_now(self, cause: str) -> None:
        self.retries.append(cause)

    def turn(self, state: LinkState) -> None:
        old, self.state = self.state, state
        for listener in tuple(self.listeners):
            listener(old, state)


class Desk:
    """The window. `close()` leaves nothing of it."""

    def __init__(self, theme: Theme, files: dict[str, str] | None = None, *, recent: list[RecentProject] | None = None):
        self.status = ConnectionView(clock=time.monotonic, words=need_words)
        self.connection = FakeConnection()
        self.start = StartView(name="Me", recent=recent or [])
        self.join = idle_join()
        self.window = MainWindow(theme=theme, start=self.start, join=self.join, connection=self.status)
        self.window.show()
        self._views: tuple[ProjectView, ParticipantsView, PresenceView] | None = None
        if files is not None:
            self.open(files)
        QApplication.processEvents()

    def open(self, files: dict[str, str], *, folder: Path = Path("/papers/a-paper")) -> None:
        self.project = FakeProject(files, folder=folder)
        self.view = ProjectView(self.project)
        self.people = ParticipantsView(self.project, ME)
        self.presence = PresenceView(self.project, ME)
        self._views = (self.view, self.people, self.presence)
        self.view.open_main_file()
        self.window.show_project(*self._views)

    @property
    def page(self) -> ProjectPage:
        assert self.window.page is not None
        return self.window.page

    @property
    def editor(self) -> LatexEditor:
        assert self.page.area.editor is not None
        return self.page.area.editor

    @property
    def text(self) -> str:
        """The text in the project, of the file that is worked on."""
        return str(self.project.document.text(FileId(self.view.current or "")))

    def colleague_edits(self, start: int, end: int, new: str) -> None:
        """Let somebody else replace a range (UTF-16) of the current file, and the change arrive."""
        file_id = FileId(self.view.current or "")
        other = ProjectDocument()
        other.apply(self.project.document.update_since())
        before = other.state_vector()
        other.text(file_id).replace_u16(start, end, new)
        self.project.document.apply(other.update_since(before))

    def close(self) -> None:
        self.window.show_start()
        for view in reversed(self._views or ()):
            view.close()
        self.status.close()
        self.window.close()
        self.window.deleteLater()
        QApplication.processEvents()
