"""Paints a window as often as a screen shows it, and no more often; at once for whoever sits in front of it.

Qt paints after every event that changed something. With twenty people at work in a text that is several hundred times
a second, each for one letter, and little time is left for the keys pressed here. So what others change is painted
together, a frame after the last painting at the earliest, and the first after a pause at once.
"""

import time
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QWidget

from texswarm_desktop.qtx.timers import SingleShot

#: Sixty frames a second.
_FRAME_S: Final = 0.016
_AT_ONCE: Final = QEvent.Type(QEvent.registerEventType())


def paint_at_once(widget: QWidget) -> None:
    """Paint what changed in a window now: somebody pressed a key in it. Without a pace Qt does so soon enough."""
    QCoreApplication.sendEvent(widget.window(), QEvent(_AT_ONCE))


class PaintPace(QObject):
    """Holds back the requests of one window to be painted, as long as it was painted just now."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._is_due = False
        self._painted_at = 0.0
        self._held = SingleShot(self._paint, self)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Let a request through, or keep it for later: Qt makes no other before it has been carried out."""
        if event.type() == QEvent.Type.UpdateRequest:
            return self._is_too_early()
        if event.type() == _AT_ONCE:
            self._paint()
        return False

    def _is_too_early(self) -> bool:
        now = time.monotonic()
        if not self._is_due and now < self._painted_at + _FRAME_S:
            if not self._held.is_running:
                self._held.start(self._painted_at + _FRAME_S - now)
            return True
        self._held.stop()
        self._painted_at = now
        return False

    def _paint(self) -> None:
        self._is_due = True
        QCoreApplication.sendEvent(self._window, QEvent(QEvent.Type.UpdateRequest))
        self._is_due = False
