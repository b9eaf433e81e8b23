"""Looks after connections that say nothing: one timer for all, because a task for each costs more than the connection.

Who was heard since the last look is alive, whatever it said. Who was not is pinged; WebSocket clients answer that by
themselves. Who stays silent for too long is closed with 1011, which asks its client to connect again.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final, Protocol

from websockets.frames import CloseCode

_LOOKS_PER_PING: Final = 4


class Line(Protocol):
    """A connection as it is looked after. `has_heard` is set by whatever arrives, `silent_looks` belongs to us."""

    is_open: bool
    has_heard: bool
    silent_looks: int

    def ask_for_life(self) -> None:
        """Ask for a sign of life."""

    def give_up(self, code: int, reason: str = "") -> None:
        """End the connection without waiting for whoever is not there."""


class KeepAlive:
    """Invariant: between `start` and `stop` one timer runs."""

    def __init__(self, lines: Collection[Line], *, ping_every_s: float, dead_after_s: float) -> None:
        """`lines` is looked at anew each time."""
        self._lines = lines
        self._look_every_s = ping_every_s / _LOOKS_PER_PING
        self._dead_after_looks = max(round(dead_after_s / self._look_every_s), _LOOKS_PER_PING + 1)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        self._arm(asyncio.get_running_loop().call_later)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Ping who was silent, and give up who was silent for too long."""
        for line in list(self._lines):
            if line.has_heard or not line.is_open:
                line.has_heard, line.silent_looks = False, 0
                continue
            line.silent_looks += 1
            if line.silent_looks >= self._dead_after_looks:
                line.give_up(CloseCode.INTERNAL_ERROR, "no sign of life")
            elif line.silent_looks % _LOOKS_PER_PING == 0:
                line.ask_for_life()

    def _arm(self, call_later: Callable[..., asyncio.TimerHandle]) -> None:
        self._timer = call_later(self._look_every_s, self._on_timer)

    def _on_timer(self) -> None:
        self._arm(asyncio.get_running_loop().call_later)
        self.look()
