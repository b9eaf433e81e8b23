"""A raw client of protocol 2: says what a test tells it to say, keeps what it hears, and a replica per document."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import PresenceEntry, decode_presence, encode_presence
from texswarm_server.protocol.codec import encode, fact_codec
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    FrameBody,
    SyncStep1,
    SyncStep2,
    Update,
    decode_frame,
    encode_frame,
)
from texswarm_server.protocol.ids import Handle, Lineage
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CloseDocument,
    CreateDocument,
    DocumentClosed,
    DocumentCreated,
    DocumentOpened,
    Error,
    Message,
    OpenDocument,
    Order,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

M = TypeVar("M", bound=Message)
TIME_LIMIT_S = 20


@dataclass(eq=False)
class Opened:
    """A document this client has open. `replica` follows by itself; what is written into it goes out at once."""

    client: WireClient
    facts: DocumentOpened
    replica: ProjectDocument
    sent: int = 0
    acknowledged: int = 0
    is_synced: bool = False
    presence: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    outgoing: list[bytes] = field(default_factory=list)

    @property
    def handle(self) -> Handle:
        return Handle(self.facts.handle)

    def text(self, path: str = "main.tex") -> str:
        """The text of a file here, empty while there is no such file."""
        file_id = self.replica.file_at(path)
        return "" if file_id is None else str(self.replica.text(file_id))

    async def write(self, words: str, path: str = "main.tex") -> None:
        """Type at the end of a file (made when it does not exist) and send it as one update."""
        file_id = self.replica.file_at(path) or self.replica.add_file(path)
        text = self.replica.text(file_id)
        end = len(str(text).encode("utf-16-le")) // 2
        text.replace_u16(end, end, words)
        await self.flush()

    async def flush(self) -> None:
        """Send what the replica wrote, one message per transaction."""
        outgoing, self.outgoing = self.outgoing, []
        for update in outgoing:
            await self.send(Update(update))

    async def send(self, body: FrameBody) -> None:
        if isinstance(body, (Update, SyncStep2)):
            self.sent += 1
        await self.client.send_bytes(encode_frame(self.handle, body))

    async def publish(self, state: dict[str, Any] | None, clock: int = 1, client_id: int | None = None) -> None:
        entry = PresenceEntry(client_id or self.replica.client_id, clock, state)
        await self.send(Awareness(encode_presence([entry])))

    async def answered(self) -> None:
        """Wait until the answer to the server's sync is on its way."""
        await self.client.until(lambda: self.sent > 0)

    async def acknowledged_all(self) -> None:
        await self.client.until(lambda: self.acknowledged >= self.sent)

    async def shows(self, words: str, path: str = "main.tex") -> None:
        """Wait until the text of a file contains `words`."""
        await self.client.until(lambda: words in self.text(path))

    def take(self, body: FrameBody) -> list[FrameBody]:
        """Take in a frame of the server and return the answers."""
        match body:
            case SyncStep1(state_vector):
                return [SyncStep2(self.replica.update_since(state_vector))]
            case SyncStep2(update) | Update(update):
                self.replica.apply(update)
                self.is_synced = self.is_synced or isinstance(body, SyncStep2)
            case Awareness(update):
                self.presence |= {entry.client_id: entry.state for entry in decode_presence(update)}
            case Acknowledged(count):
                assert count >= self.acknowledged, "an acknowledgement went back"
                self.acknowledged = count
        return []


class WireClient:
    """Invariant: everything that arrived is in `facts` (JSON) or `frames` (binary), in order."""

    def __init__(self, connection: ClientConnection, *, is_automatic: bool = True) -> None:
        """`is_automatic`: answer the server's sync, keep replicas; False leaves every frame to the test."""
        self.connection = connection
        self.is_automatic = is_automatic
        self.facts: list[Message] = []
        self.frames: list[tuple[Handle, FrameBody]] = []
        self.documents: dict[Handle, Opened] = {}
        self.replicas: dict[str, ProjectDocument] = {}
        self.welcome: AuthenticationResult | None = None
        self.close_code: int | None = None
        self._changed = asyncio.Event()
        self._requests = 0

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, looking again whenever something arrived."""
        async with asyncio.timeout(TIME_LIMIT_S):
            while not condition():
                assert self.close_code is None, f"closed with {self.close_code} while waiting; heard {self.facts[-3:]}"
                self._changed.clear()
                await self._changed.wait()

    async def closed(self) -> int:
        """Wait for the end and return the close code."""
        async with asyncio.timeout(TIME_LIMIT_S):
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code

    async def send_text(self, text: str) -> None:
        await self.connection.send(text)

    async def send_bytes(self, data: bytes) -> None:
        await self.connection.send(data)

    async def send(self, order: Order) -> None:
        await self.send_text(encode(order))

    async def ask(self, order: Order, kind: type[M]) -> M:
        """Send an order and return the answer to it, which must be of `kind`."""
        answer = await self.answer(order)
        assert isinstance(answer, kind), answer
        return answer

    async def refused(self, order: Order) -> str:
        """Send an order and return the code it was refused with."""
        return (await self.ask(order, Error)).code

    async def answer(self, order: Order) -> Message:
        self._requests += 1
        number = self._requests
        kind = type(order)
        values = {name: getattr(order, name) for name in order.__struct_fields__} | {"request": number}
        await self.send(kind(**values))
        answer: Message = await self.heard(lambda fact: getattr(fact, "request", None) == number)
        return answer

    async def heard(self, wanted: type[M] | Callable[[Message], bool], *, after: int = 0) -> Any:
        """Return the first message from position `after` on that is of a class or fulfils a condition."""

        def is_wanted(fact: Message) -> bool:
            return isinstance(fact, wanted) if isinstance(wanted, type) else wanted(fact)

        await self.until(lambda: any(map(is_wanted, self.facts[after:])))
        return next(fact for fact in self.facts[after:] if is_wanted(fact))

    async def sign_in(self, token: str | None, **details: Any) -> AuthenticationResult:
        """Authenticate; the answer must be yes."""
        self.welcome = await self.ask(Authentication(protocol=2, token=token, **details), AuthenticationResult)
        assert self.welcome.ok, self.welcome
        return self.welcome

    async def create(self, title: str = "A paper", **details: Any) -> DocumentCreated:
        return await self.ask(CreateDocument(title=title, **details), DocumentCreated)

    async def open(self, document_id: str, *, lineage: str | None = None) -> Opened:
        """Open a document with the replica this client has of it, and wait until it is synchronised."""
        facts = await self.ask(OpenDocument(document_id=document_id, lineage=lineage), DocumentOpened)
        opened = self.documents[Handle(facts.handle)]
        if self.is_automatic:
            await opened.send(SyncStep1(opened.replica.state_vector()))
            await self.until(lambda: opened.is_synced)
        return opened

    async def close_document(self, opened: Opened) -> None:
        del self.documents[opened.handle]
        await self.send(CloseDocument(handle=opened.handle))

    async def create_and_open(self, words: str = "", title: str = "A paper") -> Opened:
        created = await self.create(title)
        replica = ProjectDocument()
        replica.initialise(title, Lineage(created.lineage))
        self.replicas[created.document_id] = replica
        opened = await self.open(created.document_id, lineage=created.lineage)
        if words:
            await opened.write(words)
        await opened.acknowledged_all()
        return opened

    def cut(self) -> None:
        """Lose the connection without a word."""
        self.connection.transport.abort()

    async def run(self) -> None:
        try:
            async for message in self.connection:
                await self._take(message)
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self.connection.close_code
            self._changed.set()

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            handle, body = decode_frame(message)
            self.frames.append((handle, body))
            opened = self.documents.get(handle)
            if self.is_automatic and opened is not None:
                for answer in opened.take(body):
                    await opened.send(answer)
        else:
            fact: Message = fact_codec.decode(message)
            self._note(fact)
            self.facts.append(fact)
        self._changed.set()

    def _note(self, fact: Message) -> None:
        if isinstance(fact, DocumentOpened):
            replica = self.replicas.setdefault(fact.document_id, ProjectDocument())
            opened = self.documents[Handle(fact.handle)] = Opened(self, fact, replica)
            replica.on_update = lambda update, is_local: opened.outgoing.append(update) if is_local else None
        elif isinstance(fact, DocumentClosed):
            self.documents.pop(Handle(fact.handle), None)


@asynccontextmanager
async def wire_client(url: str, *, is_automatic: bool = True, **options: Any) -> AsyncIterator[WireClient]:
    """Connect; nothing is sent yet. Leaving closes the connection with 1000."""
    async with (
        connect(url, compression=None, max_size=None, open_timeout=TIME_LIMIT_S, **options) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        client = WireClient(connection, is_automatic=is_automatic)
        reader = tasks.create_task(client.run(), name="wire client")
        try:
            yield client
        finally:
            await connection.close()
            await reader


@asynccontextmanager
async def signed_in_client(
    url: str, token: str | None, *, name: str = "Ada", **details: Any
) -> AsyncIterator[WireClient]:
    """Connect and sign in; a new user unless `user_id` says otherwise."""
    async with wire_client(url) as client:
        await client.sign_in(token, display_name=name, **({"user_id": str(uuid4())} | details))
        yield client


def signed_in_again(url: str, client: WireClient) -> AbstractAsyncContextManager[WireClient]:
    """Connect and sign in as the user of another client, beside it."""
    assert client.welcome is not None
    assert client.welcome.access_token is not None
    return signed_in_client(url, client.welcome.access_token, user_id=None)
