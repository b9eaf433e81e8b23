"""Collects Python's garbage in the thread of the windows, and in no other.

Python looks for unreachable cycles in whichever thread happens to make the next object. If a QObject is in such a
cycle, that thread destroys it, while the windows' thread may be about to call it: timers cannot be stopped from there,
and the process dies some turns of the loop later. With a server, a database and disk workers in threads of their own
that is a matter of time. So the automatic search is off, and is made here, between two events.
"""

import gc
import time
from types import TracebackType
from typing import Final, Self

from PySide6.QtCore import QObject, QTimer

_LOOK_EVERY_S: Final = 0.5
#: A search through everything takes tens of milliseconds in a large process, and finds little.
_EVERYTHING_EVERY_S: Final = 60.0


class GuiThreadGarbage(QObject):
    """While it is open, garbage is collected only in the thread it was made in. A context manager.

    What exists when it is opened is never searched again: it stays to the end anyway.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(round(_LOOK_EVERY_S * 1000))
        self._timer.timeout.connect(self.look)
        self._searched_at = time.monotonic()
        self._was_on = False

    def __enter__(self) -> Self:
        self._was_on = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        gc.unfreeze()
        gc.collect()
        if self._was_on:
            gc.enable()

    def look(self) -> None:
        """Collect what Python would have collected by now."""
        generation = due_generation(gc.get_count(), gc.get_threshold())
        if generation is None:
            return
        now = time.monotonic()
        if generation == 2:
            if now - self._searched_at < _EVERYTHING_EVERY_S:
                generation = 1
            else:
                self._searched_at = now
        gc.collect(generation)


def due_generation(counts: tuple[int, int, int], thresholds: tuple[int, int, int]) -> int | None:
    """Return the oldest generation whose turn it is by Python's own thresholds, None when it is nobody's."""
    if not thresholds[0] or counts[0] <= thresholds[0]:
        return None
    if counts[1] <= thresholds[1]:
        return 0
    return 1 if counts[2] <= thresholds[2] else 2
