"""A client of the y-websocket wire: a replica that follows, and everything that was said about presence."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import PresenceEntry, decode_presence, encode_presence
from texswarm_server.protocol.frames import (
    Awareness,
    FrameBody,
    SyncStep1,
    SyncStep2,
    Update,
    decode_body,
    encode_body,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TIME_LIMIT_S = 20


class YjsClient:
    """What is written into `replica` goes out with `flush`."""

    def __init__(self, connection: ClientConnection, replica: ProjectDocument) -> None:
        self.connection = connection
        self.replica = replica
        self.presence: dict[int, dict[str, Any] | None] = {}
        self.clocks: dict[int, int] = {}
        self.awareness_messages = 0
        self.is_synced = False
        self.close_code: int | None = None
        self._outgoing: list[bytes] = []
        self._changed = asyncio.Event()
        replica.on_update = lambda update, is_local: self._outgoing.append(update) if is_local else None

    def text(self, path: str = "main.tex") -> str:
        file_id = self.replica.file_at(path)
        return "" if file_id is None else str(self.replica.text(file_id))

    async def insert(self, position: int, words: str, path: str = "main.tex") -> None:
        """Type at a UTF-16 position."""
        self.replica.text(self.replica.file_at(path)).replace_u16(position, position, words)
        outgoing, self._outgoing = self._outgoing, []
        for update in outgoing:
            await self.send(Update(update))

    async def send(self, body: FrameBody) -> None:
        await self.connection.send(encode_body(body))

    async def publish(self, state: dict[str, Any] | None, clock: int = 1) -> None:
        await self.send(Awareness(encode_presence([PresenceEntry(self.replica.client_id, clock, state)])))

    async def shows(self, text: str) -> None:
        await self.until(lambda: self.text() == text)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIME_LIMIT_S):
            while not condition():
                assert self.close_code is None, f"closed with {self.close_code}"
                self._changed.clear()
                await self._changed.wait()

    async def closed(self) -> int | None:
        async with asyncio.timeout(TIME_LIMIT_S):
            await self.connection.wait_closed()
        return self.connection.close_code

    async def run(self) -> None:
        try:
            await self.send(SyncStep1(self.replica.state_vector()))
            async for message in self.connection:
                assert isinstance(message, bytes), message
                await self._take(decode_body(message))
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self.connection.close_code
            self._changed.set()

    async def _take(self, body: FrameBody) -> None:
        match body:
            case SyncStep1(state_vector):
                await self.send(SyncStep2(self.replica.update_since(state_vector)))
            case SyncStep2(update) | Update(update):
                self.replica.apply(update)
                self.is_synced = self.is_synced or isinstance(body, SyncStep2)
            case Awareness(update):
                self.awareness_messages += 1
                entries = decode_presence(update)
                self.presence |= {entry.client_id: entry.state for entry in entries}
                self.clocks |= {entry.client_id: entry.clock for entry in entries}
            case _:
                raise AssertionError(f"y-websocket does not know {body}")
        self._changed.set()


def yjs_url(url: str, document_id: str, token: str | None, **query: str) -> str:
    """Return where a y-websocket client connects to; `url` is that of `/ws`."""
    address = f"{url.removesuffix('/ws')}/yjs/{document_id}"
    given = ({} if token is None else {"token": token}) | query
    return f"{address}?{urlencode(given)}" if given else address


@asynccontextmanager
async def yjs_client(
    url: str, document_id: str, token: str | None, replica: ProjectDocument | None = None, **query: str
) -> AsyncIterator[YjsClient]:
    """Connect; nobody waits for the sync."""
    async with (
        connect(
            yjs_url(url, document_id, token, **query), compression=None, max_size=None, open_timeout=TIME_LIMIT_S
        ) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        client = YjsClient(connection, replica or ProjectDocument())
        reader = tasks.create_task(client.run(), name="yjs client")
        try:
            yield client
        finally:
            await connection.close()
            await reader
