"""Who failed too often waits; nobody is locked out by others, and memory stays bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.errors import RejectedError
from texswarm_server.sessions.throttle import Buckets, Rate, Throttle

HERE, THERE = "192.0.2.1", "198.51.100.7"


def throttle(**options: object) -> Throttle:
    return Throttle(**({"per_address": Rate(5, 1.0), "per_user": Rate(3, 0.1)} | options))


def wait_s(throttle: Throttle, address: str, user_id: str | None, now: float = 0.0) -> float:
    try:
        throttle.check(address, user_id, now)
    except RejectedError as error:
        return error.retry_after_s or 0.0
    return 0.0


def fail(throttle: Throttle, address: str, user_id: str | None, times: int, *, code: str = "token_invalid") -> None:
    for _ in range(times):
        throttle.failed(address, user_id, code, 0.0)


def test_an_address_waits_after_too_many_guesses_and_others_do_not() -> None:
    guarded = throttle()
    fail(guarded, HERE, None, 5)

    assert wait_s(guarded, HERE, None) == pytest.approx(1.0)
    assert wait_s(guarded, HERE, None, now=1.0) == 0
    assert wait_s(guarded, THERE, None) == 0


def test_a_user_is_guarded_against_guesses_from_many_addresses() -> None:
    guarded = throttle()
    for number in range(3):
        fail(guarded, f"192.0.2.{number}", "ada", 1)

    assert wait_s(guarded, THERE, "ada") == pytest.approx(10.0)
    assert wait_s(guarded, THERE, "bob") == 0


def test_nobody_is_locked_out_at_an_address_of_their_own() -> None:
    guarded = throttle()
    guarded.succeeded(HERE, "ada")
    fail(guarded, THERE, "ada", 50)
    fail(guarded, HERE, "somebody", 50)
    fail(guarded, HERE, None, 50)

    assert wait_s(guarded, HERE, "ada") == 0
    assert wait_s(guarded, HERE, "bob") > 0
    fail(guarded, HERE, "ada", 3)
    assert wait_s(guarded, HERE, "ada") > 0, "but not without any bound either"


@pytest.mark.parametrize("code", ["token_expired", "token_revoked", "removed", "invite_used_up", "name_invalid"])
def test_what_is_no_guess_costs_nothing(code: str) -> None:
    guarded = throttle()
    fail(guarded, HERE, "ada", 99, code=code)

    assert wait_s(guarded, HERE, "ada") == 0


def test_many_guesses_at_once_are_paid_for_afterwards() -> None:
    guarded = throttle()
    fail(guarded, HERE, None, 1000)

    assert wait_s(guarded, HERE, None) == pytest.approx(6.0)


def test_memory_is_bounded() -> None:
    buckets: Buckets[int] = Buckets(Rate(5, 1.0), remembered=10)
    for number in range(1000):
        buckets.take(number, 0.0)
    assert len(buckets) == 10
    guarded = throttle(remembered=10)
    for number in range(1000):
        guarded.succeeded(HERE, str(number))
    assert len(guarded._familiar) == 10


@given(st.lists(st.floats(0, 100), max_size=60))
def test_in_the_long_run_nobody_gets_more_than_the_rate(pauses_s: list[float]) -> None:
    buckets: Buckets[str] = Buckets(Rate(5, 0.5))
    now, taken = 0.0, 0
    for pause_s in pauses_s:
        now += pause_s
        for _ in range(3):
            if buckets.wait_s("k", now) == 0:
                buckets.take("k", now)
                taken += 1
    assert taken <= 5 + now * 0.5 + 1e-6


def test_the_refusal_is_typed() -> None:
    guarded = throttle()
    fail(guarded, HERE, None, 5)
    with pytest.raises(RejectedError, match="throttled") as caught:
        guarded.check(HERE, None, 0.0)
    assert caught.value.retry_after_s == pytest.approx(1.0)
