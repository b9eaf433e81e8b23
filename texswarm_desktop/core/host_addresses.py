"""Under which of a machine's addresses others can reach it, best first. Pure: facts about interfaces in, an order out.

What an interface is, the system does not say; its name does. Networks inside this machine (containers, virtual
machines) are left out, because nobody else is in them. An address of a VPN comes after those of the local network, also
when the VPN is the way to the internet: who sits in the same room is not in it. IPv6 addresses that only hold on one
link are left out: in a link they would need the name of the reader's interface.
"""

import re
from collections.abc import Iterable
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Final

import msgspec

_INSIDE: Final = re.compile(
    r"^(docker|podman|veth|virbr|vnet|vmnet|vboxnet|lxc|lxd|incus|cni|flannel|cali|kube|br-[0-9a-f]{6,}|bridge1\d\d|"
    r"awdl|llw|anpi)|vEthernet|VirtualBox|VMware|Hyper-V|WSL"
)
_VPN: Final = re.compile(
    r"^(tun|tap|wg|utun|ppp|ipsec|zt|tailscale|nordlynx|proton|gpd|cscotun|vpn)"
    r"|\bVPN\b|WireGuard|Tailscale|ZeroTier|TAP-Windows|AnyConnect|Fortinet"
)
#: Carriers and overlay networks use these; who sits in the same room has no such address.
_SHARED: Final = IPv4Network("100.64.0.0/10")


class Reach(IntEnum):
    """From where an address can be reached, best first."""

    NETWORK = 0
    VPN = 1
    CABLE = 2


class InterfaceAddress(msgspec.Struct, frozen=True):
    """One address of one interface, as the system tells it. `label`: the name that people see, where it differs."""

    interface: str
    address: str
    label: str = ""


class HostAddress(msgspec.Struct, frozen=True):
    """An address to tell others, and from where it can be reached."""

    address: str
    interface: str
    reach: Reach


def reachable(found: Iterable[InterfaceAddress], routed: Iterable[str] = ()) -> list[HostAddress]:
    """Return the addresses to tell others, best first, each once.

    `routed`: the addresses from which this machine speaks to the rest of the world.
    """
    first = {address: place for place, address in enumerate(routed)}
    judged = [one for each in found if (one := _judge(each)) is not None]
    judged.sort(key=lambda one: (one.reach, first.get(one.address, len(first)), ":" in one.address))
    return list({one.address: one for one in reversed(judged)}.values())[::-1]


def _judge(found: InterfaceAddress) -> HostAddress | None:
    text = found.address.partition("%")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    names = (found.interface, found.label)
    if not _is_sayable(address) or any(_INSIDE.search(name) for name in names):
        return None
    reach = Reach.NETWORK
    if address.is_link_local:
        reach = Reach.CABLE
    elif address in _SHARED or any(_VPN.search(name) for name in names):
        reach = Reach.VPN
    return HostAddress(str(address), found.label or found.interface, reach)


def _is_sayable(address: IPv4Address | IPv6Address) -> bool:
    is_of_one_link = address.version == 6 and address.is_link_local
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or is_of_one_link)
