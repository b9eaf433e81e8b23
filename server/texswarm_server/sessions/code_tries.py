"""What every join code has in common, whoever made it: how often it may be tried, and how often by one address. PURE.

A code is worth 20 bits, so the number of tries is what protects it.
"""

from dataclasses import dataclass, field
from typing import Final

from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.network_place import network_of
from texswarm_server.sessions.throttle import Buckets, Rate

LIFE_S: Final = 600.0
MAX_USES: Final = 5
MAX_WRONG: Final = 5
#: Exchanges cost the host some milliseconds each, so that beginning them is limited as well.
_PER_ADDRESS: Final = Rate(8, 0.2)
_OVER_ALL: Final = Rate(30, 1.0)
_EVERYBODY: Final = "everybody"
_BUSY_RETRY_S: Final = 2.0


@dataclass(slots=True, eq=False)
class Attempt:
    """One exchange that was begun with a code. Ended once, by `right`, `wrong` or `dropped`."""

    code: JoinCode
    is_over: bool = False


@dataclass(slots=True, eq=False)
class TriedCode:
    """A code that holds. Invariant: its wrong tries and those going on are never more than MAX_WRONG."""

    code: JoinCode
    wrong: int = 0
    _going_on: set[Attempt] = field(default_factory=set)

    def begin(self) -> Attempt:
        """Let somebody try; raises RejectedError(throttled)."""
        if self.wrong + len(self._going_on) >= MAX_WRONG:
            raise RejectedError(ErrorCode.THROTTLED, "others are trying", retry_after_s=_BUSY_RETRY_S)
        attempt = Attempt(self.code)
        self._going_on.add(attempt)
        return attempt

    def ends(self, attempt: Attempt) -> bool:
        """Note the end of an attempt; False for one that had ended, or was at another code."""
        if attempt.is_over or attempt not in self._going_on:
            return False
        attempt.is_over = True
        self._going_on.discard(attempt)
        return True

    def fail(self, attempt: Attempt) -> bool:
        """Note that an attempt was wrong; True when that burned the code."""
        if not self.ends(attempt):
            return False
        self.wrong += 1
        return self.wrong >= MAX_WRONG


class TryLimits:
    """How often exchanges may be begun, over all and from one network. Time is any steady clock in seconds."""

    def __init__(self) -> None:
        self._addresses: Buckets[str] = Buckets(_PER_ADDRESS)
        self._all: Buckets[str] = Buckets(_OVER_ALL)

    def take(self, address: str, now: float) -> None:
        """Count one more by somebody at `address`; raises RejectedError(throttled)."""
        place = network_of(address)
        wait_s = max(self._addresses.wait_s(place, now), self._all.wait_s(_EVERYBODY, now))
        if wait_s > 0:
            raise RejectedError(ErrorCode.THROTTLED, "too many tries", retry_after_s=wait_s)
        self._addresses.take(place, now)
        self._all.take(_EVERYBODY, now)
