"""Which of a machine's addresses others are told, and in which order."""

import pytest

from texswarm_desktop.core.host_addresses import InterfaceAddress, Reach, reachable


def told(*found: tuple[str, str], routed: tuple[str, ...] = ()) -> list[str]:
    return [one.address for one in reachable([InterfaceAddress(*each) for each in found], routed)]


def test_the_address_of_the_default_route_stands_first_and_once() -> None:
    found = [("eth1", "10.0.0.7"), ("wlan0", "192.168.1.5"), ("wlan0", "2001:db8::5"), ("eth0", "192.168.1.5")]
    assert told(*found, routed=("192.168.1.5", "2001:db8::5")) == ["192.168.1.5", "2001:db8::5", "10.0.0.7"]


@pytest.mark.parametrize(
    "address", ["127.0.1.1", "::1", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "", "none"]
)
def test_what_others_cannot_reach_is_left_out(address: str) -> None:
    assert told(("eth0", address), ("eth0", "192.168.1.5"), routed=(address,)) == ["192.168.1.5"]


@pytest.mark.parametrize(
    "interface",
    ["docker0", "br-1f2e3d4c5b6a", "veth12ab", "virbr0", "vmnet8", "vboxnet0", "lxdbr0", "cni0", "bridge100", "awdl0"],
)
def test_networks_inside_this_machine_are_left_out(interface: str) -> None:
    assert told((interface, "172.17.0.1"), ("eth0", "192.168.1.5")) == ["192.168.1.5"]


def test_windows_names_its_inner_networks_by_their_labels() -> None:
    inner = InterfaceAddress("{8F0B-22}", "172.28.0.1", "vEthernet (WSL)")
    outer = InterfaceAddress("{11AC-93}", "192.168.1.5", "Realtek PCIe GbE")
    assert [(one.address, one.interface) for one in reachable([inner, outer])] == [("192.168.1.5", "Realtek PCIe GbE")]


@pytest.mark.parametrize("interface", ["eth0", "enp3s0", "wlp2s0", "en0", "br0", "bond0", "Ethernet 2", "usb0"])
def test_networks_with_others_in_them_are_told(interface: str) -> None:
    assert told((interface, "192.168.1.5")) == ["192.168.1.5"]


@pytest.mark.parametrize("interface", ["tun0", "tap0", "wg0", "utun3", "ppp0", "tailscale0", "zt5u4", "Work VPN"])
def test_a_vpn_stands_behind_the_local_network_even_as_the_way_out(interface: str) -> None:
    found = [(interface, "10.8.0.2"), ("wlan0", "192.168.1.5")]
    assert told(*found, routed=("10.8.0.2",)) == ["192.168.1.5", "10.8.0.2"]


def test_an_address_of_an_overlay_network_is_known_by_itself() -> None:
    (one,) = reachable([InterfaceAddress("eth3", "100.101.102.103")])
    assert one.reach is Reach.VPN


def test_two_machines_on_one_cable_have_addresses_of_their_own_which_stand_last() -> None:
    found = [("eth0", "169.254.3.4"), ("wg0", "10.8.0.2"), ("wlan0", "192.168.1.5")]
    assert told(*found) == ["192.168.1.5", "10.8.0.2", "169.254.3.4"]


def test_of_equals_those_that_are_quickly_typed_stand_first() -> None:
    assert told(("eth0", "2001:db8::5"), ("eth0", "192.168.1.5")) == ["192.168.1.5", "2001:db8::5"]


def test_without_a_network_there_is_nothing_to_tell() -> None:
    assert told(("lo", "127.0.0.1")) == []
