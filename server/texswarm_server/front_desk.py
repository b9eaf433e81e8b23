"""Signing in and staying signed in: connections, sessions and tokens, joined to storage."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from texswarm_server import __version__
from texswarm_server.config import ServerConfig
from texswarm_server.net.peer import Peer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import (
    ErrorCode,
    RejectedError,
    StorageError,
    TexSwarmError,
    Verdict,
    code_of,
    code_verdict,
)
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, ServerInfo, TokenRenewed
from texswarm_server.protocol.version import PROTOCOL_VERSION
from texswarm_server.sessions.access_tokens import RENEWAL_SHARE, AccessTokens
from texswarm_server.sessions.credentials import RandomBytes, new_uuid
from texswarm_server.sessions.records import Grant, Records, StoredSession
from texswarm_server.sessions.registry import Attachment, Session, SessionRegistry
from texswarm_server.sessions.sign_in import SignedIn, SignIn
from texswarm_server.storage.store import Store

_logger = logging.getLogger(__name__)

_RETRY_AFTER_S = 5.0
_CLOSE_CODES: dict[str, CloseCode] = {
    ErrorCode.IDENTITY_MISMATCH: CloseCode.FORBIDDEN,
    ErrorCode.REMOVED: CloseCode.FORBIDDEN,
    ErrorCode.NAME_INVALID: CloseCode.FORBIDDEN,
    ErrorCode.PROTOCOL_UNSUPPORTED: CloseCode.UNSUPPORTED_VERSION,
    ErrorCode.LIMIT_EXCEEDED: CloseCode.TRY_AGAIN_LATER,
    ErrorCode.STORAGE_UNAVAILABLE: CloseCode.TRY_AGAIN_LATER,
    ErrorCode.INTERNAL_ERROR: CloseCode.INTERNAL_ERROR,
}
"""How a refused sign-in is closed; every other code concerns the token."""


@dataclass(slots=True)
class Guest:
    """A signed-in peer."""

    peer: Peer
    signed_in: SignedIn
    session: Session
    renewal: asyncio.TimerHandle | None = None

    @property
    def user_id(self) -> UserId:
        """Who it is."""
        return self.signed_in.user.user_id


class FrontDesk:
    """Invariant: a peer in `guests` is the connection of its session."""

    def __init__(
        self,
        store: Store,
        documents: OpenDocuments,
        tokens: AccessTokens,
        config: ServerConfig,
        *,
        random: RandomBytes,
        wall_clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._documents = documents
        self._tokens = tokens
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
            max_per_user=config.limits.max_sessions_per_user,
            new_id=lambda: SessionId(new_uuid(random)),
        )
        self._guests: dict[Peer, Guest] = {}

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
        """Take in the sessions of before a restart."""
        now, wall = self._loop.time(), self._wall_clock()
        for stored in await self._store.run(lambda records: records.sessions()):
            session = Session(stored.session_id, stored.user_id, stored.grant_id)
            away_s = 0.0 if stored.detached_at is None else wall - stored.detached_at
            self._registry.restore(session, now=now, remaining_s=self._config.grace_s - away_s)

    def guest(self, peer: Peer) -> Guest:
        """Return who is signed in at `peer`."""
        return self._guests[peer]

    def guests_of(self, user_id: UserId) -> list[Guest]:
        """Return every connection of a user."""
        return [guest for guest in self._guests.values() if guest.user_id == user_id]

    async def authenticate(self, peer: Peer, message: Authentication) -> None:
        """Answer an `Authentication`; a refused one ends the connection."""
        try:
            if message.protocol != PROTOCOL_VERSION:
                raise RejectedError(ErrorCode.PROTOCOL_UNSUPPORTED, f"this server speaks {PROTOCOL_VERSION}")
            await (self._renew if peer.is_signed_in else self._admit)(peer, message)
        except TexSwarmError as error:
            if not isinstance(error, RejectedError):
                _logger.warning("a sign-in failed: %s", error)
            self._refuse(peer, message, code_of(error), error.message if isinstance(error, RejectedError) else "")

    async def sign_out(self, peer: Peer) -> None:
        """Revoke what `peer` signed in with and end its session; raises StorageError."""
        guest = self._guests[peer]
        grant_id = guest.signed_in.grant_id
        await self._store.run(partial(_revoke, grant_id=grant_id))
        if self._guests.pop(peer, None) is None:
            return
        self._stop_renewal(guest)
        self._documents.leave_all(guest.session.session_id)
        self._registry.end(guest.session.session_id)
        self._forget_sessions([guest.session])

    def confirm(self, peer: Peer) -> None:
        """Note a sign of life after the sign-in: the tokens have arrived."""
        guest = self._guests.get(peer)
        peer.is_confirmed = True
        if guest and not guest.signed_in.user.is_confirmed:
            guest.signed_in = replace(guest.signed_in, user=replace(guest.signed_in.user, is_confirmed=True))
            self._store.run(partial(_confirm, user_id=guest.user_id)).add_done_callback(_log_failure)

    def lost(self, peer: Peer, *, is_clean: bool) -> None:
        """Note that `peer` is gone; its session waits for the next connection, if its wire can resume one."""
        guest = self._guests.pop(peer, None)
        if guest is None:
            return
        self._stop_renewal(guest)
        session_id = guest.session.session_id
        if not self._registry.detach(session_id, peer, self._loop.time()):
            return
        if is_clean or not peer.can_resume:
            self._documents.leave_all(session_id)
        else:
            self._documents.lose(session_id)
        if not peer.can_resume:
            self._registry.end(session_id)
            self._forget_sessions([guest.session])
            return
        self._put_session(guest.session, detached_at=self._wall_clock()).add_done_callback(_log_failure)

    def tick(self, now: float) -> None:
        """Expire sessions whose grace period is over."""
        expired = self._registry.expire(now)
        for session in expired:
            self._documents.leave_all(session.session_id)
        if expired:
            self._forget_sessions(expired)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    async def _admit(self, peer: Peer, message: Authentication) -> None:
        if self._gives_way(peer, message):
            return
        now = self._wall_clock()
        signed_in = await self._store.run(lambda records: self.rules.sign_in(records, message, now))
        if peer.is_closed or self._gives_way(peer, message):
            return
        wanted = SessionId(message.session_id) if message.session_id else None
        attachment = self._registry.attach(signed_in.user.user_id, wanted, peer, grant_id=signed_in.grant_id)
        session = attachment.session
        guest = self._guests[peer] = Guest(peer, signed_in, session)
        self._clear_the_way(attachment)
        self._documents.arrive(session.session_id, peer)
        is_stored = self._put_session(session, detached_at=None)
        if attachment.is_resumed:
            is_stored.add_done_callback(_log_failure)
        else:
            await is_stored
        if self._guests.get(peer) is guest and not peer.is_closed:
            peer.signed_in(session.session_id, self._config.limits.max_frame_bytes, guest.user_id)
            peer.tell(self._welcome(guest, message, is_resumed=attachment.is_resumed))

    def _gives_way(self, peer: Peer, message: Authentication) -> bool:
        """Shut `peer` if its client has given it up already: its session is served by a connection made later.

        What was sent over a stuck network arrives whenever it likes; the newer connection must not give way to it.
        Asked before the token is looked at too, so that one that was spent in the meantime does no harm.
        """
        session = self._registry.find(SessionId(message.session_id)) if message.session_id else None
        holder = session.connection if session else None
        is_belated = isinstance(holder, Peer) and holder.opened_at > peer.opened_at
        if is_belated:
            peer.shut(CloseCode.REPLACED, "the session goes on in a newer connection")
        return is_belated

    def _clear_the_way(self, attachment: Attachment) -> None:
        """Close the connection that held the session, and end sessions that had to make room."""
        old = attachment.replaced
        if isinstance(old, Peer):
            if guest := self._guests.pop(old, None):
                self._stop_renewal(guest)
            self._documents.lose(attachment.session.session_id)
            old.shut(CloseCode.REPLACED, "the session goes on in a newer connection")
        for session in attachment.ended:
            self._documents.leave_all(session.session_id)
        if attachment.ended:
            self._forget_sessions(attachment.ended)

    async def _renew(self, peer: Peer, message: Authentication) -> None:
        guest = self._guests[peer]
        now = self._wall_clock()
        renewed = await self._store.run(lambda records: self.rules.renew(records, message, now, guest.signed_in))
        if self._guests.get(peer) is not guest:
            return
        guest.signed_in = renewed
        guest.session.grant_id = renewed.grant_id
        user = renewed.user
        for each in self.guests_of(user.user_id):
            self._documents.describe(each.session.session_id, user.display_name, user.color)
        peer.tell(self._welcome(guest, message, is_resumed=True))

    def _welcome(self, guest: Guest, message: Authentication, *, is_resumed: bool) -> AuthenticationResult:
        token, expires_at = self._issue(guest)
        return AuthenticationResult(
            ok=True,
            user_id=guest.user_id,
            session_id=guest.session.session_id,
            resumed=is_resumed,
            access_token=token,
            expires_at=expires_at,
            refresh_token=guest.signed_in.refresh_token,
            can_create=guest.signed_in.user.can_create or self._config.open,
            server=ServerInfo(name=self._config.name, version=__version__),
            limits=self._config.limits,
            heartbeat_s=self._config.heartbeat_s,
            grace_s=self._config.grace_s,
            request=message.request,
        )

    def _issue(self, guest: Guest) -> tuple[str, float]:
        """Make an access token and see to it that the next one is made in time."""
        self._stop_renewal(guest)
        delay_s = self._tokens.ttl_s * RENEWAL_SHARE
        guest.renewal = self._loop.call_later(delay_s, self._renew_token, guest)
        return self._tokens.issue(guest.user_id, guest.signed_in.grant_id, self._wall_clock())

    def _renew_token(self, guest: Guest) -> None:
        token, expires_at = self._issue(guest)
        guest.peer.tell(TokenRenewed(access_token=token, expires_at=expires_at))

    @staticmethod
    def _stop_renewal(guest: Guest) -> None:
        if guest.renewal is not None:
            guest.renewal.cancel()

    def _refuse(self, peer: Peer, message: Authentication, code: str, detail: str) -> None:
        is_retryable = code_verdict(code) is Verdict.RETRY or code == ErrorCode.LIMIT_EXCEEDED
        result = AuthenticationResult(
            ok=False,
            code=code,
            message=detail,
            retryable=is_retryable,
            retry_after_s=_RETRY_AFTER_S if is_retryable else None,
            request=message.request,
        )
        peer.refuse_sign_in(result, _CLOSE_CODES.get(code, CloseCode.TOKEN_INVALID))

    def _put_session(self, session: Session, *, detached_at: float | None) -> "asyncio.Future[None]":
        stored = StoredSession(
            session_id=session.session_id,
            user_id=session.user_id,
            grant_id=session.grant_id,
            detached_at=detached_at,
        )

        def put(records: Records) -> None:
            records.put_session(stored)

        return self._store.run(put)

    def _forget_sessions(self, sessions: list[Session]) -> None:
        gone = [session.session_id for session in sessions]

        def remove(records: Records) -> None:
            records.remove_sessions(gone)

        self._store.run(remove).add_done_callback(_log_failure)


def _confirm(records: Records, user_id: UserId) -> None:
    if user := records.find_user(user_id):
        records.put_user(replace(user, is_confirmed=True))


def _revoke(records: Records, grant_id: str) -> None:
    grant: Grant | None = records.find_grant(grant_id)
    if grant:
        records.put_grant(replace(grant, is_revoked=True))


def _log_failure(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and isinstance(error := future.exception(), StorageError):
        _logger.warning("not stored: %s", error)
