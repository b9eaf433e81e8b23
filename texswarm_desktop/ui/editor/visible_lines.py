"""Where the lines in view are, and the rectangles of ranges in them. Nothing here looks at lines out of view."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextBlock, QTextLine
from PySide6.QtWidgets import QPlainTextEdit


class VisibleLine(NamedTuple):
    """One line of the text, which may be wrapped. `top` and `height` in pixels of the viewport."""

    block: QTextBlock
    number: int
    top: float
    height: float


class VisibleLines:
    """The lines in view at one moment; thrown away when anything changes. `right`: the edge of the view, in pixels.

    `start` and `end`: the first position in view, and the one behind the last (UTF-16).
    """

    def __init__(self, lines: list[VisibleLine], left: float, right: float) -> None:
        self._left = left
        self.right = right
        self.lines = lines
        self._starts = [line.block.position() for line in lines]
        self.start = self._starts[0] if lines else 0
        self.end = self._starts[-1] + lines[-1].block.length() if lines else 0

    def rects(self, start: int, end: int) -> Iterator[QRectF]:
        """Yield the rectangles that a range covers; where it goes on behind a line's end, a small one stands for it."""
        for line, at in self._touched(start, end):
            yield from self._rects_in(line, start - at, end - at)

    def band(self, start: int, end: int) -> tuple[float, float] | None:
        """Return top and bottom of the lines that a range touches; None when it is out of view. Quick."""
        end = max(end, start + 1)
        if start >= self.end or end <= self.start:
            return None
        first, last = self._line_of(start), self._line_of(end - 1)
        return first.top, last.top + last.height

    def caret(self, position: int) -> QRectF | None:
        """Return the thin rectangle of a caret, or None when it is out of view."""
        if not self.start <= position < self.end:
            return None
        number = bisect_right(self._starts, position) - 1
        line, column = self.lines[number], position - self._starts[number]
        row = line.block.layout().lineForTextPosition(column)
        if not row.isValid():
            return None
        return QRectF(self._left + _x(row, column), line.top + row.y(), 2.0, row.height())

    def _line_of(self, position: int) -> VisibleLine:
        return self.lines[max(0, bisect_right(self._starts, position) - 1)]

    def _touched(self, start: int, end: int) -> list[tuple[VisibleLine, int]]:
        if end <= start or start >= self.end:
            return []
        first, last = max(0, bisect_right(self._starts, start) - 1), bisect_left(self._starts, end)
        return list(zip(self.lines[first:last], self._starts[first:last], strict=True))

    def _rects_in(self, line: VisibleLine, start: int, end: int) -> Iterator[QRectF]:
        layout, length = line.block.layout(), line.block.length() - 1
        for number in range(layout.lineCount()):
            row = layout.lineAt(number)
            row_start = row.textStart()
            row_end = row_start + row.textLength()
            if end <= row_start or start > row_end or (start == row_end and row_end < length):
                continue
            left = _x(row, start) if start > row_start else row.x()
            right = _x(row, end) if end < row_end else row.x() + row.naturalTextWidth()
            goes_on = end > length and row_end >= length
            width = right - left + (row.height() / 3 if goes_on else 0)
            if width > 0:
                yield QRectF(self._left + left, line.top + row.y(), width, row.height())


def _x(row: QTextLine, position: int) -> float:
    x: Any = row.cursorToX(position)  # a pair, whatever its annotation says
    return float(x[0])


def visible_lines(editor: QPlainTextEdit, first: QTextBlock, offset: QPointF) -> VisibleLines:
    """Look at what an editor shows now, from its first block on; `offset` is that of its content."""
    block, number = first, first.blockNumber()
    top = editor.blockBoundingGeometry(block).translated(offset).top() if block.isValid() else 0.0
    bottom = editor.viewport().height()
    lines = []
    while block.isValid() and top <= bottom:
        height = editor.blockBoundingRect(block).height()
        lines.append(VisibleLine(block, number, top, height))
        top += height
        block, number = block.next(), number + 1
    return VisibleLines(lines, offset.x(), float(editor.viewport().width()))
