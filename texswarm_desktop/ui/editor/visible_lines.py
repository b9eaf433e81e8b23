"""Where the lines in view are, and the rectangles of ranges in them. Nothing here looks at lines out of view."""

from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextBlock
from PySide6.QtWidgets import QPlainTextEdit


class VisibleLine(NamedTuple):
    """One line of the text, which may be wrapped. `top` and `height` in pixels of the viewport."""

    block: QTextBlock
    number: int
    top: float
    height: float


class VisibleLines:
    """The lines in view at one moment; thrown away when anything changes."""

    def __init__(self, lines: list[VisibleLine], left: float) -> None:
        self._left = left
        self.lines = lines

    @property
    def start(self) -> int:
        """The first position in view (UTF-16)."""
        return self.lines[0].block.position() if self.lines else 0

    @property
    def end(self) -> int:
        """The position behind the last one in view."""
        return self.lines[-1].block.position() + self.lines[-1].block.length() if self.lines else 0

    def rects(self, start: int, end: int) -> Iterator[QRectF]:
        """Yield the rectangles that a range covers; where it goes on behind a line's end, a small one stands for it."""
        for line in self.lines:
            at = line.block.position()
            if at < end and start < at + line.block.length():
                yield from self._rects_in(line, start - at, end - at)

    def caret(self, position: int) -> QRectF | None:
        """Return the thin rectangle of a caret, or None when it is out of view."""
        for line in self.lines:
            at = line.block.position()
            if at <= position < at + line.block.length():
                row = line.block.layout().lineForTextPosition(position - at)
                if not row.isValid():
                    return None
                x = _x(row, position - at)
                return QRectF(self._left + x, line.top + row.y(), 2.0, row.height())
        return None

    def _rects_in(self, line: VisibleLine, start: int, end: int) -> Iterator[QRectF]:
        layout, length = line.block.layout(), line.block.length() - 1
        for number in range(layout.lineCount()):
            row = layout.lineAt(number)
            row_start, row_end = row.textStart(), row.textStart() + row.textLength()
            if end <= row_start or start > row_end or (start == row_end and row_end < length):
                continue
            left = _x(row, max(start, row_start))
            right = _x(row, min(end, row_end))
            goes_on = end > length and row_end >= length
            width = right - left + (row.height() / 3 if goes_on else 0)
            if width > 0:
                yield QRectF(self._left + left, line.top + row.y(), width, row.height())


def _x(row: object, position: int) -> float:
    x = row.cursorToX(position)  # type: ignore[attr-defined]
    return float(x[0] if isinstance(x, tuple) else x)


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
    return VisibleLines(lines, offset.x())
