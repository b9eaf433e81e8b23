"""Who a connection is: the rules that turn an `Authentication` into a user, or into a typed refusal.

access or refresh token   the token's user; another `user_id` in the message is identity_mismatch
invite                    the `user_id` asked for is registered when nobody has it, else a new one is made;
                          except for a retry after a lost answer: the same invite registered this user, who has
                          never been heard of since
none                      refused, or where the server is open: as an invite that lets everybody create
"""

from dataclasses import dataclass, replace
from typing import Final

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import UserId
from texswarm_server.protocol.messages import Authentication
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.credentials import (
    RandomBytes,
    TokenKind,
    hash_token,
    new_refresh_token,
    new_short_id,
    new_uuid,
    token_kind,
)
from texswarm_server.sessions.records import Grant, Invite, Records, User
from texswarm_server.sessions.roles import higher

_OPEN_DOOR: Final = Invite(token_hash="open", role="owner")  # noqa: S106 - stands for having no token
_COLOR_CHARS: Final = 7


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The outcome: who, by which sign-in, and the refresh token if one was made now."""

    user: User
    grant_id: str
    refresh_token: str | None = None


class SignIn:
    """Decides inside one transaction of the records; everything it writes is part of the decision."""

    def __init__(
        self,
        tokens: AccessTokens,
        random: RandomBytes,
        *,
        is_open: bool,
        refresh_idle_s: float,
        max_name_chars: int,
    ) -> None:
        self._tokens = tokens
        self._random = random
        self._is_open = is_open
        self._refresh_idle_s = refresh_idle_s
        self._max_name_chars = max_name_chars

    def sign_in(self, records: Records, message: Authentication, now: float) -> SignedIn:
        """Return who sent `message`; raises RejectedError. `now` is in seconds since the epoch."""
        signed_in = self._prove(records, message, now)
        user = self._described(signed_in.user, message)
        if user != records.find_user(user.user_id):
            records.put_user(user)
        return replace(signed_in, user=user)

    def renew(self, records: Records, message: Authentication, now: float, current: SignedIn) -> SignedIn:
        """Return the outcome of a second `Authentication` on a live connection of `current`.

        Raises RejectedError; identity_mismatch when it is about somebody else.
        """
        user_id = current.user.user_id
        if message.user_id not in {None, user_id}:
            raise RejectedError(ErrorCode.IDENTITY_MISMATCH)
        proof = message.token and token_kind(message.token)
        if proof is TokenKind.INVITE and message.token:
            self.redeem(records, message.token, user_id, now)
        elif message.token:
            proven = self._prove(records, message, now)
            if proven.user.user_id != user_id:
                raise RejectedError(ErrorCode.IDENTITY_MISMATCH)
            current = replace(current, grant_id=proven.grant_id)
        user = self._described(_living(records.find_user(user_id)), message)
        records.put_user(user)
        return replace(current, user=user, refresh_token=None)

    def redeem(self, records: Records, token: str, user_id: UserId, now: float) -> Invite:
        """Give a signed-in user what an invite grants, and return the invite; raises RejectedError."""
        invite = self._find_invite(records, token)
        _check_usable(invite, now)
        records.put_invite(replace(invite, uses=invite.uses + 1))
        records.put_user(_endow(records, _living(records.find_user(user_id)), invite))
        return invite

    # ── proofs ──────────────────────────────────────────────────────────────────────────────────────────

    def _prove(self, records: Records, message: Authentication, now: float) -> SignedIn:
        if message.token is None:
            if not self._is_open:
                raise RejectedError(ErrorCode.TOKEN_MISSING)
            return self._register(records, message, _OPEN_DOOR, now)
        kind = token_kind(message.token)
        if kind is TokenKind.INVITE:
            return self._register(records, message, self._find_invite(records, message.token), now)
        if kind is TokenKind.ACCESS:
            return self._by_access_token(records, message, message.token, now)
        if kind is TokenKind.REFRESH:
            return self._by_refresh_token(records, message, message.token, now)
        raise RejectedError(ErrorCode.TOKEN_INVALID)

    def _by_access_token(self, records: Records, message: Authentication, token: str, now: float) -> SignedIn:
        claims = self._tokens.verify(token, now)
        grant = records.find_grant(claims.grant_id)
        if grant is None or grant.user_id != claims.user_id:
            raise RejectedError(ErrorCode.TOKEN_INVALID)
        return _from_grant(records, message, grant)

    def _by_refresh_token(self, records: Records, message: Authentication, token: str, now: float) -> SignedIn:
        grant = records.find_grant_by_token(hash_token(token))
        if grant is None:
            raise RejectedError(ErrorCode.TOKEN_INVALID)
        signed_in = _from_grant(records, message, grant)
        if now - grant.used_at > self._refresh_idle_s:
            raise RejectedError(ErrorCode.TOKEN_EXPIRED)
        records.put_grant(replace(grant, used_at=now))
        return signed_in

    @staticmethod
    def _find_invite(records: Records, token: str) -> Invite:
        invite = records.find_invite(hash_token(token))
        if invite is None:
            raise RejectedError(ErrorCode.TOKEN_INVALID)
        return invite

    # ── registration ────────────────────────────────────────────────────────────────────────────────────

    def _register(self, records: Records, message: Authentication, invite: Invite, now: float) -> SignedIn:
        wanted = _wanted_id(message)
        known = records.find_user(wanted) if wanted else None
        if known and not known.is_confirmed and records.is_registration(invite.token_hash, known.user_id):
            records.revoke_grants_of(known.user_id)
            return self._grant(records, _living(known), now)
        _check_usable(invite, now)
        user_id = wanted if wanted and known is None else UserId(new_uuid(self._random))
        user = _endow(records, User(user_id=user_id), invite)
        records.put_user(user)
        records.put_registration(invite.token_hash, user_id)
        if invite is not _OPEN_DOOR:
            records.put_invite(replace(invite, uses=invite.uses + 1))
        return self._grant(records, user, now)

    def _grant(self, records: Records, user: User, now: float) -> SignedIn:
        token = new_refresh_token(self._random)
        grant = Grant(
            grant_id=new_short_id(self._random), token_hash=hash_token(token), user_id=user.user_id, used_at=now
        )
        records.put_grant(grant)
        return SignedIn(user, grant.grant_id, token)

    def _described(self, user: User, message: Authentication) -> User:
        name = user.display_name if message.display_name is None else message.display_name.strip()
        color = user.color if message.color is None else message.color
        if len(name) > self._max_name_chars or not name.isprintable():
            raise RejectedError(ErrorCode.NAME_INVALID)
        return replace(user, display_name=name, color=color if _is_color(color) else "")


def _from_grant(records: Records, message: Authentication, grant: Grant) -> SignedIn:
    user = _living(records.find_user(grant.user_id))
    if grant.is_revoked:
        raise RejectedError(ErrorCode.TOKEN_REVOKED)
    if message.user_id not in {None, user.user_id}:
        raise RejectedError(ErrorCode.IDENTITY_MISMATCH)
    return SignedIn(user, grant.grant_id)


def _living(user: User | None) -> User:
    if user is None:
        raise RejectedError(ErrorCode.TOKEN_INVALID)
    if user.is_removed:
        raise RejectedError(ErrorCode.REMOVED)
    return user


def _endow(records: Records, user: User, invite: Invite) -> User:
    """Write the role an invite gives in its document, or return the user with what it gives on the server."""
    if invite.document_id is None:
        return replace(user, can_create=user.can_create or invite.role == "owner")
    role = higher(records.role_of(user.user_id, invite.document_id), invite.role)
    records.put_role(user.user_id, invite.document_id, role)
    return user


def _check_usable(invite: Invite, now: float) -> None:
    if invite.is_revoked:
        raise RejectedError(ErrorCode.INVITE_REVOKED)
    if invite.expires_at is not None and now >= invite.expires_at:
        raise RejectedError(ErrorCode.INVITE_EXPIRED)
    if invite.max_uses is not None and invite.uses >= invite.max_uses:
        raise RejectedError(ErrorCode.INVITE_USED_UP)


def _wanted_id(message: Authentication) -> UserId | None:
    return UserId(message.user_id) if message.user_id and message.user_id.isprintable() else None


def _is_color(text: str) -> bool:
    return len(text) == _COLOR_CHARS and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
