"""Deadlines of many things in one heap: asking for those that are due costs as many steps as are due."""

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """At most one deadline per key. A replaced or cancelled one stays in the heap until it would have been due."""

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

    def when(self, key: K) -> float:
        """Return the deadline of `key`; KeyError without one."""
        return self._due[key][0]

    def cancel(self, key: K) -> None:
        """Take the deadline of `key` away, if it has one."""
        self._due.pop(key, None)

    def pop_due(self, now: float) -> Iterator[K]:
        """Remove and yield the keys whose deadline has come, the oldest first."""
        while self._heap and self._heap[0][0] <= now:
            when, number, key = heapq.heappop(self._heap)
            if self._due.get(key) == (when, number):
                del self._due[key]
                yield key
