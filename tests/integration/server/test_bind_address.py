"""What "everywhere" and "any port" come to on this machine."""

import socket

import pytest

from texswarm_server.net import bind_address as module
from texswarm_server.net.bind_address import listening_place


def test_an_address_that_was_named_is_taken_as_it_is() -> None:
    assert listening_place("127.0.0.1", 0) == (["127.0.0.1"], 0)


def test_everywhere_is_every_address_of_both_families_where_there_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_has_ipv6", lambda: True)
    assert listening_place("", 8091) == (["0.0.0.0", "::"], 8091)
    monkeypatch.setattr(module, "_has_ipv6", lambda: False)
    assert listening_place("", 8091) == (["0.0.0.0"], 8091)


@pytest.mark.skipif(not module._has_ipv6(), reason="this machine has no IPv6")
def test_any_port_is_one_that_is_free_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def is_free(host: str, port: int) -> bool:
        taken.append(port)
        return len(taken) == 3

    monkeypatch.setattr(module, "_is_free", is_free)
    assert listening_place("", 0) == (["0.0.0.0", "::"], taken[-1])
    assert all(port for port in taken)


@pytest.mark.skipif(not module._has_ipv6(), reason="this machine has no IPv6")
def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6) as listener:
        assert not module._is_free("::", listener.getsockname()[1])


def test_a_machine_on_which_no_port_is_free_in_both_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_has_ipv6", lambda: True)
    monkeypatch.setattr(module, "_is_free", lambda _host, _port: False)
    with pytest.raises(OSError, match="together"):
        listening_place("", 0)
