"""A project in the window: files and people on the left, the text on the right, the bar above."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QSplitter, QVBoxLayout, QWidget

from texswarm_desktop.client.status import StatusAction, Tone
from texswarm_desktop.ui.editor.editor_area import EditorArea
from texswarm_desktop.ui.error_texts import obstacle_text, text_of_code
from texswarm_desktop.ui.folder_words import shown_folder
from texswarm_desktop.ui.notices import NoticeArea
from texswarm_desktop.ui.panels.files_panel import FilesPanel
from texswarm_desktop.ui.panels.people_panel import PeoplePanel
from texswarm_desktop.ui.parts import column
from texswarm_desktop.ui.status_line import ACTION_WORDS
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.ui.top_bar import TopBar
from texswarm_desktop.viewmodels.participants_view import ParticipantsView
from texswarm_desktop.viewmodels.presence_view import PresenceView
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import ErrorCode

_SIDE_PX = 248
_READING = "reading"


class ProjectPage(QWidget):
    """One opened project.

    Signals: `share_requested()`; `heading_changed(str, str)` with title and current path; `work_locally_requested()`;
    `members_requested()`; `rename_requested()`; `reopen_requested()` of a folder that is only looked at.
    """

    share_requested = Signal()
    work_locally_requested = Signal()
    members_requested = Signal()
    rename_requested = Signal()
    reopen_requested = Signal()
    heading_changed = Signal(str, str)

    def __init__(
        self,
        theme: Theme,
        project: ProjectView,
        participants: ParticipantsView,
        presence: PresenceView,
        *,
        menu: QMenu,
        notices: NoticeArea,
        zoom: int = 0,
    ) -> None:
        super().__init__()
        self._project, self._presence, self._notices = project, presence, notices
        self.area = EditorArea(theme, project, presence, zoom=zoom)
        self.files = FilesPanel(theme, project)
        self.people = PeoplePanel(theme, participants)
        self.top_bar = TopBar(theme, menu)
        self.side_bar = QFrame()
        self._lay_out()
        self._names = {row.person.user_id: row.person.name for row in participants.rows}
        self.top_bar.share_requested.connect(self.share_requested)
        self.people.invite_requested.connect(self.share_requested)
        self.people.members_requested.connect(self.members_requested)
        self.people.rename_requested.connect(self.rename_requested)
        self.people.person_chosen.connect(self.go_to_person)
        self.files.delete_requested.connect(self.ask_to_delete)
        participants.rows_changed.connect(self.top_bar.show_people)
        self.area.typing_refused.connect(self._on_area_typing_refused)
        project.can_write_changed.connect(self._on_project_can_write_changed)
        project.title_changed.connect(self._on_heading)
        project.current_changed.connect(self._on_heading)
        project.file_renamed.connect(self._on_heading)
        self.top_bar.show_people(participants.rows)
        self._on_heading()

    def _lay_out(self) -> None:
        self.side_bar.setObjectName("SideBar")
        panels = _splitter(Qt.Orientation.Vertical, self.files, self.people)
        panels.setStretchFactor(0, 3)
        panels.setStretchFactor(1, 2)
        self.side_bar.setLayout(column(panels))
        self.side_bar.setMinimumWidth(170)
        right = QWidget()
        box: QVBoxLayout = column(self.area)
        box.setStretchFactor(self.area, 1)
        right.setLayout(box)
        halves = _splitter(Qt.Orientation.Horizontal, self.side_bar, right)
        halves.setStretchFactor(1, 1)
        halves.setSizes([_SIDE_PX, 1000])
        outside = column(self.top_bar, halves)
        outside.setStretchFactor(halves, 1)
        self.setLayout(outside)

    @property
    def folder(self) -> str:
        """Where the project is, as people read it."""
        return shown_folder(self._project.folder)

    @property
    def heading(self) -> tuple[str, str]:
        """The project's title and the path of the file that is worked on."""
        return self._project.title, self._project.path_of(self._project.current or "")

    def toggle_side_bar(self) -> None:
        """Hide or show files and people."""
        self.side_bar.setVisible(self.side_bar.isHidden())

    def go_to_person(self, user_id: str) -> None:
        """Show the place where somebody is."""
        place = self._presence.place_of(user_id)
        if place is not None:
            self.area.show_place(*place)
            return
        sentence = "They have no file of this project open at the moment."
        self._notices.show_notice("person", "Not in a file", sentence, tone=Tone.QUIET)

    def ask_to_delete(self, file_id: str) -> None:
        """Ask, in a bar, before a file is deleted for everybody."""
        name = self._project.path_of(file_id)
        sentence = "It is removed for everybody in the project."
        delete = partial(self._delete, file_id)
        self._notices.show_notice("delete", f"Delete {name}?", sentence, ("Delete", delete), ("Keep", nothing))

    def close_page(self) -> None:
        """Let go of the editors; needed before the views are closed."""
        self._notices.dismiss(_READING)
        self.area.close_area()

    def _on_area_typing_refused(self) -> None:
        if self._project.obstacle is not None:
            text = obstacle_text(self._project.obstacle)
            again = (ACTION_WORDS[StatusAction.REOPEN], self.reopen_requested.emit)
            self._notices.show_notice(_READING, text.title, text.sentence, again, tone=Tone.QUIET)
            return
        code = ErrorCode.FORBIDDEN if self._project.may_read_only else ErrorCode.DOCUMENT_READ_ONLY
        text = text_of_code(code)
        own = ("Work locally", self.work_locally_requested.emit)
        self._notices.show_notice(_READING, text.title, text.sentence, own, tone=Tone.QUIET)

    def _on_project_can_write_changed(self, can_write: bool) -> None:
        if can_write:
            self._notices.dismiss(_READING)

    def _delete(self, file_id: str) -> None:
        if self._project.path_of(file_id) and self._project.can_write:
            self._project.delete_file(file_id)

    def _on_heading(self) -> None:
        title, path = self.heading
        self.top_bar.show_title(title, shown_folder(self._project.folder))
        self.heading_changed.emit(title, path)


def _splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    made = QSplitter(orientation)
    made.setHandleWidth(1)
    made.setChildrenCollapsible(False)
    for widget in widgets:
        made.addWidget(widget)
    return made
