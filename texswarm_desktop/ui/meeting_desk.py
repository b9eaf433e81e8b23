"""The dialogs of one window by which people come together: whom to join, what is shared from here, who may do what.

One's own name, and leaving a server for good, are asked for here too. A dialog is loaded when it is first shown: most
starts need none.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QWidget

from texswarm_desktop.client.status import Hosting
from texswarm_desktop.core.trust import UntrustedHostError
from texswarm_desktop.ui.error_texts import is_worth_a_check, text_of
from texswarm_desktop.ui.lobby_bar import LobbyBar
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.joining import JoinView
from texswarm_desktop.viewmodels.lobby_view import LobbyView, Visitor
from texswarm_desktop.viewmodels.participants_view import ParticipantRow, ParticipantsView
from texswarm_desktop.viewmodels.start_view import StartView
from texswarm_server.protocol.invite_link import InviteLink

if TYPE_CHECKING:
    from texswarm_desktop.core.nearby import NearbyHost
    from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
    from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog
    from texswarm_desktop.ui.dialogs.members_sheet import MembersSheet
    from texswarm_desktop.viewmodels.membership import Membership


class MeetingDesk(QObject):
    """At most one of each of its dialogs is open. `lobby_bar` is the window's own; the sheet of a host has another.

    Signals, all wishes of the user: `join_requested(str, str)`, link and name; `way_in_requested(JoinWish, str)`, who
    is joined and a name, `words_wanted(str)` with a fingerprint, and `check_requested(InviteLink)` of a road that led
    nowhere; of what is shared from here `stop_requested()`,
    `access_chosen(str)` with a role, `who_joins_chosen(WhoJoins)` and `lock_chosen(bool)`; `knock_answered(Answer)`;
    `members_requested()`, and of their sheet `member_decided(Decision)` and `member_invite_requested(str)` with a role;
    `name_chosen(str)`; `sign_out_requested()`. No wish: `members_outdated()` when somebody came, went or may do
    something else while that sheet is up.
    """

    join_requested = Signal(str, str)
    way_in_requested = Signal(object, str)
    words_wanted = Signal(str)
    check_requested = Signal(object)
    stop_requested = Signal()
    access_chosen = Signal(str)
    who_joins_chosen = Signal(object)
    lock_chosen = Signal(bool)
    knock_answered = Signal(object)
    members_requested = Signal()
    members_outdated = Signal()
    member_decided = Signal(object)
    member_invite_requested = Signal(str)
    name_chosen = Signal(str)
    sign_out_requested = Signal()

    def __init__(
        self, theme: Theme, window: QWidget, *, start: StartView, join: JoinView, connection: ConnectionView
    ) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._start, self._join, self._connection = start, join, connection
        self._participants: ParticipantsView | None = None
        self._lobby: LobbyView | None = None
        self._join_dialog: JoinDialog | None = None
        self._failed_road: InviteLink | None = None
        self._host_sheet: HostSheet | None = None
        self._members_sheet: MembersSheet | None = None
        self._awaits_hosting = False
        self._in: frozenset[tuple[str, str]] = frozenset()
        self.lobby_bar = LobbyBar(theme)
        self.lobby_bar.answered.connect(self.knock_answered)
        connection.hosting_changed.connect(self._on_connection_hosting_changed)

    # ── whose people they are ───────────────────────────────────────────────────────────────────────────

    def show_project(self, participants: ParticipantsView, lobby: LobbyView | None) -> None:
        """Show the people of this project from now on; `end_project` must come before its views are closed."""
        self.end_project()
        self._participants, self._lobby = participants, lobby
        participants.rows_changed.connect(self._on_participants_rows)
        self._on_participants_rows(participants.rows)
        if lobby is not None:
            lobby.visitors_changed.connect(self._on_lobby_visitors)
            self._on_lobby_visitors(lobby.visitors)

    def end_project(self) -> None:
        """Show nobody any more."""
        participants, self._participants = self._participants, None
        lobby, self._lobby = self._lobby, None
        if participants is not None:
            participants.rows_changed.disconnect(self._on_participants_rows)
        if lobby is not None:
            lobby.visitors_changed.disconnect(self._on_lobby_visitors)
            self._on_lobby_visitors([])

    # ── joining ─────────────────────────────────────────────────────────────────────────────────────────

    def show_join_dialog(self, link: str = "", *, host: "NearbyHost | None" = None) -> None:
        """Ask whom to join, and the name others shall see; what was asked before gives way."""
        from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog  # noqa: PLC0415

        if self._join_dialog is not None:
            self._join_dialog.reject()
        name = self._start.name
        dialog = JoinDialog(self._theme, self._join, self._window, link=link or "", name=name, host=host)
        self._join_dialog = dialog
        dialog.join_requested.connect(self.join_requested)
        dialog.way_in_requested.connect(self.way_in_requested)
        dialog.words_wanted.connect(self.words_wanted)
        dialog.check_requested.connect(lambda: self.check_requested.emit(self._failed_road))
        dialog.finished.connect(self._on_join_dialog_finished)
        dialog.begin()
        dialog.open()

    def end_joining(self) -> None:
        """The way in was found: the Join dialog has done its work."""
        if self._join_dialog is not None:
            self._join_dialog.accept()

    def show_join_problem(self, error: BaseException, road: InviteLink | None = None) -> bool:
        """Say why there was no way in, where it was asked for, or ask whether the host is the right one.

        `road`: where it was looked for, None where it is not known. False where nobody asks any more.
        """
        dialog = self._join_dialog
        if dialog is None:
            return False
        if isinstance(error, UntrustedHostError):
            dialog.ask_to_trust(error.fingerprint, error.trust)
        else:
            self._failed_road = road
            dialog.show_refusal(text_of(error).sentence, can_check=road is not None and is_worth_a_check(error))
        return True

    @property
    def join_dialog(self) -> QDialog | None:
        """The Join dialog while it is open: what is shown meanwhile has to lie above it."""
        return self._join_dialog

    # ── sharing ─────────────────────────────────────────────────────────────────────────────────────────

    def expect_hosting(self) -> None:
        """Show the sheet of what is shared as soon as something is."""
        self._awaits_hosting = True

    def show_host_sheet(self, hosting: Hosting | None = None) -> None:
        """Show link and address of what is shared from here, and who is in."""
        hosting = hosting or self._connection.facts.hosting
        if hosting is None or self._host_sheet is not None:
            return
        from texswarm_desktop.ui.dialogs.host_sheet import HostSheet  # noqa: PLC0415

        sheet = self._host_sheet = HostSheet(self._theme, self._window, hosting)
        sheet.stop_requested.connect(self.stop_requested)
        sheet.access_chosen.connect(self.access_chosen)
        sheet.who_joins_chosen.connect(self.who_joins_chosen)
        sheet.lock_chosen.connect(self.lock_chosen)
        sheet.members_requested.connect(self.members_requested)
        sheet.finished.connect(self._on_host_sheet_finished)
        sheet.lobby.answered.connect(self.knock_answered)
        sheet.show_people([] if self._participants is None else self._participants.rows)
        sheet.show_visitors([] if self._lobby is None else self._lobby.visitors)
        sheet.open()

    def show_members(self, membership: "Membership") -> None:
        """Show who may do what, for an owner to decide."""
        if self._members_sheet is not None:
            self._members_sheet.show_membership(membership)
            return
        from texswarm_desktop.ui.dialogs.members_sheet import MembersSheet  # noqa: PLC0415

        sheet = self._members_sheet = MembersSheet(self._theme, self._window, membership)
        sheet.decided.connect(self.member_decided)
        sheet.invite_requested.connect(self.member_invite_requested)
        sheet.finished.connect(self._on_members_sheet_finished)
        sheet.open()

    def update_members(self, membership: "Membership", *, problem: str = "", is_copied: bool = False) -> None:
        """Show in the sheet, if it is still there, what became of a decision or of a wish for an invitation."""
        if self._members_sheet is None:
            return
        self._members_sheet.show_membership(membership)
        if problem:
            self._members_sheet.show_problem(problem)
        if is_copied:
            self._members_sheet.show_copied()

    # ── oneself ─────────────────────────────────────────────────────────────────────────────────────────

    def show_name_dialog(self) -> None:
        """Ask for the name others shall see."""
        from texswarm_desktop.ui.dialogs.name_dialog import NameDialog  # noqa: PLC0415

        dialog = NameDialog(self._window, name=self._start.name)
        dialog.name_chosen.connect(self.name_chosen)
        dialog.open()

    def show_sign_out_dialog(self, folder: str) -> None:
        """Ask whether to leave for good the server on which the project in this folder is."""
        from texswarm_desktop.ui.dialogs.sign_out_dialog import SignOutDialog  # noqa: PLC0415

        dialog = SignOutDialog(self._window, server=self._connection.facts.server_name, folder=folder)
        dialog.finished_well.connect(self.sign_out_requested)
        dialog.open()

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────

    def _on_connection_hosting_changed(self, hosting: Hosting | None) -> None:
        if hosting is None:
            if self._host_sheet is not None:
                self._host_sheet.accept()
            return
        if self._host_sheet is not None:
            self._host_sheet.show_hosting(hosting)
        elif self._awaits_hosting:
            self._awaits_hosting = False
            self.show_host_sheet(hosting)

    def _on_participants_rows(self, rows: list[ParticipantRow]) -> None:
        if self._host_sheet is not None:
            self._host_sheet.show_people(rows)
        before, self._in = self._in, frozenset((one.person.user_id, one.role) for one in rows)
        if self._members_sheet is not None and before != self._in:
            self.members_outdated.emit()

    def _on_lobby_visitors(self, visitors: list[Visitor]) -> None:
        self.lobby_bar.show_visitors(visitors)
        if self._host_sheet is not None:
            self._host_sheet.show_visitors(visitors)

    def _on_join_dialog_finished(self) -> None:
        self._join_dialog = None

    def _on_host_sheet_finished(self) -> None:
        self._host_sheet = None

    def _on_members_sheet_finished(self) -> None:
        self._members_sheet = None
