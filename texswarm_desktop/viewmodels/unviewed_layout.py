"""The layout of a QTextDocument that no view shows: none.

A QTextDocument reports changes only while it has a layout, and a real one shapes the line under the cursor at every
edit, which costs several times the edit. It must not know what the document holds.
"""

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QAbstractTextDocumentLayout, QPainter, QPainterPath, QTextBlock, QTextFrame

_NOWHERE: Final = QRectF()


class UnviewedLayout(QAbstractTextDocumentLayout):
    """Places nothing and measures nothing."""

    def draw(self, painter: QPainter, context: QAbstractTextDocumentLayout.PaintContext) -> None:
        """Paint nothing."""

    def hitTest(self, point: QPointF | QPoint | QPainterPath.Element, accuracy: Qt.HitTestAccuracy) -> int:  # noqa: ARG002
        """Find nothing at any point."""
        return -1

    def pageCount(self) -> int:
        """Return one page."""
        return 1

    def documentSize(self) -> QSizeF:
        """Return no size."""
        return QSizeF()

    def frameBoundingRect(self, frame: QTextFrame) -> QRectF:  # noqa: ARG002
        """Return nowhere."""
        return _NOWHERE

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:  # noqa: ARG002
        """Return nowhere."""
        return _NOWHERE

    def documentChanged(self, from_: int, charsRemoved: int, charsAdded: int) -> None:  # noqa: N803
        """Take no notice."""
