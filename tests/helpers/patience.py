"""For tests of how long something takes on a machine that may be busy, or stand still: time as a loop that works has
felt it, time without what others took of the processors, and scenes that are played again."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_STEP_S: Final = 0.02
_SCENES: Final = 3


def played_in_time(play: Callable[[int], T], is_late: Callable[[T], str]) -> T:
    """Play a scene, and again if it was late, three times at most; return what it gave when it was not.

    A machine stands still now and then; a program that is too slow is so each time. `is_late`: says what was, or "".
    """
    late: list[str] = []
    while len(late) < _SCENES:
        played = play(len(late))
        if not (what := is_late(played)):
            return played
        late.append(what)
    raise AssertionError(f"late each time: {'; '.join(late)}")


class FeltTime:
    """`seconds` grows by one step whenever the loop was able to run a timer again."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_STEP_S, self._step)

    def stop(self) -> None:
        """Count no more."""
        self._timer.cancel()

    def _step(self) -> None:
        self.seconds += _STEP_S
        self._timer = self._loop.call_later(_STEP_S, self._step)


@contextmanager
def felt_time() -> Iterator[FeltTime]:
    """Count the time in which this loop ran: where the machine stood still for a second, that second is one step."""
    felt = FeltTime()
    try:
        yield felt
    finally:
        felt.stop()


class OwnTime:
    """`seconds` since it was made, less those in which this thread could have gone on and others had the processors.

    Linux counts that (`schedstat`: nanoseconds on a processor, and in wait for one); where nobody does, it
    is the time of the clock on the wall.
    """

    def __init__(self) -> None:
        self._begun_s = time.monotonic() - _held_up_s()

    @property
    def seconds(self) -> float:
        return time.monotonic() - _held_up_s() - self._begun_s


def _held_up_s() -> float:
    counted = Path("/proc/thread-self/schedstat")
    return int(counted.read_text().split()[1]) / 1e9 if counted.exists() else 0.0
