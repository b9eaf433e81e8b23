"""The people in the project: who is here, who is coming back, who is away."""

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from texswarm_desktop.ui.parts import Disc, ElidedLabel, IconButton, column, empty, label, row, scrolling
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.participants_view import ParticipantRow, ParticipantsView

_STATE_WORDS: Final = {"here": "here", "reconnecting": "reconnecting…", "away": "away"}
_EMPTY: Final = "Nobody else is here yet. Host the project or connect to a server to write together."
_EMPTY_AS_OWNER: Final = "Nobody else is here yet. Invite people to write together."
_EMPTY_AS_GUEST: Final = "Nobody else is here now."


class PeoplePanel(QWidget):
    """Shows a ParticipantsView.

    Signals: `person_chosen(str)` with a user id; `rename_requested()` when that is oneself; `invite_requested()`;
    `members_requested()`, of an owner only.
    """

    person_chosen = Signal(str)
    invite_requested = Signal()
    members_requested = Signal()
    rename_requested = Signal()

    def __init__(self, theme: Theme, participants: ParticipantsView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = label("People", "PanelTitle")
        self._hint = label(_EMPTY, "Hint", wraps=True)
        self._hint.setContentsMargins(14, 4, 14, 8)
        invite = IconButton(theme, "share", "Invite people")
        invite.clicked.connect(self.invite_requested)
        self._members = IconButton(theme, "people", "People and invitations")
        self._members.clicked.connect(self.members_requested)
        self._participants = participants
        header = QWidget()
        header.setLayout(row(self._title, None, self._members, invite, margins=(14, 8, 8, 4), gap=2))
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(8, 0, 8, 8)
        self._rows.setSpacing(1)
        inside = QWidget()
        box = column(self._hint)
        box.insertLayout(0, self._rows)
        box.addStretch(1)
        inside.setLayout(box)
        self.setLayout(column(header, scrolling(inside)))
        participants.rows_changed.connect(self.show_rows)
        self.show_rows(participants.rows)

    def show_rows(self, rows: list[ParticipantRow]) -> None:
        """Show these people."""
        empty(self._rows)
        for one in rows:
            shown = PersonRow(self._theme, one)
            shown.chosen.connect(self.rename_requested if one.is_me else self.person_chosen)
            self._rows.addWidget(shown)
        self._hint.setVisible(len(rows) <= 1)
        self._hint.setText(self._words_for_nobody())
        self._members.setVisible(self._participants.am_owner)
        self._title.setText("People" if len(rows) <= 1 else f"People · {len(rows)}")

    def _words_for_nobody(self) -> str:
        if self._participants.am_owner:
            return _EMPTY_AS_OWNER
        return _EMPTY_AS_GUEST if self._participants.am_in else _EMPTY


class PersonRow(QFrame):
    """One person. Signal: `chosen(str)` with the user id."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, shown: ParticipantRow) -> None:
        super().__init__()
        self._row = shown
        is_here = shown.state == "here"
        name = ElidedLabel(shown.person.name)
        name.setEnabled(is_here)
        state = label(state_words(shown), "Hint")
        disc = Disc(theme, shown.person, is_here=is_here)
        box: QHBoxLayout = row(disc, name, state, margins=(6, 3, 6, 3), gap=9)
        box.setStretchFactor(name, 1)
        self.setLayout(box)
        self.setAccessibleName(f"{shown.person.name}, {state_words(shown)}")
        self.setToolTip("Change your name" if shown.is_me else f"Go to {shown.person.name}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the person."""
        if event.type() == QEvent.Type.MouseButtonRelease:
            self.chosen.emit(self._row.person.user_id)


def state_words(shown: ParticipantRow, *, with_role: bool = True) -> str:
    """Return the words beside a name; without the role where that is said elsewhere."""
    if shown.is_me:
        return "you, reading" if shown.role == "viewer" else "you"
    words = _STATE_WORDS[shown.state]
    if shown.state == "here" and shown.role == "viewer" and with_role:
        words = "reading"
    return f"{words} · {shown.windows} windows" if shown.windows > 1 else words
