"""A WebSocket connection of websockets with what it lacks: closing without waiting, and news of its write buffer.

What nearly every client sends is understood at a glance, the request that opens the connection and whole messages.
All else goes to websockets, which judges it.
"""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from texswarm_server.net.client_address import FORWARDED_FOR
from texswarm_server.net.frame_splitter import FrameSplitter
from texswarm_server.net.inbox import Inbox
from texswarm_server.net.line import Line, line_of
from texswarm_server.net.opening import Opening, read_opening
from texswarm_server.net.statistics import ConnectionStatistics
from texswarm_server.protocol.callbacks import nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from texswarm_server.net.admission import Place

_CLOSE_TIMEOUT_S: Final = 5.0
_MOST_WAITING_BYTES: Final = 1024 * 1024
_MOST_AUTOMATIC_BYTES: Final = 64 * 1024
_MAX_REASON_BYTES: Final = 120
_END_OF_REQUEST: Final = b"\r\n\r\n"
_TEXT: Final = 0x80 | Opcode.TEXT
#: What websockets keeps of the answer to a request that was granted; the same for all.
_SWITCHED: Final = Response(HTTPStatus.SWITCHING_PROTOCOLS, "", Headers())


@dataclass(slots=True)
class Siblings:
    """Every connection of one listener, from the first byte to the last; they count together.

    `receive` answers a request for a connection, or lets it come about. `turnouts` grows whenever the `direct` of one
    of them changes.
    """

    max_sockets: int
    turnouts: int = 0
    receive: "Callable[[PeerConnection, Request], Response | None]" = lambda _connection, _request: None
    members: set["PeerConnection"] = field(default_factory=set)
    statistics: ConnectionStatistics = field(default_factory=ConnectionStatistics)


class PeerConnection(ServerConnection):
    """Implements `net.outbox.Writer`. Frames are written directly; nothing else of websockets may fragment.

    `is_open`: frames may be written. `direct` is the line to the socket while the next frame may be sent straight
    into it, because nothing waits before it; None where it has to go by `write`. `take_now` is offered every binary
    message that came whole and answers whether it took it; what it did not take is read as all other messages are.
    `address` is that of the client, also behind a proxy that is trusted; known once the request has been read, as
    is its `place`.
    """

    def __init__(self, siblings: "Siblings", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drain_waiters = []  # type: ignore[assignment]  # empty nearly always, and an empty deque has room for 64
        self.siblings = siblings
        self.statistics = siblings.statistics
        self.place: Place | None = None
        self.address = ""
        self._automatic_bytes = 0
        self._abort_timer: asyncio.TimerHandle | None = None
        self._line: Line | None = None
        self._is_new = True
        self._refusal: Response | None = None
        self._splitter: FrameSplitter | None = None
        self._begins_with_a_frame = False
        self.has_heard = False
        self.silent_looks = 0
        self.is_open = False
        self._direct: Line | None = None
        self.take_now: Callable[[bytes], bool] = _refuse
        self.on_congested: Callable[[], None] = nothing
        self.on_relieved: Callable[[], None] = nothing
        self.on_lost: Callable[[], None] = nothing

    @property
    def direct(self) -> Line | None:
        """See the class."""
        return self._direct

    @direct.setter
    def direct(self, line: Line | None) -> None:
        if line is not self._direct:
            self._direct = line
            self.siblings.turnouts += 1

    @property
    def buffered_bytes(self) -> int:
        """What was written and not yet taken by the network."""
        return self.transport.get_write_buffer_size()

    @property
    def end_code(self) -> int:
        """The code of whoever closed first, 1006 where nobody did (yet)."""
        protocol = self.protocol
        first = protocol.close_rcvd if protocol.close_rcvd_then_sent else protocol.close_sent or protocol.close_rcvd
        return int(first.code) if first else CloseCode.ABNORMAL_CLOSURE

    def write(self, frame: bytes) -> None:
        """Write bytes that are whole frames, or the rest of one: straight into the socket while nothing waits there."""
        transport, line = self.transport, self._line
        if line is not None and not transport.get_write_buffer_size() and not transport.is_closing():
            try:
                sent = line.send(frame)
            except OSError:  # full, or broken: the transport finds out
                sent = 0
            if sent == len(frame):
                self.direct = line
                return
            frame = frame[sent:]
        self.direct = None
        transport.write(frame)

    def allow_frames_of(self, max_bytes: int) -> None:
        """Raise the limit of incoming messages: those who are signed in may send more."""
        self.protocol.max_message_size = max_bytes

    def forget_handshake(self) -> None:
        """Forget the headers of the handshake; they are a good part of what an idle connection costs in memory."""
        if self.request is not None:
            self.request = _without_headers(self.request.path)
        if self.response is not None:
            self.response = _SWITCHED

    def ask_for_life(self) -> None:
        """Send a ping."""
        if self.is_open:
            self.protocol.send_ping(b"")
            self.send_data()

    def shut(self, code: int, reason: str = "") -> None:
        """Send a close frame and end the connection without waiting; nothing that still arrives is looked at."""
        if self.is_open:
            self.protocol.fail(code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))
            self.send_data()
        self.is_open, self.direct = False, None
        if self._abort_timer is None:
            self._abort_timer = self.loop.call_later(_CLOSE_TIMEOUT_S, self.transport.abort)

    def give_up(self, code: int, reason: str = "") -> None:
        """End the connection at once: nobody is there to take their leave, and others are to see that."""
        self.shut(code, reason)
        self.transport.abort()

    # ── called by the transport ─────────────────────────────────────────────────────────────────────────

    def pause_writing(self) -> None:
        """Note that the write buffer is over its mark."""
        super().pause_writing()
        self.on_congested()

    def resume_writing(self) -> None:
        """Note that the write buffer is nearly empty."""
        super().resume_writing()
        self._automatic_bytes = 0
        self.on_relieved()

    def data_received(self, data: bytes) -> None:
        """Take in data; who makes us answer pings without reading the answers is cut off."""
        self.has_heard = True
        self.statistics.received_bytes += len(data)
        before = self.buffered_bytes if self.paused else None
        is_first, self._is_new = self._is_new, False
        if self.protocol.state is State.OPEN and self._splits():
            self._take_frames(data)
        elif is_first and (opening := read_opening(data)):
            self._begins_with_a_frame = True
            self._open(opening)
        else:
            self._begins_with_a_frame = data.endswith(_END_OF_REQUEST)
            super().data_received(data)
        if before is not None:
            self._automatic_bytes += max(self.buffered_bytes - before, 0)
            if self._automatic_bytes > _MOST_AUTOMATIC_BYTES:
                self.transport.abort()

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        """Wait for the request; leave the answer to websockets, unless it was given when the request arrived."""
        await self.request_rcvd
        if self._refusal is not None:
            await super().handshake(lambda _connection, _request: self._refusal, None, None)
        elif self.protocol.state is not State.OPEN:
            await super().handshake(*args, **kwargs)

    def send_data(self) -> None:
        """Send what websockets has to say, and note whether frames may still be written."""
        super().send_data()
        self.direct = None
        self.is_open = self.protocol.state is State.OPEN

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the beginning; where there are too many, the end as well."""
        self.siblings.members.add(self)
        super().connection_made(transport)
        self.recv_messages = Inbox(
            _MOST_WAITING_BYTES, pause=self.transport.pause_reading, resume=self.transport.resume_reading
        )
        self._line = line_of(self.transport)
        if len(self.siblings.members) > self.siblings.max_sockets:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        line, self._line, self.direct = self._line, None, None
        if line is not None:
            line.detach()
        self.is_open = False
        self.siblings.members.discard(self)
        if self.place is not None:
            self.place.leave()
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        if not self.request_rcvd.done():
            self.request_rcvd.set_result(None)
        super().connection_lost(exc)
        if self.response is not None and self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.statistics.closed[self.end_code] += 1
        self.on_lost()

    def _open(self, opening: Opening) -> None:
        """Answer an ordinary request in the turn in which it arrives; websockets goes on from there."""
        self.request = Request(opening.path, Headers([(FORWARDED_FOR, each) for each in opening.forwarded_for]))
        self._refusal = self.siblings.receive(self, self.request)
        if self._refusal is None:
            self.response = _SWITCHED
            protocol = self.protocol
            protocol.state = State.OPEN
            protocol.parser = protocol.parse()
            next(protocol.parser)
            self.is_open = True
            self.write(opening.answer)
        self.request_rcvd.set_result(None)

    def _splits(self) -> bool:
        """Whether frames are split here; not for a client that sent some before it had the answer to its request."""
        if self._splitter is None and self._begins_with_a_frame:
            self._splitter = FrameSplitter()
        return self._splitter is not None

    def _take_frames(self, data: bytes) -> None:
        assert self._splitter is not None
        protocol, waiting = self.protocol, self.recv_messages.frames.queue
        for frame, payload in self._splitter.split(data, protocol.max_message_size or 0):
            if payload is None or protocol.current_size is not None or not self.is_open:
                super().data_received(frame)
            elif frame[0] == _TEXT:
                self.recv_messages.put(Frame(Opcode.TEXT, payload))
            elif waiting or not self.take_now(payload):
                self.recv_messages.put(Frame(Opcode.BINARY, payload))


@lru_cache(maxsize=64)
def _without_headers(path: str) -> Request:
    """Return one request for all who asked for the same."""
    return Request(path, Headers())


def _refuse(_message: bytes) -> bool:
    return False
