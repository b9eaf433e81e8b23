"""The driver of one connection, whatever its wire: messages in, orders to the desk, facts out, one typed end.

It lives in the task that websockets made for the connection. Each wire is a driver derived from this one; to the desk
they all say the same, the orders and frames of protocol 2, and each puts what it is told into the words of its wire.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final, Protocol, TypeVar

from websockets.exceptions import ConnectionClosed

from texswarm_server.logs import fields
from texswarm_server.net.outbox import Outbox
from texswarm_server.net.prepared_frame import Traffic
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError, TexSwarmError, code_of
from texswarm_server.protocol.frames import FrameBody
from texswarm_server.protocol.ids import DocumentId, Handle, SessionId, UserId
from texswarm_server.protocol.link import LinkPhase
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, Error, Fact, Order

_logger = logging.getLogger(__name__)

SomeOrder = TypeVar("SomeOrder", bound=Order)
HOLD_ABOVE_BYTES: Final = 1024 * 1024
_FULL_RETRY_S: Final = 10.0
_LOGGED_CHARS: Final = 64
_GOODBYES: Final[frozenset[int]] = frozenset({CloseCode.NORMAL, CloseCode.GOING_AWAY})
#: Browsers and Node close without a code unless their program names one, which counts as 1005.
GOODBYES_OF_PROGRAMS: Final = _GOODBYES | {1005}


class Desk(Protocol):
    """Who decides; called on the loop, for one peer in the order of its messages."""

    async def authenticate(self, peer: "Peer", message: Authentication) -> None:
        """Answer an `Authentication`, and sign the peer in or shut it; then open what it asks for."""

    def is_serving(self, session_id: str | None) -> bool:
        """Tell whether a connection serves this session now, so that it would give way to a newer one."""

    async def order(self, peer: "Peer", order: Order) -> None:
        """Carry out an order of a signed-in peer; raises TexSwarmError to refuse it."""

    def frame(self, peer: "Peer", handle: Handle, body: FrameBody) -> None:
        """Take in document traffic of a signed-in peer; answers refusals itself."""

    def lost(self, peer: "Peer", *, is_clean: bool) -> None:
        """Note that the peer is gone; `is_clean` when it said goodbye. Nothing happens when nobody is signed in."""


class Peer(ABC):
    """One connection. `session_id` is set while the peer is signed in; `can_resume`: its client can name that when it
    comes back; `goodbyes`: the close codes by which a client says that it does not; `has_binary`: its wire has binary
    messages, and none of them makes anybody wait; `takes_frames`: what happens in a document is written to it in the
    frames of protocol 2; `document_id`: the one document that it is for, None where it may open any.

    `connection` is what it is written to and read from; `wire` names what it speaks; `opened_at`: when the
    connection was made, by the loop's clock; `forgets_presence`: its client forgets what it is not told anew of who
    is where; `heard_at`: when its last message came, by the same clock.
    """

    wire: ClassVar[str]
    forgets_presence: ClassVar[bool] = False
    can_resume: ClassVar[bool] = True
    goodbyes: ClassVar[frozenset[int]] = _GOODBYES
    has_binary: ClassVar[bool] = False
    takes_frames: ClassVar[bool] = False

    def __init__(self, connection: PeerConnection, desk: Desk, *, auth_timeout_s: float) -> None:
        self.connection = connection
        self._desk = desk
        self._auth_timeout_s = auth_timeout_s
        self._phase = LinkPhase.GREETING
        self._time = asyncio.get_running_loop().time
        self.opened_at = self.heard_at = self._time()
        self.session_id: SessionId | None = None
        self.document_id: DocumentId | None = None
        self._user_id: UserId | None = None
        self.is_confirmed = False
        self.outbox = Outbox(connection, hold_above_bytes=HOLD_ABOVE_BYTES)
        connection.on_congested = self.outbox.congested
        connection.on_relieved = self.outbox.relieved
        connection.on_lost = self.outbox.let_go
        self._is_reading = False

    @property
    def address(self) -> str:
        """The client's IP address, also behind a proxy that is trusted; empty when it was gone too soon."""
        return self.connection.address

    @property
    def buffered_bytes(self) -> int:
        """What was written to it and not yet taken by the network."""
        return self.connection.buffered_bytes if self.connection.is_open else 0

    @property
    def is_signed_in(self) -> bool:
        """Whether orders are accepted."""
        return self._phase is LinkPhase.SIGNED_IN

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended or was shut."""
        return self._phase is LinkPhase.CLOSED

    def signed_in(self, session_id: SessionId, max_frame_bytes: int, user_id: UserId | None = None) -> None:
        """Accept orders and larger frames from now on."""
        self._phase = LinkPhase.SIGNED_IN
        self.session_id, self._user_id = session_id, user_id
        self.connection.statistics.signed_in[self.wire] += 1
        self.connection.allow_frames_of(max_frame_bytes)

    @abstractmethod
    def tell(self, fact: Fact) -> None:
        """Let the client know a fact, if its wire has words for it."""

    def relay(self, fact: Fact, frame: bytes) -> None:  # noqa: ARG002 - for wires that write it as it is
        """As `tell`, with the fact as a frame of protocol 2, made once for many."""
        self.tell(fact)

    @abstractmethod
    def deliver(self, traffic: Traffic) -> None:
        """Pass on what happened in a document."""

    @abstractmethod
    def deliver_presence(self, traffic: Traffic) -> None:
        """Pass on who is where; may be dropped for who reads too slowly."""

    def refuse_sign_in(self, result: AuthenticationResult, close_code: CloseCode) -> None:
        """Answer a sign-in that failed."""
        self.connection.statistics.refused_sign_ins[result.code or ""] += 1
        _logger.info("sign-in refused", extra=self._log_fields(code=result.code))
        self._answer_refused(result, close_code)

    def _answer_refused(self, result: AuthenticationResult, close_code: CloseCode) -> None:
        self.tell(result)
        self.shut(close_code, result.code or "")

    def dismiss(self, close_code: CloseCode, code: str) -> None:
        """End the connection of somebody who may not stay; `code` says why."""
        self.shut(close_code, code)

    def shut(self, code: CloseCode, reason: str = "") -> None:
        """End the connection with a typed code."""
        self._phase = LinkPhase.CLOSED
        self.connection.shut(code, reason)
        self.outbox.let_go()

    async def serve(self) -> None:
        """Run until the connection ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(self._auth_timeout_s, self._close_if_silent)
        try:
            await self._begin()
            await self._read()
        except ConnectionClosed:
            pass
        except Exception:  # the border of the driver
            _logger.exception("a connection failed", extra=self._log_fields())
            self.shut(CloseCode.INTERNAL_ERROR)
        finally:
            deadline.cancel()
            self._end()

    async def _begin(self) -> None:  # noqa: B027 - most wires begin with the client's first message
        """Do what comes before the first message."""

    @abstractmethod
    async def _take(self, message: str | bytes) -> None:
        """Take in one message."""

    async def _read(self) -> None:
        if self.has_binary:
            self.connection.take_now = self._take_now
        self._is_reading = True
        async for message in self.connection:
            self.heard_at = self._time()
            self._is_reading = False
            if self.outbox.is_held:
                await self.outbox.wait_relieved()
            if not self.is_closed:
                await self._take(message)
            if self.is_closed:
                return
            self._is_reading = True

    def _take_now(self, message: bytes) -> bool:
        """Take in a binary message in the turn in which it arrives; False where it has to wait for others."""
        if not self._is_reading or self._phase is not LinkPhase.SIGNED_IN or self.outbox.is_held:
            return False
        self.heard_at = self._time()
        try:
            self._take_binary(message)
        except Exception:  # the border of the driver
            _logger.exception("a connection failed", extra=self._log_fields())
            self.shut(CloseCode.INTERNAL_ERROR)
        return True

    def _take_binary(self, message: bytes) -> None:  # noqa: B027 - not every wire has binary messages
        """Take in one binary message of a signed-in client."""

    def _end(self) -> None:
        self._phase = LinkPhase.CLOSED
        self.outbox.let_go()
        if not self.connection.is_open:
            seconds = round(self._time() - self.opened_at, 3)
            _logger.info("connection ended", extra=self._log_fields(code=self.connection.end_code, seconds=seconds))
        code = self.connection.protocol.close_rcvd
        self._desk.lost(self, is_clean=code is not None and code.code in self.goodbyes)

    def _close_if_silent(self) -> None:
        if self._phase is LinkPhase.GREETING:
            self.shut(CloseCode.SILENT, "no sign-in in time")

    def _log_fields(self, **more: object) -> dict[str, Mapping[str, object]]:
        return fields(wire=self.wire, address=self.address, user=self._user_id, **more)

    async def _authenticate(self, message: Authentication) -> None:
        """Have the desk answer, where there is room for one more who is signed in."""
        place = self.connection.place
        assert place is not None
        if not place.sign_in(is_replacing=self._desk.is_serving(message.session_id)):
            self.refuse_sign_in(_full(message), CloseCode.TRY_AGAIN_LATER)
            return
        await self._desk.authenticate(self, message)
        if self.is_signed_in:
            client = message.client and message.client[:_LOGGED_CHARS]
            _logger.info("signed in", extra=self._log_fields(client=client))
        else:
            place.sign_off()

    async def _perform(self, order: Order) -> None:
        """Carry out an order of the client; raises TexSwarmError to refuse it."""
        await self._desk.order(self, order)

    async def _carry_out(self, order: Order) -> None:
        await self.carry_out(order, self._perform)

    async def carry_out(self, order: SomeOrder, perform: Callable[[SomeOrder], Awaitable[None]]) -> None:
        """Have an order performed, and answer it where that is refused or fails."""
        try:
            await perform(order)
        except RejectedError as error:
            self._refuse(order, error.code, error.message)
        except TexSwarmError as error:
            _logger.warning("an order failed", extra=self._log_fields(order=type(order).__name__, error=error))
            self._refuse(order, code_of(error), "")
        except Exception:  # the border of the driver
            _logger.exception("an order failed", extra=self._log_fields(order=type(order).__name__))
            self._refuse(order, ErrorCode.INTERNAL_ERROR, "")

    def _refuse(self, order: Order, code: str, message: str) -> None:
        document_id = getattr(order, "document_id", None)
        blob = getattr(order, "hash", None)
        handle = getattr(order, "handle", None) if blob else None
        self.tell(
            Error(code=code, message=message, document_id=document_id, handle=handle, blob=blob, request=order.request)
        )


def _full(message: Authentication) -> AuthenticationResult:
    return AuthenticationResult(
        ok=False,
        code=ErrorCode.OVER_CAPACITY,
        message="too many connections",
        retryable=True,
        retry_after_s=_FULL_RETRY_S,
        request=message.request,
    )
