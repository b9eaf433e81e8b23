"""The network between desktops and a server, in memory and in virtual time.

A `Cable` is one person's way to the server, with all that can be wrong with it; a `Wire` is one connection over it. A
wire keeps the order of what is sent, as TCP does, but two wires of one person do not wait for each other, so that what
was sent first over one may arrive after what was sent later over another.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from texswarm_desktop.client.link import LinkClosedError
from texswarm_server.net.server_connection import Siblings
from texswarm_server.net.statistics import ConnectionStatistics
from texswarm_server.protocol.errors import LinkLostError, LinkRefusedError
from texswarm_server.protocol.version import WEBSOCKET_PATH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from texswarm_desktop.client.timing import LinkProfile
    from texswarm_server.net.admission import Place
    from texswarm_server.protocol.invite_link import ServerAddress

WINDOW_BYTES: Final = 1024
HIGH_MARK_BYTES: Final = 256
LOW_MARK_BYTES: Final = 64
CLOSE_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True)
class Ping:
    """Answered by the other end without anybody being asked."""


@dataclass(frozen=True)
class Goodbye:
    """A close frame, or the bare end of the stream when `code` is None."""

    code: int | None = None
    reason: str = ""


Item = str | bytes | Ping | Goodbye


class Pipe:
    """One direction of a wire. `slow_until`, `bytes_per_s`: how slowly the other end reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, deliver: Callable[[Item], None]) -> None:
        self._loop, self._chance, self._deliver = loop, chance, deliver
        self._under_way: deque[tuple[Item, int]] = deque()
        self._last_at = 0.0
        self.lag_s = 0.0
        self.bytes_per_s = 0.0
        self.is_dead = False
        self.waiting_bytes = 0
        self.on_less: Callable[[], None] = lambda: None

    def send(self, item: Item, size: int) -> None:
        self.waiting_bytes += size
        if self.is_dead:
            return
        now = self._loop.time()
        arrival = now + self._chance.uniform(0.0005, 0.01) + self.lag_s
        if self.bytes_per_s:
            arrival += size / self.bytes_per_s
            self._last_at += size / self.bytes_per_s
        self._last_at = max(self._last_at, arrival)
        self._under_way.append((item, size))
        self._loop.call_at(self._last_at, self._arrive)

    @property
    def empty_at(self) -> float:
        """When the last of what is on its way arrives."""
        return 0.0 if self.is_dead else self._last_at

    def _arrive(self) -> None:
        item, size = self._under_way.popleft()  # timers of one moment may fire in any order
        if self.is_dead:
            return
        self.waiting_bytes -= size
        self._deliver(item)
        self.on_less()


class ServerEnd:
    """What the server holds of a wire; takes the place of `net.server_connection.PeerConnection`."""

    def __init__(self, wire: Wire, loop: asyncio.AbstractEventLoop, address: str, path: str) -> None:
        self._wire, self._loop = wire, loop
        self.path = path
        self._incoming: deque[str | bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self.address = address
        self.siblings = Siblings(max_sockets=1)
        self.statistics = ConnectionStatistics()
        self.place: Place | None = None
        self.is_open = True
        self.direct = None
        self.is_lost = False
        self.end_code = 1006
        self.protocol = self
        self.close_rcvd: Goodbye | None = None
        self.most_buffered_bytes = self.largest_frame_bytes = 0
        self.on_congested: Callable[[], None] = lambda: None
        self.on_relieved: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None

    # ── for the peer ────────────────────────────────────────────────────────────────────────────────────

    @property
    def buffered_bytes(self) -> int:
        return max(self._wire.down.waiting_bytes - WINDOW_BYTES, 0)

    def write(self, frame: bytes) -> None:
        assert self.is_open or self.is_lost, "a frame was written after the close frame"
        for payload, size in _payloads_of(frame):
            self._wire.down.send(payload, size)
        self.most_buffered_bytes = max(self.most_buffered_bytes, self.buffered_bytes)
        self.largest_frame_bytes = max(self.largest_frame_bytes, len(frame))
        if not self._is_paused and self.buffered_bytes > HIGH_MARK_BYTES:
            self._is_paused = True
            self.on_congested()

    def allow_frames_of(self, _max_bytes: int) -> None:
        """Frames have any size here."""

    def shut(self, code: int, reason: str = "") -> None:
        if not self.is_open:
            return
        self.is_open = False
        self.end_code = int(code)
        self._wire.closed_by_server(int(code))
        self._wire.down.send(Goodbye(int(code), reason), 8)
        self._loop.call_later(CLOSE_TIMEOUT_S, self.lose)

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self

    async def __anext__(self) -> str | bytes:
        while not self._incoming:
            if self.is_lost:
                raise StopAsyncIteration
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._incoming.popleft()

    # ── for the wire ────────────────────────────────────────────────────────────────────────────────────

    def hear(self, item: Item) -> None:
        if self.is_lost:
            return
        match item:
            case Ping():
                self._wire.down.send(item, 2)
            case Goodbye(code):
                self.close_rcvd = None if code is None else item
                self.lose()
            case str() | bytes():
                if self.is_open:
                    self._incoming.append(item)
                    self._wake()

    def lose(self) -> None:
        """The connection has ended, as far as this end knows."""
        if self.is_lost:
            return
        self.is_lost, self.is_open = True, False
        self._wake()
        if self.place is not None:
            self.place.leave()
        self.on_lost()
        self._wire.client_end.hear_end()

    def less(self) -> None:
        if self._is_paused and self.buffered_bytes <= LOW_MARK_BYTES and not self.is_lost:
            self._is_paused = False
            self.on_relieved()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class ClientEnd:
    """What the desktop holds of a wire: a `Link`."""

    def __init__(self, wire: Wire, loop: asyncio.AbstractEventLoop) -> None:
        self._wire, self._loop = wire, loop
        self._incoming: deque[str | bytes | Goodbye] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.is_closed, self.is_for_good = False, True
        self.heard_at = loop.time()
        self.round_trip_s: float | None = None
        self.unsent_bytes = 0

    def send(self, frame: str | bytes) -> None:
        if not self.is_closed:
            self._wire.up.send(frame, len(frame))

    def ping(self) -> None:
        if not self.is_closed:
            self._wire.up.send(Ping(), 2)

    async def receive(self) -> str | bytes:
        while not self._incoming:
            self._waiter = self._loop.create_future()
            await self._waiter
        item = self._incoming.popleft()
        if not isinstance(item, Goodbye):
            return item
        if item.code is None:
            raise LinkLostError("reset")
        raise LinkClosedError(item.code, item.reason)

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._wire.up.send(Goodbye(1000 if self.is_for_good else 4000), 8)

    def give_up(self) -> None:
        """Close it, and wake who waits for a frame."""
        self.hear(Goodbye())
        self.close()

    def hear(self, item: Item) -> None:
        if self.is_closed:
            return
        self.heard_at = self._loop.time()
        if not isinstance(item, Ping):
            self._incoming.append(item)
            self._wake()
            if isinstance(item, Goodbye):
                self._wire.up.send(item, 8)

    def hear_end(self) -> None:
        """The server's end is gone; whether that is heard of here depends on the way."""
        self._wire.down.send(Goodbye(), 0)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Wire:
    """One connection, with its two ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, address: str, path: str) -> None:
        self.close_code: int | None = None
        self.client_end = ClientEnd(self, loop)
        self.server_end = ServerEnd(self, loop, address, path)
        self.up = Pipe(loop, chance, self.server_end.hear)
        self.down = Pipe(loop, chance, self.client_end.hear)
        self.down.on_less = self.server_end.less

    @property
    def is_over(self) -> bool:
        return self.server_end.is_lost

    def cut(self) -> None:
        """End it at both ends at once; what was on its way is lost."""
        self.up.is_dead = self.down.is_dead = True
        self.server_end.lose()
        self.client_end.hear(Goodbye())

    def closed_by_server(self, code: int) -> None:
        self.close_code = self.close_code or code


class Cable:
    """One person's way to the server. `accept` takes the server's end of a new wire, False when nobody listens."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, chance: random.Random, accept: Callable[[ServerEnd], bool], address: str
    ) -> None:
        self._loop, self._chance, self._accept, self._address = loop, chance, accept, address
        self.wires: list[Wire] = []
        self.is_out = self.is_hanging = False
        self.next_lag_s = 0.0

    @property
    def standing(self) -> list[Wire]:
        """Those with an end that somebody holds; what a server wrote before it went may still arrive over them."""
        self.wires = [wire for wire in self.wires if not (wire.is_over and wire.client_end.is_closed)]
        return self.wires

    @property
    def living(self) -> list[Wire]:
        return [wire for wire in self.standing if not wire.is_over]

    @asynccontextmanager
    async def transport(
        self, address: ServerAddress, profile: LinkProfile, clock: Callable[[], float]
    ) -> AsyncIterator[ClientEnd]:
        """Implements `client.link.TransportFactory`."""
        end = await self.connect()
        try:
            yield end
        finally:
            end.close()

    async def connect(self, path: str = WEBSOCKET_PATH) -> ClientEnd:
        await asyncio.sleep(self._chance.uniform(0.001, 0.03))
        if self.is_hanging:
            await asyncio.sleep(60.0)
        if self.is_out or self.is_hanging:
            raise LinkRefusedError("unreachable")
        wire = Wire(self._loop, random.Random(self._chance.random()), self._address, path)
        wire.up.lag_s, self.next_lag_s = self.next_lag_s, 0.0
        if not self._accept(wire.server_end):
            raise LinkRefusedError("refused")
        self.wires.append(wire)
        return wire.client_end

    @property
    def is_behind(self) -> bool:
        """Whether something is still on its way, because it was written when this end read slowly."""
        return any(wire.down.waiting_bytes > LOW_MARK_BYTES for wire in self.standing)

    @property
    def heard_at(self) -> float:
        """When all that this end has said so far will have arrived."""
        return max((wire.up.empty_at for wire in self.living), default=0.0)

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────

    def cut(self) -> None:
        for wire in self.living:
            wire.cut()

    def freeze(self, dead_after_s: float, *, up: bool, down: bool) -> None:
        """Let standing wires go half-open: nothing arrives any more, in one direction or both, and nobody is told."""
        for wire in self.living:
            wire.up.is_dead |= up
            wire.down.is_dead |= down
            if up:
                self._loop.call_later(dead_after_s, wire.server_end.lose)

    def lag(self, seconds: float) -> None:
        """Let what standing wires carry arrive late; new wires are not affected."""
        for wire in self.living:
            wire.up.lag_s = seconds

    def read_slowly(self, bytes_per_s: float) -> None:
        for wire in self.living:
            wire.down.bytes_per_s = bytes_per_s

    def restore(self) -> None:
        """New wires can be made again, and standing ones carry at full speed; what is half-open stays so."""
        self.is_out = self.is_hanging = False
        for wire in self.standing:
            wire.up.lag_s = wire.down.bytes_per_s = 0.0


def _payloads_of(frames: bytes) -> Iterator[tuple[str | bytes, int]]:
    """Take a server's WebSocket frames apart, not masked, not fragmented: what each says, and how long it is."""
    at = 0
    while at < len(frames):
        short = frames[at + 1]
        start = at + (2 if short < 126 else 4 if short == 126 else 10)
        length = short if short < 126 else int.from_bytes(frames[at + 2 : start], "big")
        payload = frames[start : start + length]
        yield payload.decode() if frames[at] & 0x0F == 1 else payload, start + length - at
        at = start + length
