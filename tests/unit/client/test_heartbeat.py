"""A link's signs of life, by a clock that the test moves."""

import pytest

from tests.helpers.fake_time import FakeTime
from texswarm_desktop.client.heartbeat import Heartbeat
from texswarm_desktop.client.timing import LAN, REMOTE, TICK_S, LinkProfile


class QuietLink:
    """A link from which something comes when the test says so."""

    round_trip_s = None
    is_for_good = False

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self.heard_at, self.unsent_bytes = time.clock(), 0
        self.pings: list[float] = []

    def ping(self) -> None:
        self.pings.append(self._time.clock())

    def send(self, frame: str | bytes) -> None:
        """Nothing is said here."""

    async def receive(self) -> str | bytes:
        raise AssertionError

    def hear(self) -> None:
        self.heard_at = self._time.clock()


class Bench:
    def __init__(self, profile: LinkProfile = LAN) -> None:
        self.time = FakeTime()
        self.link = QuietLink(self.time)
        self.heartbeat = Heartbeat(profile, self.time.clock)
        self.heartbeat.watch(self.link)

    def feel_after(self, seconds: float) -> float | None:
        self.time.advance(seconds)
        return self.heartbeat.feel(self.time.clock())


def test_a_quiet_link_is_pinged_and_then_called_silent() -> None:
    bench = Bench()
    assert [bench.feel_after(1.0) for _ in range(5)] == [None] * 5
    assert len(bench.link.pings) == 2
    assert bench.feel_after(1.0) == 6.0


def test_a_link_that_answers_lives_on() -> None:
    bench = Bench()
    for _ in range(30):
        assert bench.feel_after(1.0) is None
        bench.link.hear()


def test_what_the_network_takes_is_a_sign_of_life() -> None:
    bench = Bench()
    for left in range(30, 0, -1):
        bench.link.unsent_bytes = left
        assert bench.feel_after(1.0) is None
    assert [bench.feel_after(1.0) for _ in range(6)][-1] is not None


def test_a_machine_that_slept_begins_to_count_anew() -> None:
    bench = Bench()
    bench.time.advance(100.0)
    bench.heartbeat.trust(bench.time.clock())
    assert bench.feel_after(1.0) is None


@pytest.mark.parametrize(("profile", "is_doubting"), [(LAN, True), (REMOTE, False)])
def test_it_is_doubted_once_for_each_silence_where_to_knock_is_no_burden(
    profile: LinkProfile, is_doubting: bool
) -> None:
    bench = Bench(profile)
    while not bench.link.pings:
        bench.feel_after(1.0)
    bench.feel_after(profile.probe_timeout_s)
    assert bench.heartbeat.is_doubting is is_doubting
    bench.heartbeat.is_doubting = False
    bench.feel_after(0.5)
    assert not bench.heartbeat.is_doubting
    bench.link.hear()
    bench.feel_after(profile.ping_every_s)
    bench.feel_after(profile.probe_timeout_s)
    assert bench.heartbeat.is_doubting is is_doubting


def test_a_probe_is_answered_by_what_comes_after_it() -> None:
    bench = Bench()
    bench.time.advance(1.0)
    bench.heartbeat.probe()
    bench.time.advance(0.5)
    assert (bench.heartbeat.is_heard_since_probe, bench.heartbeat.since_probe_s) == (False, 0.5)
    bench.link.hear()
    assert bench.heartbeat.is_heard_since_probe


def test_without_a_link_nothing_is_felt() -> None:
    bench = Bench()
    bench.heartbeat.watch(None)
    bench.heartbeat.ping()
    bench.heartbeat.probe()
    assert bench.feel_after(100.0) is None
    assert bench.heartbeat.next_look_s(bench.time.clock()) == TICK_S
    assert not bench.heartbeat.is_heard_since_probe
    assert bench.link.pings == []
