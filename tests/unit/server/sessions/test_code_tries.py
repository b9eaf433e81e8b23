"""What every join code has in common: few tries, counted while they go on, and few beginnings from one network."""

import pytest

from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.sessions.code_tries import MAX_WRONG, TriedCode, TryLimits

CODE = JoinCode("417", ("otter", "maple"))


def test_tries_that_go_on_count_as_wrong_until_they_end() -> None:
    tried = TriedCode(CODE, wrong=MAX_WRONG - 2)
    first, _ = tried.begin(), tried.begin()
    with pytest.raises(RejectedError) as refused:
        tried.begin()
    assert refused.value.code == ErrorCode.THROTTLED
    assert tried.ends(first)
    tried.begin()


def test_an_attempt_at_another_code_ends_nothing_here() -> None:
    tried, other = TriedCode(CODE), TriedCode(CODE)
    stranger = other.begin()
    assert not tried.ends(stranger)
    assert not tried.fail(stranger)
    assert tried.wrong == 0


def test_the_last_wrong_try_burns() -> None:
    tried = TriedCode(CODE)
    assert [tried.fail(tried.begin()) for _ in range(MAX_WRONG)] == [False] * (MAX_WRONG - 1) + [True]


def test_one_network_begins_seldom_and_everybody_together_as_well() -> None:
    limits, now = TryLimits(), 100.0
    for _ in range(8):
        limits.take("192.0.2.7", now)
    with pytest.raises(RejectedError):
        limits.take("192.0.2.7", now)
    for number in range(22):
        limits.take(f"192.0.2.{100 + number}", now)
    with pytest.raises(RejectedError) as refused:
        limits.take("192.0.2.200", now)
    assert (refused.value.code, refused.value.retry_after_s) == (ErrorCode.THROTTLED, 1.0)
