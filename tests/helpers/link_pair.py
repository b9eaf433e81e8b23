"""Links in memory: the client's end is a `Link` for the driver, the other end is the test's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from texswarm_desktop.client.link import LinkClosedError
from texswarm_desktop.client.timing import LinkProfile
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import LinkLostError, LinkRefusedError
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import Message


class LinkPair:
    """One link. The client's end has `send`, `ping`, `receive`; the test's `sent`, `deliver`, `lose`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.sent: list[str | bytes] = []
        self.pings = 0
        self.answers_pings = True
        self.is_open = True
        self.unsent_bytes = 0
        self.heard_at = clock()
        self._clock = clock
        self._frames: asyncio.Queue[str | bytes | Exception] = asyncio.Queue()

    # ── the client's end ────────────────────────────────────────────────────────────────────────────────

    def send(self, frame: str | bytes) -> None:
        if self.is_open:
            self.sent.append(frame)

    def ping(self) -> None:
        self.pings += 1
        if self.answers_pings:
            self.heard_at = self._clock()

    async def receive(self) -> str | bytes:
        frame = await self._frames.get()
        if isinstance(frame, Exception):
            raise frame
        return frame

    # ── the test's end ──────────────────────────────────────────────────────────────────────────────────

    def deliver(self, frame: str | bytes | Message) -> None:
        self.heard_at = self._clock()
        self._frames.put_nowait(encode(frame) if isinstance(frame, Message) else frame)

    def lose(self, code: int | None = None, reason: str = "") -> None:
        self._frames.put_nowait(LinkLostError("reset") if code is None else LinkClosedError(code, reason))


class LinkPairs:
    """A transport factory whose links the test holds. `refuses`: nobody listens; `hangs`: nobody answers."""

    def __init__(self) -> None:
        self.links: list[LinkPair] = []
        self.attempts = 0
        self.refuses = self.hangs = False

    @property
    def last(self) -> LinkPair:
        return self.links[-1]

    @property
    def open_count(self) -> int:
        return sum(link.is_open for link in self.links)

    @asynccontextmanager
    async def __call__(
        self, address: ServerAddress, profile: LinkProfile, clock: Callable[[], float]
    ) -> AsyncIterator[LinkPair]:
        self.attempts += 1
        if self.refuses:
            raise LinkRefusedError(str(address))
        if self.hangs:
            await asyncio.Event().wait()
        link = LinkPair(clock)
        self.links.append(link)
        try:
            yield link
        finally:
            link.is_open = False
