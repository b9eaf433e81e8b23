"""What a change of this machine's addresses means for its links. Pure."""

from collections.abc import Iterable
from enum import Enum


class NetworkChange(Enum):
    """What became of the network between two looks."""

    GONE = "gone"
    """No address is left under which anybody could answer."""
    ANOTHER = "another"
    """There is one again, or another one than before: a cable, a VPN, another Wi-Fi, a new lease."""


def change_between(before: Iterable[str], now: Iterable[str]) -> NetworkChange | None:
    """Return what changed between two sets of addresses, None when nothing did."""
    had, has = frozenset(before), frozenset(now)
    if had == has:
        return None
    return NetworkChange.ANOTHER if has else NetworkChange.GONE
