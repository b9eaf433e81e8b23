"""A project's document as a server holds it: it takes updates in and says what they changed; no file is looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pycrdt

from texswarm_server.document.project_document import (
    EMPTY_STATE,
    EMPTY_UPDATE,
    check_state_vector,
    follow,
    refusing_malformed,
    reporting_damage,
)
from texswarm_server.protocol.frames import Reader
from texswarm_server.protocol.ids import Lineage

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_STRUCTS: Final = 0

Ranges = dict[int, list[tuple[int, int]]]


class SharedDocument:
    """A replica that nobody types into.

    Updates must have passed `check_update`. What an update says about edits whose predecessors are missing stays
    inside, invisible, until these arrive; `update_since` does not tell it.
    """

    def __init__(self) -> None:
        self._change: bytes | None = None
        self._stop_following: Callable[[], object] | None = None
        self._start(pycrdt.Doc())

    def apply(self, update: bytes) -> bytes | None:
        """Take `update` in and return what it changed, as an update; None when it changed nothing.

        Raises MalformedUpdateError (nothing has changed) or DamagedDocumentError (load this replica again).
        """
        self._change = None
        with reporting_damage():
            self._doc.apply_update(update)
        return self._taken_change()

    def contains(self, update: bytes) -> bool:
        """Say whether every insertion and every deletion in `update` is visible here already.

        Raises MalformedUpdateError. Costs as much as the document has deletions: not for the common road.
        """
        if update == EMPTY_UPDATE:
            return True
        with refusing_malformed():
            state = self._doc.get_state()
            lacking = Reader(pycrdt.get_update(update, state))
        if lacking.varuint() != _NO_STRUCTS:
            return False
        deleted = Reader(self._doc.get_update(state))
        deleted.varuint()
        return _covers(_read_ranges(deleted), _read_ranges(lacking))

    @property
    def state_vector(self) -> bytes:
        """What is here, as a Yjs state vector."""
        return self._doc.get_state()

    def update_since(self, state_vector: bytes = EMPTY_STATE) -> bytes:
        """Return what a replica with `state_vector` lacks; raises MalformedUpdateError for other bytes."""
        check_state_vector(state_vector)
        with refusing_malformed():
            return self._doc.get_update(state_vector)

    @property
    def title(self) -> str:
        """The project's title as its members last set it; empty when they have not."""
        return self._meta("title")

    @property
    def lineage(self) -> Lineage | None:
        """The identity of this history, None while nobody wrote it."""
        return Lineage(self._meta("lineage")) or None

    def _start(self, document: pycrdt.Doc[Any]) -> None:
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


def _read_ranges(reader: Reader) -> Ranges:
    """Read a Yjs delete set: per client, (clock, length) pairs."""
    return {
        reader.varuint(): [(reader.varuint(), reader.varuint()) for _ in range(reader.varuint())]
        for _ in range(reader.varuint())
    }


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
