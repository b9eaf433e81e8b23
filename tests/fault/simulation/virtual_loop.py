"""An asyncio loop without sockets whose clock jumps to the next timer: nothing in it ever waits.

Everything that runs in it is decided by what was asked of it, so a plan that is run again takes the same course.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

_STEADY_START_S: Final = 1000.0


class StuckError(AssertionError):
    """Everybody waits and no timer runs: nothing would ever happen again."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Turns as any loop does; where another would sleep, this one moves its clock."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._now = _STEADY_START_S
        self._clock_resolution = 1e-6
        self.failures: list[str] = []
        self.set_exception_handler(self._note_failure)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def select(self, timeout: float | None) -> list[object]:
        """Stand in for the selector: there is nothing to wait for but time."""
        if timeout is None:
            raise StuckError("nobody will ever do anything again")
        self._now += max(timeout, 0.0)
        return []

    def _process_events(self, event_list: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _note_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")


def run_virtually(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end in a loop of its own; fails for what no one else would have heard of."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(main)
        left = [str(task.get_name()) for task in asyncio.all_tasks(loop)]
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    assert not loop.failures, loop.failures
    assert not left, f"tasks are left: {left}"
