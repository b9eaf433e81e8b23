"""What the tables say in which systems keep who was heard of on their networks (ARP, neighbour discovery). Pure.

A machine that said who it is stands there with its hardware address. One that was asked and did not answer stands there
without, with zeros, or as what failed, for a while.
"""

import re
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_HARDWARE: Final = re.compile(r"\b[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}\b", re.IGNORECASE)
_ZEROS: Final = re.compile(r"[0:-]+")
_AROUND: Final = "()[]"
#: Of rtnetlink(7): the kinds of messages, and the attribute with an address; of its states those of who was heard of.
_NEW_NEIGHBOUR, _DESTINATION = 28, 1
_ENDS: Final = frozenset({2, 3})  # an error, and the end of a list
_HEARD_OF: Final = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
_HEADER, _NEIGHBOUR, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxxxiHBB"), struct.Struct("=HH")
_ALIGNED: Final = 4


def is_known(table: str, address: str) -> bool | None:
    """Return whether a machine said who it is; None where nothing is told of it.

    `table`: what `arp -a`, on macOS also `ndp -an`, and on Windows `netsh interface ipv6 show neighbors` print.
    """
    wanted = ip_address(address)
    rows = [line for line in table.splitlines() if any(_read(word) == wanted for word in line.split())]
    return any(_names_hardware(row) for row in rows) if rows else None


def is_known_to_linux(messages: bytes, address: str) -> bool | None:
    """Return the same of what the kernel of Linux says when it is asked for all its neighbours (RTM_GETNEIGH)."""
    wanted = ip_address(address)
    states = [state for each, state in _told(messages) if each == wanted]
    return any(state & _HEARD_OF for state in states) if states else None


def has_ended(messages: bytes) -> bool:
    """Return whether the kernel has said all, or that it will not."""
    return any(kind in _ENDS for kind, _ in _split(messages))


def _told(messages: bytes) -> Iterator[tuple[IPv4Address | IPv6Address, int]]:
    for kind, message in _split(messages):
        if kind == _NEW_NEIGHBOUR:
            yield from _neighbour(message)


def _split(messages: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind of each message, and what stands in it."""
    at = 0
    while at + _HEADER.size <= len(messages):
        length, kind, *_ = _HEADER.unpack_from(messages, at)
        if length < _HEADER.size:
            return
        yield kind, messages[at + _HEADER.size : at + length]
        at += _aligned(length)


def _neighbour(message: bytes) -> Iterator[tuple[IPv4Address | IPv6Address, int]]:
    if len(message) < _NEIGHBOUR.size:
        return
    _family, _interface, state, *_ = _NEIGHBOUR.unpack_from(message)
    at = _NEIGHBOUR.size
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            return
        packed = message[at + _ATTRIBUTE.size : at + length]
        if kind == _DESTINATION and len(packed) in {4, 16}:
            yield ip_address(packed), state
        at += _aligned(length)


def _aligned(length: int) -> int:
    return (length + _ALIGNED - 1) // _ALIGNED * _ALIGNED


def _read(word: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(word.strip(_AROUND).partition("%")[0])
    except ValueError:
        return None


def _names_hardware(row: str) -> bool:
    return any(_ZEROS.fullmatch(found) is None for found in _HARDWARE.findall(row))
