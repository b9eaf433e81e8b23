"""The owner of the tasks that a window or a view-model starts: they end when their owner does.

One of the four borders where any exception is caught: here it is logged, with the name of the task, and told to
`on_failure`; it never disappears and never stops the others.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

_log = logging.getLogger(__name__)


class ClosedScopeError(RuntimeError):
    """Work was given to a scope that has ended: a mistake of ours."""


class TaskScope:
    """Names, holds and ends tasks. Invariant: once `close()` has returned, none of its tasks runs."""

    def __init__(self, name: str, on_failure: Callable[[Exception], None] | None = None) -> None:
        self._name = name
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether new work is refused."""
        return self._is_closed

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` on the running loop; raises ClosedScopeError, with the coroutine closed, when it is too late."""
        if self._is_closed:
            work.close()
            raise ClosedScopeError(f"{self._name} has ended; {name!r} was not started")
        task = asyncio.get_running_loop().create_task(self._guard(name, work), name=f"{self._name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _task: work.close())  # a task that was cancelled before its first step
        return task

    async def close(self) -> None:
        """Refuse new work, cancel what runs and wait until it has ended. May be called twice."""
        self._is_closed = True
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _guard(self, name: str, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await work
        except Exception as error:
            _log.exception("%s: %s failed", self._name, name)
            if self._on_failure is not None:
                self._on_failure(error)
            return None
