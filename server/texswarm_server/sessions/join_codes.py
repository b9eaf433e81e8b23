"""Which join code holds now, and who may try it: codes grow old, serve a few, and are burned by wrong tries. PURE.

A code is worth 20 bits, so the number of tries is what protects it. Each code allows a few wrong ones, over all
addresses and counting those still going on; then it is burned, whoever knew it, and another one is made: at once after
the first time, later after pauses that grow to ten minutes, which leaves who tries for a whole day a chance of one in
1400. Nothing is counted against who comes with a number that is not this code's: they cannot learn anything.

Time is any steady clock in seconds.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from texswarm_server.pairing.join_code import JoinCode, RandomBytes, new_join_code
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.network_place import network_of
from texswarm_server.sessions.throttle import Buckets, Rate

LIFE_S: Final = 600.0
MAX_USES: Final = 5
MAX_WRONG: Final = 5
_REMEMBERED_NUMBERS: Final = 64
_FIRST_PAUSE_S: Final = 15.0
_LONGEST_PAUSE_S: Final = 600.0
_BURNS_FORGOTTEN_AFTER_S: Final = 3600.0
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


class JoinCodes:
    """Invariant: at most one code holds; its wrong tries and those going on are never more than MAX_WRONG."""

    def __init__(self, random: RandomBytes, now: float) -> None:
        self._random = random
        self._addresses: Buckets[str] = Buckets(_PER_ADDRESS)
        self._all: Buckets[str] = Buckets(_OVER_ALL)
        self._numbers: deque[str] = deque(maxlen=_REMEMBERED_NUMBERS)
        self._burns = 0
        self._burned_at = now
        self._paused_until = now
        self._code: JoinCode | None = None
        self._renew(now)

    def current(self, now: float) -> JoinCode | None:
        """Return the code that holds now; None in the pause after one was burned."""
        if now >= (self._paused_until if self._code is None else self._made_at + LIFE_S):
            self._renew(now)
        return self._code

    def begin(self, nameplate: str, address: str, now: float) -> Attempt:
        """Let somebody at `address` try; raises RejectedError: `throttled`, `code_expired` or `not_found`."""
        place = network_of(address)
        wait_s = max(self._addresses.wait_s(place, now), self._all.wait_s(_EVERYBODY, now))
        if wait_s > 0:
            raise RejectedError(ErrorCode.THROTTLED, "too many tries", retry_after_s=wait_s)
        self._addresses.take(place, now)
        self._all.take(_EVERYBODY, now)
        code = self.current(now)
        if code is None or nameplate != code.nameplate:
            known = nameplate in self._numbers
            raise RejectedError(ErrorCode.CODE_EXPIRED if known else ErrorCode.NOT_FOUND, "no such code holds now")
        if self._wrong + self._going_on >= MAX_WRONG:
            raise RejectedError(ErrorCode.THROTTLED, "others are trying", retry_after_s=_BUSY_RETRY_S)
        self._going_on += 1
        return Attempt(code)

    def right(self, attempt: Attempt, now: float) -> None:
        """Note that the guest had the code; raises RejectedError when it no longer holds."""
        if not self._ends(attempt):
            raise RejectedError(ErrorCode.CODE_EXPIRED, "the code was changed meanwhile")
        self._uses += 1
        if self._uses >= MAX_USES:
            self._renew(now)

    def wrong(self, attempt: Attempt, now: float) -> bool:
        """Note a wrong try; True when that burned the code."""
        if not self._ends(attempt):
            return False
        self._wrong += 1
        if self._wrong < MAX_WRONG:
            return False
        self._burn(now)
        return True

    def dropped(self, attempt: Attempt) -> None:
        """Note that an exchange ended before the guest proved anything: nothing was tried."""
        self._ends(attempt)

    def _ends(self, attempt: Attempt) -> bool:
        """Note the end of an attempt; True if its code still holds."""
        if attempt.is_over:
            return False
        attempt.is_over = True
        if attempt.code is not self._code:
            return False
        self._going_on -= 1
        return True

    def _renew(self, now: float) -> None:
        self._code = new_join_code(self._random, self._numbers)
        self._numbers.append(self._code.nameplate)
        self._made_at = now
        self._uses = self._wrong = self._going_on = 0

    def _burn(self, now: float) -> None:
        if now - self._burned_at > _BURNS_FORGOTTEN_AFTER_S:
            self._burns = 0
        self._burned_at = now
        pause_s = _FIRST_PAUSE_S * 2 ** (self._burns - 1) if self._burns else 0.0
        self._burns += 1
        self._code = None
        self._paused_until = now + min(pause_s, _LONGEST_PAUSE_S)
