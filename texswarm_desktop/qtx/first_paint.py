"""Tells when a window can be seen for the first time: what nobody waits for begins then, and not before."""

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QWidget


class FirstPaint(QObject):
    """Watches one window. Signal: `painted()`, once; of a window that begins in the dock when it comes out of there."""

    painted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A window has a place on the screen once it is shown, and is painted while it hears that it is exposed."""
        if isinstance(watched, QWindow):
            if event.type() == QEvent.Type.Expose and watched.isExposed():
                watched.removeEventFilter(self)
                QTimer.singleShot(0, self, self.painted.emit)
        elif event.type() == QEvent.Type.Show:
            self._window.removeEventFilter(self)
            self._window.windowHandle().installEventFilter(self)
        return False
