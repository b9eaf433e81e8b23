"""The window: the first page or a project, notices above it, the status line below. Asks nothing when it is closed.

It shows view-models and tells what the user wants; who does it is not known here.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QMargins, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon, QShowEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QMainWindow, QStackedWidget, QWidget

from texswarm_desktop.client.status import StatusAction, StatusLine, Tone
from texswarm_desktop.qtx.first_paint import FirstPaint
from texswarm_desktop.qtx.paint_pace import PaintPace
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.services.resources import resource
from texswarm_desktop.ui.error_texts import is_worth_a_check, text_of
from texswarm_desktop.ui.meeting_desk import MeetingDesk
from texswarm_desktop.ui.notices import NoticeArea
from texswarm_desktop.ui.parts import column
from texswarm_desktop.ui.project_page import ProjectPage
from texswarm_desktop.ui.sleep_notice import SleepNotice
from texswarm_desktop.ui.status_line import ACTION_WORDS, StatusBar
from texswarm_desktop.ui.theme import Theme, ThemeMode
from texswarm_desktop.ui.transfer_desk import TransferDesk
from texswarm_desktop.ui.window_actions import WindowActions
from texswarm_desktop.ui.window_menu import menu_of
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.joining import JoinView
from texswarm_desktop.viewmodels.lobby_view import LobbyView
from texswarm_desktop.viewmodels.participants_view import ParticipantsView
from texswarm_desktop.viewmodels.presence_view import PresenceView
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_desktop.viewmodels.start_view import StartView
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import DocumentInfo

if TYPE_CHECKING:
    from texswarm_desktop.ui.start_page import StartPage
    from texswarm_desktop.viewmodels.doctor_view import DoctorView
    from texswarm_desktop.viewmodels.sharing_view import SharingView
    from texswarm_desktop.viewmodels.two_histories import TwoHistories

NAME: Final = "TeXSwarm"
_SIZE: Final = QSize(1180, 760)
_LEAST: Final = QSize(640, 420)
#: How much of the screen the system's title bar may take: what stands below the window's end is the status line.
_TITLE_BAR_PX: Final = 40
_PROBLEM: Final = "problem"
#: A window that is shown before its project is loaded stays blank for so long, rather than flash the first page.
_START_AFTER_S: Final = 0.25


class MainWindow(QMainWindow):
    """One window on one project.

    Signals, all wishes of the user: `new_requested(str, Template)` with a title; `open_folder_requested(Path)`;
    `host_requested()`; `host_folder_requested(Path)` from the first page; `connect_requested(str, str, str)` with
    address, invitation, name; `stop_hosting_requested()`; `invite_requested()` where the project is on a server
    elsewhere; `cancel_requested()`; `work_locally_requested()`; `choose_copy_requested()`, and of its sheet
    `history_chosen(Choice, TwoHistories)`; `document_chosen(str)` and `share_there_requested()` from the list of a
    server's projects; `leave_requested()` back to the first page; `theme_chosen(str)`; `zoom_changed(int)`;
    `check_requested(InviteLink | None)` of a road, None for the one that matters now; `reopen_requested()` of a folder
    that is only looked at; `sharing_requested()`: which patterns hold; `came_back()`: somebody turns to it again;
    `closed()`. Its two desks, `transfers` and `meeting`, have their own. No wish: `painted()`, when it is seen first.
    """

    new_requested = Signal(str, object)
    open_folder_requested = Signal(object)
    host_requested = Signal()
    host_folder_requested = Signal(object)
    connect_requested = Signal(str, str, str)
    stop_hosting_requested = Signal()
    invite_requested = Signal()
    cancel_requested = Signal()
    work_locally_requested = Signal()
    choose_copy_requested = Signal()
    history_chosen = Signal(object, object)
    document_chosen = Signal(str)
    share_there_requested = Signal()
    leave_requested = Signal()
    theme_chosen = Signal(str)
    zoom_changed = Signal(int)
    check_requested = Signal(object)
    reopen_requested = Signal()
    sharing_requested = Signal()
    came_back = Signal()
    closed = Signal()
    painted = Signal()

    def __init__(
        self,
        *,
        theme: Theme,
        start: StartView,
        join: JoinView,
        connection: ConnectionView,
        zoom: int = 0,
        projects_folder: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._start, self._join, self._connection = theme, start, join, connection
        self._zoom, self._projects_folder = zoom, projects_folder
        self._start_page: StartPage | None = None
        self._page: ProjectPage | None = None
        self._project: ProjectView | None = None
        self.meeting = MeetingDesk(theme, self, start=start, join=join, connection=connection)
        self.transfers = TransferDesk(theme, self, projects_folder=projects_folder)
        self.actions_ = WindowActions(self, menu_of(self))
        self.actions_.add_themes(theme.mode, self._on_theme_chosen)
        self.notices = NoticeArea(theme)
        SleepNotice(self.notices, connection, self)
        self.status_bar = StatusBar(theme, connection)
        self._stack = QStackedWidget()
        self._start_timer = SingleShot(self.show_start, self)
        PaintPace(self)
        FirstPaint(self).painted.connect(self.painted)
        self._lay_out()
        self._connect()
        self.status_bar.hide()
        self.actions_.set_has_project(has_project=False)

    def _connect(self) -> None:
        connection = self._connection
        self.meeting.stop_requested.connect(self.stop_hosting_requested)
        self.meeting.check_requested.connect(self.check)
        self.status_bar.action_requested.connect(self.act)
        self.status_bar.details_requested.connect(self.show_link_details)
        connection.line_changed.connect(self._on_connection_line_changed)

    def _lay_out(self) -> None:
        centre = QWidget()
        centre.setObjectName("Chrome")
        box = column(self.notices, self.meeting.lobby_bar, self._stack, self.status_bar)
        box.setStretchFactor(self._stack, 1)
        centre.setLayout(box)
        self.setCentralWidget(centre)
        self.setWindowIcon(QIcon(str(resource("icons/texswarm.svg"))))
        self.setMinimumSize(_LEAST)
        self.resize(_SIZE.boundedTo(self.screen().availableSize().shrunkBy(QMargins(0, _TITLE_BAR_PX, 0, 0))))

    def _new_start_page(self) -> "StartPage":
        from texswarm_desktop.ui.start_page import StartPage  # noqa: PLC0415 - a start with a project shows none

        page = StartPage(self._theme, self._start, self._join)
        page.new_requested.connect(self.show_new_dialog)
        page.open_requested.connect(self.choose_folder)
        page.import_requested.connect(self.transfers.ask_what_to_import)
        page.host_requested.connect(self._on_start_host_requested)
        page.join_requested.connect(self.meeting.show_join_dialog)
        page.connect_requested.connect(self.show_connect_dialog)
        page.nearby_requested.connect(lambda host: self.meeting.show_join_dialog(host=host))
        page.recent_requested.connect(self.open_folder_requested)
        self._stack.addWidget(page)
        return page

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────

    @property
    def page(self) -> ProjectPage | None:
        """The project that is shown, None on the first page."""
        return self._page

    @property
    def start_page(self) -> "StartPage":
        """The first page; made when it is first looked at."""
        if self._start_page is None:
            self._start_page = self._new_start_page()
        return self._start_page

    def show_start(self) -> None:
        """Show the first page; a project's views may be closed afterwards."""
        self._end_page()
        self._stack.setCurrentWidget(self.start_page)
        self._show_status()
        self.status_bar.show_file("")
        self.actions_.set_has_project(has_project=False)
        self.setWindowTitle(NAME)

    def _end_page(self) -> None:
        self._start_timer.stop()
        page, self._page = self._page, None
        self._project = None
        self.meeting.end_project()
        if page is not None:
            page.close_page()
            self._stack.removeWidget(page)
            page.deleteLater()

    def show_project(
        self,
        project: ProjectView,
        participants: ParticipantsView,
        presence: PresenceView,
        lobby: LobbyView | None = None,
    ) -> None:
        """Show a project; `show_start`, or another project, must come before its views are closed."""
        self._end_page()
        self.meeting.show_project(participants, lobby)
        self._project = project
        self._page = page = self._new_page(project, participants, presence)
        project.transfer_changed.connect(self.status_bar.show_transfer)
        self.status_bar.show_transfer(None)
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        self._show_status()
        self.actions_.set_has_project(has_project=True)
        self._on_page_heading_changed(*page.heading)
        page.area.tell_place()
        page.area.focus_text()

    def _new_page(self, project: ProjectView, participants: ParticipantsView, presence: PresenceView) -> ProjectPage:
        page = ProjectPage(
            self._theme,
            project,
            participants,
            presence,
            menu=self.actions_.menu,
            notices=self.notices,
            zoom=self._zoom,
        )
        page.share_requested.connect(self.share)
        page.members_requested.connect(self.meeting.members_requested)
        page.rename_requested.connect(self.meeting.show_name_dialog)
        page.reopen_requested.connect(self.reopen_requested)
        page.work_locally_requested.connect(self.work_locally_requested)
        page.heading_changed.connect(self._on_page_heading_changed)
        page.area.caret_moved.connect(self.status_bar.show_place)
        page.area.zoom_changed.connect(self._on_area_zoom_changed)
        return page

    def come_to_front(self) -> None:
        """Be seen, also after having been put away."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def copy(self, text: str) -> None:
        """Put a text into the clipboard."""
        QGuiApplication.clipboard().setText(text)

    def show_error(self, error: BaseException | None, road: InviteLink | None = None) -> None:
        """Show what is wrong, or (None) that it no longer is. `road`: where it went wrong, None for the project's."""
        if error is None:
            self.notices.dismiss(_PROBLEM)
            return
        text = text_of(error)
        action = text.action
        offers = [(ACTION_WORDS[action], lambda: self.act(action))] if action is not None else []
        if is_worth_a_check(error):
            offers.append((ACTION_WORDS[StatusAction.CHECK], lambda: self.check(road)))
        self.notices.show_notice(_PROBLEM, text.title, text.sentence, *offers, tone=Tone.BAD)

    def show_copied(self, link: str) -> None:
        """Say that an invitation is in the clipboard."""
        self.notices.show_notice("copied", "Invitation copied", f"Send it to whom you like: {link}", tone=Tone.GOOD)

    def show_put_aside(self, folder: str) -> None:
        """Say where the copy is that gave way."""
        self.notices.show_notice("aside", "Your copy is kept", f"It is in {folder}", tone=Tone.GOOD)

    def show_attached(self, folder: str) -> None:
        """Say that a folder is open in another window, which is in front now."""
        name = Path(folder).name
        sentence = f"{folder} is open in another window, which was brought to the front."
        self.notices.show_notice("attached", f"{name} is open already", sentence, tone=Tone.QUIET)

    def show_how_to_update(self) -> None:
        """Say how a newer version is had."""
        sentence = "Run pip install --upgrade 'texswarm[desktop]', or update your checkout; then start TeXSwarm again."
        self.notices.show_notice("update", "How to update", sentence)

    def show_link_details(self) -> None:
        """Show all about the link, above the status line."""
        from texswarm_desktop.ui.link_popover import LinkPopover, look_at  # noqa: PLC0415 - seldom looked at

        popover = LinkPopover(self._theme, self, lambda: look_at(self._connection))
        popover.action_requested.connect(self.act)
        popover.show_above(self.status_bar)

    # ── dialogs: loaded when the user asks for one ─────────────────────────────────────────────────────────

    def show_new_dialog(self) -> None:
        """Ask for the title of a new project, and what it shall begin as."""
        from texswarm_desktop.ui.dialogs.new_dialog import NewDialog  # noqa: PLC0415

        dialog = NewDialog(self._theme, self, folder=self._projects_folder)
        dialog.new_requested.connect(self.new_requested)
        dialog.open()

    def show_title_dialog(self) -> None:
        """Ask what the project shall be called."""
        project = self._project
        if project is None:
            return
        if not project.can_write:
            self.notices.show_notice("title", "Only reading", "Whoever may write in this project can change its title.")
            return
        from texswarm_desktop.ui.dialogs.title_dialog import TitleDialog  # noqa: PLC0415 - as all dialogs

        dialog = TitleDialog(self, title=project.title)
        dialog.title_chosen.connect(project.rename_project)
        dialog.open()

    def show_connect_dialog(self, address: str = "") -> None:
        """Ask for a server and an invitation to it."""
        from texswarm_desktop.ui.dialogs.connect_dialog import ConnectDialog  # noqa: PLC0415

        dialog = ConnectDialog(self, address=address or "", name=self._start.name)
        dialog.connect_requested.connect(self.connect_requested)
        dialog.open()

    def show_sharing(self, view: "SharingView") -> None:
        """Show which files are shared and which are not, and by which patterns."""
        from texswarm_desktop.ui.dialogs.sharing_sheet import SharingSheet  # noqa: PLC0415

        SharingSheet(self, view).open()

    def show_doctor(self, doctor: "DoctorView", *, server: str) -> None:
        """Show an examination of the road to a server, or (no server) of this computer as a host, and begin it.

        The Join dialog that asked for it keeps all but its own from being pressed, so it belongs to that, and ends so.
        """
        title = "Check the connection" if server else "Check this computer"
        hint = f"Each step from here to {server}." if server else "Whether others can join what is shared from here."
        from texswarm_desktop.ui.dialogs.doctor_dialog import DoctorDialog  # noqa: PLC0415

        below = self.meeting.join_dialog
        dialog = DoctorDialog(self._theme, below or self, doctor, title=title, hint=hint)
        if below is not None:
            below.finished.connect(dialog.reject)
        doctor.setParent(dialog)
        doctor.examine()
        dialog.show()

    def show_choice(self, server: str, documents: Sequence[DocumentInfo], *, share_title: str = "") -> None:
        """Ask which of a server's projects to open; with a title, also whether to put the open one there."""
        from texswarm_desktop.ui.dialogs.choose_dialog import ChooseDialog  # noqa: PLC0415

        dialog = ChooseDialog(self, server=server, documents=documents, share_title=share_title)
        dialog.document_chosen.connect(self.document_chosen)
        dialog.share_requested.connect(self.share_there_requested)
        dialog.open()

    def show_histories(self, histories: "TwoHistories") -> None:
        """Ask which of two histories is to be in the folder."""
        from texswarm_desktop.ui.dialogs.histories_sheet import HistoriesSheet  # noqa: PLC0415

        sheet = HistoriesSheet(self, histories)
        sheet.chosen.connect(lambda choice: self.history_chosen.emit(choice, histories))
        sheet.open()

    def show_sign_out_dialog(self) -> None:
        """Ask whether to leave the project's server for good; nothing to ask while it has none elsewhere."""
        facts = self._connection.facts
        if self._page is None or facts.hosting is not None or self._connection.is_local:
            self.notices.show_notice("sign-out", "Not signed in", "This project is not on a server elsewhere.")
            return
        self.meeting.show_sign_out_dialog(self._page.folder)

    def choose_folder(self) -> None:
        """Let the user choose a folder to open."""
        self._choose_folder("Open folder", self.open_folder_requested.emit)

    def _choose_folder(self, title: str, then: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self, title, self._projects_folder)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: then(Path(folder)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # ── what the user wants ─────────────────────────────────────────────────────────────────────────────

    def share(self) -> None:
        """Show the link of what is shared, or begin to share."""
        if self._connection.facts.hosting is not None:
            self.meeting.show_host_sheet()
        elif self._connection.is_local:
            self.host()
        else:
            self.invite_requested.emit()

    def host(self) -> None:
        """Share the open project from here; the sheet follows when that has begun."""
        self.meeting.expect_hosting()
        self.host_requested.emit()

    def export(self) -> None:
        """Ask what to give out of the project that is shown, and where to."""
        if self._project is not None:
            self.transfers.ask_what_to_export(self._project.title, self._project.folder)

    def check(self, road: InviteLink | None = None) -> None:
        """Look at each step of a road; without one, of the road that matters now."""
        self.check_requested.emit(road)

    def act(self, action: StatusAction | None) -> None:
        """Do what a status or a notice offers."""
        deeds: dict[StatusAction, Callable[[], None]] = {
            StatusAction.HOST: self.host,
            StatusAction.CONNECT: self.show_connect_dialog,
            StatusAction.CANCEL: self.cancel_requested.emit,
            StatusAction.RETRY: self._connection.retry_now,
            StatusAction.INVITE: self.meeting.show_host_sheet,
            StatusAction.STOP_HOSTING: self.stop_hosting_requested.emit,
            StatusAction.SIGN_IN: lambda: self.show_connect_dialog(self._connection.facts.server_name),
            StatusAction.CHOOSE_COPY: self.choose_copy_requested.emit,
            StatusAction.WORK_LOCALLY: self.work_locally_requested.emit,
            StatusAction.UPDATE: self.show_how_to_update,
            StatusAction.CHECK: self.check,
            StatusAction.DISCONNECT: self.cancel_requested.emit,
            StatusAction.REOPEN: self.reopen_requested.emit,
        }
        if action is not None:
            deeds[action]()

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────

    def _on_start_host_requested(self) -> None:
        self._choose_folder("Share a folder", self._on_host_folder_chosen)

    def _on_host_folder_chosen(self, folder: Path) -> None:
        self.meeting.expect_hosting()
        self.host_folder_requested.emit(folder)

    def _show_status(self) -> None:
        """On the first page there is a status only while a server is being reached."""
        self.status_bar.setVisible(self._page is not None or not self._connection.is_local)

    def _on_connection_line_changed(self, _line: StatusLine) -> None:
        self._show_status()

    def _on_page_heading_changed(self, title: str, path: str) -> None:
        name = path.rpartition("/")[2]
        self.setWindowTitle(" — ".join(part for part in (name, title, NAME) if part))
        is_figure = self._page is not None and self._page.area.figure_page is not None
        self.status_bar.show_file(path, is_figure=is_figure)

    def _on_area_zoom_changed(self, zoom: int) -> None:
        self._zoom = zoom
        self.zoom_changed.emit(zoom)

    def _on_theme_chosen(self, mode: ThemeMode) -> None:
        self._theme.set_mode(mode)
        self.theme_chosen.emit(mode.value)

    def showEvent(self, event: QShowEvent) -> None:
        """Show the first page, unless a project comes at once."""
        super().showEvent(event)
        if self._page is None and self._start_page is None:
            self._start_timer.start(_START_AFTER_S)

    def changeEvent(self, event: QEvent) -> None:
        """Tell when somebody turns to this window again."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.came_back.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close at once: what was typed is kept, and nothing is asked."""
        for dialog in self.findChildren(QDialog):
            dialog.close()
        event.accept()
        self.closed.emit()
