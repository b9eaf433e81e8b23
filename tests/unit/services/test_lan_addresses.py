"""Which of this machine's addresses others are told."""

import socket

import pytest

from texswarm_desktop.services import lan_addresses as module
from texswarm_desktop.services.lan_addresses import lan_addresses


def found(monkeypatch: pytest.MonkeyPatch, routed: list[str], named: list[str]) -> list[str]:
    monkeypatch.setattr(module, "_routed", lambda: routed)
    monkeypatch.setattr(module, "_named", lambda: named)
    return lan_addresses()


def test_the_address_of_the_default_route_stands_first_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    named = ["10.0.0.7", "192.168.1.5"]
    assert found(monkeypatch, ["192.168.1.5", "2001:db8::5"], named) == ["192.168.1.5", "2001:db8::5", "10.0.0.7"]


@pytest.mark.parametrize(
    "address", ["127.0.1.1", "::1", "169.254.3.4", "fe80::1%eth0", "0.0.0.0", "224.0.0.251", "", "nonsense"]
)
def test_what_others_cannot_reach_is_left_out(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert found(monkeypatch, [address], ["192.168.1.5"]) == ["192.168.1.5"]


def test_without_a_network_there_is_only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, [], ["127.0.1.1"]) == ["127.0.0.1"]


def test_a_machine_that_cannot_find_its_own_name_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert module._named() == []
