"""A server as a process of its own: the loop it runs on, and what signals ask of it.

SIGTERM and SIGINT: the server drains and the process ends. The same again: what is left of the draining is skipped; a
third time the system ends the process as it pleases, which loses nothing that was acknowledged. SIGHUP: certificate and
key are read again. Where signals cannot be handled in the loop (Windows), an interrupt ends it without draining.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.event_loop import allow_many_files, new_event_loop
from texswarm_server.logs import fields, set_up
from texswarm_server.protocol.errors import SettingsError

_logger = logging.getLogger(__name__)

_TIME_LIMIT_S: Final = 10.0
_HURRIED_LIMIT_S: Final = 1.0
_OTHER_FILES: Final = 128
#: How long a thread that works for the database may keep the interpreter from those who carry people's words.
_SWITCH_S: Final = 0.0005
#: Connections and sessions live long; looking through them all for circles, as often as is usual, delays everybody.
_COLLECT_AFTER: Final = (20_000, 20, 100)


def run(config: ServerConfig, announce: Callable[[CollabServer], None]) -> None:
    """Serve until a signal asks to stop; `announce` is called once connections are accepted.

    Raises what `CollabServer.start` raises, and StorageError when something could not be stored at the end.
    """
    set_up(config.log_format, config.log_level)
    files = allow_many_files()
    sys.setswitchinterval(_SWITCH_S)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(config, announce, files))


async def _serve(config: ServerConfig, announce: Callable[[CollabServer], None], files: int | None) -> None:
    wishes = _Wishes()
    wishes.listen()
    async with CollabServer(config) as server:
        announce(server)
        _leave_what_stays_alone()
        _look_at_limits(config, files)
        while await wishes.next_is_reload():
            await _reload(server)
        await server.drain(config.drain_s, wishes.hurry)
        await server.stop(time_limit_s=_HURRIED_LIMIT_S if wishes.hurry.is_set() else _TIME_LIMIT_S)


def _leave_what_stays_alone() -> None:
    """Look seldom for garbage in circles, and never through what was made before anybody came."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


async def _reload(server: CollabServer) -> None:
    """Read the certificate again; one that cannot be used is named, and the old one stays."""
    try:
        await server.reload_tls()
    except SettingsError as error:
        _logger.error("certificate not usable, the old one stays", extra=fields(error=error))  # noqa: TRY400 - all is said


def _look_at_limits(config: ServerConfig, files: int | None) -> None:
    """Warn where the system allows fewer open files than the configuration allows connections."""
    wanted = config.max_connections + config.max_unauthenticated + _OTHER_FILES
    if files is not None and files < wanted:
        _logger.warning("fewer open files allowed than connections", extra=fields(allowed=files, wanted=wanted))


class _Wishes:
    """What signals asked for, in order. `hurry` is set when somebody asked to stop twice."""

    def __init__(self) -> None:
        self.hurry = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._reloads: asyncio.Queue[bool] = asyncio.Queue()
        self._is_stopping = False

    def listen(self) -> None:
        """Take signals from now on."""
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self._stop)
            self._loop.add_signal_handler(signal.SIGHUP, self._reloads.put_nowait, True)

    async def next_is_reload(self) -> bool:
        """Wait for the next wish; False when it is to stop."""
        return await self._reloads.get()

    def _stop(self) -> None:
        if self._is_stopping:
            self.hurry.set()
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.remove_signal_handler(number)
            return
        self._is_stopping = True
        self._reloads.put_nowait(False)
