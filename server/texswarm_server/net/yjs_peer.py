"""The y-websocket wire: one document per connection, named by the path, its messages without a handle in front."""

import asyncio
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from texswarm_server.net.peer import GOODBYES_OF_PROGRAMS, Desk, Peer
from texswarm_server.net.prepared_frame import Traffic, binary_frame
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError, Verdict, code_verdict
from texswarm_server.protocol.frames import Acknowledged, Awareness, decode_body, encode_body
from texswarm_server.protocol.ids import MAX_ID_CHARS, DocumentId, Handle, SessionId, UserId
from texswarm_server.protocol.messages import (
    Authentication,
    DocumentClosed,
    DocumentOpened,
    Fact,
    OpenDocument,
    Order,
)
from texswarm_server.protocol.version import PROTOCOL_VERSION, YJS_PATH

_ASKS_FOR_PRESENCE: Final = b"\x03"
_SIGN_OF_LIFE: Final = binary_frame(encode_body(Awareness(b"\x00")))


class YjsPeer(Peer):
    """A client of y-websocket. What it may not do is left out without a word, because its wire has none for that.

    `path` is the request's, with document id, token and who the client says to be. A y-websocket client that hears
    nothing for 30 s connects again, so it is told that nobody moved every `heartbeat_s`.
    """

    wire = "yjs"
    forgets_presence = True
    can_resume = False
    goodbyes = GOODBYES_OF_PROGRAMS
    has_binary = True

    def __init__(
        self, connection: PeerConnection, desk: Desk, path: str, *, auth_timeout_s: float, heartbeat_s: float
    ) -> None:
        super().__init__(connection, desk, auth_timeout_s=auth_timeout_s)
        self.document_id, self._greeting = _read_path(path)
        self._heartbeat_s = heartbeat_s
        self._heartbeat: asyncio.TimerHandle | None = None
        self._handle: Handle | None = None

    async def _begin(self) -> None:
        await self._authenticate(self._greeting)
        if self.is_signed_in and self.document_id is not None:
            await self._carry_out(OpenDocument(document_id=self.document_id))

    def signed_in(self, session_id: SessionId, max_frame_bytes: int, user_id: UserId | None = None) -> None:
        """Begin to give signs of life."""
        super().signed_in(session_id, max_frame_bytes, user_id)
        self._beat()

    def tell(self, fact: Fact) -> None:
        """Note where the document is; a document that is loaded again is opened anew by a new connection."""
        if isinstance(fact, DocumentOpened):
            self._handle = Handle(fact.handle)
        elif isinstance(fact, DocumentClosed):
            is_out = fact.code == ErrorCode.REMOVED
            self.shut(CloseCode.FORBIDDEN if is_out else CloseCode.SERVICE_RESTART, fact.code)

    def deliver(self, traffic: Traffic) -> None:
        """Pass on what Yjs knows of."""
        if not isinstance(traffic.body, Acknowledged):
            self.outbox.write(traffic.bare_frame)

    def deliver_presence(self, traffic: Traffic) -> None:
        """Write the frame, unless the client reads too slowly."""
        self.outbox.write_presence(traffic.bare_frame)

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._take_binary(message)

    def _take_binary(self, message: bytes) -> None:
        if self._handle is None:
            return
        if message == _ASKS_FOR_PRESENCE:
            self.outbox.on_presence_missed()
            return
        try:
            body = decode_body(message)
        except RemoteProtocolError:
            return
        self._desk.frame(self, self._handle, body)

    def _refuse(self, order: Order, code: str, message: str) -> None:  # noqa: ARG002 - nobody reads the words
        may_pass = code_verdict(code) is Verdict.RETRY
        self.shut(CloseCode.TRY_AGAIN_LATER if may_pass else CloseCode.FORBIDDEN, code)

    def _beat(self) -> None:
        self.outbox.write_presence(_SIGN_OF_LIFE)
        self._heartbeat = asyncio.get_running_loop().call_later(self._heartbeat_s, self._beat)

    def _end(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        super()._end()


def _read_path(path: str) -> tuple[DocumentId, Authentication]:
    """Return document id and sign-in of a request's path; a client appends what it calls the room to its address."""
    address = urlsplit(path)
    given = {name: values[0] for name, values in parse_qs(address.query).items()}
    user_id = given.get("user_id")
    greeting = Authentication(
        protocol=PROTOCOL_VERSION,
        token=given.get("token"),
        user_id=user_id if user_id and len(user_id) <= MAX_ID_CHARS else None,
        display_name=given.get("name"),
        color=given.get("color"),
        client="yjs",
    )
    return DocumentId(unquote(address.path.removeprefix(YJS_PATH)).strip("/")), greeting
