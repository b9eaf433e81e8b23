"""Puts what several say in an order in which nobody drowns the others. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from itertools import chain
from typing import TypeVar

T = TypeVar("T")


def in_turn(things: Iterable[T], whose: Callable[[T], Hashable]) -> list[T]:
    """Return the first thing of each, then the second of each, and so on; each one's in the order that they had."""
    had: Counter[Hashable] = Counter()
    turns: list[list[T]] = []
    for thing in things:
        owner = whose(thing)
        if had[owner] == len(turns):
            turns.append([])
        turns[had[owner]].append(thing)
        had[owner] += 1
    return list(chain.from_iterable(turns))
