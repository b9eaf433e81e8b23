"""What a host's lock took, so that its end can give it back: also after a restart. Pure."""

from contextlib import suppress

import msgspec


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """While everybody else only reads: by their ids, `users` who wrote before, and `doors`, invites that let write."""

    users: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()

    def and_also(self, users: tuple[str, ...] = (), doors: tuple[str, ...] = ()) -> "Lock":
        """Return a lock that took from these, too."""
        return Lock(users=_once(self.users, users), doors=_once(self.doors, doors))


def _once(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def encode_lock(lock: Lock) -> str:
    """Return a lock as it is kept."""
    return msgspec.json.encode(lock).decode()


def decode_lock(text: str) -> Lock | None:
    """Return the lock that was kept so; None where there was none, or it cannot be read."""
    with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.decode(text, type=Lock)
    return None
