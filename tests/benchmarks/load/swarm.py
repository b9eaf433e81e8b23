"""Many clients on one core: an epoll loop and as little Python per frame as can be had.

Where latency is measured, what arrives is read and its time noted at once, and looked into when nothing more lies
there: otherwise the last of many would seem late by the time that this program takes for all the others.

Every edit carries a mark, `<~>writer.number`, in its text. Servers may merge edits into one update as they like: a mark
in a frame is the arrival of that edit, whatever frame it came in.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.load.dialects import EMPTY_STATE
from tests.benchmarks.load.wire import BINARY, CLOSE, PING, PONG, client_frame, request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Where everybody reads into: to make that much room anew for every message takes eight times as long as to read it.
_ROOM: Final = memoryview(bytearray(256 * 1024))
_AT_A_TIME: Final = 100
#: So few pieces are looked into before it is asked again whether something arrived.
_LOOKED_INTO: Final = 8
_MARK: Final = b"<~>"  # no varuint of these updates looks like that
_MARKS: Final = re.compile(rb"<~>\d{4}\.\d{6}")


class UnreachableError(Exception):
    """Something did not happen in time."""


class Client:
    """One connection. `marks` counts the edits of others that have arrived; `own` is what its own marks begin with.

    `answered` counts the updates it sent while it synchronised; `keep` is given what it lacked then.
    """

    __slots__ = (
        "answered", "buffer", "close_code", "dialect", "heard_at", "is_open", "is_resumed", "is_synced", "keep",
        "listen", "marks", "number", "outgoing", "own", "received_bytes", "seen", "sock", "state_vector", "swarm",
    )  # fmt: skip

    def __init__(self, swarm: Swarm, number: int, dialect: Any, state_vector: bytes) -> None:
        self.swarm, self.number, self.dialect, self.state_vector = swarm, number, dialect, state_vector
        self.own = b"<~>%04d." % number
        self.buffer = b""
        self.outgoing = bytearray()
        self.is_open = self.is_synced = self.is_resumed = False
        self.close_code: int | None = None
        self.heard_at = 0.0
        self.marks = self.answered = 0
        self.keep: Callable[[bytes], None] | None = None
        self.received_bytes = 0
        self.seen: set[bytes] = set()
        self.listen: Callable[[bytes], None] | None = None
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, frames: bytes) -> None:
        """Write without waiting; what does not fit goes when there is room."""
        if self.outgoing:
            self.outgoing += frames
            return
        try:
            sent = self.sock.send(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.lost()
            return
        if sent < len(frames):
            self.outgoing += frames[sent:]
            self.swarm.watch(self, writable=True)

    def flush(self) -> None:
        """Write on."""
        try:
            sent = self.sock.send(memoryview(self.outgoing)[: 64 * 1024])
        except BlockingIOError:
            return
        except OSError:
            self.lost()
            return
        del self.outgoing[:sent]
        if not self.outgoing:
            self.swarm.watch(self, writable=False)

    def lost(self) -> None:
        """Note that the connection has ended."""
        if self.close_code is None:
            self.close_code = 1006

    def read(self) -> bytes:
        """Return what has arrived; empty where that is nothing, or the end."""
        try:
            data = bytes(_ROOM[: self.sock.recv_into(_ROOM)])
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.lost()
            self.swarm.unwatch(self)
        return data

    def take_in(self, data: bytes, heard_at: float) -> None:
        """Look into what was read."""
        self.heard_at = heard_at
        self.received_bytes += len(data)
        if self.buffer:
            data = self.buffer + data
        self.buffer = data[self._take_frames(data) :] if self.is_open else self._shake_hands(data)

    def _shake_hands(self, data: bytes) -> bytes:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            return data
        if not head.startswith(b"HTTP/1.1 101"):
            raise UnreachableError(head.decode(errors="replace"))
        self.is_open = True
        self.dialect.begin(self)
        return rest[self._take_frames(rest) :]

    def _take_frames(self, data: bytes) -> int:
        at, end = 0, len(data)
        while end - at >= 2:
            size, head = data[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
                if end - at < 4:
                    break
            elif size == 127:
                size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
                if end - at < 10:
                    break
            stop = at + head + size
            if stop > end:
                break
            opcode = data[at]
            if opcode == BINARY and self.listen is not None:
                self.listen(data[at + head : stop])
            elif opcode == PING:
                self.send(client_frame(data[at + head : stop], PONG))
            elif opcode == CLOSE:
                self.close_code = int.from_bytes(data[at + head : at + head + 2], "big")
            elif self.listen is None:
                self.dialect.hear(self, data[at + head : stop])
            at = stop
        return at

    def close(self) -> None:
        """Say goodbye and end."""
        self.swarm.unwatch(self)
        if self.close_code is None:
            with suppress(OSError):
                self.sock.send(client_frame((1000).to_bytes(2, "big"), CLOSE))
        self.sock.close()


class Swarm:
    """Clients of one server, on one core and in one thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.clients: list[Client] = []
        self._epoll = select.epoll()
        self._by_fd: dict[int, Client] = {}
        self.sent_at: dict[bytes, float] = {}
        self.latencies: list[float] = []
        self.arrived = 0
        self._is_timing = False
        self._unread: deque[tuple[Client, bytes, float]] = deque()

    def pump(self, wait_s: float = 0.0) -> None:
        """Read once from every connection that has something."""
        now, unread = time.perf_counter, self._unread
        ready = self._epoll.poll(0.0 if unread else wait_s, 4096)
        for fd, events in ready:
            client = self._by_fd.get(fd)
            if client is None:
                continue
            if events & select.EPOLLOUT:
                if client.outgoing:
                    client.flush()
                else:
                    self.watch(client, writable=False)
            if events & ~select.EPOLLOUT and (data := client.read()):
                unread.append((client, data, now()))
        if self._is_timing and ready:
            return
        for _ in range(_LOOKED_INTO if self._is_timing else len(unread)):
            if not unread:
                return
            client, data, heard_at = unread.popleft()
            client.take_in(data, heard_at)

    def until(self, condition: Callable[[], bool], limit_s: float = 60.0, what: str = "") -> None:
        """Pump until `condition` holds; raises UnreachableError."""
        give_up_at = time.perf_counter() + limit_s
        while not condition():
            self.pump(0.01)
            if time.perf_counter() > give_up_at:
                raise UnreachableError(what)

    def connect(self, dialect: Any, number: int, state_vector: bytes = EMPTY_STATE) -> Client:
        """Begin one connection."""
        client = Client(self, number, dialect, state_vector)
        with suppress(BlockingIOError):
            client.sock.connect(("127.0.0.1", self.port))
        client.outgoing += request(dialect.path, self.port)
        self._by_fd[client.sock.fileno()] = client
        self._epoll.register(client.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)
        self.clients.append(client)
        return client

    def connect_all(self, dialect: Any, numbers: Sequence[int], state_vector: bytes = EMPTY_STATE) -> float:
        """Connect and synchronise that many, `_AT_A_TIME` under way at any moment; return the seconds it took."""
        started = time.perf_counter()
        waiting = list(reversed(numbers))
        under_way: list[Client] = []
        give_up_at = started + 120
        while waiting or under_way:
            while waiting and len(under_way) < _AT_A_TIME:
                under_way.append(self.connect(dialect, waiting.pop(), state_vector))
            self.pump(0.01)
            under_way = [client for client in under_way if not client.is_synced]
            dead = [client for client in under_way if client.close_code is not None]
            if dead or time.perf_counter() > give_up_at:
                raise UnreachableError(
                    f"{len(under_way)} did not synchronise, close codes {[c.close_code for c in dead]}"
                )
        return time.perf_counter() - started

    def settle(self, quiet_s: float = 0.5, limit_s: float = 60.0) -> None:
        """Pump until nothing has come for a while."""
        give_up_at = time.perf_counter() + limit_s
        quiet_since = time.perf_counter()
        before = self._received()
        while time.perf_counter() - quiet_since < quiet_s and time.perf_counter() < give_up_at:
            self.pump(0.01)
            if (now := self._received()) != before:
                before, quiet_since = now, time.perf_counter()

    def time_deliveries(self) -> None:
        """From now on note when which edit reaches whom."""
        for client in self.clients:
            client.listen = self._timer(client)
        self._is_timing = True

    def count_deliveries(self) -> None:
        """From now on count the edits that reach each client, its own left out."""
        for client in self.clients:
            client.listen = self._counter(client)

    def watch(self, client: Client, *, writable: bool) -> None:
        if client.sock.fileno() in self._by_fd:
            self._epoll.modify(client.sock.fileno(), select.EPOLLIN | (select.EPOLLOUT if writable else 0))

    def unwatch(self, client: Client) -> None:
        if self._by_fd.pop(client.sock.fileno(), None) is not None:
            self._epoll.unregister(client.sock.fileno())

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self._epoll.close()

    def _received(self) -> int:
        return sum(client.received_bytes for client in self.clients)

    def _timer(self, client: Client) -> Callable[[bytes], None]:
        own, seen, sent_at, note, find = client.own, client.seen, self.sent_at, self.latencies.append, _MARKS.findall

        def listen(payload: bytes) -> None:
            for mark in find(payload):
                if mark[:8] != own and mark not in seen:
                    seen.add(mark)
                    note(client.heard_at - sent_at[mark])

        return listen

    def _counter(self, client: Client) -> Callable[[bytes], None]:
        own = client.own

        def listen(payload: bytes) -> None:
            news = payload.count(_MARK) - payload.count(own)
            client.marks += news
            self.arrived += news

        return listen
