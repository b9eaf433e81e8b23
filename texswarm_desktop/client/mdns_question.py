"""Asks the local network once who hosts, on each of this machine's interfaces, as the list of hosts does it.

The question goes out twice: from a port of its own, to be answered there, and, where the port of mDNS can be shared,
from that one, to be answered to all. Firewalls that know mDNS let the second answer in and not the first.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from texswarm_desktop.core.doctor import InterfaceFact

#: Who was asked a moment ago answers to all up to 1.2 s late (RFC 6762, 6).
PATIENCE_S: Final = 1.4
_PORT: Final = 5353
_GROUP: Final = "224.0.0.251"
_GROUP6: Final = "ff02::fb"
_TTL: Final = 255
_HEAD: Final = b"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#: `_texswarm._tcp.local`, pointers, IN.
_QUESTION: Final = _HEAD + b"\x09_texswarm\x04_tcp\x05local\x00\x00\x0c\x00\x01"
_HOST: Final = re.compile(rb"\btexswarm-([A-Za-z0-9_-]{8,40})")


async def ask_mdns(interfaces: Iterable[InterfaceFact], limit_s: float = PATIENCE_S) -> int | None:
    """Return how many hosts announce themselves to one of these interfaces; None where none of them could be asked."""
    ears: list[_Ear] = []
    async with AsyncExitStack() as stack:
        for way in _ways(interfaces):
            for port in (0, _PORT):
                with suppress(OSError):
                    ears.append(await _asked(way.socket_on(port), way.group, stack))
        if ears:
            await asyncio.sleep(limit_s)
    if all(ear.has_failed for ear in ears):
        return None
    return len(set().union(*(ear.hosts for ear in ears)))


async def _asked(made: socket.socket, group: tuple[str, int], stack: AsyncExitStack) -> "_Ear":
    """Ask over a socket and listen on it, until the stack is left."""
    try:
        transport, ear = await asyncio.get_running_loop().create_datagram_endpoint(_Ear, sock=made)
    except OSError:
        made.close()
        raise
    stack.callback(transport.close)
    transport.sendto(_QUESTION, group)
    return ear


class _Ear(asyncio.DatagramProtocol):
    """What is heard on one socket. `hosts`: the lasting ids of those who announce themselves."""

    def __init__(self) -> None:
        self.hosts: set[bytes] = set()
        self.has_failed = False

    def datagram_received(self, data: bytes, _addr: tuple[str | Any, int]) -> None:
        if b"_texswarm" in data:
            self.hosts.update(_HOST.findall(data))

    def error_received(self, _exc: Exception) -> None:
        self.has_failed = True


class _Way:
    """One interface: by its IPv4 address, or by its name where it has none."""

    def __init__(self, address: str, name: str) -> None:
        self._address, self._name, self._is_6 = address, name, ":" in address
        self.group = (_GROUP6 if self._is_6 else _GROUP, _PORT)

    def socket_on(self, port: int) -> socket.socket:
        """Return a socket that speaks to the group over the interface; raises OSError."""
        made = socket.socket(socket.AF_INET6 if self._is_6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            if port:
                _share(made)
            (self._prepare_6 if self._is_6 else self._prepare_4)(made, port)
        except OSError:
            made.close()
            raise
        return made

    def _prepare_4(self, made: socket.socket, port: int) -> None:
        here = socket.inet_aton(self._address)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
        if port:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(_GROUP) + here)
        made.bind(("" if port else self._address, port))

    def _prepare_6(self, made: socket.socket, port: int) -> None:
        index = struct.pack("@I", socket.if_nametoindex(self._name))
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _TTL)
        if port:
            group = socket.inet_pton(socket.AF_INET6, _GROUP6)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index)
        made.bind(("", port))


def _ways(interfaces: Iterable[InterfaceFact]) -> list[_Way]:
    usable = [each for each in interfaces if each.is_up]
    with_4 = {each.name for each in usable if ":" not in each.address}
    only_6 = {each.name: each.address for each in usable if each.name not in with_4}
    ways = [_Way(each.address, each.name) for each in usable if ":" not in each.address]
    return ways + [_Way(address, name) for name, address in only_6.items()]


def _share(made: socket.socket) -> None:
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
