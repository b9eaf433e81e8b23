"""The wire of the desktop: JSON orders and facts, binary frames with a handle in front.

A first sign-in of the first generation ends this driver; `first_generation` then holds it for the driver that goes on.
"""

from texswarm_server.net.peer import Desk, Peer
from texswarm_server.net.prepared_frame import Traffic, text_frame
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.protocol.codec import order_codec
from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.protocol.frames import decode_frame
from texswarm_server.protocol.link import REFUSAL, LinkPhase, Rule, frame_rule, order_rule
from texswarm_server.protocol.messages import Authentication, Error, Fact
from texswarm_server.protocol.version import LEGACY_PROTOCOL_VERSION


class Protocol2Peer(Peer):
    """A desktop, until it turns out to be a client of the first generation."""

    wire = "protocol_2"
    has_binary = True
    takes_frames = True

    def __init__(self, connection: PeerConnection, desk: Desk, *, auth_timeout_s: float) -> None:
        super().__init__(connection, desk, auth_timeout_s=auth_timeout_s)
        self.first_generation: Authentication | None = None

    def tell(self, fact: Fact) -> None:
        """Send a JSON message."""
        self.outbox.write(text_frame(fact))

    def relay(self, fact: Fact, frame: bytes) -> None:  # noqa: ARG002
        """Write the frame."""
        self.outbox.write(frame)

    def deliver(self, traffic: Traffic) -> None:
        """Write the frame."""
        self.outbox.write(traffic.frame)

    def deliver_presence(self, traffic: Traffic) -> None:
        """Write the frame, unless the client reads too slowly."""
        self.outbox.write_presence(traffic.frame)

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._take_binary(message)
        else:
            await self._take_text(message)

    def _take_binary(self, message: bytes) -> None:
        if self._phase is not LinkPhase.SIGNED_IN:
            if frame_rule(self._phase) is Rule.REFUSE:
                self.tell(Error(code=REFUSAL, message="sign in first"))
            return
        try:
            handle, body = decode_frame(message)
        except RemoteProtocolError as error:
            self.tell(Error(code=error.code, message=str(error)))
            return
        self._desk.frame(self, handle, body)

    async def _take_text(self, message: str) -> None:
        try:
            order = order_codec.decode(message)
        except RemoteProtocolError as error:
            is_of_other_wire = error.code == ErrorCode.UNKNOWN_MESSAGE and not self.is_signed_in
            self.tell(Error(code=REFUSAL if is_of_other_wire else error.code, message=str(error)))
            return
        rule = order_rule(self._phase, type(order))
        if rule is Rule.REFUSE:
            self.tell(Error(code=REFUSAL, message="sign in first", request=order.request))
        elif rule is Rule.ACCEPT and isinstance(order, Authentication):
            await self._sign_in(order)
        elif rule is Rule.ACCEPT:
            await self._carry_out(order)

    async def _sign_in(self, order: Authentication) -> None:
        if order.protocol == LEGACY_PROTOCOL_VERSION and not self.is_signed_in:
            self.first_generation = order
            self._phase = LinkPhase.CLOSED
        else:
            await self._authenticate(order)
