"""Signing in and staying signed in: connections, sessions and tokens, joined to storage."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from typing import cast

from texswarm_server.audit_feed import AuditFeed
from texswarm_server.config import ServerConfig
from texswarm_server.doorkeeper import DoorKeeper
from texswarm_server.net.peer import Peer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError, TexSwarmError
from texswarm_server.protocol.ids import DocumentId, SessionId, UserId
from texswarm_server.protocol.messages import (
    Authentication,
    OpenDocument,
    RoleName,
)
from texswarm_server.protocol.version import PROTOCOL_VERSION
from texswarm_server.record_care import RecordCare
from texswarm_server.resumption import Resumption
from texswarm_server.rooms.member import Profile
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.administration import close_session, revoke_sign_in
from texswarm_server.sessions.arrival import Arrival
from texswarm_server.sessions.audit import SERVER, AuditAction, AuditEntry
from texswarm_server.sessions.credentials import RandomBytes, new_uuid
from texswarm_server.sessions.document_access import DocumentAccess
from texswarm_server.sessions.idle_watch import IdleWatch
from texswarm_server.sessions.records import ListedDocument, Records, StoredPlace, StoredSession
from texswarm_server.sessions.registry import Attachment, Session, SessionRegistry
from texswarm_server.sessions.sign_in import SignedIn, SignIn
from texswarm_server.sign_in_refusals import SignInRefusals
from texswarm_server.storage.store import Store, log_failure
from texswarm_server.stored_sessions import StoredSessions
from texswarm_server.welcome import Guest, Welcome

_logger = logging.getLogger(__name__)

_CLIENT_CHARS = 80


class FrontDesk:
    """Invariant: a peer in `guests` is the connection of its session."""

    def __init__(
        self,
        store: Store,
        documents: OpenDocuments,
        tokens: AccessTokens,
        access: DocumentAccess,
        config: ServerConfig,
        *,
        random: RandomBytes,
        wall_clock: Callable[[], float],
    ) -> None:
        self._access = access
        self._store = store
        self._documents = documents
        self._welcome = Welcome(tokens, config, wall_clock=wall_clock)
        self._config = config
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self.rules = SignIn(
            tokens,
            random,
            is_open=config.open,
            refresh_idle_s=config.refresh_idle_s,
            max_name_chars=config.limits.max_name_chars,
        )
        self._registry = SessionRegistry(
            grace_s=config.grace_s,
            brief_grace_s=config.presence_grace_s,
            max_per_user=config.limits.max_sessions_per_user,
            new_id=lambda: SessionId(new_uuid(random)),
        )
        self._resumption = Resumption(self._registry, documents)
        self._stored = StoredSessions(store)
        self._guests: dict[Peer, Guest] = {}
        self._idle_watch: IdleWatch[Peer] = IdleWatch(config.idle_s, heard_at=lambda peer: peer.heard_at)
        self.doorkeeper = DoorKeeper(documents, self.peers_of, patience_s=config.lobby_s, wall_clock=wall_clock)
        self.feed = AuditFeed(store, self.apply)
        self._refusals = SignInRefusals(store, wall_clock=wall_clock, on_revoked=self.feed.follow)
        self._care = RecordCare(
            store, tokens, config, random=random, wall_clock=wall_clock, on_keys_dropped=self._renew_all_tokens
        )

    @property
    def session_counts(self) -> dict[str, int]:
        """How many sessions are attached, and how many detached."""
        attached = self._registry.attached_count
        return {"attached": attached, "detached": len(self._registry) - attached}

    def is_serving(self, session_id: str | None) -> bool:
        """Tell whether a connection serves this session now."""
        session = self._registry.find(SessionId(session_id)) if session_id else None
        return session is not None and session.is_attached

    async def restore(self) -> None:
        """Take in the sessions of before a restart, and act on changes of access from now on."""
        await self.feed.start()
        now, wall = self._loop.time(), self._wall_clock()
        sessions, places = await self._store.run(partial(self._take_stock, now=wall))
        for stored in sessions:
            session = Session(stored.session_id, stored.user_id, stored.grant_id, wire=stored.wire)
            away_s = 0.0 if stored.detached_at is None else wall - stored.detached_at
            self._registry.restore(session, now=now, remaining_s=self._registry.grace_s(stored.wire) - away_s)
            self._refusals.forgive(stored.address, stored.user_id)
        for place in places:
            away_s = 0.0 if place.detached_at is None else max(wall - place.detached_at, 0.0)
            self._documents.restore(_shown(place), place.document_id, self._config.presence_grace_s - away_s)

    def guest(self, peer: Peer) -> Guest:
        """Return who is signed in at `peer`."""
        return self._guests[peer]

    def guests_of(self, user_id: UserId) -> list[Guest]:
        """Return every connection of a user."""
        peers = [session.connection for session in self._registry.sessions_of(user_id)]
        return [self._guests[peer] for peer in peers if isinstance(peer, Peer) and peer in self._guests]

    def peers_of(self, user_id: UserId) -> list[Peer]:
        """Return the connections of a user."""
        return [guest.peer for guest in self.guests_of(user_id)]

    async def authenticate(self, peer: Peer, message: Authentication) -> Sequence[OpenDocument]:
        """Answer an `Authentication`, and return what it asks to open and is not open yet.

        One that is refused ends the connection.
        """
        guest = self._guests.get(peer)
        named = message.user_id if guest is None else guest.user_id
        try:
            if message.protocol != PROTOCOL_VERSION:
                raise RejectedError(ErrorCode.PROTOCOL_UNSUPPORTED, f"this server speaks {PROTOCOL_VERSION}")
            self._refusals.check(peer, named)
            if peer.is_signed_in:
                await self._renew(peer, message)
            else:
                return await self._admit(peer, message)
        except TexSwarmError as error:
            if not isinstance(error, RejectedError):
                _logger.warning("a sign-in failed: %s", error)
            self._refusals.refuse(peer, message, error, named)
        return ()

    def enter(self, guest: Guest, order: OpenDocument, found: ListedDocument) -> None:
        """Let a guest who is still here into a loaded document that was found to be theirs; raises RejectedError."""
        user, peer = guest.signed_in.user, guest.peer
        profile = Profile(
            session_id=guest.session.session_id,
            user_id=user.user_id,
            display_name=user.display_name,
            color=user.color,
            role=found.role,
            is_forgetful=peer.forgets_presence,
        )
        self._documents.open(peer, profile, found.record, order)
        knocks = self.doorkeeper.knocks(found.record.document_id)
        if found.role == "owner" and knocks.knocks:
            peer.tell(knocks)

    def guarding(self, peer: Peer) -> AbstractContextManager[None]:
        """Return what slows down a signed-in peer who guesses while it shows a secret; raises RejectedError."""
        return self._refusals.guarding(peer, self._guests[peer].user_id)

    async def sign_out(self, peer: Peer) -> None:
        """Revoke what `peer` signed in with and end its session; raises StorageError."""
        guest = self._guests[peer]
        grant_id = guest.signed_in.grant_id
        await self._store.run(
            partial(
                revoke_sign_in,
                actor=guest.user_id,
                grant_id=grant_id,
                action=AuditAction.SIGNED_OUT,
                now=self._wall_clock(),
                address=peer.address,
            )
        )
        if self._let_go(peer) is None:
            return
        self.doorkeeper.left(guest.user_id)
        self._documents.leave_all(guest.session.session_id)
        self._registry.end(guest.session.session_id)
        self._stored.forget([guest.session])
        self.feed.follow()

    def confirm(self, peer: Peer) -> None:
        """Note a sign of life after the sign-in: the tokens have arrived."""
        guest = self._guests.get(peer)
        peer.is_confirmed = True
        if guest and (guest.signed_in.taken_back_by or not guest.signed_in.user.is_confirmed):
            confirm = partial(_confirm, user_id=guest.user_id, taken_back_by=guest.signed_in.taken_back_by)
            user = replace(guest.signed_in.user, is_confirmed=True)
            guest.signed_in = replace(guest.signed_in, user=user, taken_back_by="")
            self._store.run(confirm).add_done_callback(log_failure)

    def lost(self, peer: Peer, *, is_clean: bool) -> None:
        """Note that `peer` is gone; its session waits for the next connection.

        A client that cannot name its session may come back as its user, unless it said goodbye or is back already.
        """
        guest = self._let_go(peer)
        if guest is None:
            return
        if is_clean and peer.can_resume and not self.guests_of(guest.user_id):
            self.doorkeeper.left(guest.user_id)
        session_id = guest.session.session_id
        if not self._registry.detach(session_id, peer, self._loop.time()):
            return
        is_over = not peer.can_resume and (is_clean or self._is_back(guest))
        if is_clean or is_over:
            self._documents.leave_all(session_id)
        else:
            self._documents.lose(session_id)
        if is_over:
            self._registry.end(session_id)
            self._stored.forget([guest.session])
            return
        self._stored.detach(guest.session, self._wall_clock())

    def apply(self, entry: AuditEntry) -> None:
        """Act on a change of access where the people concerned are connected or may come back."""
        sessions = self._registry.sessions_of(UserId(entry.user_id))
        document_id = DocumentId(entry.document_id)
        match entry.action:
            case AuditAction.ROLE_CHANGED:
                role = cast("RoleName", entry.role)
                for session in sessions:
                    self._documents.change_role(session.session_id, document_id, role)
                self.doorkeeper.admitted(UserId(entry.user_id), document_id, role)
            case AuditAction.MEMBER_REMOVED | AuditAction.MEMBER_BANNED:
                for session in sessions:
                    self._documents.expel(session.session_id, document_id)
                self.doorkeeper.left(UserId(entry.user_id), ErrorCode.APPROVAL_DECLINED, document_id)
            case AuditAction.MEMBER_UNBANNED if self._config.open:
                for session in sessions:
                    self._documents.change_role(session.session_id, document_id, "editor")
            case AuditAction.USER_REMOVED:
                self.doorkeeper.left(UserId(entry.user_id), ErrorCode.REMOVED)
                self._dismiss(sessions, CloseCode.FORBIDDEN, ErrorCode.REMOVED)
            case AuditAction.TOKENS_REVOKED:
                self._dismiss(sessions, CloseCode.TOKEN_INVALID, ErrorCode.TOKEN_REVOKED)
            case AuditAction.TOKEN_REUSED | AuditAction.SIGNED_OUT:
                of_it = [session for session in sessions if session.grant_id == entry.reference]
                self._dismiss(of_it, CloseCode.TOKEN_INVALID, ErrorCode.TOKEN_REVOKED)
            case AuditAction.SESSION_CLOSED:
                meant = [session for session in sessions if session.session_id == entry.reference]
                self._dismiss(meant, CloseCode.SESSION_ENDED, entry.detail or entry.action)
            case AuditAction.KEY_ROTATED:
                self._care.use_newest_key()
            case _:
                pass

    def record_changes(self) -> None:
        """Have storage forget what it refused to forget so far, before a server stops say."""
        self._stored.try_again()

    def tick(self, now: float) -> None:
        """Expire sessions whose grace period is over, and what else grows old."""
        self._care.tick(now)
        self.record_changes()
        self._end_idle_sessions(now)
        self.doorkeeper.tick(now)
        expired = self._registry.expire(now)
        for session in expired:
            self._documents.leave_all(session.session_id)
        if expired:
            self._stored.forget(expired)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _take_stock(self, records: Records, now: float) -> tuple[list[StoredSession], list[StoredPlace]]:
        """Return the sessions of before, and where they are let in; those that were attached are detached now."""
        records.detach_sessions(now)
        roles = [
            (place, place.role or self._access.role(records, place.user_id, place.document_id))
            for place in records.places()
        ]
        lost = [(place.session_id, place.document_id) for place, role in roles if role is None]
        records.remove_places(lost)
        return records.sessions(), [replace(place, role=role) for place, role in roles if role is not None]

    def _let_go(self, peer: Peer) -> Guest | None:
        """Forget who is signed in at `peer`, and return them; None where that happened already."""
        guest = self._guests.pop(peer, None)
        if guest is not None:
            guest.stop_renewal()
            self._idle_watch.end(peer)
        return guest

    def _dismiss(self, sessions: list[Session], close_code: CloseCode, code: str) -> None:
        """End sessions for good, with the connections that serve them."""
        for session in sessions:
            self._registry.end(session.session_id)
            self._documents.leave_all(session.session_id)
            peer = session.connection
            if isinstance(peer, Peer):
                self._let_go(peer)
                peer.dismiss(close_code, code)
        if sessions:
            self._stored.forget(sessions)

    def _end_idle_sessions(self, now: float) -> None:
        for peer in self._idle_watch.idle(now):
            session_id, wall = self._guests[peer].session.session_id, self._wall_clock()
            close = partial(close_session, actor=SERVER, session_id=session_id, now=wall, detail="idle")
            self._store.run(close).add_done_callback(log_failure)

    async def _admit(self, peer: Peer, message: Authentication) -> Sequence[OpenDocument]:
        if self._resumption.gives_way(peer, message):
            return ()
        arrival = Arrival(self._wall_clock(), peer.address, (message.client or peer.wire)[:_CLIENT_CHARS])
        expected = self._resumption.expected(peer, message)
        signed_in, found = await self._store.run(
            partial(
                self._sign_in,
                message=message,
                arrival=arrival,
                expected=expected,
                at_once=[
                    each for each in _asked(peer, message) if self._documents.is_loaded(DocumentId(each.document_id))
                ],
                is_tokenless=not peer.can_resume,
            )
        )
        self._refusals.forgive(peer.address, signed_in.user.user_id)
        attachment = self._attach(peer, message, signed_in, expected)
        if attachment is None:
            return ()
        if signed_in.knock is not None:
            self.doorkeeper.knock(signed_in.user, signed_in.knock)
        session = attachment.session
        guest = self._guests[peer] = Guest(peer, signed_in, session, arrival)
        self._idle_watch.begin(peer)
        self._clear_the_way(attachment)
        self._documents.arrive(session.session_id, peer)
        if expected is None or session.session_id != expected.session_id:
            await self._store.run(partial(arrival.note, session=session))
            found = {}  # access may have changed meanwhile
        if self._guests.get(peer) is not guest or peer.is_closed:
            return ()
        peer.signed_in(session.session_id, self._config.limits.max_frame_bytes, guest.user_id)
        with peer.outbox.together():
            asked = _asked(peer, message)
            is_resumed = attachment.is_resumed
            peer.tell(self._welcome.words(guest, message, is_resumed=is_resumed, documents_follow=bool(asked)))
            return [each for each in asked if not self._enter_at_once(guest, each, found)]

    def _enter_at_once(self, guest: Guest, order: OpenDocument, found: Mapping[str, ListedDocument]) -> bool:
        """Let a guest into a document where that needs no waiting."""
        document = found.get(order.document_id)
        if document is None or not self._documents.is_loaded(document.record.document_id):
            return False
        try:
            self.enter(guest, order, document)
        except RejectedError:
            return False  # and asked for again it is told why
        return True

    def _is_back(self, guest: Guest) -> bool:
        """Whether the client of a connection that is lost seems to have made another one since it was heard last."""
        peer = guest.peer
        since = [each.peer for each in self.guests_of(guest.user_id) if each.peer.opened_at >= peer.heard_at]
        return any((each.wire, each.document_id) == (peer.wire, peer.document_id) for each in since)

    def _sign_in(
        self,
        records: Records,
        *,
        message: Authentication,
        arrival: Arrival,
        expected: Session | None,
        at_once: Sequence[OpenDocument],
        is_tokenless: bool,
    ) -> tuple[SignedIn, Mapping[str, ListedDocument]]:
        """Decide in a transaction who sent `message`, and note their arrival where their session is known already.

        Returns also what they may open of what they ask for at once, where their places are stored.
        """
        signed_in = self.rules.sign_in(records, message, arrival.at, address=arrival.address, is_tokenless=is_tokenless)
        user_id = signed_in.user.user_id
        found: dict[str, ListedDocument] = {}
        if expected is None or not self._resumption.fits(expected, user_id):
            return signed_in, found
        arrival.note(records, replace(expected, user_id=user_id, grant_id=signed_in.grant_id))
        for order in at_once[: self._config.limits.max_open_documents]:
            with suppress(RejectedError):
                found[order.document_id] = self._access.admit(records, user_id, order, expected.session_id)
        return signed_in, found

    def _attach(
        self, peer: Peer, message: Authentication, signed_in: SignedIn, expected: Session | None
    ) -> Attachment | None:
        """Give a peer that is still there its session; raises RejectedError. One noted for nothing is forgotten."""
        try:
            return self._resumption.attach(peer, message, signed_in, expected)
        finally:
            if expected is not None and self._registry.find(expected.session_id) is None:
                self._stored.forget([expected])

    def _clear_the_way(self, attachment: Attachment) -> None:
        """Close the connection that held the session, and end sessions that had to make room."""
        old = attachment.replaced
        if isinstance(old, Peer):
            self._let_go(old)
            self._documents.lose(attachment.session.session_id)
            old.shut(CloseCode.REPLACED, "the session goes on in a newer connection")
        for session in attachment.ended:
            self._documents.leave_all(session.session_id)
        if attachment.ended:
            self._stored.forget(attachment.ended)

    async def _renew(self, peer: Peer, message: Authentication) -> None:
        guest = self._guests[peer]
        now = self._wall_clock()
        renewed = await self._store.run(
            lambda records: self.rules.renew(
                records,
                message,
                now,
                guest.signed_in,
                address=peer.address,
                is_tokenless=not peer.can_resume,
            )
        )
        if self._guests.get(peer) is not guest:
            return
        if renewed.knock is not None:
            self.doorkeeper.knock(renewed.user, renewed.knock)
        guest.signed_in = renewed
        guest.session.grant_id = renewed.grant_id
        user = renewed.user
        for each in self.guests_of(user.user_id):
            self._documents.describe(each.session.session_id, user.display_name, user.color)
        peer.tell(self._welcome.words(guest, message, is_resumed=True))
        self.feed.follow()

    def _renew_all_tokens(self) -> None:
        """Give everybody another token at once: that which they hold may not be accepted any more."""
        for guest in list(self._guests.values()):
            if guest.peer.is_signed_in:
                self._welcome.renew(guest)


def _asked(peer: Peer, message: Authentication) -> Sequence[OpenDocument]:
    """Return what a client wants to open with its sign-in; only one that reads frames has the words for that."""
    return message.open if peer.takes_frames else ()


def _shown(place: StoredPlace) -> Profile:
    """Return what others are shown of somebody who was in a document before a restart."""
    assert place.role is not None
    return Profile(
        session_id=place.session_id,
        user_id=place.user_id,
        display_name=place.display_name,
        color=place.color,
        role=place.role,
    )


def _confirm(records: Records, user_id: UserId, taken_back_by: str) -> None:
    if user := records.find_user(user_id):
        records.put_user(replace(user, is_confirmed=True))
    if taken_back_by:
        records.settle_registration(taken_back_by, user_id)
