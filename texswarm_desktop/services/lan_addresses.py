"""The addresses under which others on the network may reach this machine, best first."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

# Nothing is sent: connecting a datagram socket only asks the routing table which interface would be used.
_PROBES: Final = ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9)))


def lan_addresses() -> list[str]:
    """Return the addresses, the one of the default route first; only loopback when there is no network."""
    found = [*_routed(), *_named()]
    usable = list(dict.fromkeys(text for text in found if _is_usable(text)))
    return usable or ["127.0.0.1"]


def _routed() -> list[str]:
    found = []
    for family, target in _PROBES:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(target)
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return found


def _named() -> list[str]:
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_DGRAM)]
    except OSError:
        return []


def _is_usable(text: str) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast)
