"""The addresses under which others on the network may reach this machine; which are good for that, `core` decides."""

import socket
from contextlib import suppress
from typing import Final

from texswarm_desktop.core.host_addresses import HostAddress, InterfaceAddress, reachable

# Nothing is sent: connecting a datagram socket only asks the routing table which interface would be used.
_PROBES: Final = ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9)))


def lan_addresses() -> list[str]:
    """Return the addresses, best first; only loopback when there is no network."""
    return [one.address for one in host_addresses()] or ["127.0.0.1"]


def host_addresses() -> list[HostAddress]:
    """Return the addresses with their interfaces, best first; blocks for a moment."""
    routed = _routed()
    return reachable([*_interfaces(), *(InterfaceAddress("", address) for address in routed)], routed)


def prefixes_here() -> dict[str, int]:
    """Return for each address of this machine how long the prefix of its network is; blocks for a moment."""
    import ifaddr  # noqa: PLC0415

    with suppress(OSError):
        return {_text_of(ip.ip): ip.network_prefix for adapter in ifaddr.get_adapters() for ip in adapter.ips}
    return {}


def _text_of(ip: str | tuple[str, int, int]) -> str:
    return ip if isinstance(ip, str) else ip[0]


def _interfaces() -> list[InterfaceAddress]:
    import ifaddr  # noqa: PLC0415 - for those who host

    found = []
    with suppress(OSError):
        for adapter in ifaddr.get_adapters():
            for ip in adapter.ips:
                text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
                found.append(InterfaceAddress(adapter.name, text, adapter.nice_name))
    return found


def _routed() -> list[str]:
    found = []
    for family, target in _PROBES:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)
            found.append(str(probe.getsockname()[0]))
    return found
