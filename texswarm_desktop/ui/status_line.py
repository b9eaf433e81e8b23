"""The line at the bottom: how the link is, what is not stored yet, one thing to do about it, and where the caret is."""

import re
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from texswarm_desktop.client.status import StatusAction, StatusLine
from texswarm_desktop.qtx.timers import Tick
from texswarm_desktop.ui.parts import Dot, ElidedLabel, IconButton, label, row, side_button
from texswarm_desktop.ui.sizes import transfer_words
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.figure_view import TransferFacts

ACTION_WORDS: Final = {
    StatusAction.HOST: "Host…",
    StatusAction.CONNECT: "Connect…",
    StatusAction.CANCEL: "Cancel",
    StatusAction.RETRY: "Retry now",
    StatusAction.INVITE: "Invite…",
    StatusAction.STOP_HOSTING: "Stop",
    StatusAction.SIGN_IN: "Use an invitation…",
    StatusAction.CHOOSE_COPY: "Choose…",
    StatusAction.WORK_LOCALLY: "Work locally",
    StatusAction.UPDATE: "How to update",
    StatusAction.CHECK: "Check the connection…",
    StatusAction.DISCONNECT: "Disconnect",
    StatusAction.REOPEN: "Try again",
}


_PADDING_PX: Final = 15
#: The place of the caret is shown so long after it moved: what is typed is painted first.
_PLACE_AFTER_S: Final = 0.03
_ANY_DIGIT: Final = re.compile("[0-9]")


class StatusBar(QFrame):
    """Shows a ConnectionView. Signals: `action_requested(StatusAction)`; `details_requested()` about the link."""

    action_requested = Signal(object)
    details_requested = Signal()

    def __init__(self, theme: Theme, connection: ConnectionView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("StatusLine")
        self._actions: tuple[StatusAction | None, StatusAction | None] = (None, None)
        self._dot = Dot(theme)
        self._text = ElidedLabel(name="Small")
        self._edits = label(name="Hint")
        self._transfer = ElidedLabel(name="Hint")
        self._transfer.hide()
        self._buttons = (side_button("", "Link"), side_button("", "Link"))
        self.details = IconButton(theme, "arrow-up", "Connection details (Ctrl+Alt+L)", size_px=12)
        self._place = label(name="Hint")
        self._place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._at = (1, 1)
        self._place_tick = Tick(self._write_place, _PLACE_AFTER_S, self)
        self._file = ElidedLabel(name="Hint", mode=Qt.TextElideMode.ElideLeft)
        self._file.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._file.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        left = (self._dot, self._text, self._edits, 4, *self._buttons, self.details, self._transfer)
        parts = (*left, 10, self._file, 10, self._place)
        box = row(*parts, margins=(10, 0, 14, 0), gap=6)
        box.setStretchFactor(self._file, 1)
        self.setLayout(box)
        self.setFixedHeight(theme.text_px + _PADDING_PX)
        self._buttons[0].clicked.connect(self._on_first_clicked)
        self._buttons[1].clicked.connect(self._on_second_clicked)
        self.details.clicked.connect(self.details_requested)
        connection.line_changed.connect(self.show_line)
        self.show_line(connection.line)

    def show_line(self, line: StatusLine) -> None:
        """Show a status."""
        self._dot.set_tone(line.tone)
        self._text.set_whole(line.text, line.tooltip)
        self._edits.setText(f"· {line.edits}" if line.edits else "")
        self._edits.setVisible(bool(line.edits))
        self._actions = (line.action, line.second)
        self.details.setVisible(line.action not in {StatusAction.HOST, StatusAction.REOPEN})
        for shown, action in zip(self._buttons, self._actions, strict=True):
            shown.setVisible(action is not None)
            shown.setText(ACTION_WORDS[action] if action is not None else "")
        self.setAccessibleName(line.whole)

    def show_transfer(self, facts: TransferFacts | None) -> None:
        """Show how far figures are that travel for longer than a moment."""
        words = transfer_words(facts)
        self._transfer.set_whole(f"· {words}" if words else "")
        self._transfer.setVisible(bool(words))

    @property
    def transfer(self) -> str:
        """What is shown of files that travel, for tests."""
        return "" if self._transfer.isHidden() else self._transfer.whole

    def show_place(self, line: int, column: int) -> None:
        """Show where the caret is, counted from 1; a moment later, however often it moves until then."""
        self._at = (line, column)
        self._place_tick.request()

    def _write_place(self) -> None:
        """Words of another length ask for room, and the whole window is laid out anew: so it is given by the digit."""
        line, column = self._at
        words = f"Ln {line:,}, Col {column:,}"
        widest = self._place.fontMetrics().horizontalAdvance(_ANY_DIGIT.sub("0", words)) + 2
        self._place.setFixedSize(widest, self.height())
        self._place.setText(words)

    def show_file(self, path: str, *, is_figure: bool = False) -> None:
        """Show which file is worked on; none, and a figure: no place either."""
        self._file.set_whole(path)
        self._place.setVisible(bool(path) and not is_figure)

    @property
    def whole(self) -> str:
        """What is shown of the link and the edits, for tests and screen readers."""
        return self.accessibleName()

    def _on_first_clicked(self) -> None:
        self.action_requested.emit(self._actions[0])

    def _on_second_clicked(self) -> None:
        self.action_requested.emit(self._actions[1])
