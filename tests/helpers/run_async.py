"""Runs a coroutine as a test, and waits for conditions instead of durations."""

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

#: When this is over, a condition that has not come true never will. No test asserts on it.
_GIVE_UP_S: Final = 30.0
_PAUSE_S: Final = 0.002


def runs_async(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Let pytest call a coroutine function: each test has a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def main() -> None:
            await test(*args, **kwargs)

        asyncio.run(main())

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return run


async def until(condition: Callable[[], object], what: str | Callable[[], str] = "") -> None:
    """Return once `condition()` holds; fails with `what`, or the condition's name, when it never does."""
    give_up_at = time.monotonic() + _GIVE_UP_S
    while not condition():
        if time.monotonic() > give_up_at:
            told = what() if callable(what) else what
            raise AssertionError(f"never came true: {told or inspect.getsource(condition).strip()}")
        await asyncio.sleep(_PAUSE_S)


async def settle(turns: int = 20) -> None:
    """Let everything run that can run without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)
