"""Hears of a lost or another network: from the kernel at once where it tells (Linux), and by looking now and then.

Without Qt, so that programs without a window hear of it too.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final

from texswarm_desktop.core.network_change import NetworkChange, change_between
from texswarm_desktop.services.lan_addresses import host_addresses
from texswarm_server.kernel_news import NEWS_BYTES, SETTLE_S, kernel_news

_LOOK_EVERY_S: Final = 2.0
#: netdevice(7)
_SIOCGIFFLAGS: Final = 0x8913
_UP: Final = 0x1
_RUNNING: Final = 0x40


def addresses_here() -> frozenset[str]:
    """Return the addresses that others may reach, of interfaces with a cable; blocks for a moment."""
    down = _down_interfaces()
    return frozenset(one.address for one in host_addresses() if one.interface not in down)


def _down_interfaces() -> frozenset[str]:
    """Return the interfaces that are switched off or unplugged, where the system tells: they keep their addresses."""
    if sys.platform != "linux":
        return frozenset()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return frozenset(name for _, name in socket.if_nameindex() if not _is_running(any_socket, name))


def _is_running(any_socket: socket.socket, interface: str) -> bool:
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode(), 0))
    except OSError:  # it has just gone
        return False
    (flags,) = struct.unpack("16xH14x", answer)
    return bool(flags & _UP) and bool(flags & _RUNNING)


class NetworkWatch:
    """Calls `on_change(is_online)` whenever this machine has other addresses than before, for as long as it runs."""

    def __init__(
        self,
        on_change: Callable[[bool], None],
        *,
        executor: Executor | None = None,
        look: Callable[[], frozenset[str]] = addresses_here,
        every_s: float = _LOOK_EVERY_S,
    ) -> None:
        self._on_change, self._executor, self._look, self._every_s = on_change, executor, look, every_s

    async def run(self) -> None:
        """Watch, until cancelled."""
        with kernel_news() as news:
            seen = await self._looked()
            while True:
                await self._wait(news)
                now = await self._looked()
                change, seen = change_between(seen, now), now
                if change is not None:
                    self._on_change(change is not NetworkChange.GONE)

    async def _looked(self) -> frozenset[str]:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._look)

    async def _wait(self, news: socket.socket | None) -> None:
        if news is None:
            await asyncio.sleep(self._every_s)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._every_s):
                await _told(news)
                await asyncio.sleep(SETTLE_S)


async def _told(news: socket.socket) -> None:
    """Return when the kernel says something; that there was more than the buffer holds is news as well."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_recv(news, NEWS_BYTES)
