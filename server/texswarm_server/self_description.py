"""How a server is doing on its own side, for guests who look for what keeps others away: the other half of a check.

It is told to who is signed in, and never to strangers: a server that lets everybody in tells nobody. What addresses
this machine has is told only to who comes from a network like those at home or at work. Nothing about documents or
people is in it.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from texswarm_server.active_firewall import active_firewall
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.messages import DescribeServer, InterfaceInfo, ServerDescribed
from texswarm_server.protocol.network_place import is_local, is_loopback
from texswarm_server.protocol.version import OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION

_ROOT: Final = Path("/")
#: Looking costs some milliseconds; who asks again at once is told the same.
_HOLDS_FOR_S: Final = 5.0


class SelfDescription:
    """Looks at this machine when it is asked to. `host`: what the listener was told; `port`: the real one.

    `is_open`: the server lets everybody in. `is_announced`: whether the local network was told of the server. `root`:
    where the system's own files lie.
    """

    def __init__(
        self,
        host: str,
        port: Callable[[], int],
        *,
        is_open: bool,
        is_announced: Callable[[], bool],
        root: Path = _ROOT,
    ) -> None:
        self._host, self._port, self._root = host, port, root
        self._is_open, self._is_announced = is_open, is_announced
        self._seen: tuple[str | None, list[InterfaceInfo]] = (None, [])
        self._seen_at: float | None = None

    async def tell(self, order: DescribeServer, asked_from: str) -> ServerDescribed:
        """Return the answer for somebody who is signed in and came from an address; raises RejectedError."""
        if self._is_open:
            raise RejectedError(ErrorCode.FORBIDDEN, "whoever comes is let in here, and nobody is told about it")
        firewall, interfaces = await self._look()
        return ServerDescribed(
            port=self._port(),
            client_address=asked_from,
            protocol=PROTOCOL_VERSION,
            oldest_protocol=OLDEST_PROTOCOL_VERSION,
            firewall=firewall,
            announced=self._is_announced(),
            interfaces=interfaces if is_local(asked_from) else [],
            request=order.request,
        )

    async def _look(self) -> tuple[str | None, list[InterfaceInfo]]:
        loop = asyncio.get_running_loop()
        if self._seen_at is None or loop.time() - self._seen_at > _HOLDS_FOR_S:
            self._seen = await loop.run_in_executor(None, self._look_now)
            self._seen_at = loop.time()
        return self._seen

    def _look_now(self) -> tuple[str | None, list[InterfaceInfo]]:
        from texswarm_server.discovery import addresses_of, announced_addresses, interfaces_of  # noqa: PLC0415 - seldom

        host = self._host
        if is_loopback(host):
            return None, []  # no firewall is in the way of what comes from this machine itself
        here = announced_addresses(host, addresses_of(host)())
        found = [
            InterfaceInfo(name=name, address=address, prefix=prefix) for name, address, prefix in interfaces_of(here)
        ]
        return active_firewall(self._root), found
