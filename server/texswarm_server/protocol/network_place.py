"""What of an address stands for one place: people behind it cannot be told apart, or may change it as they like."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

_IPV6_NETWORK_BITS: Final = 64
_REMEMBERED: Final = 4096


@lru_cache(_REMEMBERED)
def network_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the network of 64 bits that one IPv6 customer has."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))
    return str(parsed)
