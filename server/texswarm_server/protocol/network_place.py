"""What an address says of where somebody is: what of it stands for one place, and how near that is.

People at one place cannot be told apart, or may change their address there as they like.
"""

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


def is_local(address: str) -> bool:
    """Say whether an address is of a network like those at home or at work: not one of the whole internet."""
    try:
        return ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Say whether a host, by its address or name, is the machine itself and reached from nowhere else."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
