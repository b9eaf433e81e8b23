"""The keys that sign access tokens: the newest signs, others verify until the last token they signed has expired."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from texswarm_server.sessions.credentials import RandomBytes, new_short_id
from texswarm_server.sessions.records import Records

SIGNING_KEYS: Final = "signing_keys"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One key. `ttl_s`: the longest life of a token it signed; `replaced_at` is None for the one that signs."""

    key_id: str
    secret: bytes
    made_at: float
    ttl_s: float
    replaced_at: float | None = None


def load_keys(records: Records) -> list[SigningKey]:
    """Return the keys, the one that signs last; none before the first start."""
    stored = json.loads(records.find_setting(SIGNING_KEYS) or "[]")
    if isinstance(stored, dict):  # as the first version wrote them
        stored = [{"key_id": name, "secret": key, "made_at": 0.0, "ttl_s": 0.0} for name, key in stored.items()]
    return [SigningKey(**(each | {"secret": b64decode(each["secret"])})) for each in stored]


def keys_for_start(records: Records, random: RandomBytes, *, now: float, ttl_s: float) -> list[SigningKey]:
    """Return the keys for a server whose tokens live for `ttl_s`; makes the first one, forgets those of no use."""
    known = load_keys(records)
    keys = _useful(known, now) or [_new_key(random, now, ttl_s)]
    current = keys[-1]
    keys[-1] = replace(current, ttl_s=max(current.ttl_s, ttl_s), made_at=current.made_at or now)
    if keys != known:
        _save(records, keys)
    return keys


def add_key(records: Records, random: RandomBytes, *, now: float, drop_old: bool = False) -> SigningKey:
    """Let a new key sign from now on and return it; with `drop_old` no earlier token is valid any more."""
    known = load_keys(records)
    new = _new_key(random, now, known[-1].ttl_s if known else 0.0)
    old = [replace(each, replaced_at=now if each.replaced_at is None else each.replaced_at) for each in known]
    _save(records, [*([] if drop_old else _useful(old, now)), new])
    return new


def verifying(keys: Sequence[SigningKey]) -> tuple[dict[str, bytes], str]:
    """Return the secrets by key id, and the id of the one that signs: what `AccessTokens` works with."""
    return {key.key_id: key.secret for key in keys}, keys[-1].key_id


def _useful(keys: Sequence[SigningKey], now: float) -> list[SigningKey]:
    return [each for each in keys if each.replaced_at is None or now < each.replaced_at + each.ttl_s]


def _new_key(random: RandomBytes, now: float, ttl_s: float) -> SigningKey:
    return SigningKey(key_id=new_short_id(random), secret=random(_KEY_BYTES), made_at=now, ttl_s=ttl_s)


def _save(records: Records, keys: Sequence[SigningKey]) -> None:
    stored = [asdict(each) | {"secret": b64encode(each.secret).decode()} for each in keys]
    records.put_setting(SIGNING_KEYS, json.dumps(stored))
