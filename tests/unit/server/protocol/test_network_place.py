import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.net.client_address import NOWHERE
from texswarm_server.protocol.network_place import network_of


def test_limits_count_an_ipv6_line_as_one() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::ffff") != network_of("2001:db8:1:3::4")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of(NOWHERE) == NOWHERE


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_one_ipv6_customer_is_one_place(one: str, other: str, is_same: bool) -> None:
    assert (network_of(one) == network_of(other)) == is_same


@given(st.text(max_size=60))
def test_any_address_has_a_place(address: str) -> None:
    assert isinstance(network_of(address), str)
