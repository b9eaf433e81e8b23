"""Whose address it is: nobody chooses his own, and a trusted proxy is believed as far as it can know."""

import pytest

from texswarm_server.net.client_address import NOWHERE, ClientAddresses
from texswarm_server.protocol.errors import SettingsError


@pytest.mark.parametrize(
    ("socket_address", "forwarded_for", "address"),
    [
        (("10.0.0.1", 5), ["203.0.113.7"], "203.0.113.7"),
        (("10.0.0.1", 5), ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        (("10.0.0.1", 5), ["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        (("10.0.0.1", 5), ["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        (("10.0.0.1", 5), ["203.0.113.7:4711"], "203.0.113.7"),
        (("10.0.0.1", 5), ["[2001:DB8::7]:4711"], "2001:db8::7"),
        (("10.0.0.1", 5), ["2001:db8:0:0::7"], "2001:db8::7"),
        (("10.0.0.1", 5), [], "10.0.0.1"),
        (("10.0.0.1", 5), ["unknown"], "10.0.0.1"),
        (("10.0.0.1", 5), ["203.0.113.7, nonsense, 10.0.0.2"], "10.0.0.2"),
        (("::ffff:10.0.0.1", 5, 0, 0), ["203.0.113.7"], "203.0.113.7"),
        (("fe80::1%eth0", 5, 0, 3), ["203.0.113.7"], "fe80::1"),
        (("203.0.113.9", 5), ["10.0.0.9"], "203.0.113.9"),
    ],
)
def test_a_trusted_proxy_says_whom_it_speaks_for(
    socket_address: tuple[object, ...], forwarded_for: list[str], address: str
) -> None:
    assert ClientAddresses(["10.0.0.0/8"]).find(socket_address, forwarded_for) == address


def test_without_trusted_proxies_nobody_chooses_an_address() -> None:
    assert ClientAddresses().find(("127.0.0.1", 5), ["203.0.113.7"]) == "127.0.0.1"


def test_one_address_may_be_trusted_alone() -> None:
    addresses = ClientAddresses(["127.0.0.1", "::1"])
    assert addresses.find(("::1", 5, 0, 0), ["203.0.113.7"]) == "203.0.113.7"
    assert addresses.find(("127.0.0.2", 5), ["203.0.113.7"]) == "127.0.0.2"


def test_a_long_tale_is_not_read_to_its_beginning() -> None:
    tale = ", ".join(f"10.0.{number // 256}.{number % 256}" for number in range(1000))
    assert ClientAddresses(["10.0.0.0/8"]).find(("10.0.0.1", 5), [tale]) == "10.0.3.216"


@pytest.mark.parametrize("gone", [None, (), ""])
def test_a_socket_that_is_gone_has_no_address(gone: object) -> None:
    assert ClientAddresses(["10.0.0.0/8"]).find(gone, ["203.0.113.7"]) == NOWHERE


def test_what_is_no_network_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="not an address or a network"):
        ClientAddresses(["example.org"])
