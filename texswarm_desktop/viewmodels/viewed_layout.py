"""The layout of a QTextDocument that a plain-text view shows: Qt's own, with a closer look at what changed.

Qt counts what was removed among what is there now, and to set the colours of a line counts as removing and adding all
of it. So one letter in a coloured line had the lines below shaped anew and the whole view painted, which was most of
what a key press cost. Where one line changed, only that is said to Qt. It must not know what the document holds.
"""

from PySide6.QtGui import QTextBlock, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout


class ViewedLayout(QPlainTextDocumentLayout):
    """Places the lines of `document` one below the other, and shapes those that changed."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._count = document.blockCount()

    def documentChanged(self, from_: int, charsRemoved: int, charsAdded: int) -> None:  # noqa: N803
        """Shape the lines that changed, and have them painted; all, when those below have moved."""
        before, self._count = self._count, self.document().blockCount()
        line = self.document().findBlock(from_)
        if before != self._count or not _is_all_in(line, from_ + charsAdded):
            super().documentChanged(from_, charsRemoved, charsAdded)
            return
        rows = line.lineCount()
        super().documentChanged(from_, 0, charsAdded)
        if line.lineCount() != rows:
            self.requestUpdate()


def _is_all_in(line: QTextBlock, end: int) -> bool:
    """Say whether a change up to `end` is in one line.

    A line break that was taken out and put in again has made a new line below, which has no shape yet.
    """
    below = line.next()
    return not below.isValid() or (end <= below.position() and below.layout().lineCount() > 0)
