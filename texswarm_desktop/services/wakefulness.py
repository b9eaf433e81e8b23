"""Asking the system not to sleep while others are here, and to forget it again.

The library keeps what it asked for with the thread that asked, and may wait for a bus of the system; so a thread of our
own does both, one after the other.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, Protocol

from texswarm_server.protocol.callbacks import nothing

_log: Final = logging.getLogger(__name__)


class Asked(Protocol):
    """What a system that was asked answers."""

    @property
    def active(self) -> bool:
        """Whether it stays awake."""


KeepAwake = Callable[[], AbstractContextManager[Asked]]
"""Makes what keeps the system awake while it is entered."""


class Wakefulness:
    """Whether the system is asked to stay awake. `on_changed` is called, in another thread, with whether it does.

    Invariant: after `close` the system may sleep, and no thread of this is left.
    """

    def __init__(self, on_changed: Callable[[bool], None], keep_awake: KeepAwake | None = None) -> None:
        self._on_changed = on_changed
        self._keep_awake = keep_awake or _by_the_system
        self._thread: ThreadPoolExecutor | None = None
        self._kept: AbstractContextManager[Asked] | None = None
        self._is_wanted = False

    def want(self, *, is_wanted: bool) -> None:
        """Keep the system awake from now on, or no longer; returns at once."""
        if is_wanted == self._is_wanted:
            return
        self._is_wanted = is_wanted
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="wakefulness")
        self._thread.submit(self._enter if is_wanted else self._leave)

    async def close(self) -> None:
        """Let the system sleep, and return when it may."""
        self.want(is_wanted=False)
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.wrap_future(thread.submit(nothing))
            thread.shutdown()

    def _enter(self) -> None:
        self._kept = self._keep_awake()
        is_awake = self._kept.__enter__().active
        _log.info("the system %s while there are guests", "stays awake" if is_awake else "may sleep")
        self._on_changed(is_awake)

    def _leave(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.__exit__(None, None, None)


def _by_the_system() -> AbstractContextManager[Asked]:
    from wakepy import keep  # noqa: PLC0415 - for those who host

    if sys.platform != "linux":  # nobody else is told who asks
        return keep.running(on_fail="pass")
    from texswarm_desktop.services.inhibitor_name import InhibitorName  # noqa: PLC0415 - as above

    return keep.running(on_fail="pass", dbus_adapter=InhibitorName)
