"""Who was heard of on the lowest level, in the words of each system."""

import struct
from ipaddress import ip_address

import pytest

from texswarm_desktop.core.neighbours import has_ended, is_known, is_known_to_linux

# As printed by macOS 14: `arp -an` and `ndp -an`.
MACOS_ARP = """\
? (192.168.1.1) at 3c:37:12:aa:bb:cc on en0 ifscope [ethernet]
? (192.168.1.20) at (incomplete) on en0 ifscope [ethernet]
? (192.168.1.200) at 8:0:27:1:2:3 on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
"""
MACOS_NDP = """\
Neighbor                                Linklayer Address  Netif Expire    St Flgs Prbs
fd12:3456::20                           a4:83:e7:1:2:3     en0   23h59m58s S
fd12:3456::30                           (incomplete)       en0   3s        I         3
fe80::1%lo0                             (incomplete)       lo0   permanent R
fe80::3e37:12ff:feaa:bbcc%en0           3c:37:12:aa:bb:cc  en0   23h12m11s S  R
"""
# As printed by Windows 11 in German: `arp -a` and `netsh interface ipv6 show neighbors`.
WINDOWS_ARP = """\

Schnittstelle: 192.168.1.5 --- 0x7
  Internetadresse       Physische Adresse     Typ
  192.168.1.1           3c-37-12-aa-bb-cc     dynamisch
  192.168.1.20          00-00-00-00-00-00     ung\u00fcltig
  192.168.1.255         ff-ff-ff-ff-ff-ff     statisch
"""
WINDOWS_NETSH = """\

Schnittstelle 7: WLAN


Internetadresse                               Physische Adresse   Typ
--------------------------------------------  ------------------  -----------
fd12:3456::20                                 a4-83-e7-01-02-03   Erreichbar
fd12:3456::30                                 00-00-00-00-00-00   Nicht erreichbar
fe80::3e37:12ff:feaa:bbcc                     3c-37-12-aa-bb-cc   Abgelaufen (Router)
"""


@pytest.mark.parametrize(
    ("table", "address", "known"),
    [
        (MACOS_ARP, "192.168.1.1", True),
        (MACOS_ARP, "192.168.1.200", True),
        (MACOS_ARP, "192.168.1.20", False),
        (MACOS_ARP, "192.168.1.2", None),
        (MACOS_NDP, "fd12:3456::20", True),
        (MACOS_NDP, "fd12:3456:0::20", True),
        (MACOS_NDP, "fd12:3456::30", False),
        (MACOS_NDP, "fe80::3e37:12ff:feaa:bbcc", True),
        (MACOS_NDP, "fd12:3456::2", None),
        (WINDOWS_ARP, "192.168.1.1", True),
        (WINDOWS_ARP, "192.168.1.20", False),
        (WINDOWS_ARP, "192.168.1.25", None),
        (WINDOWS_NETSH, "fd12:3456::20", True),
        (WINDOWS_NETSH, "fd12:3456::30", False),
        (WINDOWS_NETSH, "fd12:3456::3", None),
        ("", "10.0.0.1", None),
    ],
)
def test_a_table_says_who_said_where_it_is(table, address, known):
    assert is_known(table, address) is known


def neighbour(address: str, state: int) -> bytes:
    packed = ip_address(address).packed
    inside = struct.pack("=BxxxiHBB", 2 if len(packed) == 4 else 10, 2, state, 0, 1)
    inside += struct.pack("=HH", 10, 2) + bytes(8)  # a hardware address, and what fills it up
    inside += struct.pack("=HH", 4 + len(packed), 1) + packed
    return struct.pack("=IHHII", 16 + len(inside), 28, 2, 1, 0) + inside


REACHABLE, STALE, INCOMPLETE, FAILED = 0x02, 0x04, 0x01, 0x20
END = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def test_the_kernel_says_it_in_messages():
    said = neighbour("fd00::2", STALE) + neighbour("fd00::3", FAILED) + neighbour("10.0.0.2", REACHABLE)
    said += neighbour("10.0.0.3", INCOMPLETE)
    assert [is_known_to_linux(said, one) for one in ("fd00::2", "fd00:0::3", "10.0.0.2", "10.0.0.3", "10.0.0.4")] == [
        True, False, True, False, None,
    ]  # fmt: skip
    assert (has_ended(said), has_ended(said + END), has_ended(b"")) == (False, True, False)


@pytest.mark.parametrize("length", range(60))
def test_what_breaks_off_is_read_as_far_as_it_goes(length):
    said = neighbour("fd00::2", REACHABLE)
    assert is_known_to_linux(said[:length], "fd00::2") in {None, True}
    assert is_known_to_linux(b"\0" * length, "fd00::2") is None
