"""Timers with one purpose each. Qt timers are coarse and may fire a little early: nothing may rely on exact delays."""

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer


class SingleShot(QObject):
    """Calls one function once, some time after the last `start`; a new start replaces the one before."""

    def __init__(self, call: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(call)

    @property
    def is_running(self) -> bool:
        """Whether the call is still to come."""
        return self._timer.isActive()

    def start(self, delay_s: float) -> None:
        """Call in `delay_s` seconds, rounded up to a millisecond, and not at the time named before."""
        self._timer.start(max(0, math.ceil(delay_s * 1000)))

    def stop(self) -> None:
        """Do not call."""
        self._timer.stop()


class Tick(QObject):
    """Gathers many requests into one call: it comes `interval_s` after the first, however many follow."""

    def __init__(self, call: Callable[[], None], interval_s: float = 0.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._interval_s = interval_s
        self._shot = SingleShot(call, self)

    @property
    def is_pending(self) -> bool:
        """Whether a call is still to come."""
        return self._shot.is_running

    def request(self) -> None:
        """Ask for the call."""
        if not self._shot.is_running:
            self._shot.start(self._interval_s)

    def cancel(self) -> None:
        """Forget what was asked for."""
        self._shot.stop()


class Pace(QObject):
    """Gathers many requests into few calls: after a pause one comes at once, then one each `interval_s` at most."""

    def __init__(self, call: Callable[[], None], interval_s: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._call = call
        self._interval_s = interval_s
        self._last = -math.inf
        self._shot = SingleShot(self._on_shot, self)

    def request(self) -> None:
        """Ask for a call."""
        if not self._shot.is_running:
            self._shot.start(max(0.0, self._last + self._interval_s - time.monotonic()))

    def cancel(self) -> None:
        """Forget what was asked for."""
        self._shot.stop()

    def _on_shot(self) -> None:
        self._last = time.monotonic()
        self._call()
