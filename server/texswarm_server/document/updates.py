"""Yjs updates and state vectors as bytes: looked at, merged, made short.

What pycrdt raises for bytes of strangers becomes an error of ours here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pycrdt

from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    DocumentError,
    MalformedUpdateError,
    RemoteProtocolError,
)
from texswarm_server.protocol.frames import Reader

EMPTY_UPDATE: Final = b"\x00\x00"
EMPTY_STATE: Final = b"\x00"
_LEAST_ENTRY_BYTES: Final = 2
_MERGED_AT_ONCE: Final = 64


def read_state_vector(state_vector: bytes) -> dict[int, int]:
    """Return the next clock of every Yjs client in a state vector; raises RemoteProtocolError(frame_invalid)."""
    reader = Reader(state_vector)
    clocks = {reader.varuint(): reader.varuint() for _ in range(reader.varuint())}
    reader.end()
    return clocks


def check_state_vector(state_vector: bytes) -> None:
    """Raise MalformedUpdateError for what claims to have more entries than its bytes can hold.

    pycrdt makes room for as many as are claimed before it reads the first one: four bytes cost 4 s and 300 MB, and nine
    the process.
    """
    reader = Reader(state_vector)
    try:
        count = reader.varuint()
    except RemoteProtocolError as error:
        raise MalformedUpdateError("state vector") from error
    if count * _LEAST_ENTRY_BYTES > len(state_vector):
        raise MalformedUpdateError(f"state vector of {count} entries in {len(state_vector)} bytes")


def update_since(document: "pycrdt.Doc[Any]", state_vector: bytes) -> bytes:
    """Return what a replica with `state_vector` lacks of `document`; raises MalformedUpdateError for other bytes."""
    check_state_vector(state_vector)
    with refusing_malformed():
        return document.get_update(state_vector)


def check_update(update: bytes) -> None:
    """Raise MalformedUpdateError unless `update` can be read as a Yjs update (version 1)."""
    try:  # as `refusing_malformed`, without its cost: this is done for every key press
        pycrdt.merge_updates(update)
    except BaseException as error:
        if (ours := _malformed_in(error)) is None:
            raise
        raise ours from error


def apply_update(document: "pycrdt.Doc[Any]", update: bytes) -> None:
    """Take `update` into `document`; raises MalformedUpdateError (nothing has changed) or DamagedDocumentError."""
    try:  # as `reporting_damage`, without its cost: this is done for every key press
        document.apply_update(update)
    except BaseException as error:
        if (ours := _damage_in(error)) is None:
            raise
        raise ours from error


def merge_updates(updates: list[bytes]) -> bytes:
    """Return one update that says what all of `updates` say; raises MalformedUpdateError (never for one alone)."""
    if len(updates) == 1:
        return updates[0]
    with refusing_malformed():
        while len(updates) > _MERGED_AT_ONCE:  # pycrdt's cost grows with the square of their number
            updates = [
                pycrdt.merge_updates(*updates[start : start + _MERGED_AT_ONCE])
                for start in range(0, len(updates), _MERGED_AT_ONCE)
            ]
        return pycrdt.merge_updates(*updates)


def compact(updates: list[bytes]) -> bytes:
    """Return one update with everything in `updates`, deleted text left out, unfinished parts kept.

    Unfinished parts are those whose predecessors have not arrived: a document does not tell them when asked for its
    content, so they are added again. Raises MalformedUpdateError or DamagedDocumentError.
    """
    merged = merge_updates(updates)
    document: pycrdt.Doc[Any] = pycrdt.Doc()
    with reporting_damage():
        document.apply_update(merged)
        rest = pycrdt.get_update(merged, document.get_state())
        return pycrdt.merge_updates(document.get_update(), rest)


@contextmanager
def refusing_malformed() -> Iterator[None]:
    """Turn what pycrdt raises for bytes it cannot read into MalformedUpdateError."""
    try:
        yield
    except BaseException as error:
        if (ours := _malformed_in(error)) is None:
            raise
        raise ours from error


@contextmanager
def reporting_damage() -> Iterator[None]:
    """Turn what pycrdt raises in the middle of applying into DamagedDocumentError."""
    try:
        yield
    except BaseException as error:
        if (ours := _damage_in(error)) is None:
            raise
        raise ours from error


def _malformed_in(error: BaseException) -> MalformedUpdateError | None:
    """Return what an error of pycrdt while it reads is here, None where it is not about the bytes."""
    return MalformedUpdateError(str(error)) if isinstance(error, ValueError) or _is_panic(error) else None


def _damage_in(error: BaseException) -> DocumentError | None:
    """Return what an error of pycrdt while it applies is here, None where it is not about bytes or document."""
    if isinstance(error, ValueError):
        return MalformedUpdateError(str(error))
    return DamagedDocumentError(str(error)) if isinstance(error, RuntimeError) or _is_panic(error) else None


def _is_panic(error: BaseException) -> bool:
    """A Rust panic reaches Python as a BaseException of a class that cannot be imported."""
    return type(error).__name__ == "PanicException"
