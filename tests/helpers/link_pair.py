"""Links in memory: the client's end is a `Link` for the driver, the other end is the test's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from texswarm_desktop.client.link import LinkClosedError, NoLinkError
from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import LinkProfile
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import LinkLostError
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
        self.is_for_good = True
        self.round_trip_s: float | None = None
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
    """A transport factory whose links the test holds. `refuses`: nobody listens; `hangs`: nobody answers.

    `error`: what every attempt fails with; `errors`: what those at one address fail with; `hangs_at`: where none ends.
    """

    def __init__(self) -> None:
        self.links: list[LinkPair] = []
        self.attempts = 0
        self.asked: list[ServerAddress] = []
        self.refuses = self.hangs = False
        self.error: Exception | None = None
        self.errors: dict[ServerAddress, Exception] = {}
        self.hangs_at: set[ServerAddress] = set()

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
        self.asked.append(address)
        error = self.error or self.errors.get(address)
        if error is not None:
            raise error
        if self.refuses:
            raise NoLinkError(Trouble.NOBODY, str(address))
        if self.hangs or address in self.hangs_at:
            await asyncio.Event().wait()
        link = LinkPair(clock)
        self.links.append(link)
        try:
            yield link
        finally:
            link.is_open = False


class FakeDoor:
    """A Knock in a test's hand: `answers` names the address that answers now, None while none does.

    `others`: which answer as well, and before that one.
    """

    def __init__(self) -> None:
        self.answers: ServerAddress | None = None
        self.others: set[ServerAddress] = set()
        self.refuses = False
        self.waiting = 0
        self.rhythms: list[float] = []
        self._changed = asyncio.Event()

    def open(self, address: ServerAddress) -> None:
        self.answers = address
        self._changed.set()

    async def __call__(self, addresses: Sequence[ServerAddress], *, every_s: float, is_patient: bool) -> ServerAddress:
        self.rhythms.append(every_s)
        self.waiting += 1
        try:
            while not (found := self._answering(addresses)):
                if self.refuses and not is_patient:
                    raise NoLinkError(Trouble.NOBODY, str(addresses[0]))
                self._changed.clear()
                await self._changed.wait()
        finally:
            self.waiting -= 1
        return found[0]

    def _answering(self, addresses: Sequence[ServerAddress]) -> list[ServerAddress]:
        found = [one for one in addresses if one in self.others or one == self.answers]
        return sorted(found, key=lambda one: one == self.answers)
