"""Which messages of which member become durable with which batch."""

from collections import deque

from texswarm_server.rooms.member import Member

Counts = dict[Member, int]


class Acknowledgements:
    """Batches in the order they were given to storage. A member's count never goes back."""

    def __init__(self) -> None:
        self._batches: deque[tuple[int, Counts]] = deque()
        self._last = 0

    @property
    def is_waiting(self) -> bool:
        """Whether storage still owes an answer."""
        return bool(self._batches)

    def open_batch(self, counts: Counts) -> int:
        """Begin a batch that makes `counts` durable and return its number."""
        self._last += 1
        self._batches.append((self._last, counts))
        return self._last

    def ride_along(self, counts: Counts) -> Counts:
        """Settle messages that need no storing: with the last batch, or at once when none is under way."""
        if not self._batches:
            return self._settled(counts)
        self._batches[-1][1].update(counts)
        return {}

    def durable(self, batch: int) -> Counts:
        """Note that `batch` and all before it are durable, and return the counts to tell."""
        reached: Counts = {}
        while self._batches and self._batches[0][0] <= batch:
            reached.update(self._batches.popleft()[1])
        return self._settled(reached)

    @staticmethod
    def _settled(counts: Counts) -> Counts:
        news = {member: count for member, count in counts.items() if count > member.acknowledged}
        for member, count in news.items():
            member.acknowledged = count
        return news
