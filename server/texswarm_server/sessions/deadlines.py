"""Deadlines of many things in one heap: asking for those that are due costs as many steps as are due."""

import heapq
from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
_FEW: Final = 64


class Deadlines(Generic[K]):
    """At most one deadline per key.

    A replaced or cancelled one stays in the heap until it would have been due, or until most of the heap is such. The
    heap is made anew at the earliest after as many changes as it holds, so that a change costs the same as before.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._due: dict[K, tuple[float, int]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, key: K) -> bool:
        return key in self._due

    def set(self, key: K, when: float) -> None:
        """Give `key` a deadline in place of the one it has."""
        self._number += 1
        self._due[key] = (when, self._number)
        heapq.heappush(self._heap, (when, self._number, key))
        self._drop_the_dead()

    def when(self, key: K) -> float:
        """Return the deadline of `key`; KeyError without one."""
        return self._due[key][0]

    def cancel(self, key: K) -> None:
        """Take the deadline of `key` away, if it has one."""
        if self._due.pop(key, None) is not None:
            self._drop_the_dead()

    @property
    def kept(self) -> int:
        """How many entries it keeps: those that hold, and those that nobody has cleared away yet."""
        return len(self._heap)

    def pop_due(self, now: float) -> Iterator[K]:
        """Remove and yield the keys whose deadline has come, the oldest first."""
        while self._heap and self._heap[0][0] <= now:
            when, number, key = heapq.heappop(self._heap)
            if self._due.get(key) == (when, number):
                del self._due[key]
                yield key

    def _drop_the_dead(self) -> None:
        """Make the heap anew where more than half of it, and more than a few, do not hold any more."""
        if len(self._heap) > 2 * len(self._due) + _FEW:
            self._heap = [(when, number, key) for key, (when, number) in self._due.items()]
            heapq.heapify(self._heap)
