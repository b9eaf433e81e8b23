"""A small server of protocol 2 over real WebSockets on loopback, whose answers a test may bend.

Rooms are `RoomModel`s. Everything is acknowledged at once unless `commits` is off. Tokens are plain strings.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.helpers.room_model import RoomModel
from texswarm_server.protocol.codec import encode, order_codec
from texswarm_server.protocol.frames import decode_frame
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CloseDocument,
    CreateDocument,
    DocumentCreated,
    DocumentList,
    Error,
    ListDocuments,
    Message,
    OpenDocument,
    Order,
)
from texswarm_server.protocol.version import Limits

_CLOSE_CODES: Final = {"protocol_unsupported": 4426, "removed": 4403, "identity_mismatch": 4403, "over_capacity": 1013}

Verdict = Callable[[Authentication], AuthenticationResult | None]


class FakeServer:
    """Listens on a free port. `refuse_with` makes a credential bad; `verdict` may answer a sign-in by itself."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.rooms: dict[str, RoomModel] = {}
        self.sign_ins: list[Authentication] = []
        self.orders: list[Order] = []
        self.connections: set[ServerConnection] = set()
        self.commits = True
        self.verdict: Verdict = lambda order: None
        self.expires_at: float | None = None
        self.limits = limits or Limits()
        self.port = 0
        self._refused: dict[str | None, str] = {}
        self._server: Server | None = None
        self._issued = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> ServerAddress:
        return ServerAddress("127.0.0.1", self.port)

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, compression=None, ping_interval=None, close_timeout=0.5
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self, *, code: int = 1012, crashes: bool = False) -> None:
        """Close every connection with `code`, or crash: reset them and lose what was not durable."""
        if self._server is None:
            return
        if crashes:
            for connection in tuple(self.connections):
                connection.transport.abort()
            for room in self.rooms.values():
                room.crash()
        self._server.close(code=code)
        await self._server.wait_closed()
        self._server = None

    def add_room(self, document_id: str, lineage: str) -> RoomModel:
        room = self.rooms[document_id] = RoomModel(document_id, lineage, handle=len(self.rooms) + 1)
        return room

    def refuse_with(self, token: str | None, code: str) -> None:
        self._refused[token] = code

    async def close_all(self, code: int, reason: str = "") -> None:
        for connection in tuple(self.connections):
            await connection.close(code, reason)

    async def tell(self, message: Message) -> None:
        """Send a message to every connection."""
        for connection in tuple(self.connections):
            await connection.send(encode(message))

    async def commit(self) -> None:
        """Make everything durable and send the acknowledgements."""
        for room in self.rooms.values():
            room.commit()
        await self._flush()

    # ── one connection ──────────────────────────────────────────────────────────────────────────────────

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        try:
            if await self._admit(connection):
                async for frame in connection:
                    await self._take(connection, frame)
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)
            for room in self.rooms.values():
                room.leave(connection)

    async def _admit(self, connection: ServerConnection) -> bool:
        order = order_codec.decode(await connection.recv())
        assert isinstance(order, Authentication)
        self.sign_ins.append(order)
        result = self.verdict(order) or self._result(order)
        await connection.send(encode(result))
        if not result.ok:
            await connection.close(_CLOSE_CODES.get(result.code or "", 4401), result.code or "")
        return result.ok

    def _result(self, order: Authentication) -> AuthenticationResult:
        code = self._refused.get(order.token)
        if code is not None:
            return AuthenticationResult(ok=False, code=code, message="no")
        self._issued += 1
        return AuthenticationResult(
            ok=True,
            user_id=order.user_id or "user-1",
            session_id=order.session_id or f"session-{self._issued}",
            resumed=order.session_id is not None,
            access_token=f"access-{self._issued}",
            expires_at=self.expires_at,
            refresh_token=f"refresh-{self._issued}" if order.token == "invite" else None,
            limits=self.limits,
        )

    async def _take(self, connection: ServerConnection, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            handle, body = decode_frame(frame)
            for room in self.rooms.values():
                if room.handle == handle:
                    room.receive(connection, body)
                    if self.commits:
                        room.commit()
        else:
            order = order_codec.decode(frame)
            self.orders.append(order)
            answer = self._answer(connection, order)
            if answer is not None:
                await connection.send(encode(answer))
        await self._flush()

    def _answer(self, connection: ServerConnection, order: Order) -> Message | None:
        match order:
            case OpenDocument(document_id=document_id):
                return self._open(connection, order, document_id)
            case CloseDocument(handle=handle):
                for room in self.rooms.values():
                    if room.handle == handle:
                        room.leave(connection)
                return None
            case CreateDocument(document_id=document_id, lineage=lineage, title=title):
                assert document_id
                assert lineage
                self.add_room(document_id, lineage)
                return DocumentCreated(
                    request=order.request, document_id=document_id, title=title, lineage=lineage, role="owner"
                )
            case ListDocuments():
                return DocumentList(request=order.request, documents=[])
            case _:
                return Error(request=order.request, code="unknown_message", message=type(order).__name__)

    def _open(self, connection: ServerConnection, order: OpenDocument, document_id: str) -> Message | None:
        room = self.rooms.get(document_id)
        if room is None:
            return Error(request=order.request, code="document_not_found", message="", document_id=document_id)
        if order.lineage not in {None, room.lineage}:
            return Error(request=order.request, code="lineage_mismatch", message="", document_id=document_id)
        room.open(connection, request=order.request, state_vector=order.state_vector)
        return None

    async def _flush(self) -> None:
        for room in self.rooms.values():
            for connection, member in tuple(room.members.items()):
                assert isinstance(connection, ServerConnection)
                outbox, member.outbox = member.outbox, []
                for item in outbox:
                    try:
                        await connection.send(item if isinstance(item, bytes) else encode(item))
                    except ConnectionClosed:
                        break
                    await asyncio.sleep(0)
