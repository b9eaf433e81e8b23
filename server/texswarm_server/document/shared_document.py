"""A project's document as a server holds it: it takes updates in and says what they changed; no file is looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pycrdt

from texswarm_server.document.gaps import (
    HOLE,
    Ranges,
    has_hole,
    is_complete,
    is_filling,
    lacking,
    read_ranges,
    without_holes,
)
from texswarm_server.document.observing import follow
from texswarm_server.document.updates import (
    EMPTY_STATE,
    EMPTY_UPDATE,
    apply_update,
    check_update,
    merge_updates,
    refusing_malformed,
    update_since,
)
from texswarm_server.protocol.frames import Reader
from texswarm_server.protocol.ids import Lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NO_STRUCTS: Final = 0
#: What waits is looked at again once this much arrived for it: so many bytes for an update, and so many for its bytes.
_LOOK_BYTES: Final = 4096
_LOOK_SHARE: Final = 64


class SharedDocument:
    """A replica that nobody types into.

    What an update says about edits whose predecessors are missing waits, invisible, until these arrive; `update_since`
    does not tell it. `is_torn`: an update was taken in that should have waited, or something that waits can be shown;
    the document must be made anew of everything it was given.
    """

    def __init__(self, updates: Sequence[bytes] = ()) -> None:
        """Take in everything in `updates` at once; raises as `apply` does."""
        self.is_torn = False
        self._change: bytes | None = None
        self._stop_following: Callable[[], object] | None = None
        self._start(pycrdt.Doc())
        if updates:
            self._begin_with(merge_updates([*updates]))

    def apply(self, update: bytes) -> bytes | None:
        """Take `update` in and return what it changed, as an update; None when it changed nothing.

        Raises MalformedUpdateError (nothing has changed) or DamagedDocumentError (load this replica again).
        """
        if self._waiting:
            return self._apply_beside_waiting(update)
        self._take_in(update)
        if self._change != update or HOLE in update:
            self._look_for_holes(update)
        return self._taken_change()

    def contains(self, update: bytes) -> bool:
        """Say whether every insertion and every deletion in `update` is visible here already.

        Raises MalformedUpdateError. Costs as much as the document has deletions: not for the common road.
        """
        if update == EMPTY_UPDATE:
            return True
        with refusing_malformed():
            state = self._doc.get_state()
            missing = Reader(pycrdt.get_update(update, state))
        if missing.varuint() != _NO_STRUCTS:
            return False
        deleted = Reader(self._doc.get_update(state))
        deleted.varuint()
        return _covers(read_ranges(deleted), read_ranges(missing))

    @property
    def has_waiting(self) -> bool:
        """Whether something that was taken in is not shown, for want of what it stands on."""
        return bool(self._waiting)

    @property
    def state_vector(self) -> bytes:
        """What is here, as a Yjs state vector."""
        return self._doc.get_state()

    def update_since(self, state_vector: bytes = EMPTY_STATE) -> bytes:
        """Return what a replica with `state_vector` lacks; raises MalformedUpdateError for other bytes."""
        return update_since(self._doc, state_vector)

    @property
    def title(self) -> str:
        """The project's title as its members last set it; empty when they have not."""
        return self._meta("title")

    @property
    def lineage(self) -> Lineage | None:
        """The identity of this history, None while nobody wrote it."""
        return Lineage(self._meta("lineage")) or None

    def _take_in(self, update: bytes) -> None:
        self._change = None
        apply_update(self._doc, update)

    def _begin_with(self, history: bytes) -> None:
        """Show a whole history up to its holes, and let the rest wait."""
        self._take_in(history)
        self._look_for_holes(history)
        if self.is_torn:
            self.is_torn = False
            self._start(pycrdt.Doc())
            self._take_in(without_holes(history))
            self._wait_with(lacking(history, self.state_vector))

    def _look_for_holes(self, update: bytes) -> None:
        """Note what of an update that was taken in is not shown, and whether that does harm."""
        state_vector = self.state_vector
        rest = lacking(update, state_vector)
        if not is_complete(rest):
            self._wait_with(rest)
            self.is_torn = has_hole(rest, state_vector)

    def _apply_beside_waiting(self, update: bytes) -> bytes | None:
        """Take in what has no hole before it. What waits is looked at as often as it is worth its size."""
        check_update(update)
        self._unlooked.append(update)
        self._credit_bytes += _LOOK_BYTES + _LOOK_SHARE * len(update)
        before = self.state_vector
        if self._credit_bytes >= len(self._waiting):
            self._look_at_waiting(update, before)
        elif not has_hole(update, before):
            self._take_in(update)
        else:
            self._change = None
        return None if self._taken_change() is None else self.update_since(before)

    def _look_at_waiting(self, update: bytes, before: bytes) -> None:
        earlier = merge_updates([self._waiting, *self._unlooked[:-1]])
        waiting = merge_updates([earlier, update])
        if not has_hole(waiting, before):
            self._take_in(waiting)
        else:
            self.is_torn = is_filling(update, earlier, before)
            self._change = None
            if not has_hole(update, before):
                self._take_in(update)
        rest = lacking(waiting, self.state_vector)
        self._wait_with(b"" if is_complete(rest) else rest)

    def _wait_with(self, waiting: bytes) -> None:
        self._waiting, self._credit_bytes = waiting, 0
        self._unlooked: list[bytes] = []

    def _start(self, document: pycrdt.Doc[Any]) -> None:
        self._wait_with(b"")
        if self._stop_following is not None:
            self._stop_following()
        self._doc = document
        self._stop_following = follow(document, self._on_transaction)

    def _meta(self, key: str) -> str:
        value = self._doc.get("meta", type=pycrdt.Map).get(key)
        return value if isinstance(value, str) else ""

    def _taken_change(self) -> bytes | None:
        """Return what the last transaction reported; one that only put something aside reports an empty update."""
        return None if self._change == EMPTY_UPDATE else self._change

    def _on_transaction(self, event: pycrdt.TransactionEvent) -> None:
        self._change = event.update


def _covers(outer: Ranges, inner: Ranges) -> bool:
    return all(_has_all(_joined(outer.get(client, [])), _joined(ranges)) for client, ranges in inner.items())


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges as disjoint (start, end) pairs in rising order."""
    joined: list[tuple[int, int]] = []
    for start, length in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], start + length))
        else:
            joined.append((start, start + length))
    return joined


def _has_all(outer: list[tuple[int, int]], inner: list[tuple[int, int]]) -> bool:
    at = 0
    for start, end in inner:
        while at < len(outer) and outer[at][1] < end:
            at += 1
        if at == len(outer) or outer[at][0] > start:
            return False
    return True
