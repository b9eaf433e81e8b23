"""Asks the system whether a machine in the same network was heard of on the lowest level; blocks shortly."""

import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from texswarm_desktop.core.neighbours import has_ended, is_known, is_known_to_linux
from texswarm_server.system_answers import printed_by

_PATIENCE_S: Final = 2.0
#: Of rtnetlink(7): asks for all neighbours.
_GET_NEIGHBOURS, _REQUEST_ALL = 30, 0x1 | 0x300
_HEADER: Final = struct.Struct("=IHHII")
_ASKED: Final = struct.Struct("=BxxxiHBB")
_READ_BYTES: Final = 65536
#: What prints the table, by system and kind of address.
_COMMANDS: Final[dict[tuple[str, bool], Sequence[str]]] = {
    ("win32", False): ("arp", "-a"),
    ("win32", True): ("netsh", "interface", "ipv6", "show", "neighbors"),
    ("darwin", False): ("arp", "-an"),
    ("darwin", True): ("ndp", "-an"),
}


def is_neighbour_known(address: str) -> bool | None:
    """Return whether a machine said who it is; None where this system does not tell."""
    is_ipv6, system = ":" in address, str(sys.platform)
    if system == "linux":
        return is_known_to_linux(_asked_of_linux(is_ipv6=is_ipv6), address)
    command = _COMMANDS.get((system, is_ipv6))
    return is_known(printed_by(*command), address) if command else None


def _asked_of_linux(*, is_ipv6: bool) -> bytes:
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    asking = _HEADER.pack(_HEADER.size + _ASKED.size, _GET_NEIGHBOURS, _REQUEST_ALL, 1, 0)
    told = b""
    with suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_PATIENCE_S)
        kernel.send(asking + _ASKED.pack(family, 0, 0, 0, 0))
        while not has_ended(told):
            told += kernel.recv(_READ_BYTES)
    return told
