"""What is said over one connection: signing in, orders and their answers, and traffic of documents sorted to each.

No sockets and no tasks: frames come in by `received` and go out by the driver's `send`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from texswarm_desktop.client.document_sync import DocumentSync
from texswarm_desktop.client.events import (
    DocumentsProgressed,
    KeyPressed,
    LinkEvent,
    SignedIn,
    SignInRefused,
    TransportLost,
)
from texswarm_desktop.client.ports import Credentials, ReplicaPort
from texswarm_desktop.client.states import Authenticating, LinkState, Live, Rung, StopCode, Syncing, Waiting
from texswarm_desktop.client.timing import TOKEN_MARGIN_S
from texswarm_server import __version__
from texswarm_server.protocol.codec import encode, fact_codec
from texswarm_server.protocol.errors import (
    ErrorCode,
    LinkLostError,
    RejectedError,
    RemoteProtocolError,
    error_from_code,
)
from texswarm_server.protocol.frames import decode_frame
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    BlobReceived,
    BlobStored,
    BlobsWanted,
    CloseDocument,
    DocumentClosed,
    DocumentOpened,
    DocumentShared,
    Error,
    Fact,
    KnockAnswered,
    KnockList,
    Message,
    OfferBlobs,
    OpenDocument,
    Order,
    Participants,
    ParticipantsChanged,
    RoleChanged,
    TokenRenewed,
)
from texswarm_server.protocol.version import PROTOCOL_VERSION, Limits

logger = logging.getLogger(__name__)

#: How much a first message may ask to open; servers take 64 KiB from who has not signed in, and tokens are in it too.
_ROOM_AHEAD_BYTES: Final = 32 * 1024
#: What servers of the first generation answer to every sign-in.
_FIRST_GENERATION: Final = frozenset({ErrorCode.AUTH_SUCCESS, ErrorCode.AUTH_FAILED})


FactListener = Callable[[Fact], None]
"""Hears what a server tells of its own accord about who comes in; called on the loop."""


class DriverPort(Protocol):
    """The driver as the session sees it."""

    @property
    def state(self) -> LinkState:
        """How the connection stands."""

    def post(self, event: LinkEvent) -> None:
        """Tell the machine what happened."""

    def send(self, frame: str | bytes) -> None:
        """Hand a frame to the current link."""


class Session:
    """One user's talk with one server, across all its links.

    Invariant: every request that waits for an answer ends, at the latest with its link.
    """

    driver: DriverPort

    def __init__(
        self, credentials: Credentials, *, clock: Callable[[], float], wall_clock: Callable[[], float]
    ) -> None:
        self.welcome: AuthenticationResult | None = None
        self._credentials = credentials
        self._clock, self._wall_clock = clock, wall_clock
        self._documents: dict[str, DocumentSync] = {}
        self._by_handle: dict[int, DocumentSync] = {}
        self._requests: dict[int, asyncio.Future[Fact]] = {}
        self._openings: dict[int, str] = {}
        self._offers: dict[int, str] = {}
        self._last_request = 0
        self._fact_listeners: list[FactListener] = []

    # ── for the connection ──────────────────────────────────────────────────────────────────────────────

    def add(self, replica: ReplicaPort) -> DocumentSync:
        """Open a document, now if signed in, and on every link from here on."""
        assert replica.document_id not in self._documents, "a document is added once"
        sync = DocumentSync(replica, clock=self._clock, on_edit=self._on_edit)
        self._documents[replica.document_id] = sync
        if self._is_signed_in:
            sync.link_up(self)
            self.document_settled()
        return sync

    def remove(self, document_id: str) -> None:
        """Leave a document; unknown ones are left already."""
        sync = self._documents.pop(document_id, None)
        if sync is not None:
            self._by_handle = {handle: other for handle, other in self._by_handle.items() if other is not sync}
            sync.leave()
            self.document_settled()

    async def request(self, order: Order) -> Fact:
        """Send an order and return its answer; raises RejectedError or LinkLostError."""
        if not self._is_signed_in:
            raise LinkLostError("not signed in")
        number = self._next_request()
        future: asyncio.Future[Fact] = asyncio.get_running_loop().create_future()
        self._requests[number] = future
        self._say(msgspec.structs.replace(order, request=number))
        try:
            return await future
        finally:
            self._requests.pop(number, None)

    async def describe(self, name: str, color: str) -> None:
        """Be shown under another name and colour, now and after every sign-in; raises LinkLostError."""
        who = self._credentials
        who.describe(name, color)
        order = Authentication(
            protocol=PROTOCOL_VERSION, user_id=who.user_id, display_name=who.display_name, color=who.color
        )
        answer = await self.request(order)
        if isinstance(answer, AuthenticationResult) and answer.ok:
            self.welcome = answer
            self._credentials.signed_in(answer)

    def listen(self, listener: FactListener) -> Callable[[], None]:
        """Call `listener` with what the server tells of its own accord about who comes in; returns the way out."""
        self._fact_listeners.append(listener)
        return lambda: self._fact_listeners.remove(listener)

    # ── for documents (DocumentLink) ────────────────────────────────────────────────────────────────────

    @property
    def limits(self) -> Limits:
        """What the server allows; this version's own limits until it has told."""
        return (self.welcome and self.welcome.limits) or Limits()

    def send_order(self, order: Order, document_id: str) -> None:
        """Send an order of a document."""
        number = self._next_request()
        if isinstance(order, OpenDocument):
            self._openings[number] = document_id
        elif isinstance(order, OfferBlobs):
            self._offers[number] = document_id
        self._say(msgspec.structs.replace(order, request=number))

    def send_frame(self, frame: bytes) -> None:
        """Send a binary frame."""
        self.driver.send(frame)

    def document_settled(self) -> None:
        """Count the settled documents anew."""
        if self._is_signed_in:
            done = sum(sync.is_settled for sync in self._documents.values())
            self.driver.post(DocumentsProgressed(self.driver.state.generation, done, len(self._documents)))

    def give_up(self, reason: str) -> None:
        """Treat the link as lost."""
        self.driver.post(TransportLost(self.driver.state.generation, reason=reason))

    # ── for the driver (SessionPort) ────────────────────────────────────────────────────────────────────

    def rungs(self) -> tuple[Rung, ...]:
        """Return the credentials worth showing, best first."""
        who = self._credentials
        expires_at = who.access_expires_at
        is_fresh = expires_at is None or expires_at - TOKEN_MARGIN_S > self._wall_clock()
        ladder = (
            (Rung.ACCESS, who.access_token if is_fresh else None),
            (Rung.REFRESH, who.refresh_token),
            (Rung.INVITE, who.invite),
        )
        return tuple(rung for rung, token in ladder if token) or (Rung.OPEN,)

    async def prepare(self) -> None:
        """See what other windows have done with the sign-in, and whether it can be looked at by now."""
        first = self.rungs()[0]
        if first is Rung.REFRESH or (first is Rung.OPEN and self._credentials.is_shut):
            await self._credentials.catch_up()

    def sign_in(self, rung: Rung) -> None:
        """Say who is there, and ask for the session of before."""
        who = self._credentials
        tokens = {
            Rung.ACCESS: who.access_token,
            Rung.REFRESH: who.refresh_token,
            Rung.INVITE: who.invite,
        }
        self._say(
            Authentication(
                protocol=PROTOCOL_VERSION,
                token=tokens.get(rung),
                user_id=who.user_id,
                display_name=who.display_name,
                color=who.color,
                session_id=who.session_id,
                client=f"texswarm-desktop/{__version__}",
                open=tuple(self._ask_ahead()),
            )
        )

    def forget(self, rung: Rung, code: str) -> None:
        """Throw a credential away."""
        self._credentials.refused(rung, code)

    def open_documents(self) -> None:
        """Open every document on the new link that the sign-in has not asked for."""
        asked = set(self._openings.values())
        for document_id, sync in self._documents.items():
            sync.link_up(self, is_asked=document_id in asked)

    def lose_documents(self) -> None:
        """Tell everybody who counts on the link."""
        self.welcome = None
        self._by_handle.clear()
        self._openings.clear()
        self._offers.clear()
        for sync in self._documents.values():
            sync.link_lost()
        for future in self._requests.values():
            if not future.done():
                future.set_exception(LinkLostError("the link was lost before the answer came"))

    def received(self, frame: str | bytes) -> None:
        """Take in a frame of the current link; raises RemoteProtocolError when it is nonsense."""
        if isinstance(frame, bytes):
            handle, body = decode_frame(frame)
            sync = self._by_handle.get(handle)
            if sync is not None:
                sync.receive(body)
            return
        try:
            message = fact_codec.decode(frame)
        except RemoteProtocolError as error:
            if error.code != ErrorCode.UNKNOWN_MESSAGE:
                raise
            logger.debug("passed over: %s", error)
            return
        self._hear(message)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_signed_in(self) -> bool:
        return isinstance(self.driver.state, (Syncing, Live))

    def _ask_ahead(self) -> Iterator[OpenDocument]:
        """Yield what to open with the sign-in, as far as it fits into a first message; the rest is opened after it.

        Only who comes again opens ahead: a sign-in that was given up and arrives late after all shows by its session.
        """
        self._openings.clear()
        if self._credentials.session_id is None:
            return
        room_bytes = _ROOM_AHEAD_BYTES
        for document_id, sync in self._documents.items():
            order = msgspec.structs.replace(sync.opening(), request=self._next_request())
            room_bytes -= len(encode(order))
            if room_bytes < 0:
                return
            assert order.request is not None
            self._openings[order.request] = document_id
            yield order

    def _hear(self, message: Message) -> None:
        match message:
            case AuthenticationResult() | Error() if isinstance(self.driver.state, Authenticating):
                self._on_verdict(message)
            case Error():
                self._on_error(message)
            case TokenRenewed():
                self._credentials.renewed(message)
            case BlobsWanted() | BlobReceived() | BlobStored():
                self._on_blob_fact(message)
            case DocumentOpened() | DocumentClosed() | Participants() | ParticipantsChanged() | RoleChanged():
                self._on_document_fact(message)
            case DocumentShared():
                if sync := self._documents.get(message.document_id):
                    sync.shared()
            case Fact(request=number) if number is not None:
                self._answer(number, message)
            case KnockList() | KnockAnswered():
                for listener in tuple(self._fact_listeners):
                    listener(message)
            case _:
                logger.debug("passed over: %s", type(message).__name__)

    def _on_verdict(self, message: AuthenticationResult | Error) -> None:
        if isinstance(message, AuthenticationResult):
            self._on_authentication_result(message)
            return
        code = StopCode.SERVER_TOO_OLD if message.code in _FIRST_GENERATION else message.code
        self.driver.post(SignInRefused(self.driver.state.generation, code, message.message))

    def _on_document_fact(
        self, message: DocumentOpened | DocumentClosed | Participants | ParticipantsChanged | RoleChanged
    ) -> None:
        if isinstance(message, DocumentOpened):
            self._on_document_opened(message)
            return
        sync = self._by_handle.get(message.handle)
        if sync is None:
            return
        match message:
            case Participants(participants=participants, more=more):
                sync.participants_told(participants, more=more)
            case ParticipantsChanged(participants=participants, gone=gone, more=more):
                sync.participants_changed(participants, gone, more=more)
            case RoleChanged(role=role):
                sync.role_changed(role)
            case DocumentClosed():
                del self._by_handle[message.handle]
                sync.document_closed(message)

    def _on_blob_fact(self, message: BlobsWanted | BlobReceived | BlobStored) -> None:
        if message.request is not None:
            self._offers.pop(message.request, None)
        sync = self._by_handle.get(message.handle)
        if sync is not None and sync.blobs is not None:
            sync.blobs.hear(message)

    def _on_authentication_result(self, result: AuthenticationResult) -> None:
        generation = self.driver.state.generation
        if result.ok:
            self.welcome = result
            self._credentials.signed_in(result)
            if not result.documents_follow:
                self._openings.clear()
            self.driver.post(SignedIn(generation, len(self._documents)))
            return
        code: str = result.code or ErrorCode.AUTHENTICATION_REQUIRED
        if code == ErrorCode.PROTOCOL_UNSUPPORTED and result.protocol < PROTOCOL_VERSION:
            code = StopCode.SERVER_TOO_OLD
        if code == ErrorCode.TOKEN_MISSING and self._credentials.is_shut:
            code = StopCode.KEY_RING_SHUT
        self.driver.post(SignInRefused(generation, code, result.message or "", result.retryable, result.retry_after_s))

    def _on_document_opened(self, fact: DocumentOpened) -> None:
        if fact.request is not None:
            self._openings.pop(fact.request, None)
        sync = self._documents.get(fact.document_id)
        if sync is not None:
            self._by_handle[fact.handle] = sync
            sync.document_opened(fact)
        elif fact.request is not None:  # it was left before the answer came
            self._say(CloseDocument(handle=fact.handle))

    def _on_error(self, message: Error) -> None:
        error = error_from_code(message.code, message.message)
        document_id = self._openings.pop(message.request, None) if message.request is not None else None
        if message.request in self._requests:
            self._refuse(message.request, error)
        elif document_id is not None:
            if sync := self._documents.get(document_id):
                sync.order_refused(error)
        elif message.request is not None and message.request in self._offers:
            self._on_offer_refused(self._offers.pop(message.request), error)
        elif message.blob is not None:
            self._on_blob_refused(message, message.blob)
        elif message.handle is not None and (sync := self._by_handle.get(message.handle)):
            sync.frame_refused(error)
        elif message.handle is not None and message.code == ErrorCode.HANDLE_UNKNOWN:
            logger.debug("a frame crossed the closing of its document: handle %d", message.handle)
        else:
            logger.warning("the server refused something: %s", error)

    def _on_offer_refused(self, document_id: str, error: RejectedError) -> None:
        sync = self._documents.get(document_id)
        if sync is not None and sync.blobs is not None:
            sync.blobs.offer_refused(error.code)

    def _on_blob_refused(self, message: Error, blob_hash: str) -> None:
        sync = self._by_handle.get(message.handle) if message.handle is not None else None
        if sync is not None and sync.blobs is not None:
            sync.blobs.refused(blob_hash, message.code)

    def _answer(self, number: int, fact: Fact) -> None:
        future = self._requests.get(number)
        if future is not None and not future.done():
            future.set_result(fact)

    def _refuse(self, number: int, error: RejectedError) -> None:
        future = self._requests[number]
        if not future.done():
            future.set_exception(error)

    def _next_request(self) -> int:
        self._last_request += 1
        return self._last_request

    def _say(self, order: Order) -> None:
        self.driver.send(encode(order))

    def _on_edit(self) -> None:
        if isinstance(self.driver.state, Waiting):
            self.driver.post(KeyPressed())
