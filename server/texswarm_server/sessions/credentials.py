"""Bearer secrets: how they look, and the hash under which they are stored."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from enum import Enum
from typing import Final
from uuid import UUID

from texswarm_server.protocol.ids import UserId

RandomBytes = Callable[[int], bytes]

_SECRET_BYTES: Final = 24
_INVITE_PREFIX: Final = "txi_"
_REFRESH_PREFIX: Final = "txr_"
_REFRESH_PARTS: Final = 3
_MAX_DIGITS: Final = 15


class TokenKind(Enum):
    """What a token claims to be, by its form."""

    INVITE = "invite"
    ACCESS = "access"
    REFRESH = "refresh"
    UNKNOWN = "unknown"


def token_kind(token: str) -> TokenKind:
    """Return what `token` claims to be; nothing is proven by it."""
    if token.startswith(_INVITE_PREFIX):
        return TokenKind.INVITE
    if token.startswith(_REFRESH_PREFIX):
        return TokenKind.REFRESH
    return TokenKind.ACCESS if token.count(".") == 2 else TokenKind.UNKNOWN


def new_invite_token(random: RandomBytes) -> str:
    """Return a fresh invite secret of 192 bits."""
    return _INVITE_PREFIX + _text(random(_SECRET_BYTES))


def new_refresh_token(random: RandomBytes, grant_id: str, issued_at: float) -> str:
    """Return a fresh refresh secret of 192 bits, which says to which sign-in it belongs and when it was made.

    A server seals it: see `refresh_claims`.
    """
    return f"{_REFRESH_PREFIX}{_text(random(_SECRET_BYTES))}.{grant_id}.{int(issued_at * 1000)}"


def refresh_claims(token: str) -> tuple[str, float] | None:
    """Return the sign-in that a refresh token says it belongs to and when it was made; nothing is proven by it."""
    parts = token.removeprefix(_REFRESH_PREFIX).split(".")
    if len(parts) < _REFRESH_PARTS or not (parts[2].isascii() and parts[2].isdigit()):
        return None
    return parts[1], int(parts[2][:_MAX_DIGITS]) / 1000


def new_short_id(random: RandomBytes) -> str:
    """Return 96 random bits as text."""
    return _text(random(12))


def new_uuid(random: RandomBytes) -> str:
    """Return a random UUID in its canonical form."""
    return str(UUID(bytes=random(16), version=4))


def guest_id(token_hash: str) -> UserId:
    """Return the id of the one user that all those are who come by an invite without saying who they are."""
    return UserId(str(UUID(bytes=hashlib.sha256(f"guest:{token_hash}".encode()).digest()[:16], version=4)))


def hash_token(token: str) -> str:
    """Return the hash under which a secret is stored; the secrets are random, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
