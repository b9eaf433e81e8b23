"""Deadlines: each key has one, and those that are due come out in order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.sessions.deadlines import Deadlines


def test_a_replaced_or_cancelled_deadline_does_not_come() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1)
    deadlines.set("b", 2)
    deadlines.set("a", 5)
    deadlines.cancel("b")
    deadlines.cancel("nobody")

    assert list(deadlines.pop_due(4)) == []
    assert len(deadlines) == 1
    assert list(deadlines.pop_due(5)) == ["a"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20) | st.none())), st.integers(0, 20))
def test_what_is_due_is_what_the_last_word_says(changes: list[tuple[int, int | None]], now: int) -> None:
    deadlines: Deadlines[int] = Deadlines()
    last: dict[int, int] = {}
    for key, when in changes:
        last.pop(key, None)
        if when is None:
            deadlines.cancel(key)
        else:
            deadlines.set(key, when)
            last[key] = when
    due = list(deadlines.pop_due(now))

    assert sorted(due) == sorted(key for key, when in last.items() if when <= now)
    assert [last[key] for key in due] == sorted(last[key] for key in due)
    assert len(deadlines) == len(last) - len(due)


def test_what_was_cancelled_is_not_kept() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for number in range(10_000):
        deadlines.set("a session", number + 10_800)
        deadlines.cancel("a session")
        assert deadlines.kept < 100


def test_what_was_replaced_is_not_kept() -> None:
    deadlines: Deadlines[int] = Deadlines()
    for number in range(10_000):
        deadlines.set(number % 100, number + 10_800)
        assert deadlines.kept < 300
    assert list(deadlines.pop_due(30_000)) == list(range(100))


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_holds_is_cleared_away(seed: int) -> None:
    chance = random.Random(seed)
    deadlines: Deadlines[int] = Deadlines()
    last: dict[int, int] = {}
    for _ in range(500):
        key, when = chance.randrange(3 + seed), chance.randrange(20)
        if chance.random() < 0.3:
            deadlines.cancel(key)
            last.pop(key, None)
        else:
            deadlines.set(key, when)
            last[key] = when

    assert [last[key] for key in deadlines.pop_due(20)] == sorted(last.values())
