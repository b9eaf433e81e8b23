"""Edits of one client that arrive without the ones before them, and how a document is kept from taking them in.

pycrdt 0.14 (yrs 0.28) takes in what it can of such edits and shows it with a hole in the history; of what comes
afterwards it then forgets parts for good, in the document and in everything it says of it (found by applying updates in
another order; one order of four suffices). All updates merged and applied at once are always shown right. So a document
here never gets an edit with a hole before it: what has one waits beside the document until the hole is filled.

Edits that only wait for another client's are no concern of this: those pycrdt keeps well.
"""

from typing import Any, Final

import pycrdt

from texswarm_server.document.updates import merge_updates, read_state_vector, refusing_malformed, reporting_damage
from texswarm_server.protocol.frames import Reader, write_varuint

#: The byte without which no hole stands in an update; most updates of a key press do not have it.
HOLE: Final = b"\x0a"
_NOTHING: Final = 0

Ranges = dict[int, list[tuple[int, int]]]


def is_complete(update: bytes) -> bool:
    """Say whether an update holds no insertions: there is nothing in it to wait for."""
    return update[0] == _NOTHING


def lacking(update: bytes, state_vector: bytes) -> bytes:
    """Return the insertions in `update` that a document with `state_vector` does not show, and all its deletions."""
    with refusing_malformed():
        return pycrdt.get_update(update, state_vector)


def reach(update: bytes, state_vector: bytes) -> bytes:
    """Return the state vector of what follows in `update`, without a hole, on what a document has."""
    with refusing_malformed():
        return pycrdt.get_state(pycrdt.merge_updates(_stand_in(state_vector), update))


def has_hole(update: bytes, state_vector: bytes) -> bool:
    """Say whether something in `update` has a hole before it, in a document with `state_vector`."""
    return not is_complete(lacking(update, reach(update, state_vector)))


def is_filling(update: bytes, waiting: bytes, state_vector: bytes) -> bool:
    """Say whether an update and what waits for it reach further together than each by itself."""
    apart = [read_state_vector(reach(each, state_vector)) for each in (waiting, update)]
    together = read_state_vector(reach(merge_updates([waiting, update]), state_vector))
    return any(clock > max(one.get(client, 0) for one in apart) for client, clock in together.items())


def without_holes(update: bytes) -> bytes:
    """Return what comes before every hole in a whole history, as a history of its own.

    Raises MalformedUpdateError or DamagedDocumentError.
    """
    with reporting_damage():
        whole: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
        whole.apply_update(update)
        shown = pycrdt.Snapshot.decode(_without_newcomers(pycrdt.Snapshot.from_doc(whole).encode()))
        former: pycrdt.Doc[Any] = pycrdt.Doc.from_snapshot(shown, whole)
        return former.get_update()


def _without_newcomers(snapshot: bytes) -> bytes:
    """Return a snapshot (deletions, then a state vector) without the clients of whom nothing is shown.

    WORKAROUND https://github.com/y-crdt/y-crdt/issues/632: until what lies behind a hole is not shown. Of clients who
    have one at their beginning a snapshot knows nothing, and pycrdt 0.14 panics over them.
    """
    reader = Reader(snapshot)
    deleted = read_ranges(reader)
    clocks = {reader.varuint(): reader.varuint() for _ in range(reader.varuint())}
    numbers = [len(deleted)]
    for client, ranges in deleted.items():
        numbers += [client, len(ranges), *(number for each in ranges for number in each)]
    seen = {client: clock for client, clock in clocks.items() if clock}
    numbers += [len(seen), *(number for each in seen.items() for number in each)]
    return b"".join(map(write_varuint, numbers))


def read_ranges(reader: Reader) -> Ranges:
    """Read a Yjs delete set: per client, (clock, length) pairs."""
    return {
        reader.varuint(): [(reader.varuint(), reader.varuint()) for _ in range(reader.varuint())]
        for _ in range(reader.varuint())
    }


def _stand_in(state_vector: bytes) -> bytes:
    """Return a history with nothing in it that ends where `state_vector` does; it only tells what follows on it.

    For each client, the larger first, one struct: collected garbage (0) from clock 0 on; then no deletions.
    """
    clocks = sorted(read_state_vector(state_vector).items(), reverse=True)
    structs = [b"\x01%b\x00\x00%b" % (write_varuint(client), write_varuint(clock)) for client, clock in clocks if clock]
    return b"".join([write_varuint(len(structs)), *structs, b"\x00"])
