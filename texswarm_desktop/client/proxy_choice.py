"""Which proxy stands between this machine and a server: the environment's, else the one of the desktop's settings.

Whoever is in one network with this machine is reached without, whatever the settings say: also under a public address
or a name. Settings may be asked by something that blocks for seconds (a script on a web server that is down): that
happens in a thread of its own, for so long and no longer.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from texswarm_desktop.client.timing import is_near
from texswarm_desktop.client.transport import has_environment_proxies, in_full, system_proxy
from texswarm_server.protocol.invite_link import ServerAddress

_log: Final = logging.getLogger(__name__)
_LIMIT_S: Final = 4.0

AskDesktop = Callable[[str], str | None]
"""Returns the proxy of the desktop's settings for a URL, None for none; may block."""

PrefixesHere = Callable[[], dict[str, int]]
"""Returns for each address of this machine how long the prefix of its network is; may block."""


class ProxyChoice:
    """A `FindProxy`. `ask_desktop`: None where there is nobody to ask but what Python knows of the system."""

    def __init__(
        self, prefixes: PrefixesHere, ask_desktop: AskDesktop | None = None, *, limit_s: float = _LIMIT_S
    ) -> None:
        self._prefixes, self._ask_desktop, self._limit_s = prefixes, ask_desktop, limit_s
        self._thread: threading.Thread | None = None

    async def __call__(self, address: ServerAddress) -> str | None:
        """Return the proxy for an address; what takes too long, or another question waits for, is left out."""
        if is_near(address):
            return None
        if self._thread is not None and self._thread.is_alive():
            return system_proxy(address)
        found: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._thread = threading.Thread(
            target=self._find, args=(address, asyncio.get_running_loop(), found), name="proxy choice", daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(self._limit_s):
                return await found
        except TimeoutError:
            _log.info("the settings for proxies take too long")
            return system_proxy(address)

    def _find(
        self, address: ServerAddress, loop: asyncio.AbstractEventLoop, found: "asyncio.Future[str | None]"
    ) -> None:
        """In the thread."""
        try:
            proxy = self._proxy(address)
        except (OSError, ValueError) as error:
            _log.warning("looking for a proxy: %s", error)
            proxy = system_proxy(address)
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(_settle, found, proxy)

    def _proxy(self, address: ServerAddress) -> str | None:
        if self._ask_desktop is None or has_environment_proxies():
            proxy = system_proxy(address)
        else:
            named = self._ask_desktop(_as_web(address))
            proxy = in_full(named) if named else None
        return None if proxy is None or self._is_in_one_network(address.host) else proxy

    def _is_in_one_network(self, host: str) -> bool:
        """Say whether a machine is beside this one. Its name may be one that only the proxy can look up."""
        networks = [ip_network(f"{_bare(one)}/{prefix}", strict=False) for one, prefix in self._prefixes().items()]
        with suppress(OSError):
            found = {_bare(str(one[4][0])) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
            return bool(found) and all(_is_beside(one, networks) for one in found)
        return False


def _is_beside(address: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    ip = ip_address(address)
    return is_near(ServerAddress(address)) or any(
        ip in network for network in networks if network.version == ip.version and network.prefixlen > 0
    )


def _as_web(address: ServerAddress) -> str:
    """Return the URL that settings are made for: they know the web, and WebSockets as what is tunnelled like it."""
    return f"https{address.url.removeprefix('wss').removeprefix('ws')}"


def _bare(address: str) -> str:
    return address.partition("%")[0]


def _settle(found: "asyncio.Future[str | None]", proxy: str | None) -> None:
    if not found.done():
        found.set_result(proxy)
