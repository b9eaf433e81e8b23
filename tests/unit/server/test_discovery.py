"""On which addresses multicast is spoken: an interface has it once for each family, however many addresses it has."""

import pytest

from texswarm_server.discovery import one_for_each_interface

INTERFACE_OF = {"10.0.0.2": "eth0", "10.0.1.2": "eth0", "10.0.0.3": "wlan0", "fd00::2": "eth0", "fd00::3": "eth0"}


@pytest.mark.parametrize(
    ("addresses", "used", "spoken_on"),
    [
        ([], [], []),
        (["10.0.0.2", "10.0.0.3", "fd00::2"], [], ["10.0.0.2", "10.0.0.3", "fd00::2"]),
        (["10.0.0.2", "10.0.1.2", "fd00::3", "fd00::2"], [], ["10.0.0.2", "fd00::3"]),
        (["10.0.0.2", "10.0.1.2", "fd00::3", "fd00::2"], ["10.0.1.2", "fd00::2"], ["10.0.1.2", "fd00::2"]),
        (["10.0.1.2"], ["10.0.0.2"], ["10.0.1.2"]),
        (["127.0.0.1", "10.9.9.9"], [], ["127.0.0.1", "10.9.9.9"]),  # of interfaces that nobody knows
    ],
)
def test_of_each_interface_one_address_of_each_family_and_rather_the_one_in_use(addresses, used, spoken_on):
    assert one_for_each_interface(addresses, INTERFACE_OF, used) == spoken_on
