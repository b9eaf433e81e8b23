"""A clock that stands still until a test moves it, and timers that fire when it does."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class FakeTimer:
    """One call, due at `at`."""

    at: float
    order: int
    callback: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeTime:
    """Monotonic and wall clock in one; `call_later` has the shape of the loop's."""

    def __init__(self, now: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self.now, self.wall_now = now, wall
        self._timers: list[FakeTimer] = []
        self._count = 0

    def clock(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return self.wall_now

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> FakeTimer:
        self._count += 1
        timer = FakeTimer(self.now + delay_s, self._count, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, firing what falls due on the way, in order."""
        end = self.now + seconds
        while self._timers and self._timers[0].at <= end:
            timer = heapq.heappop(self._timers)
            if not timer.is_cancelled:
                self._move_to(timer.at)
                timer.callback()
        self._move_to(end)

    def sleep_machine(self, seconds: float) -> None:
        """Let the machine sleep: the wall clock moves on, the monotonic one does not."""
        self.wall_now += seconds

    def stand_still(self, seconds: float) -> None:
        """Let both clocks move on while the program stands still: what fell due meanwhile comes late."""
        self._move_to(self.now + seconds)

    @property
    def pending(self) -> int:
        """How many timers wait."""
        return sum(not timer.is_cancelled for timer in self._timers)

    def _move_to(self, now: float) -> None:
        now = max(now, self.now)
        self.wall_now += now - self.now
        self.now = now
