"""Who has guessed too often: failed sign-ins per address and per user named, before any secret is looked at.

Only failures cost. A bucket holds a number of failures and fills again with time; one that is overdrawn, because many
tried at once, stays empty for longer. A user who signed in from an address before has a bucket of their own there, so
that no stranger's failures, in the user's name or behind the same address, can lock anybody out. Time is any steady
clock in seconds.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.network_place import network_of

K = TypeVar("K", bound=Hashable)

#: What a refused sign-in may be that was a guess; a token that is merely too old or was taken back is no guess.
GUESSES: Final = frozenset({ErrorCode.TOKEN_INVALID, ErrorCode.TOKEN_MISSING, ErrorCode.IDENTITY_MISMATCH})
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many per second in the long run."""

    burst: float
    per_s: float


PER_ADDRESS: Final = Rate(30, 0.5)
PER_USER: Final = Rate(10, 0.1)


class Buckets(Generic[K]):
    """A token bucket per key. Bounded: the key that was used longest ago is forgotten, which fills its bucket."""

    def __init__(self, rate: Rate, *, remembered: int = _REMEMBERED) -> None:
        self._rate = rate
        self._remembered = remembered
        self._levels: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def wait_s(self, key: K, now: float) -> float:
        """Return how long it takes until there is something in the bucket, 0 when there is now."""
        return max(1.0 - self._level(key, now), 0.0) / self._rate.per_s

    def take(self, key: K, now: float) -> None:
        """Take one out, also of an empty bucket; it is never further below than it can be above."""
        self._levels[key] = (max(self._level(key, now) - 1.0, -self._rate.burst), now)
        self._levels.move_to_end(key)
        if len(self._levels) > self._remembered:
            self._levels.popitem(last=False)

    def _level(self, key: K, now: float) -> float:
        level, at = self._levels.get(key, (self._rate.burst, now))
        return min(level + (now - at) * self._rate.per_s, self._rate.burst)


class Throttle:
    """Decides whether a sign-in is looked at. Bounded memory, whatever is tried."""

    def __init__(
        self, *, per_address: Rate = PER_ADDRESS, per_user: Rate = PER_USER, remembered: int = _REMEMBERED
    ) -> None:
        self._addresses: Buckets[str] = Buckets(per_address, remembered=remembered)
        self._users: Buckets[str] = Buckets(per_user, remembered=remembered)
        self._at_home: Buckets[tuple[str, str]] = Buckets(per_user, remembered=remembered)
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._remembered = remembered

    def check(self, address: str, user_id: str | None, now: float) -> None:
        """Raise RejectedError(throttled) with the time to wait for who failed too often."""
        place = network_of(address)
        if user_id is not None and (user_id, place) in self._familiar:
            wait_s = self._at_home.wait_s((user_id, place), now)
        else:
            wait_s = self._addresses.wait_s(place, now)
            if user_id is not None:
                wait_s = max(wait_s, self._users.wait_s(user_id, now))
        if wait_s > 0:
            raise RejectedError(ErrorCode.THROTTLED, "too many failed sign-ins", retry_after_s=wait_s)

    def failed(self, address: str, user_id: str | None, code: str, now: float) -> None:
        """Note a refused sign-in, if it may have been a guess."""
        if code not in GUESSES:
            return
        place = network_of(address)
        if user_id is not None and (user_id, place) in self._familiar:
            self._at_home.take((user_id, place), now)
            return
        self._addresses.take(place, now)
        if user_id is not None:
            self._users.take(user_id, now)

    def succeeded(self, address: str, user_id: str) -> None:
        """Note that a user signed in from an address."""
        key = (user_id, network_of(address))
        self._familiar[key] = None
        self._familiar.move_to_end(key)
        if len(self._familiar) > self._remembered:
            self._familiar.popitem(last=False)
