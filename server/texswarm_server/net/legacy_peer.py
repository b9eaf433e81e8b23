"""The wire of the first generation: JSON only, one text per document, sent whole after every change.

To the desk this driver is a client of protocol 2 with a replica for each document, so that roles, storing and
converging are decided where they are for everybody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from texswarm_server.document.main_file import MainFile, version_of
from texswarm_server.document.presence import PresenceData, PresenceEntry, decode_presence, encode_presence
from texswarm_server.net.peer import GOODBYES_OF_PROGRAMS, Desk, Peer
from texswarm_server.net.prepared_frame import Traffic, text_frame
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import DocumentError, ErrorCode, PositionError, RejectedError, RemoteProtocolError
from texswarm_server.protocol.frames import Acknowledged, Awareness, SyncStep1, SyncStep2, Update
from texswarm_server.protocol.ids import Handle, Lineage, SessionId, UserId
from texswarm_server.protocol.legacy import (
    DocumentList,
    DocumentSummary,
    DocumentUpdate,
    LegacyPresence,
    PresenceUpdate,
    TextEdit,
    decode_legacy,
)
from texswarm_server.protocol.link import REFUSAL, LinkPhase
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CreateDocument,
    DocumentClosed,
    DocumentCreated,
    DocumentOpened,
    Error,
    Fact,
    Heartbeat,
    Message,
    OpenDocument,
    Order,
)
from texswarm_server.protocol.messages import DocumentList as Listed
from texswarm_server.protocol.version import PROTOCOL_VERSION

_NEW: str = "initial"


@dataclass(eq=False, slots=True)
class _Open:
    """A document this client is in. `shown`: the text it was sent last, None while it has not asked for it.

    `is_new`: it was made by this client, who is told once its first content is stored.
    """

    document_id: str
    handle: Handle
    file: MainFile = field(default_factory=MainFile)
    shown: str | None = None
    is_new: bool = False
    is_refused: bool = False
    people: dict[int, PresenceData] = field(default_factory=dict)


class LegacyPeer(Peer):
    """A client of the first generation. `greeting` is its first message; it hears a heartbeat every `heartbeat_s`."""

    wire = "protocol_1"
    can_resume = False
    goodbyes = GOODBYES_OF_PROGRAMS

    def __init__(
        self,
        connection: PeerConnection,
        desk: Desk,
        greeting: Authentication,
        *,
        auth_timeout_s: float,
        heartbeat_s: float,
        wall_clock: Callable[[], float],
    ) -> None:
        super().__init__(connection, desk, auth_timeout_s=auth_timeout_s)
        self._greeting = greeting
        self._heartbeat_s = heartbeat_s
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self._heartbeat: asyncio.TimerHandle | None = None
        self._documents: dict[str, _Open] = {}
        self._by_handle: dict[Handle, _Open] = {}
        self._touched: set[_Open] = set()
        self._created: DocumentCreated | None = None

    # ── what the client says ────────────────────────────────────────────────────────────────────────────

    async def _begin(self) -> None:
        self._heartbeat = self._loop.call_later(self._heartbeat_s, self._beat)
        await self._sign_in(self._greeting)

    async def _take(self, message: str | bytes) -> None:
        try:
            order = decode_legacy(message)
        except RemoteProtocolError as error:
            self._send(Error(code=error.code, message=error.detail))
            return
        if isinstance(order, Authentication):
            await self._sign_in(order)
        elif isinstance(order, Heartbeat):
            return
        elif self.is_signed_in:
            await self._carry_out(order)
        else:
            self._send(Error(code=REFUSAL, message="sign in first"))

    async def _perform(self, order: Order) -> None:
        match order:
            case CreateDocument():
                await self._create(order)
            case OpenDocument():
                self._show(await self._open(order.document_id), is_asked=True)
            case TextEdit():
                await self._edit(order)
            case PresenceUpdate():
                await self._publish(order)
            case _:
                await self._desk.order(self, order)

    async def _sign_in(self, order: Authentication) -> None:
        """Sign in, or go on as the same user, or change to another one; documents stay open where they may."""
        was_signed_in, former = self.is_signed_in, list(self._documents.values())
        again = self.is_signed_in and order.user_id in {None, self._greeting.user_id}
        is_known = again and order.token == self._greeting.token
        if self.is_signed_in and not again:
            self._sign_off()
        asked = {
            "protocol": PROTOCOL_VERSION,
            "session_id": None,
            "user_id": None if again else order.user_id,
            "token": None if is_known else order.token,
        }
        self._greeting = order if not again else self._greeting
        await self._authenticate(msgspec.structs.replace(order, **asked))
        if was_signed_in and not self.is_signed_in:
            self._loop.call_later(self._auth_timeout_s, self._close_if_silent)
        for each in former if self.is_signed_in and not again else ():
            await self._carry_out(OpenDocument(document_id=each.document_id))

    def _sign_off(self) -> None:
        self._desk.lost(self, is_clean=True)
        self._phase = LinkPhase.GREETING
        self.session_id, self.is_confirmed = None, False
        self._documents.clear()
        self._by_handle.clear()

    async def _create(self, order: CreateDocument) -> None:
        await self._desk.order(self, order)
        created = self._created
        assert created is not None
        document = await self._open(created.document_id)
        if not document.file.is_empty:
            self._show(document, is_asked=True)
            return
        document.is_new = True
        update = document.file.initialise(created.title, Lineage(created.lineage))
        self._desk.frame(self, document.handle, Update(update))

    async def _open(self, document_id: str) -> _Open:
        """Return the document with everything the server has of it, opening it where it is not open."""
        if found := self._documents.get(document_id):
            return found
        await self._desk.order(self, OpenDocument(document_id=document_id))
        document = self._documents.get(document_id)
        if document is None:  # the connection ended meanwhile
            raise RejectedError(ErrorCode.DOCUMENT_RELOADED)
        self._desk.frame(self, document.handle, SyncStep1(document.file.state_vector()))
        return document

    async def _edit(self, order: TextEdit) -> None:
        document = await self._open(order.document_id)
        try:
            update = document.file.replace(order.start, order.end, order.content)
        except PositionError as error:
            raise RejectedError(ErrorCode.INVALID_OPERATION, str(error)) from error
        if update is None:
            return
        self._desk.frame(self, document.handle, Update(update))
        if document.is_refused:
            await self._open_anew(document)
        else:
            self._touch(document)

    async def _open_anew(self, document: _Open) -> None:
        """Forget a replica with an edit that nobody else has, and show the client what the document really says."""
        del self._documents[document.document_id], self._by_handle[document.handle]
        anew = await self._open(document.document_id)
        if document.shown is not None:
            self._show(anew, is_asked=True)

    async def _publish(self, order: PresenceUpdate) -> None:
        document = await self._open(order.document_id)
        entry = PresenceEntry(document.file.client_id, 1, document.file.state_of(order.presence))
        self._desk.frame(self, document.handle, Awareness(encode_presence([entry])))

    # ── what the desk says ──────────────────────────────────────────────────────────────────────────────

    def signed_in(self, session_id: SessionId, max_frame_bytes: int, user_id: UserId | None = None) -> None:
        """Accept orders from now on, with nothing open."""
        super().signed_in(session_id, max_frame_bytes, user_id)
        self._documents.clear()
        self._by_handle.clear()

    def _answer_refused(self, result: AuthenticationResult, close_code: CloseCode) -> None:  # noqa: ARG002
        """Say so; the connection stays, for another try before the time for signing in is over."""
        self._send(Error(code=ErrorCode.AUTH_FAILED, message=": ".join(filter(None, (result.code, result.message)))))

    def tell(self, fact: Fact) -> None:
        """Say what the first generation has words for."""
        match fact:
            case AuthenticationResult():
                text = f"Authentication successful for user {fact.user_id}"
                self._send(Error(code=ErrorCode.AUTH_SUCCESS, message=text))
            case Listed():
                self._send(self._list(fact))
            case DocumentCreated():
                self._created = fact
            case DocumentOpened():
                self._opened(fact)
            case DocumentClosed() if fact.code == ErrorCode.REMOVED:
                self._forget(fact)
            case DocumentClosed():
                self.shut(CloseCode.SERVICE_RESTART, fact.code)
            case Error():
                self._refused(fact)
            case _:
                pass

    def deliver(self, traffic: Traffic) -> None:
        """Take in what happened in a document; the client is shown the outcome once per turn of the loop."""
        document = self._by_handle.get(traffic.handle)
        if document is None:
            return
        match traffic.body:
            case SyncStep2(update) | Update(update):
                self._apply(document, update)
            case Acknowledged() if document.is_new:
                document.is_new = False
                document.shown = ""
                self._send(DocumentUpdate(document_id=document.document_id, content="", version=_NEW))
                self._touch(document)

    def deliver_presence(self, traffic: Traffic) -> None:
        """Say who is where, unless the client reads too slowly."""
        document = self._by_handle.get(traffic.handle)
        if document is None or not isinstance(traffic.body, Awareness):
            return
        entries = decode_presence(traffic.body.update)
        news = [self._note_presence(document, each) for each in entries if each.client_id != document.file.client_id]
        # all at once: of what is dropped one by one, a slow client would be told the first ones for ever
        self.outbox.write_presence(b"".join(news))

    def dismiss(self, close_code: CloseCode, code: str) -> None:
        """Say why, because this wire's clients do not look at close codes, and end the connection."""
        self._send(Error(code=code, message="the connection was ended by the server"))
        self.shut(close_code, code)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _opened(self, fact: DocumentOpened) -> None:
        document = _Open(fact.document_id, Handle(fact.handle))
        self._documents[fact.document_id] = self._by_handle[document.handle] = document

    def _forget(self, fact: DocumentClosed) -> None:
        """Leave a document that this user may not see any more."""
        self._documents.pop(fact.document_id, None)
        self._by_handle.pop(Handle(fact.handle), None)
        self._send(Error(code=fact.code, message=f"removed from the document {fact.document_id}"))

    def _apply(self, document: _Open, update: bytes) -> None:
        try:
            document.file.apply(update)
        except DocumentError as error:
            self.shut(CloseCode.SERVICE_RESTART, str(error))
        else:
            self._touch(document)

    def _touch(self, document: _Open) -> None:
        if not self._touched:
            self._loop.call_soon(self._show_touched)
        self._touched.add(document)

    def _show_touched(self) -> None:
        touched, self._touched = self._touched, set()
        for document in touched:
            if document.shown is not None and self._by_handle.get(document.handle) is document:
                self._show(document)

    def _show(self, document: _Open, *, is_asked: bool = False) -> None:
        text = document.file.text
        if text == document.shown and not is_asked:
            return
        is_first, document.shown = document.shown is None, text
        self._send(DocumentUpdate(document_id=document.document_id, content=text, version=version_of(text)))
        if is_first:
            people = [
                self._presence_frame(document, document.file.presence_of(each)) for each in document.people.values()
            ]
            self.outbox.write_presence(b"".join(people))

    def _note_presence(self, document: _Open, entry: PresenceEntry) -> bytes:
        """Remember where somebody is, and return the frame that tells it; empty where there is nothing to tell."""
        gone = document.people.pop(entry.client_id, None)
        if entry.state is not None:
            document.people[entry.client_id] = entry.state
        if document.shown is None or (entry.state is None and gone is None):
            return b""
        presence = document.file.presence_of(entry.state or gone or {})
        if entry.state is None:
            presence = msgspec.structs.replace(presence, is_active=False, cursor_position=None, selection=None)
        return self._presence_frame(document, presence)

    def _presence_frame(self, document: _Open, presence: LegacyPresence) -> bytes:
        stamped = msgspec.structs.replace(presence, last_activity=self._now())
        return text_frame(PresenceUpdate(document_id=document.document_id, presence=stamped))

    def _refused(self, error: Error) -> None:
        document = None if error.handle is None else self._by_handle.get(Handle(error.handle))
        if document is not None and error.code != ErrorCode.STORAGE_UNAVAILABLE:
            document.is_refused = True
        self._send(Error(code=error.code, message=error.message or error.code))

    def _refuse(self, order: Order, code: str, message: str) -> None:
        if code == ErrorCode.DOCUMENT_NOT_FOUND:
            message = f"Document branch not found: {getattr(order, 'document_id', '')}"
        self._send(Error(code=code, message=message or code))

    def _list(self, listed: Listed) -> DocumentList:
        return DocumentList(
            documents=[
                DocumentSummary(
                    id=each.id,
                    title=each.title,
                    owner=each.owner,
                    updated_at=_rfc3339(each.updated_at),
                    active_collaborators=each.active_collaborators,
                )
                for each in listed.documents
            ]
        )

    def _send(self, message: Message) -> None:
        self.outbox.write(text_frame(message))

    def _now(self) -> str:
        return _rfc3339(self._wall_clock())

    def _beat(self) -> None:
        self._send(Heartbeat(timestamp=self._now()))
        self._heartbeat = self._loop.call_later(self._heartbeat_s, self._beat)

    def _end(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        super()._end()


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
