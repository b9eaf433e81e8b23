"""What arrived on a connection and nobody has looked at yet, bounded by its bytes.

websockets counts the frames that wait, and sixteen of them may be a thousand megabytes. Here reading stops when more
bytes wait than `most_bytes`, so that at most one message over it, and what one read brought, lie in memory.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from websockets.asyncio.messages import Assembler, SimpleQueue
from websockets.frames import Frame

_MOST_FRAMES: Final = 256


class FrameQueue(SimpleQueue[Frame]):
    """Invariant: `waiting_bytes` is the length of all frames in it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting_bytes = 0

    def put(self, item: Frame) -> None:
        """Put a frame in."""
        self.waiting_bytes += len(item.data)
        super().put(item)

    async def get(self, block: bool = True) -> Frame:
        """Take a frame out."""
        frame = await super().get(block)
        self.waiting_bytes -= len(frame.data)
        return frame

    def put_back(self, items: Sequence[Frame]) -> None:
        """Put frames back that were taken too early."""
        self.waiting_bytes += sum(len(item.data) for item in items)
        super().put_back(items)


class Inbox(Assembler):
    """Invariant: while more than it may hold lies in it, reading is paused."""

    def __init__(self, most_bytes: int, *, pause: Callable[[], Any], resume: Callable[[], Any]) -> None:
        super().__init__(_MOST_FRAMES, pause=pause, resume=resume)
        self._most_bytes = most_bytes
        self._frames = FrameQueue()
        self.frames = self._frames

    def maybe_pause(self) -> None:
        """Pause reading where too much waits."""
        if not self.paused and (self._frames.waiting_bytes > self._most_bytes or len(self._frames) > _MOST_FRAMES):
            self.paused = True
            self.pause()

    def maybe_resume(self) -> None:
        """Go on reading where little waits."""
        if (
            self.paused
            and self._frames.waiting_bytes <= self._most_bytes // 4
            and len(self._frames) <= _MOST_FRAMES // 4
        ):
            self.paused = False
            self.resume()
