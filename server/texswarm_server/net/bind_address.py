"""On which addresses and port a server listens, when that is said in general: every address, any free port."""

import errno
import socket
from typing import Final

EVERY_IPV4: Final = "0.0.0.0"  # noqa: S104 - to be reached from everywhere was asked for
EVERY_IPV6: Final = "::"
_TRIES: Final = 20


def listening_place(host: str, port: int) -> tuple[list[str], int]:
    """Return what to bind for a host, where "" means every address of both families, with one port for all of them.

    Raises OSError when no port is free in both.
    """
    if host:
        return [host], port
    hosts = [EVERY_IPV4, EVERY_IPV6] if _has_ipv6() else [EVERY_IPV4]
    return hosts, port or _port_free_in(hosts)


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((EVERY_IPV6, 0))
    except OSError:  # compiled in, and switched off by whoever runs the machine
        return False
    return True


def _port_free_in(hosts: list[str]) -> int:
    """The system chooses for the first; the others must have the same one free."""
    for _ in range(_TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as first:
            first.bind((hosts[0], 0))
            port = int(first.getsockname()[1])
            if all(_is_free(host, port) for host in hosts[1:]):
                return port
    raise OSError(errno.EADDRINUSE, "no port is free for IPv4 and IPv6 together")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
