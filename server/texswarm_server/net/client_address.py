"""Who is really at the other end: the address of the socket, or what a proxy that is trusted says of it.

A proxy appends the address it was called from to `X-Forwarded-For`. So the list is read from its end, as long as the
one who wrote the next entry is trusted; whatever stands further left was made up by somebody, and is not looked at.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from texswarm_server.protocol.errors import SettingsError

FORWARDED_FOR: Final = "X-Forwarded-For"
NOWHERE: Final = ""
"""The address of a peer whose connection was gone before it could be asked."""

_Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address
_MAX_HOPS: Final = 16
_REMEMBERED: Final = 4096


class Networks:
    """Addresses and networks that a setting names, as `10.0.0.0/8`."""

    def __init__(self, texts: Iterable[str], setting: str) -> None:
        """Raises SettingsError for what is no network."""
        self._networks = tuple(_network(text, setting) for text in texts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: object) -> bool:
        """Whether an address, or its canonical spelling, is in one of them."""
        found = _address(address) if isinstance(address, str) else address
        return any(found in network for network in self._networks if isinstance(found, IPv4Address | IPv6Address))


class ClientAddresses:
    """Finds addresses, believing the proxies in `trusted`: addresses or networks, as `10.0.0.0/8`."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """Raises SettingsError for what is no network."""
        self._trusted = Networks(trusted, "trusted_proxies")

    def find(self, socket_address: object, forwarded_for: Sequence[str]) -> str:
        """Return the address of a client in its one canonical spelling.

        `socket_address`: what the socket calls its peer. `forwarded_for`: every `X-Forwarded-For` header, in order.
        """
        host = socket_address[0] if isinstance(socket_address, tuple) and socket_address else NOWHERE
        nearest = _address(str(host))
        if nearest is None:
            return str(host)
        hops = [hop for header in forwarded_for for hop in header.split(",")] if self._trusted else []
        for hop in reversed(hops[-_MAX_HOPS:]):
            further = _address(hop) if nearest in self._trusted else None
            if further is None:
                break
            nearest = further
        return _spelling(nearest)


@lru_cache(_REMEMBERED)
def _spelling(address: _Address) -> str:
    return str(address)


def _network(text: str, setting: str) -> _Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise SettingsError(f"{setting}: not an address or a network: {text!r}") from error


@lru_cache(_REMEMBERED)
def _address(text: str) -> _Address | None:
    """Read `1.2.3.4`, `1.2.3.4:80`, `::1` or `[::1]:80`; an IPv4 address in IPv6 clothes is an IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
