"""Where the addresses come from that others are told."""

import pytest

from texswarm_desktop.core.host_addresses import InterfaceAddress
from texswarm_desktop.services import lan_addresses as module
from texswarm_desktop.services.lan_addresses import lan_addresses


def found(monkeypatch: pytest.MonkeyPatch, interfaces: list[tuple[str, str]], routed: list[str]) -> list[str]:
    monkeypatch.setattr(module, "_interfaces", lambda: [InterfaceAddress(*each) for each in interfaces])
    monkeypatch.setattr(module, "_routed", lambda: routed)
    return lan_addresses()


def test_the_address_of_the_default_route_stands_first_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces = [("eth1", "10.0.0.7"), ("eth0", "192.168.1.5")]
    assert found(monkeypatch, interfaces, ["192.168.1.5", "2001:db8::5"]) == [
        "192.168.1.5",
        "2001:db8::5",
        "10.0.0.7",
    ]


def test_what_the_routing_table_knows_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, [], ["192.168.1.5"]) == ["192.168.1.5"]


def test_an_address_inside_the_machine_is_not_told_because_it_has_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, [("docker0", "172.17.0.1"), ("eth0", "10.0.0.7")], []) == ["10.0.0.7"]


def test_without_a_network_there_is_only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, [("lo", "127.0.1.1")], []) == ["127.0.0.1"]


def test_a_system_that_tells_nothing_of_its_interfaces_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import ifaddr

    def fail() -> list[object]:
        raise OSError("not here")

    monkeypatch.setattr(ifaddr, "get_adapters", fail)
    assert module._interfaces() == []
