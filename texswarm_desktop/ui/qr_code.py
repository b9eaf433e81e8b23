"""A link as a QR code: whole pixels of the screen for each module, dark on light in both themes, as readers want it."""

from typing import Final

import segno
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from texswarm_desktop.ui.theme import Theme

#: Light modules around the code that readers need to find it.
_QUIET: Final = 4
_CORNER_PX: Final = 8
_DARK: Final = QColor("#111318")
_LIGHT: Final = QColor("#ffffff")


class QrCode(QWidget):
    """Shows a text. Invariant: every module is a square of the same number of the screen's own pixels."""

    def __init__(self, theme: Theme, *, size_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._size_px = size_px
        self._modules: tuple[tuple[bool, ...], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(size_px, size_px)

    @property
    def modules(self) -> tuple[tuple[bool, ...], ...]:
        """What is shown, by rows, dark ones true; without the quiet zone."""
        return self._modules

    def show_text(self, text: str) -> None:
        """Show another text."""
        code = segno.make(text, error="l", micro=False, boost_error=False)
        modules = tuple(tuple(bool(module) for module in row) for row in code.matrix)
        if modules != self._modules:
            self._modules = modules
            self.update()

    def sizeHint(self) -> QSize:
        """The size it was made for."""
        return QSize(self._size_px, self._size_px)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the card, then the modules, in pixels of the screen."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.border), 1))
        painter.setBrush(_LIGHT)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), _CORNER_PX, _CORNER_PX)
        if self._modules:
            self._paint_modules(painter)
        painter.end()

    def _paint_modules(self, painter: QPainter) -> None:
        ratio = self.devicePixelRatioF()
        side, count = int(self.width() * ratio), len(self._modules)
        module = max(1, side // (count + 2 * _QUIET))
        start = (side - module * count) // 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.scale(1 / ratio, 1 / ratio)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_DARK)
        for y, row in enumerate(self._modules):
            for x, is_dark in enumerate(row):
                if is_dark:
                    painter.drawRect(QRect(start + x * module, start + y * module, module, module))
