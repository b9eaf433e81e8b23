"""What is marked under a text: the line of the caret, the matches of a search, a pair of brackets."""

from collections.abc import Callable
from itertools import chain

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPainter, QRegion

from texswarm_desktop.ui.editor.text_search import Found
from texswarm_desktop.ui.editor.visible_lines import VisibleLines
from texswarm_desktop.ui.theme_tokens import Tokens


class TextMarks:
    """Where a line or a bracket comes or goes, `update` has the view painted; `lines` looks at the lines in view.

    Positions are UTF-16.
    """

    def __init__(
        self, update: Callable[[QRect | QRegion], object], lines: Callable[[], VisibleLines], tokens: Tokens
    ) -> None:
        self._update = update
        self._lines = lines
        self._tokens = tokens
        self._line = QRect()
        self.found, self._current_match = Found(), -1
        self.brackets: tuple[int, ...] = ()

    def set_tokens(self, tokens: Tokens) -> None:
        """Wear another theme; the view is painted by whoever changed it."""
        self._tokens = tokens

    def set_found(self, found: Found, current: int = -1) -> None:
        """Mark matches, one of them as the current one (-1: none); they may be anywhere: the caller has all painted."""
        self.found, self._current_match = found, current

    def set_line(self, rect: QRect) -> None:
        """Mark a line, none with an empty rectangle."""
        if rect != self._line:
            self._update(self._line)
            self._update(rect)
            self._line = rect

    def set_brackets(self, places: tuple[int, ...]) -> None:
        """Mark the brackets at these places."""
        if places != self.brackets:
            lines, before = self._lines(), self.brackets
            self.brackets = places
            region = QRegion()
            for place in chain(before, places):
                for rect in lines.rects(place, place + 1):
                    region += rect.toAlignedRect().adjusted(-1, -1, 1, 1)
            self._update(region)

    def paint_line(self, painter: QPainter, area: QRect) -> None:
        """Paint the line, which is under everything else."""
        if area.intersects(self._line):
            painter.fillRect(self._line, QColor(self._tokens.current_line))

    def paint_places(self, painter: QPainter, lines: VisibleLines) -> None:
        """Paint matches and brackets."""
        usual, current = QColor(self._tokens.match), QColor(self._tokens.match_current)
        now = self.found.spans[self._current_match] if self._current_match >= 0 else None
        for span in self.found.within(lines.start, lines.end):
            for rect in lines.rects(*span):
                painter.fillRect(rect, current if span == now else usual)
        for place in self.brackets:
            for rect in lines.rects(place, place + 1):
                painter.fillRect(rect, QColor(self._tokens.bracket))
