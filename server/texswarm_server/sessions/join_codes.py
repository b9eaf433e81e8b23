"""Which join code holds now, and who may try it: codes grow old, serve a few, and are burned by wrong tries. PURE.

Each code allows a few wrong tries, over all addresses and counting those still going on; then it is burned, whoever
knew it, and another one is made: at once after the first time, later after pauses that grow to ten minutes, which
leaves who tries for a whole day a chance of one in 1400. Nothing is counted against who comes with a number that is
not this code's: they cannot learn anything.

Time is any steady clock in seconds.
"""

from collections import deque
from typing import Final

from texswarm_server.pairing.join_code import JoinCode, RandomBytes, new_join_code
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.sessions.code_tries import LIFE_S, MAX_USES, Attempt, TriedCode, TryLimits

_REMEMBERED_NUMBERS: Final = 64
_FIRST_PAUSE_S: Final = 15.0
_LONGEST_PAUSE_S: Final = 600.0
_BURNS_FORGOTTEN_AFTER_S: Final = 3600.0


class JoinCodes:
    """Invariant: at most one code holds."""

    def __init__(self, random: RandomBytes, now: float) -> None:
        self._random = random
        self._limits = TryLimits()
        self._numbers: deque[str] = deque(maxlen=_REMEMBERED_NUMBERS)
        self._burns = 0
        self._burned_at = now
        self._paused_until = now
        self._held: TriedCode | None = None
        self._renew(now)

    def current(self, now: float) -> JoinCode | None:
        """Return the code that holds now; None in the pause after one was burned."""
        if now >= (self._paused_until if self._held is None else self._made_at + LIFE_S):
            self._renew(now)
        return self._held.code if self._held is not None else None

    def begin(self, nameplate: str, address: str, now: float) -> Attempt:
        """Let somebody at `address` try; raises RejectedError: `throttled`, `code_expired` or `not_found`."""
        self._limits.take(address, now)
        code = self.current(now)
        if self._held is None or code is None or nameplate != code.nameplate:
            known = nameplate in self._numbers
            raise RejectedError(ErrorCode.CODE_EXPIRED if known else ErrorCode.NOT_FOUND, "no such code holds now")
        return self._held.begin()

    def right(self, attempt: Attempt, now: float) -> None:
        """Note that the guest had the code; raises RejectedError when it no longer holds."""
        if self._held is None or not self._held.ends(attempt):
            raise RejectedError(ErrorCode.CODE_EXPIRED, "the code was changed meanwhile")
        self._uses += 1
        if self._uses >= MAX_USES:
            self._renew(now)

    def wrong(self, attempt: Attempt, now: float) -> bool:
        """Note a wrong try; True when that burned the code."""
        if self._held is None or not self._held.fail(attempt):
            return False
        self._burn(now)
        return True

    def dropped(self, attempt: Attempt) -> None:
        """Note that an exchange ended before the guest proved anything: nothing was tried."""
        if self._held is not None:
            self._held.ends(attempt)

    def _renew(self, now: float) -> None:
        code = new_join_code(self._random, self._numbers)
        self._held = TriedCode(code)
        self._numbers.append(code.nameplate)
        self._made_at = now
        self._uses = 0

    def _burn(self, now: float) -> None:
        if now - self._burned_at > _BURNS_FORGOTTEN_AFTER_S:
            self._burns = 0
        self._burned_at = now
        pause_s = _FIRST_PAUSE_S * 2 ** (self._burns - 1) if self._burns else 0.0
        self._burns += 1
        self._held = None
        self._paused_until = now + min(pause_s, _LONGEST_PAUSE_S)
