"""How a desktop gets to others: links to servers, by which proxy, and what finds hosts nearby.

Each is loaded when it is first asked for, not before the window is there: none of it is imported at the top.
"""

import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from texswarm_desktop.viewmodels.nearby_view import HostFinder, Hosts, NewFinder
from texswarm_server.protocol.invite_link import ServerAddress

if TYPE_CHECKING:
    from texswarm_desktop.client.link import FindProxy, TransportFactory
    from texswarm_desktop.client.pairing import OpenCertified


class Ways:
    """Opens links; loaded when the first is made, not before the window is there. Invariant: one choice of proxies."""

    @cached_property
    def _choice(self) -> "FindProxy":
        """What finds the proxy that this desktop's settings name."""
        from texswarm_desktop.client.proxy_choice import ProxyChoice  # noqa: PLC0415
        from texswarm_desktop.qtx.desktop_proxy import proxy_by_qt  # noqa: PLC0415
        from texswarm_desktop.services.lan_addresses import prefixes_here  # noqa: PLC0415
        from texswarm_desktop.services.portal_proxy import proxy_by_portal  # noqa: PLC0415

        return ProxyChoice(prefixes_here, proxy_by_portal if sys.platform == "linux" else proxy_by_qt)

    def websockets(self, fingerprint: str | None) -> "TransportFactory":
        """Return what opens links to a server."""
        from texswarm_desktop.client.transport import websocket_transport  # noqa: PLC0415

        return websocket_transport(fingerprint, self.proxy_for)

    def door(self, fingerprint: str | None) -> "OpenCertified":
        """Return what opens links to a server's door."""
        from texswarm_desktop.client.transport import door_transport  # noqa: PLC0415

        return door_transport(fingerprint, self.proxy_for)

    async def proxy_for(self, address: ServerAddress) -> str | None:
        """Find the proxy for an address."""
        return await self._choice(address)


def new_finder(host_address: str) -> NewFinder:
    """Return what makes a finder that looks where this desktop would host; loaded when it is first made."""

    def make(on_change: Callable[[Hosts], object]) -> HostFinder:
        from texswarm_desktop.services.discovery import Browser  # noqa: PLC0415
        from texswarm_server.discovery import addresses_of  # noqa: PLC0415

        return Browser(on_change, find_addresses=addresses_of(host_address))

    return make
