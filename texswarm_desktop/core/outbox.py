"""The edits of this replica that no server has confirmed, by outbox row; and how many updates become one.

Kept in memory beside the rows on disk, so that nobody who asks has to wait. A project that never meets a server keeps
everything here, so old rows are merged into fewer; a merged row has the number of its last part, and is confirmed when
that one is.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from texswarm_server.document.updates import merge_updates

_SLICE: Final = 64
_FOLD_ABOVE_ROWS: Final = 2_048
_MAX_MERGED_BYTES: Final = 4 * 1024 * 1024


class OutboxRow(msgspec.Struct, frozen=True):
    """Local edits under one number. `since`: when the first of them was made, by the clock of whoever added them."""

    row: int
    edits: int
    update: bytes
    since: float


class Outbox:
    """Rows in rising order. Invariant: `edits` is the sum over the rows."""

    def __init__(self, rows: Iterable[OutboxRow] = ()) -> None:
        self._rows = deque(rows)
        self._fold_above = _FOLD_ABOVE_ROWS
        self.edits = sum(row.edits for row in self._rows)
        self.last_row = self._rows[-1].row if self._rows else 0

    @property
    def oldest_since(self) -> float | None:
        """When the oldest edit in here was made, or None when there is none."""
        return self._rows[0].since if self._rows else None

    @property
    def updates(self) -> list[tuple[int, bytes]]:
        """The rows as (number, update), oldest first."""
        return [(row.row, row.update) for row in self._rows]

    def add(self, row: OutboxRow) -> None:
        """Add edits under the highest number so far."""
        self._rows.append(row)
        self.edits += row.edits
        self.last_row = row.row
        if len(self._rows) > self._fold_above:
            self._rows = deque(folded(self._rows))
            self._fold_above = len(self._rows) + _FOLD_ABOVE_ROWS

    def acknowledge(self, row: int) -> bool:
        """Drop every row up to `row` and say whether there was one."""
        before = self.edits
        while self._rows and self._rows[0].row <= row:
            self.edits -= self._rows.popleft().edits
        return self.edits != before


def folded(rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """Return the same edits in few rows, none of which is too large for a message."""
    return [_as_one(part) for part in _gathered(rows)]


def merge_many(updates: Sequence[bytes]) -> bytes:
    """Return one update that says what all of `updates`, at least one, say; raises MalformedUpdateError.

    Merging costs the square of how many are merged at once: 12 s for 50,000, but 0.2 s by and by.
    """
    while len(updates) > 1:
        updates = [merge_updates(list(updates[at : at + _SLICE])) for at in range(0, len(updates), _SLICE)]
    return updates[0]


def in_portions(updates: Iterable[bytes], limit_bytes: int = _MAX_MERGED_BYTES) -> list[list[bytes]]:
    """Group updates, in order, so that no group is over the limit unless it is a single update."""
    portions: list[list[bytes]] = []
    room = 0
    for update in updates:
        if len(update) > room:
            portions.append([])
            room = limit_bytes
        portions[-1].append(update)
        room -= len(update)
    return portions


def _gathered(rows: Iterable[OutboxRow]) -> list[list[OutboxRow]]:
    parts: list[list[OutboxRow]] = []
    room = 0
    for row in rows:
        if len(row.update) > room:
            parts.append([])
            room = _MAX_MERGED_BYTES
        parts[-1].append(row)
        room -= len(row.update)
    return parts


def _as_one(rows: Sequence[OutboxRow]) -> OutboxRow:
    if len(rows) == 1:
        return rows[0]
    update = merge_many([row.update for row in rows])
    return OutboxRow(rows[-1].row, sum(row.edits for row in rows), update, rows[0].since)
