"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.fair_turns import in_turn


def test_everybody_has_had_one_before_anybody_has_the_second() -> None:
    assert in_turn(["a1", "a2", "a3", "b1", "c1", "b2"], lambda thing: thing[0]) == ["a1", "b1", "c1", "a2", "b2", "a3"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_nothing_is_lost_and_the_order_of_each_one_holds(things: list[tuple[str, int]]) -> None:
    ordered = in_turn(things, lambda thing: thing[0])
    assert sorted(ordered) == sorted(things)
    for owner in "abc":
        assert [one for one in ordered if one[0] == owner] == [one for one in things if one[0] == owner]
