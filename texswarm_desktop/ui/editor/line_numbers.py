"""The numbers beside the text."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.editor.visible_lines import VisibleLines
from texswarm_desktop.ui.theme_tokens import Tokens

_LEFT_PX: Final = 16
_RIGHT_PX: Final = 12
_LEAST_DIGITS: Final = 3


class LineNumbers(QWidget):
    """Paints the numbers of the lines in view, the current one in the colour of text."""

    def __init__(self, parent: QWidget, lines: Callable[[], VisibleLines], tokens: Tokens) -> None:
        super().__init__(parent)
        self._lines = lines
        self._tokens = tokens
        self._current = 0
        self._followed: list[tuple[int, float]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take in another theme."""
        self._tokens = tokens
        self.update()

    def set_current(self, number: int) -> None:
        """Take in which line the caret is in, counted from 0."""
        if number != self._current:
            self._current = number
            self.update()

    def follow(self, lines: VisibleLines) -> bool:
        """Take in where lines were painted, and say whether that is elsewhere: the numbers are painted again then."""
        places = [(line.number, line.top) for line in lines.lines]
        if places == self._followed:
            return False
        self._followed = places
        self.update()
        return True

    def width_for(self, count: int, font: QFont) -> int:
        """Return the width that numbers up to `count` need."""
        digits = max(_LEAST_DIGITS, len(str(count)))
        return _LEFT_PX + _RIGHT_PX + digits * QFontMetrics(font).horizontalAdvance("0")

    def sizeHint(self) -> QSize:
        """No height of its own."""
        return QSize(self.width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the numbers that the event is about."""
        area, width = event.rect(), self.width() - _RIGHT_PX
        painter = QPainter(self)
        painter.fillRect(area, QColor(self._tokens.editor))
        painter.setFont(self.font())
        height = QFontMetrics(self.font()).height()
        usual, current = QColor(self._tokens.line_number), QColor(self._tokens.text)
        for line in self._lines().lines:
            if line.top + line.height < area.top() or line.top > area.bottom():
                continue
            painter.setPen(current if line.number == self._current else usual)
            place = QRectF(0, line.top, width, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(line.number + 1))
        painter.end()
