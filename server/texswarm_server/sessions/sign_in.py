"""Who a connection is: the rules that turn an `Authentication` into a user, or into a typed refusal.

access or refresh token   the token's user; another `user_id` in the message is identity_mismatch
invite                    the `user_id` asked for is registered when nobody has it, else a new one is made, unless
                          who has it was taken out of the document: then it lets in neither of them; except for a
                          retry after a lost answer: the same invite registered this user, who has never been heard
                          of since
none                      refused, or where the server is open: as an invite that lets everybody create

A client of the first generation or of Yjs keeps no tokens ("tokenless"): the same invite and `user_id` are the same
user again, if that user was registered by such a client; without a `user_id` it is the one guest of its invite.

A refresh token is answered with a successor and stays valid until a successor is used. One that was spent so and
comes again was copied: it is a `SpentTokenError`, and the whole sign-in has to be revoked. One that was made here, for
a sign-in that is known, and later than all that is known of it, shows that the records were put back to an older state:
it is as good as the latest they remember.
"""

from dataclasses import dataclass, replace
from typing import Final

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import UserId
from texswarm_server.protocol.messages import Authentication
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.administration import note_role
from texswarm_server.sessions.audit import OPERATOR, SERVER, AuditAction, AuditEntry
from texswarm_server.sessions.credentials import (
    RandomBytes,
    TokenKind,
    guest_id,
    hash_token,
    new_refresh_token,
    new_short_id,
    new_uuid,
    refresh_claims,
    token_kind,
)
from texswarm_server.sessions.document_lock import under_lock
from texswarm_server.sessions.records import OPEN_DOOR, Grant, Invite, Records, RefreshToken, User
from texswarm_server.sessions.roles import higher
from texswarm_server.sessions.usable_invites import obstacle

_OPEN_DOOR: Final = Invite(token_hash=OPEN_DOOR, role="owner")
_COLOR_CHARS: Final = 7
_RESERVED_IDS: Final = frozenset({OPERATOR, SERVER})
_MAX_SUCCESSORS: Final = 16
_SPENT_TOKENS_KEPT: Final = 32
_NOTE_USE_EVERY_S: Final = 3600.0


class SpentTokenError(RejectedError):
    """A refresh token came again after its successor was used: somebody has a copy of it."""

    def __init__(self, grant_id: str) -> None:
        super().__init__(ErrorCode.TOKEN_REVOKED, "a refresh token was used twice")
        self.grant_id = grant_id


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known of a connection besides its message."""

    now: float
    address: str = ""
    is_tokenless: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The outcome: who, by which sign-in, and the refresh token if one was made now.

    `token`: the access token that proved it, where that may be used on, and `token_expires_at` its end in seconds since
    the epoch. `knock`: the invite by which the user came, where owners of its document are to be asked first.
    `taken_back_by`: the hash of the invite that signed the user in again, which is used up once the answer has arrived.
    """

    user: User
    grant_id: str
    refresh_token: str | None = None
    knock: Invite | None = None
    taken_back_by: str = ""
    token: str = ""
    token_expires_at: float = 0.0


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

    def sign_in(
        self, records: Records, message: Authentication, now: float, *, address: str = "", is_tokenless: bool = False
    ) -> SignedIn:
        """Return who sent `message`; raises RejectedError. `now` is in seconds since the epoch.

        `is_tokenless`: the client's wire has no words for tokens. A SpentTokenError asks to revoke the sign-in.
        """
        signed_in = self._prove(records, message, Visitor(now, address, is_tokenless))
        user = self._described(signed_in.user, message)
        if user == signed_in.user:
            return signed_in
        records.put_user(user)
        return replace(signed_in, user=user)

    def renew(
        self,
        records: Records,
        message: Authentication,
        now: float,
        current: SignedIn,
        *,
        address: str = "",
        is_tokenless: bool = False,
    ) -> SignedIn:
        """Return the outcome of a second `Authentication` on a live connection of `current`.

        Raises RejectedError; identity_mismatch when it is about somebody else.
        """
        user_id = current.user.user_id
        if message.user_id not in {None, user_id}:
            raise RejectedError(ErrorCode.IDENTITY_MISMATCH)
        fresh = None
        proof = message.token and token_kind(message.token)
        if proof is TokenKind.INVITE and message.token:
            invite = self.redeem(records, message.token, user_id, now)
            current = replace(current, knock=invite if self.must_ask(records, user_id, invite) else None)
        elif message.token:
            proven = self._prove(records, message, Visitor(now, address, is_tokenless))
            if proven.user.user_id != user_id:
                raise RejectedError(ErrorCode.IDENTITY_MISMATCH)
            current, fresh = replace(current, grant_id=proven.grant_id), proven.refresh_token
        user = self._described(_living(records.find_user(user_id)), message)
        records.put_user(user)
        return replace(current, user=user, refresh_token=fresh)

    def redeem(self, records: Records, token: str, user_id: UserId, now: float) -> Invite:
        """Give a signed-in user what an invite grants, and return the invite; raises RejectedError."""
        invite = self._find_invite(records, token)
        if invite.for_user not in {"", user_id}:
            raise RejectedError(ErrorCode.IDENTITY_MISMATCH)
        has_used_it = any(each.token_hash == invite.token_hash for each in records.invites_used_by(user_id))
        _check_usable(invite, now, is_counted=not has_used_it)
        if not has_used_it:
            records.put_invite(replace(invite, uses=invite.uses + 1))
            records.put_registration(invite.token_hash, user_id, is_redeemed=True)
        _note(records, AuditAction.INVITE_REDEEMED, user_id, invite, Visitor(now))
        records.put_user(_endow(records, _living(records.find_user(user_id)), invite, now))
        return invite

    def must_ask(self, records: Records, user_id: UserId, invite: Invite) -> bool:
        """Say whether an invite gives a user nothing until an owner of its document agrees."""
        document_id = invite.document_id
        return (
            invite.asks
            and document_id is not None
            and not self._is_open
            and records.role_of(user_id, document_id) is None
        )

    # ── proofs ──────────────────────────────────────────────────────────────────────────────────────────

    def _prove(self, records: Records, message: Authentication, visitor: Visitor) -> SignedIn:
        if message.token is None:
            if not self._is_open:
                raise RejectedError(ErrorCode.TOKEN_MISSING)
            return self._register(records, message, _OPEN_DOOR, visitor)
        kind = token_kind(message.token)
        if kind is TokenKind.INVITE:
            return self._register(records, message, self._find_invite(records, message.token), visitor)
        if kind is TokenKind.ACCESS:
            return self._by_access_token(records, message, message.token, visitor.now)
        if kind is TokenKind.REFRESH:
            return self._by_refresh_token(records, message, message.token, visitor)
        raise RejectedError(ErrorCode.TOKEN_INVALID)

    def _by_access_token(self, records: Records, message: Authentication, token: str, now: float) -> SignedIn:
        claims = self._tokens.verify(token, now)
        grant = records.find_grant(claims.grant_id)
        if grant is None or grant.user_id != claims.user_id:
            raise RejectedError(ErrorCode.TOKEN_INVALID)
        signed_in = _from_grant(records, message, grant)
        return replace(signed_in, token=token, token_expires_at=claims.expires_at) if claims.is_young else signed_in

    def _by_refresh_token(self, records: Records, message: Authentication, token: str, visitor: Visitor) -> SignedIn:
        found = records.find_refresh_token(hash_token(token)) or self._from_later(records, token, visitor.now)
        grant = records.find_grant(found.grant_id) if found else None
        if found is None or grant is None:
            raise RejectedError(ErrorCode.TOKEN_INVALID)
        signed_in = _from_grant(records, message, grant)
        if found.is_spent:
            raise SpentTokenError(grant.grant_id)
        if visitor.now - grant.used_at > self._refresh_idle_s:
            raise RejectedError(ErrorCode.TOKEN_EXPIRED)
        if found.token_hash != grant.token_hash:
            _spend_others(records, found)
        records.put_grant(replace(grant, token_hash=found.token_hash, used_at=visitor.now))
        successor = None if visitor.is_tokenless else self._successor(records, found, visitor.now)
        return replace(signed_in, refresh_token=successor)

    def _from_later(self, records: Records, token: str, now: float) -> RefreshToken | None:
        """Return what an unknown token was in records that were newer than these."""
        claims = refresh_claims(token) if self._tokens.is_sealed(token) else None
        if claims is None:
            return None
        grant_id, issued_at = claims
        known = records.refresh_tokens_of(grant_id)
        if not known or not max(each.issued_at for each in known) < issued_at <= now:
            return None
        later = RefreshToken(
            token_hash=hash_token(token), grant_id=grant_id, parent_hash=known[0].token_hash, issued_at=issued_at
        )
        records.put_refresh_token(later)
        return later

    def _new_refresh_token(self, grant_id: str, now: float) -> str:
        return self._tokens.sealed(new_refresh_token(self._random, grant_id, now))

    def _successor(self, records: Records, current: RefreshToken, now: float) -> str:
        """Make what `current` is answered with; earlier successors, whose answers were lost, stay valid as well."""
        token = self._new_refresh_token(current.grant_id, now)
        fresh = RefreshToken(
            token_hash=hash_token(token), grant_id=current.grant_id, parent_hash=current.token_hash, issued_at=now
        )
        records.put_refresh_token(fresh)
        waiting = [
            each.token_hash
            for each in records.refresh_tokens_of(current.grant_id)
            if each.parent_hash == current.token_hash and each != fresh
        ]
        records.remove_refresh_tokens(waiting[_MAX_SUCCESSORS - 1 :])
        return token

    @staticmethod
    def _find_invite(records: Records, token: str) -> Invite:
        invite = records.find_invite(hash_token(token))
        if invite is None:
            raise RejectedError(ErrorCode.TOKEN_INVALID)
        return invite

    # ── registration ────────────────────────────────────────────────────────────────────────────────────

    def _register(self, records: Records, message: Authentication, invite: Invite, visitor: Visitor) -> SignedIn:
        if invite.for_user:
            return self._take_back(records, invite, visitor)
        wanted = _wanted_id(message) or (guest_id(invite.token_hash) if visitor.is_tokenless else None)
        known = records.find_user(wanted) if wanted else None
        if known and (signed_in := self._again(records, known, invite, visitor)):
            return self._asking(records, signed_in, invite)
        _check_usable(invite, visitor.now)
        if known is not None:
            _check_not_removed(records, known.user_id, invite)
        user_id = wanted if wanted and known is None else UserId(new_uuid(self._random))
        _note(records, AuditAction.USER_REGISTERED, user_id, invite, visitor)
        user = _endow(records, User(user_id=user_id, is_tokenless=visitor.is_tokenless), invite, visitor.now)
        records.put_user(user)
        records.put_registration(invite.token_hash, user_id)
        if invite is not _OPEN_DOOR:
            records.put_invite(replace(invite, uses=invite.uses + 1))
        return self._asking(records, self._grant(records, user, visitor.now), invite)

    def _asking(self, records: Records, signed_in: SignedIn, invite: Invite) -> SignedIn:
        must_ask = self.must_ask(records, signed_in.user.user_id, invite)
        return replace(signed_in, knock=invite) if must_ask else signed_in

    def _take_back(self, records: Records, invite: Invite, visitor: Visitor) -> SignedIn:
        """Sign in the one user an invite is for, until that has worked; who keeps no tokens, as often as they come."""
        user = _living(records.find_user(UserId(invite.for_user)))
        keeps_none = user.is_tokenless and visitor.is_tokenless
        is_coming_again = keeps_none and user.user_id in records.users_of(invite.token_hash)
        is_new = not is_coming_again and not records.is_registration(invite.token_hash, user.user_id)
        _check_usable(invite, visitor.now, is_counted=is_new)
        if is_coming_again:
            return _by_latest_grant(records, user, visitor.now)
        if is_new:
            records.put_registration(invite.token_hash, user.user_id)
            records.put_invite(replace(invite, uses=invite.uses + 1))
        _note(records, AuditAction.INVITE_REDEEMED, user.user_id, invite, visitor)
        return replace(self._grant(records, user, visitor.now), taken_back_by=invite.token_hash)

    def _again(self, records: Records, known: User, invite: Invite, visitor: Visitor) -> SignedIn | None:
        """Sign a known user in by the invite that registered them, or return None where that proves nothing."""
        _living(known)
        if not records.is_registration(invite.token_hash, known.user_id):
            return None
        if known.is_tokenless and visitor.is_tokenless:
            _check_usable(invite, visitor.now, is_counted=False)
            return _by_latest_grant(records, known, visitor.now)
        if known.is_confirmed or known.is_tokenless:
            return None
        if invite.is_revoked:
            raise RejectedError(ErrorCode.INVITE_REVOKED)
        records.revoke_grants_of(known.user_id)
        return self._grant(records, known, visitor.now)

    def _grant(self, records: Records, user: User, now: float) -> SignedIn:
        grant_id = new_short_id(self._random)
        token = self._new_refresh_token(grant_id, now)
        grant = Grant(grant_id=grant_id, token_hash=hash_token(token), user_id=user.user_id, used_at=now)
        records.put_grant(grant)
        records.put_refresh_token(
            RefreshToken(token_hash=grant.token_hash, grant_id=grant.grant_id, parent_hash="", issued_at=now)
        )
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


def _by_latest_grant(records: Records, user: User, now: float) -> SignedIn:
    """Go on with the sign-in of a user who keeps no tokens."""
    valid = [grant for grant in records.grants_of(user.user_id) if not grant.is_revoked]
    if not valid:
        raise RejectedError(ErrorCode.TOKEN_REVOKED)
    if now - valid[0].used_at > _NOTE_USE_EVERY_S:
        records.put_grant(replace(valid[0], used_at=now))
    return SignedIn(user, valid[0].grant_id)


def _spend_others(records: Records, used: RefreshToken) -> None:
    """Note that `used`, a successor, was used: what was given out before or beside it is spent."""
    others = [each for each in records.refresh_tokens_of(used.grant_id) if each.token_hash != used.token_hash]
    for each in others[:_SPENT_TOKENS_KEPT]:
        records.put_refresh_token(replace(each, is_spent=True))
    records.remove_refresh_tokens(each.token_hash for each in others[_SPENT_TOKENS_KEPT:])


def _check_not_removed(records: Records, user_id: UserId, invite: Invite) -> None:
    removal = records.find_removal(user_id, invite.document_id) if invite.document_id is not None else None
    if removal and (removal.is_ban or invite.issued_at <= removal.removed_at):
        raise RejectedError(ErrorCode.REMOVED, "taken out of this document")


def _endow(records: Records, user: User, invite: Invite, now: float) -> User:
    """Write the role an invite gives in its document, or return the user with what it gives on the server.

    An invite that asks first gives nothing by itself.
    """
    document_id = invite.document_id
    if document_id is None:
        return replace(user, can_create=user.can_create or invite.role == "owner")
    _check_not_removed(records, user.user_id, invite)
    if invite.asks:
        return user
    records.forget_removal(user.user_id, document_id)
    current = records.role_of(user.user_id, document_id)
    role = higher(current, invite.role)
    decided_at = records.role_decided_at(user.user_id, document_id)
    if role == current or (decided_at is not None and invite.issued_at <= decided_at):
        return user
    role = under_lock(records, user.user_id, document_id, role)
    if role != current:
        records.put_role(user.user_id, document_id, role)
        note_role(records, actor=user.user_id, user_id=user.user_id, document_id=document_id, role=role, now=now)
    return user


def _note(records: Records, action: AuditAction, user_id: UserId, invite: Invite, visitor: Visitor) -> None:
    records.put_audit(
        AuditEntry(
            at=visitor.now,
            action=action,
            actor=user_id,
            user_id=user_id,
            document_id=invite.document_id or "",
            reference=invite.invite_id,
            role=invite.role,
            address=visitor.address,
        )
    )


def _check_usable(invite: Invite, now: float, *, is_counted: bool = True) -> None:
    if code := obstacle(invite, now, is_counted=is_counted):
        raise RejectedError(code)


def _wanted_id(message: Authentication) -> UserId | None:
    wanted = message.user_id
    return UserId(wanted) if wanted and wanted.isprintable() and wanted not in _RESERVED_IDS else None


def _is_color(text: str) -> bool:
    return len(text) == _COLOR_CHARS and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
