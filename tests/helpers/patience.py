"""Time as a loop that works has felt it, for tests of how long something takes on a machine that may be busy."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STEP_S: Final = 0.02


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
