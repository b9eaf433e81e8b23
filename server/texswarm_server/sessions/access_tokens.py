"""Access tokens: short-lived signed proofs (JWT, HS256) of who is signed in, by the clock that is handed in.

The same keys seal refresh tokens.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final

import jwt
from jwt.algorithms import HMACAlgorithm

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import UserId
from texswarm_server.sessions.credentials import RandomBytes, new_short_id

_ALGORITHM: Final = "HS256"
_SEAL_CHARS: Final = 32
#: When this share of a token's life is over, its holder is given another one.
_RENEWAL_SHARE: Final = 0.8
_YOUTH_SHARE: Final = 0.5
#: Whoever comes again comes with the same token, and to read and check one costs as much as all else of a sign-in.
_REMEMBERED: Final = 4096


class _OwnKeys(HMACAlgorithm):
    """Takes keys as they are: they are made here, and no text that somebody wrote could be one by mistake."""

    def prepare_key(self, key: str | bytes) -> bytes:
        """Return the key; what is looked for otherwise, each time, is a public key in its place."""
        return key if isinstance(key, bytes) else key.encode()


def _signatures() -> jwt.PyJWS:
    made = jwt.PyJWS()
    made.unregister_algorithm(_ALGORITHM)
    made.register_algorithm(_ALGORITHM, _OwnKeys(HMACAlgorithm.SHA256))
    return made


_jws: Final = _signatures()


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token proves. `expires_at` is in seconds since the epoch.

    `is_young`: it may be answered with itself, because it is good for long and signed with the newest key.
    """

    user_id: UserId
    grant_id: str
    expires_at: float
    is_young: bool


class AccessTokens:
    """Issues and verifies. `keys` by key id; `current` signs, all verify; `ttl_s` is a token's life."""

    def __init__(self, keys: Mapping[str, bytes], current: str, *, ttl_s: float, random: RandomBytes) -> None:
        self._keys = keys
        self._current = current
        self._series = new_short_id(random)
        self._numbers = count()
        self.ttl_s = ttl_s

    def use(self, keys: Mapping[str, bytes], current: str) -> bool:
        """Sign with another key from now on, accept what these signed; return whether one is not accepted any more."""
        is_dropping = not self._keys.keys() <= keys.keys()
        self._keys, self._current = keys, current
        return is_dropping

    def issue(self, user_id: UserId, grant_id: str, now: float) -> tuple[str, float]:
        """Return a token and when it expires, in seconds since the epoch."""
        expires_at = now + self.ttl_s
        token_id = f"{grant_id}.{self._series}.{next(self._numbers)}"
        claims = {"sub": user_id, "iat": now, "exp": expires_at, "jti": token_id}
        payload, headers = json.dumps(claims, separators=(",", ":")).encode(), {"kid": self._current, "typ": "JWT"}
        return _jws.encode(payload, self._keys[self._current], _ALGORITHM, headers), expires_at

    def verify(self, token: str, now: float) -> AccessClaims:
        """Return what `token` proves; raises RejectedError (token_invalid or token_expired)."""
        claims, key_id = self._signed_claims(token)
        user_id, expires_at, token_id = claims.get("sub"), claims.get("exp"), claims.get("jti")
        if not isinstance(user_id, str) or not isinstance(expires_at, (int, float)) or not isinstance(token_id, str):
            raise RejectedError(ErrorCode.TOKEN_INVALID, "claims")
        if now >= expires_at:
            raise RejectedError(ErrorCode.TOKEN_EXPIRED)
        is_young = key_id == self._current and expires_at - now > self.ttl_s * _YOUTH_SHARE
        return AccessClaims(UserId(user_id), token_id.partition(".")[0], float(expires_at), is_young)

    def renewal_delay_s(self, expires_at: float, now: float) -> float:
        """Return in how many seconds the holder of a token is to be given another one; clocks may have been set."""
        life_s = min(expires_at - now, self.ttl_s)
        return max(life_s - self.ttl_s * (1 - _RENEWAL_SHARE), 0.0)

    def sealed(self, text: str) -> str:
        """Return `text` with a seal behind it, by which it is known again as made here."""
        return f"{text}.{self._current}.{_seal(self._keys[self._current], text)}"

    def is_sealed(self, text: str) -> bool:
        """Say whether `text` was sealed by one of the keys."""
        inner, _, seal = text.rpartition(".")
        inner, _, key_id = inner.rpartition(".")
        key = self._keys.get(key_id)
        return key is not None and hmac.compare_digest(_seal(key, inner).encode(), seal.encode("utf-8", "replace"))

    def _signed_claims(self, token: str) -> tuple[Mapping[str, object], str]:
        """Return what a token says, and the id of the key that it is signed with: nearly always the newest one."""
        try:
            try:
                return _payload(token, self._keys[self._current]), self._current
            except jwt.InvalidSignatureError:
                key_id = jwt.get_unverified_header(token)["kid"]
                return _payload(token, self._keys[key_id]), key_id
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise RejectedError(ErrorCode.TOKEN_INVALID, type(error).__name__) from error


@lru_cache(_REMEMBERED)
def _payload(token: str, key: bytes) -> Mapping[str, object]:
    """Return what `token` says, which `key` has signed; raises as PyJWT does."""
    return dict(json.loads(_jws.decode(token, key, [_ALGORITHM])))


def _seal(key: bytes, text: str) -> str:
    return hmac.new(key, b"refresh " + text.encode("utf-8", "replace"), "sha256").hexdigest()[:_SEAL_CHARS]
