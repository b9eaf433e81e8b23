"""What arrived on a connection and nobody has looked at yet, bounded by its bytes.

websockets counts the frames that wait, and sixteen of them may be a thousand megabytes. Here reading stops when more
bytes wait than `most_bytes`, so that at most one message over it, and what one read brought, lie in memory. Who keeps
up pays next to nothing: what waits is added up exactly only where it may be too much.
"""

from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.messages import Assembler

_MOST_FRAMES: Final = 256


class Inbox(Assembler):
    """Invariant: while more than it may hold lies in it, reading is paused."""

    def __init__(self, most_bytes: int, *, pause: Callable[[], Any], resume: Callable[[], Any]) -> None:
        super().__init__(_MOST_FRAMES, pause=pause, resume=resume)
        self._most_bytes = most_bytes
        self._at_most_waiting = 0

    def maybe_pause(self) -> None:
        """Pause reading where too much waits; called after each frame that was put in."""
        queue = self.frames.queue
        others = self._at_most_waiting if len(queue) > 1 else 0
        self._at_most_waiting = others + len(queue[-1].data)
        if self.paused or not self._is_over(self._at_most_waiting):
            return
        self._at_most_waiting = self._waiting_bytes()
        if self._is_over(self._at_most_waiting):
            self.paused = True
            self.pause()

    def maybe_resume(self) -> None:
        """Go on reading where little waits; called after each frame that was taken out."""
        if self.paused and self._waiting_bytes() * 4 <= self._most_bytes and len(self.frames) * 4 <= _MOST_FRAMES:
            self.paused = False
            self.resume()

    def _is_over(self, waiting_bytes: int) -> bool:
        return waiting_bytes > self._most_bytes or len(self.frames) > _MOST_FRAMES

    def _waiting_bytes(self) -> int:
        return sum(len(frame.data) for frame in self.frames.queue)
