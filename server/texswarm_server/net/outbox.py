"""What a slow reader gets less of, so that its memory here stays bounded and nobody else waits.

Two marks on the transport's write buffer. Over the first (the transport says so) presence is dropped. Over the second
the reader is held: whoever fills this box is told and sends nothing more of documents until it is relieved, then one
update with everything missed. The buffer can pass the second mark by one message only, because nothing more is read
from a peer that is held. Whoever takes nothing for too long is stalled, and closed.
"""

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from texswarm_server.protocol.callbacks import nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COPIED_BYTES: Final = 16 * 1024


class Writer(Protocol):
    """The writing end of a connection."""

    @property
    def is_open(self) -> bool:
        """Whether frames may be written."""

    @property
    def buffered_bytes(self) -> int:
        """What was written and not yet taken by the network."""

    def write(self, frame: bytes) -> None:
        """Write without waiting."""


class Outbox:
    """`is_held`: nothing more of documents may be sent.

    Invariant: `on_held` and `on_relieved` alternate, beginning with `on_held`.
    """

    def __init__(self, writer: Writer, *, hold_above_bytes: int) -> None:
        self._writer = writer
        self._hold_above_bytes = hold_above_bytes
        self._is_congested = False
        self._has_dropped = False
        self._last_level: int | None = None
        self._gathered: list[bytes] | None = None
        self.is_held = False
        self._relief: asyncio.Event | None = None
        self.on_held: Callable[[], None] = nothing
        self.on_relieved: Callable[[], None] = nothing
        self.on_presence_missed: Callable[[], None] = nothing

    def write(self, frame: bytes) -> None:
        """Write what must arrive."""
        if self._gathered is not None:
            self._gathered.append(frame)
            return
        writer = self._writer
        if not writer.is_open:
            return
        writer.write(frame)
        if self._is_congested and not self.is_held and writer.buffered_bytes > self._hold_above_bytes:
            self.is_held, self._relief = True, asyncio.Event()
            self.on_held()

    @contextmanager
    def together(self) -> "Iterator[None]":
        """Let all that is written meanwhile leave at the end, small frames in one piece: who reads is woken once.

        Nobody else may write to the connection until then. Inside another such time it ends with that.
        """
        if self._gathered is not None:
            yield
            return
        gathered: list[bytes] = []
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
            is_small = sum(len(frame) for frame in gathered) < _COPIED_BYTES
            for piece in [b"".join(gathered)] if is_small and gathered else gathered:
                self.write(piece)

    def write_presence(self, frame: bytes) -> None:
        """Write what may be dropped."""
        if not frame:
            return
        if self._is_congested:
            self._has_dropped = True
        else:
            self.write(frame)

    def congested(self) -> None:
        """Note that the buffer is over the first mark."""
        self._is_congested = True

    def relieved(self) -> None:
        """Note that the buffer is nearly empty again."""
        self._is_congested = False
        self._last_level = None
        has_dropped, self._has_dropped = self._has_dropped, False
        if self.is_held:
            self.let_go()
            self.on_relieved()
        if has_dropped:
            self.on_presence_missed()

    async def wait_relieved(self) -> None:
        """Return when the reader is not held; what it is told on being relieved may hold it again at once."""
        while self.is_held and self._relief is not None:
            await self._relief.wait()

    def let_go(self) -> None:
        """Wake whoever waits: there is room again, or the connection is gone."""
        self.is_held = False
        if self._relief is not None:
            self._relief.set()

    def is_stalled(self) -> bool:
        """Whether the reader took nothing since this was last asked, though something lies there for it."""
        level = self._writer.buffered_bytes if self._is_congested else None
        stalled = level is not None and self._last_level is not None and level >= self._last_level
        self._last_level = level
        return stalled
