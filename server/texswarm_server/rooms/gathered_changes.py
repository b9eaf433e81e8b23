"""What changed in a document and is not on its way to storage yet: it goes there with what changes a moment later.

To store something costs much the same whatever there is of it, and nobody waits: others have seen it already.
"""

from typing import Final, NamedTuple

from texswarm_server.document.updates import merge_updates
from texswarm_server.rooms.acknowledgements import Acknowledgements, Counts
from texswarm_server.rooms.effects import Effect, Persist, Settle

_MANY_EDITS: Final = 10
_GATHERING_S: Final = 0.02


class Taken(NamedTuple):
    """An update that a document took in, made of so many edits; `is_shown`: the document shows all that it says."""

    update: bytes
    edits: int
    is_shown: bool


class GatheredChanges:
    """Invariant: what is gathered becomes a batch before anything that comes after it, with the counts it answers."""

    def __init__(self, acknowledgements: Acknowledgements) -> None:
        self._acknowledgements = acknowledgements
        self._updates: list[bytes] = []
        self._edits = 0
        self._counts: Counts = {}

    @property
    def is_empty(self) -> bool:
        """Whether all that changed was given to storage."""
        return not self._updates

    def add(self, taken: list[Taken], counts: Counts) -> list[Effect]:
        """Gather what was taken in, and have it stored where that is enough, or where it must stand by itself.

        What is not shown yet may do harm when it is. It is then set aside as it was stored: with nothing else.
        """
        if not all(each.is_shown for each in taken):
            return [*self.store(), *self._apart(taken, counts)]
        is_first = self.is_empty
        self._updates += [each.update for each in taken]
        self._edits += sum(each.edits for each in taken)
        self._counts.update(counts)
        if self._edits >= _MANY_EDITS:
            return self.store()
        return [Settle(_GATHERING_S)] if is_first else []

    def ride_along(self, counts: Counts) -> Counts:
        """Settle messages that need no storing, behind those that do; return the counts to tell now."""
        if self.is_empty:
            return self._acknowledgements.ride_along(counts)
        self._counts.update(counts)
        return {}

    def store(self) -> list[Effect]:
        """Have what was gathered stored."""
        updates, self._updates = self._updates, []
        counts, self._counts = self._counts, {}
        edits, self._edits = self._edits, 0
        if not updates:
            return []
        return [Persist(self._acknowledgements.open_batch(counts), merge_updates(updates), edits)]

    def _apart(self, taken: list[Taken], counts: Counts) -> list[Effect]:
        batch, (*others, last) = self._acknowledgements.open_batch, taken
        first = [Persist(batch({}), each.update, each.edits) for each in others]
        return [*first, Persist(batch(counts), last.update, last.edits)]
