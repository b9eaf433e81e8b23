"""Sign-ins that fail: slowed down when they come too often, answered, remembered within bounds."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from texswarm_server.net.peer import Peer
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
from texswarm_server.protocol.ids import UserId
from texswarm_server.protocol.messages import Authentication, AuthenticationResult
from texswarm_server.sessions.administration import revoke_sign_in
from texswarm_server.sessions.audit import SERVER, AuditAction, AuditEntry
from texswarm_server.sessions.credentials import TokenKind, token_kind
from texswarm_server.sessions.records import Records
from texswarm_server.sessions.sign_in import SpentTokenError
from texswarm_server.sessions.throttle import Buckets, Rate, Throttle
from texswarm_server.storage.store import Store, excused, log_failure

_RETRY_AFTER_S: Final = 5.0
_NOTED: Final = Rate(100, 1.0)
_UNNOTED: Final = {ErrorCode.THROTTLED, ErrorCode.STORAGE_UNAVAILABLE}
_CLOSE_CODES: Final[dict[str, CloseCode]] = {
    ErrorCode.IDENTITY_MISMATCH: CloseCode.FORBIDDEN,
    ErrorCode.REMOVED: CloseCode.FORBIDDEN,
    ErrorCode.NAME_INVALID: CloseCode.FORBIDDEN,
    ErrorCode.PROTOCOL_UNSUPPORTED: CloseCode.UNSUPPORTED_VERSION,
    ErrorCode.LIMIT_EXCEEDED: CloseCode.TRY_AGAIN_LATER,
    ErrorCode.THROTTLED: CloseCode.TRY_AGAIN_LATER,
    ErrorCode.STORAGE_UNAVAILABLE: CloseCode.TRY_AGAIN_LATER,
    ErrorCode.INTERNAL_ERROR: CloseCode.INTERNAL_ERROR,
}
"""How a refused sign-in is closed; every other code concerns the token."""


class SignInRefusals:
    """`on_revoked` is called when a sign-in was revoked because somebody has a copy of its token."""

    def __init__(self, store: Store, *, wall_clock: Callable[[], float], on_revoked: Callable[[], object]) -> None:
        self._store = store
        self._wall_clock = wall_clock
        self._on_revoked = on_revoked
        self._loop = asyncio.get_running_loop()
        self._throttle = Throttle()
        self._noted: Buckets[str] = Buckets(_NOTED)

    def check(self, peer: Peer, named: str | None) -> None:
        """Raise RejectedError(throttled) where too many sign-ins failed, before anything secret is looked at.

        `named`: the user whom a newcomer claims to be, or whom a signed-in peer is.
        """
        self._throttle.check(peer.address, named, self._loop.time())

    @contextmanager
    def guarding(self, peer: Peer, user_id: UserId) -> Iterator[None]:
        """Let somebody who is signed in show a secret: refused like a sign-in after too many that were none."""
        self.check(peer, user_id)
        try:
            yield
        except RejectedError as error:
            self._note(peer, user_id, error)
            raise

    def forgive(self, address: str, user_id: str) -> None:
        """Note that a user signed in from an address: nobody else's failures count there."""
        self._throttle.succeeded(address, user_id)

    def refuse(self, peer: Peer, message: Authentication, error: TexSwarmError, named: str | None) -> None:
        """Answer a sign-in that failed, and remember it; `named` as for `check`.

        What is excused counts as a guess all the same: a damaged database is no time to try tokens one after the other.
        """
        self._note(peer, named, error)
        if token_kind(message.token or "") is not TokenKind.ACCESS:  # who has one of these has another token as well
            error = excused(error, self._store.damage)
        code, detail, wait_s = code_of(error), "", None
        if isinstance(error, RejectedError):
            detail, wait_s = error.message, error.retry_after_s
        is_retryable = code_verdict(code) is Verdict.RETRY or code == ErrorCode.LIMIT_EXCEEDED
        result = AuthenticationResult(
            ok=False,
            code=code,
            message=detail,
            retryable=is_retryable,
            retry_after_s=(wait_s or _RETRY_AFTER_S) if is_retryable else None,
            request=message.request,
        )
        peer.refuse_sign_in(result, _CLOSE_CODES.get(code, CloseCode.TOKEN_INVALID))

    def _note(self, peer: Peer, named: str | None, error: TexSwarmError) -> None:
        """Remember a refused sign-in, within bounds, and end the sign-in whose refresh token was copied."""
        now, code = self._loop.time(), code_of(error)
        self._throttle.failed(peer.address, named, code, now)
        if isinstance(error, SpentTokenError):
            self._revoke(error.grant_id, peer.address)
        if isinstance(error, StorageError) or code in _UNNOTED or self._noted.wait_s("", now):
            return
        self._noted.take("", now)
        entry = AuditEntry(
            at=self._wall_clock(),
            action=AuditAction.SIGN_IN_REFUSED,
            actor=SERVER,
            user_id=named if named and named.isprintable() else "",
            address=peer.address,
            detail=code,
        )
        self._store.run(partial(_put_audit, entry=entry)).add_done_callback(log_failure)

    def _revoke(self, grant_id: str, address: str) -> None:
        action, now = AuditAction.TOKEN_REUSED, self._wall_clock()
        revoke = partial(revoke_sign_in, actor=SERVER, grant_id=grant_id, action=action, now=now, address=address)
        self._store.run(revoke).add_done_callback(log_failure)
        self._on_revoked()


def _put_audit(records: Records, entry: AuditEntry) -> None:
    records.put_audit(entry)
