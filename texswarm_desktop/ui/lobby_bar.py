"""Who asks to be let in, as bars inside the window: they wait, and stop nobody from writing."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from texswarm_desktop.ui.parts import Disc, ElidedLabel, empty, row, side_button
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.lobby_view import LetIn, SendAway, Visitor

_MOST: Final = 3


class LobbyBar(QWidget):
    """Shows visitors, a few at a time. Signal: `answered(Answer)`."""

    answered = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self.hide()

    def show_visitors(self, visitors: list[Visitor]) -> None:
        """Show who waits now, the longest first."""
        empty(self._box)
        for visitor in visitors[:_MOST]:
            self._box.addWidget(self._bar(visitor))
        if len(visitors) > _MOST:
            self._box.addWidget(self._rest(visitors))
        self.setVisible(bool(visitors))

    def _bar(self, visitor: Visitor) -> QFrame:
        user_id, role = visitor.person.user_id, visitor.role
        gives = "They may read" if role == "viewer" else "They may read and write"
        let_in = side_button("Let in", "Primary", tooltip=gives)
        let_in.clicked.connect(lambda: self.answered.emit(LetIn(user_id, role)))
        decline = side_button("Decline", tooltip="They hear that they were not let in")
        decline.clicked.connect(lambda: self.answered.emit(SendAway(user_id)))
        buttons: list[QWidget] = [let_in, decline]
        if role != "viewer":
            reading = side_button("To read only", tooltip="They may read, and write when you let them")
            reading.clicked.connect(lambda: self.answered.emit(LetIn(user_id, "viewer")))
            buttons.insert(1, reading)
        words = ElidedLabel(f"{visitor.person.name} asks to join", mode=Qt.TextElideMode.ElideMiddle)
        return _framed(f"{visitor.person.name} asks to join", words, Disc(self._theme, visitor.person), *buttons)

    def _rest(self, visitors: list[Visitor]) -> QFrame:
        more = len(visitors) - _MOST
        words = ElidedLabel(f"{more} more {'asks' if more == 1 else 'ask'} to join", "Hint")
        everybody = side_button(f"Let all {len(visitors)} in")
        everybody.clicked.connect(lambda: self._let_all_in(visitors))
        under_discs = QWidget()
        under_discs.setFixedWidth(Disc.SIZE_PX)
        return _framed(words.whole, words, under_discs, everybody)

    def _let_all_in(self, visitors: list[Visitor]) -> None:
        for visitor in visitors:
            self.answered.emit(LetIn(visitor.person.user_id, visitor.role))


def _framed(name: str, words: ElidedLabel, mark: QWidget, *buttons: QWidget) -> QFrame:
    bar = QFrame()
    bar.setObjectName("Notice")
    bar.setProperty("tone", "quiet")
    bar.setAccessibleName(name)
    box = row(mark, words, *buttons, margins=(14, 6, 12, 6))
    box.setStretchFactor(words, 1)
    bar.setLayout(box)
    return bar
