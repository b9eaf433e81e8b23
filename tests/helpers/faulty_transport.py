"""Faults around any transport: what is sent or received is held back, swallowed, or ends in the middle.

The order of TCP is kept: frames may be late or never come, but not out of turn. Chance is the test's, with a seed.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from texswarm_desktop.client.link import Link, TransportFactory
from texswarm_desktop.client.timing import LinkProfile
from texswarm_server.protocol.errors import LinkLostError
from texswarm_server.protocol.invite_link import ServerAddress


class FaultyTransport:
    """Wraps a transport factory; its switches act on the link that is open now and on later ones."""

    def __init__(self, inner: TransportFactory) -> None:
        self._inner = inner
        self._links: list[FaultyLink] = []
        self.is_held = False
        self.is_half_open = False

    @asynccontextmanager
    async def __call__(
        self, address: ServerAddress, profile: LinkProfile, clock: Callable[[], float]
    ) -> AsyncIterator["FaultyLink"]:
        async with self._inner(address, profile, clock) as inner:
            group = await asyncio.TaskGroup().__aenter__()
            link = FaultyLink(self, inner)
            pump = group.create_task(link.pump())
            self._links.append(link)
            try:
                yield link
            finally:
                self._links.remove(link)
                pump.cancel()
                await group.__aexit__(None, None, None)  # so that the link's own error is not wrapped into a group

    def hold(self) -> None:
        """Delay: let nothing through in either direction until `release`."""
        self.is_held = True

    def release(self) -> None:
        """Let everything that was held back through, in order."""
        self.is_held = self.is_half_open = False
        for link in self._links:
            link.release()

    def half_open(self) -> None:
        """Swallow what is sent, and let nothing more come in, without any sign."""
        self.is_half_open = True

    def cut(self, *, after_frames: int = 0) -> None:
        """End the open links as a broken cable does, once so many more frames were sent; the last of them is lost."""
        for link in self._links:
            link.cut_after(after_frames)


class FaultyLink:
    """The client's end of a link with faults."""

    def __init__(self, faults: FaultyTransport, inner: Link) -> None:
        self._faults, self._inner = faults, inner
        self._held: deque[str | bytes] = deque()
        self._received: deque[str | bytes | Exception] = deque()
        self._news = asyncio.Event()
        self._left: int | None = None
        self._heard_at = inner.heard_at
        self._is_cut = False

    @property
    def is_for_good(self) -> bool:
        return self._inner.is_for_good

    @is_for_good.setter
    def is_for_good(self, value: bool) -> None:
        self._inner.is_for_good = value

    @property
    def round_trip_s(self) -> float | None:
        return self._inner.round_trip_s

    @property
    def heard_at(self) -> float:
        if self._passes:
            self._heard_at = self._inner.heard_at
        return self._heard_at

    @property
    def unsent_bytes(self) -> int:
        return sum(len(frame) for frame in self._held)

    def send(self, frame: str | bytes) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._cut()
        if self._faults.is_half_open or self._is_cut:
            return
        if self._faults.is_held:
            self._held.append(frame)
        else:
            self._inner.send(frame)

    def ping(self) -> None:
        if self._passes:
            self._inner.ping()

    async def receive(self) -> str | bytes:
        while not (self._is_cut or (self._received and self._passes)):
            self._news.clear()
            await self._news.wait()
        if self._is_cut:
            raise LinkLostError("cut")
        frame = self._received.popleft()
        if isinstance(frame, Exception):
            raise frame
        return frame

    async def pump(self) -> None:
        """Carry what comes in to where it may be held back."""
        try:
            while True:
                self._received.append(await self._inner.receive())
                self._news.set()
        except LinkLostError as error:
            self._received.append(error)
            self._news.set()

    def release(self) -> None:
        self._news.set()
        while self._held:
            self._inner.send(self._held.popleft())

    def cut_after(self, frames: int) -> None:
        self._left = frames
        if frames == 0:
            self._cut()

    @property
    def _passes(self) -> bool:
        return not (self._faults.is_held or self._faults.is_half_open)

    def _cut(self) -> None:
        self._is_cut = True
        self._news.set()
