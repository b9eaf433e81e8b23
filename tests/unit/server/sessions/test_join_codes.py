"""Join codes over time: they grow old, serve a few, and are burned by wrong tries, however these are spread."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.sessions.code_tries import LIFE_S, MAX_USES, MAX_WRONG, Attempt
from texswarm_server.sessions.join_codes import JoinCodes


class Host:
    """A host's codes, and guests at addresses of their own."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 1000.0
        self.codes = JoinCodes(Random(seed).randbytes, self.now)
        self._guests = 0

    @property
    def number(self) -> str:
        code = self.codes.current(self.now)
        assert code is not None
        return code.nameplate

    def begin(self, number: str | None = None, address: str | None = None) -> Attempt:
        self._guests += 1
        place = address or f"10.{self._guests // 250}.0.{1 + self._guests % 250}"
        return self.codes.begin(number or self.number, place, self.now)

    def guess_wrong(self, address: str | None = None) -> bool:
        return self.codes.wrong(self.begin(address=address), self.now)

    def refusal(self, **how: str) -> str:
        with pytest.raises(RejectedError) as refused:
            self.begin(**how)
        return refused.value.code


def test_a_code_serves_a_few_guests_and_then_another_one_holds() -> None:
    host = Host()
    first = host.number
    for _ in range(MAX_USES):
        assert host.number == first
        host.codes.right(host.begin(), host.now)
    assert host.number != first
    assert host.refusal(number=first) == ErrorCode.CODE_EXPIRED


def test_a_code_grows_old() -> None:
    host = Host()
    first = host.number
    host.now += LIFE_S - 1
    assert host.number == first
    host.now += 1
    assert host.number != first
    assert host.refusal(number=first) == ErrorCode.CODE_EXPIRED


def test_a_number_that_never_was_is_not_called_expired() -> None:
    host = Host()
    assert host.refusal(number="100" if host.number != "100" else "101") == ErrorCode.NOT_FOUND


def test_who_is_slow_is_told_that_the_code_was_changed() -> None:
    host = Host()
    attempt = host.begin()
    host.now += LIFE_S
    host.codes.current(host.now)
    with pytest.raises(RejectedError) as refused:
        host.codes.right(attempt, host.now)
    assert refused.value.code == ErrorCode.CODE_EXPIRED


def test_wrong_tries_burn_the_code_wherever_they_come_from() -> None:
    host = Host()
    first = host.number
    assert [host.guess_wrong() for _ in range(MAX_WRONG)] == [False] * (MAX_WRONG - 1) + [True]
    assert host.number != first


def test_tries_at_the_same_moment_are_counted_before_they_fail() -> None:
    host = Host()
    begun = [host.begin() for _ in range(MAX_WRONG)]
    assert host.refusal() == ErrorCode.THROTTLED
    host.codes.dropped(begun[0])
    host.codes.right(host.begin(), host.now)
    assert [host.codes.wrong(attempt, host.now) for attempt in begun] == [False] * 5
    assert host.guess_wrong(), "the dropped one was no try, and the others were"


def test_what_ends_twice_counts_once() -> None:
    host = Host()
    attempt = host.begin()
    for _ in range(10):
        host.codes.wrong(attempt, host.now)
        host.codes.dropped(attempt)
    first = host.number
    assert [host.guess_wrong() for _ in range(MAX_WRONG - 1)] == [False] * (MAX_WRONG - 2) + [True]
    assert host.number != first


def test_after_each_burned_code_the_pause_is_longer() -> None:
    host = Host()
    pauses = []
    for _ in range(9):
        while not host.guess_wrong():
            host.now += 2
        burned_at = host.now
        while host.codes.current(host.now) is None:
            host.now += 1
        pauses.append(host.now - burned_at)
    assert pauses == [0, 15, 30, 60, 120, 240, 480, 600, 600]


def test_in_the_pause_nobody_gets_in() -> None:
    host = Host()
    for _ in range(2):
        while not host.guess_wrong():
            host.now += 1
    assert host.codes.current(host.now) is None
    assert host.refusal(number="100") == ErrorCode.NOT_FOUND


def test_one_address_cannot_begin_as_often_as_it_likes() -> None:
    host = Host()
    for _ in range(8):
        host.codes.dropped(host.begin(address="10.0.0.66"))
    assert host.refusal(address="10.0.0.66") == ErrorCode.THROTTLED
    host.codes.right(host.begin(address="10.0.0.2"), host.now)


def test_an_ipv6_network_is_one_address() -> None:
    host = Host()
    for number in range(8):
        host.codes.dropped(host.begin(address=f"fd00::{number:x}"))
    assert host.refusal(address="fd00::ffff") == ErrorCode.THROTTLED


@given(st.integers(0, 2**32), st.lists(st.sampled_from(["wrong", "dropped", "wait"]), max_size=300))
def test_in_ten_minutes_hardly_more_than_a_handful_of_codes_can_be_tried(seed: int, plan: list[str]) -> None:
    """Whatever the attacker does, from however many addresses."""
    host = Host(seed)
    wrong = 0
    begun_at = host.now
    for step in plan:
        if step == "wait":
            host.now += 1
        elif host.codes.current(host.now) is not None:
            try:
                attempt = host.begin()
            except RejectedError:
                host.now += 1
                continue
            if step == "wrong":
                host.codes.wrong(attempt, host.now)
                wrong += 1
            else:
                host.codes.dropped(attempt)
    assert wrong <= MAX_WRONG * (2 + (host.now - begun_at) / 15)
