import pytest
from msgspec.structs import replace

from texswarm_desktop.client.timing import (
    LAN,
    REMOTE,
    Pulse,
    has_slept,
    is_this_machine,
    knocking_every_s,
    next_tick_s,
    profile_for,
    pulse,
)
from texswarm_server.protocol.invite_link import ServerAddress


@pytest.mark.parametrize(
    ("host", "profile"),
    [
        ("127.0.0.1", LAN),
        ("::1", LAN),
        ("localhost", LAN),
        ("10.1.2.3", LAN),
        ("172.20.0.9", LAN),
        ("192.168.1.7", LAN),
        ("169.254.3.4", LAN),
        ("fe80::1%eth0", LAN),
        ("fd00::12", LAN),
        ("::ffff:192.168.0.3", LAN),
        ("lab-pc", LAN),
        ("lab-pc.local", LAN),
        ("LAB-PC.local.", LAN),
        ("8.8.8.8", REMOTE),
        ("2001:4860:4860::8888", REMOTE),
        ("::ffff:8.8.8.8", REMOTE),
        ("tex.example.org", REMOTE),
    ],
)
def test_the_profile_follows_the_address(host, profile):
    assert profile_for(ServerAddress(host)) is profile


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("Localhost", True), ("10.0.0.1", False), ("a.b", False)],
)
def test_a_server_on_this_machine_is_known_by_its_address(host, is_here):
    assert is_this_machine(ServerAddress(host)) is is_here


def test_the_numbers_are_those_of_the_product():
    assert (LAN.ping_every_s, LAN.dead_after_s, LAN.connect_timeout_s) == (2, 6, 5)
    assert (REMOTE.ping_every_s, REMOTE.dead_after_s, REMOTE.connect_timeout_s) == (10, 25, 20)


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s", "slept"),
    [(1.0, 1.0, False), (1.4, 1.4, False), (3600.0, 1.0, True), (3600.0, 3600.0, True), (-3600.0, 1.0, False)],
)
def test_sleep_shows_in_either_clock(wall_s, monotonic_s, slept):
    assert has_slept(wall_s, monotonic_s) is slept


@pytest.mark.parametrize(
    ("heard_at", "pinged_at", "found"),
    [
        (100.0, 90.0, Pulse.FINE),
        (99.0, 90.0, Pulse.FINE),
        (98.0, 90.0, Pulse.PING),
        (95.0, 94.0, Pulse.PING),
        (97.5, 99.0, Pulse.FINE),
        (97.0, 99.0, Pulse.OVERDUE),
        (95.0, 98.0, Pulse.OVERDUE),
        (94.0, 99.9, Pulse.DEAD),
    ],
)
def test_a_quiet_link_is_pinged_and_a_silent_one_is_dead(heard_at, pinged_at, found):
    assert pulse(LAN, now=100.0, heard_at=heard_at, pinged_at=pinged_at) is found


@pytest.mark.parametrize(("heard_at", "after_s"), [(100.0, 1.0), (95.5, 1.0), (94.5, 0.5), (94.0, 1.0), (90.0, 1.0)])
def test_a_link_is_looked_at_at_the_moment_when_it_is_dead(heard_at, after_s):
    assert next_tick_s(LAN, now=100.0, heard_at=heard_at) == after_s


@pytest.mark.parametrize(("away_s", "every_s"), [(0, 0.1), (59, 0.1), (60, 1.0), (599, 1.0), (600, None)])
def test_a_near_server_is_knocked_at_often_then_less_often_then_not_any_more(away_s, every_s):
    assert knocking_every_s(LAN, away_s) == every_s
    assert knocking_every_s(REMOTE, away_s) is None


def test_profiles_can_be_varied():
    assert replace(LAN, backoff_s=(0.0,)).backoff_s == (0.0,)
