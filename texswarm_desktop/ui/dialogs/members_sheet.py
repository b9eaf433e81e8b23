"""Who may do what in a project, for its owners: roles, taking somebody out, letting back in, and invitations."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.parts import Disc, ElidedLabel, button, column, empty, label, row, scrolling
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.membership import (
    ROLE_WORDS,
    GiveRole,
    Invitation,
    LetBack,
    Member,
    Membership,
    TakeOut,
    Withdraw,
)
from texswarm_server.protocol.messages import RoleName

_HINT: Final = "What you change here holds at once, also for those who are away."
_COPIED_FOR_S: Final = 2.0
_LEAST_PX: Final = 320
_ROLES: Final[tuple[RoleName, ...]] = ("owner", "editor", "viewer")
_INVITED: Final[tuple[RoleName, ...]] = ("editor", "viewer")


class MembersSheet(Sheet):
    """Shows a Membership.

    Signals: `decided(Decision)`; `invite_requested(str)` with the role that a new invitation is to give.
    """

    decided = Signal(object)
    invite_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None, membership: Membership) -> None:
        super().__init__("People and invitations", _HINT, parent, width_px=560)
        self._theme = theme
        self._membership = membership
        self._asked_about = ""
        self._members, self._invitations = _rows(), _rows()
        self._invitations_title = label("", "SectionTitle")
        self.invite = button("Copy a new invitation…")
        self.invite.clicked.connect(lambda: _popup(self.invite, self._invite_menu()))
        self._copied = SingleShot(self._on_copied_over, self)
        self._lay_out()
        self.show_membership(membership)

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setObjectName("Plain")
        box = column(label("People", "SectionTitle"), 4, gap=0)
        box.addLayout(self._members)
        box.addSpacing(14)
        box.addWidget(self._invitations_title)
        box.addSpacing(4)
        box.addLayout(self._invitations)
        box.addStretch(1)
        inside.setLayout(box)
        scroll = scrolling(inside)
        scroll.setMinimumHeight(_LEAST_PX)
        self.body.addWidget(scroll)
        done = button("Done")
        done.setDefault(True)
        done.clicked.connect(self.accept)
        self.buttons.insertWidget(0, self.invite)
        self.buttons.addWidget(done)

    @property
    def membership(self) -> Membership:
        """What is shown."""
        return self._membership

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────

    def show_membership(self, membership: Membership) -> None:
        """Show who may do what now."""
        self._membership = membership
        self.clear_problem()
        empty(self._members)
        for member in membership.members:
            self._members.addWidget(self._member_row(member))
        empty(self._invitations)
        self._invitations_title.setText("Invitations" if membership.invitations else "No invitation is open")
        for invitation in membership.invitations:
            self._invitations.addWidget(self._invitation_row(invitation))

    def show_copied(self) -> None:
        """Say that a new invitation is in the clipboard."""
        self.invite.setText("Copied")
        self._copied.start(_COPIED_FOR_S)

    def _on_copied_over(self) -> None:
        self.invite.setText("Copy a new invitation…")

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────

    def _member_row(self, member: Member) -> QWidget:
        is_asked_about = self._asked_about == member.person.user_id
        made = self._question_row(member) if is_asked_about else self._shown_row(member)
        made.setAccessibleName(member.person.name)
        return made

    def _shown_row(self, member: Member) -> QWidget:
        name = ElidedLabel(f"{member.person.name} (you)" if member.is_me else member.person.name)
        name.setEnabled(not member.is_out)
        disc = Disc(self._theme, member.person, is_here=not member.is_out)
        return _row(disc, name, *self._member_tools(member))

    def _member_tools(self, member: Member) -> tuple[QWidget, ...]:
        user_id = member.person.user_id
        if member.is_out:
            back = button("Allow again", "Quiet", tooltip="An invitation lets them in again")
            back.clicked.connect(lambda: self.decided.emit(LetBack(user_id)))
            return label(member.words, "Hint"), back
        if member.is_me or (member.role == "owner" and self._membership.owners == 1):
            return (label(ROLE_WORDS[member.role], "Hint"),)
        role = button(f"{ROLE_WORDS[member.role]} ▾", "Quiet", tooltip="Let them do more, or less")
        role.clicked.connect(lambda: _popup(role, self._role_menu(member)))
        remove = button("Remove…", "Quiet")
        remove.clicked.connect(lambda: self._ask(user_id))
        return role, remove

    def _question_row(self, member: Member) -> QWidget:
        """Ask in place, before somebody is taken out."""
        user_id = member.person.user_id
        remove = button("Remove", "Danger", tooltip="A new invitation lets them in again")
        ban = button("Remove for good", "Danger", tooltip="No invitation lets them in again")
        keep = button("Keep")
        remove.clicked.connect(lambda: self._remove(user_id, for_good=False))
        ban.clicked.connect(lambda: self._remove(user_id, for_good=True))
        keep.clicked.connect(lambda: self._ask(""))
        question = ElidedLabel(f"Remove {member.person.name}?", mode=Qt.TextElideMode.ElideMiddle)
        return _row(question, remove, ban, keep)

    def _invitation_row(self, invitation: Invitation) -> QWidget:
        withdraw = button("Withdraw", "Quiet", tooltip="Who has come by it stays")
        withdraw.clicked.connect(lambda: self.decided.emit(Withdraw(invitation.invite_id)))
        words = QWidget()
        words.setLayout(column(ElidedLabel(invitation.name), ElidedLabel(invitation.words, "Hint")))
        return _row(words, label(ROLE_WORDS[invitation.role], "Hint"), withdraw, wide=words)

    def _ask(self, user_id: str) -> None:
        self._asked_about = user_id
        self.show_membership(self._membership)

    def _remove(self, user_id: str, *, for_good: bool) -> None:
        self._asked_about = ""
        self.decided.emit(TakeOut(user_id, for_good))

    # ── menus ───────────────────────────────────────────────────────────────────────────────────────────

    def _role_menu(self, member: Member) -> QMenu:
        user_id = member.person.user_id
        return self._menu(_ROLES, member.role, lambda role: self.decided.emit(GiveRole(user_id, role)))

    def _invite_menu(self) -> QMenu:
        return self._menu(_INVITED, None, self._invite)

    def _menu(self, roles: tuple[RoleName, ...], current: RoleName | None, do: Callable[[RoleName], None]) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for role in roles:
            action = QAction(ROLE_WORDS[role], menu)
            action.setCheckable(current is not None)
            action.setChecked(role == current)
            action.triggered.connect(lambda _checked=False, role=role: do(role))
            menu.addAction(action)
        return menu

    def _invite(self, role: RoleName) -> None:
        self.invite_requested.emit(role)


def _row(*widgets: QWidget, wide: QWidget | None = None) -> QFrame:
    """Return a row in which `wide`, or else the text that may be cut short, takes the room."""
    made = QFrame()
    box: QHBoxLayout = row(*widgets, margins=(2, 3, 2, 3), gap=9)
    box.setStretch(next(at for at, one in enumerate(widgets) if one is wide or isinstance(one, ElidedLabel)), 1)
    made.setLayout(box)
    return made


def _rows() -> QVBoxLayout:
    made = QVBoxLayout()
    made.setSpacing(1)
    return made


def _popup(below: QPushButton, menu: QMenu) -> None:
    menu.popup(below.mapToGlobal(QPoint(0, below.height())))
