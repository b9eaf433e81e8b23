"""A client of the first generation: JSON as its program wrote it, and the texts it was shown."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TIME_LIMIT_S = 20

Payload = dict[str, Any]


class LegacyClient:
    """Invariant: everything that arrived is in `heard`, in order; `texts` is what each document showed last."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[tuple[str, Payload]] = []
        self.texts: dict[str, str] = {}
        self.close_code: int | None = None
        self._changed = asyncio.Event()

    async def say(self, kind: str, payload: object = ...) -> None:
        message = {"type": kind} if payload is ... else {"type": kind, "payload": payload}
        await self.connection.send(json.dumps(message))

    async def ask(self, kind: str, payload: object = ..., *, answer: str) -> Payload:
        """Say something and return the first message of the kind `answer` that arrives after it."""
        start = len(self.heard)
        await self.say(kind, payload)
        return await self.next(answer, start)

    async def next(self, kind: str, start: int = 0) -> Payload:
        await self.until(lambda: any(each[0] == kind for each in self.heard[start:]))
        return next(payload for name, payload in self.heard[start:] if name == kind)

    async def sign_in(self, token: str | None, user_id: str | None = None) -> str:
        """Sign in; the answer must be yes. Returns its words."""
        answer = await self.ask("Authentication", {"user_id": user_id or str(uuid4()), "token": token}, answer="Error")
        assert answer["code"] == "auth_success", answer
        message: str = answer["message"]
        return message

    async def create(self, title: str = "A paper") -> str:
        answer = await self.ask("CreateDocument", {"title": title, "repository_url": None}, answer="DocumentUpdate")
        assert (answer["content"], answer["version"]) == ("", "initial")
        document_id: str = answer["document_id"]
        return document_id

    async def open(self, document_id: str) -> str:
        answer = await self.ask("OpenDocument", {"document_id": document_id}, answer="DocumentUpdate")
        assert answer["document_id"] == document_id
        content: str = answer["content"]
        return content

    async def insert(self, document_id: str, position: int, content: str) -> None:
        operation = {"Insert": {"document_id": document_id, "position": position, "content": content}}
        await self.say("DocumentOperation", {"operation": operation})

    async def refused(self, kind: str, payload: object = ...) -> Payload:
        return await self.ask(kind, payload, answer="Error")

    async def shows(self, document_id: str, text: str) -> None:
        await self.until(lambda: self.texts.get(document_id) == text)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIME_LIMIT_S):
            while not condition():
                assert self.close_code is None, f"closed with {self.close_code}; heard {self.heard[-3:]}"
                self._changed.clear()
                await self._changed.wait()

    async def closed(self) -> int | None:
        async with asyncio.timeout(TIME_LIMIT_S):
            await self.connection.wait_closed()
        return self.connection.close_code

    async def run(self) -> None:
        try:
            async for message in self.connection:
                assert isinstance(message, str), "a client of the first generation was sent a binary message"
                self._take(json.loads(message))
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self.connection.close_code
            self._changed.set()

    def _take(self, message: dict[str, Any]) -> None:
        kind, payload = message["type"], message["payload"]
        self.heard.append((kind, payload))
        if kind == "DocumentUpdate":
            self.texts[payload["document_id"]] = payload["content"]
        self._changed.set()


@asynccontextmanager
async def legacy_client(url: str, token: str | None = ..., **details: Any) -> AsyncIterator[LegacyClient]:  # type: ignore[assignment]
    """Connect, and sign in when a token (or None) is given."""
    async with (
        connect(url, compression=None, max_size=None, open_timeout=TIME_LIMIT_S) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        client = LegacyClient(connection)
        reader = tasks.create_task(client.run(), name="legacy client")
        try:
            if token is not ...:
                await client.sign_in(token, **details)
            yield client
        finally:
            await connection.close()
            await reader
