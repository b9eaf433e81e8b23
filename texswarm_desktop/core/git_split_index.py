"""Puts the two parts of a split index together: what git writes each time, and a shared part that it seldom writes.

The first part says, by two sets of places in the second one, what of that is gone, and what is there anew: entries
without a path, in the same order. Format: "Split index" in Documentation/gitformat-index.txt of git; the sets are
compressed as in Documentation/gitformat-bitmap.txt (EWAH).
"""

import struct
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

_Entry = TypeVar("_Entry")

_EXTENSION: Final = struct.Struct(">4sI")
_LINK: Final = b"link"
_SIZES: Final = struct.Struct(">II")
#: Where a set is written that grows.
_CURSOR_BYTES: Final = 4
_WORD_BYTES: Final = 8
_WORD_BITS: Final = 64
_RUN_MASK: Final = 0xFFFF_FFFF
_LITERALS_SHIFT: Final = 33


class Link(msgspec.Struct, frozen=True):
    """`shared`: the name of the file with the other part; `sets`: what of it is gone, and what is anew, packed."""

    shared: str
    sets: bytes


def read_link(data: bytes, at: int, name_bytes: int) -> Link | None:
    """Return what the extensions, which begin at `at`, say about another part; None where there is none.

    Raises struct.error.
    """
    while at + _EXTENSION.size <= len(data) - name_bytes:
        kind, size = _EXTENSION.unpack_from(data, at)
        at += _EXTENSION.size
        if kind == _LINK:
            name = data[at : at + name_bytes]
            return Link(f"sharedindex.{name.hex()}", data[at + name_bytes : at + size]) if any(name) else None
        at += size
    return None


def joined(
    link: Link, shared: Sequence[tuple[bytes, _Entry]], own: Sequence[tuple[bytes, _Entry]]
) -> list[tuple[bytes, _Entry]]:
    """Return all entries by path; raises struct.error where the sets are none."""
    places, at = _places(link.sets, 0, len(shared))
    anew, _ = _places(link.sets, at, len(shared))
    gone, instead = {*places}, dict(zip(anew, (entry for path, entry in own if not path), strict=False))
    rest = [(path, instead.get(place, entry)) for place, (path, entry) in enumerate(shared) if place not in gone]
    return [*rest, *((path, entry) for path, entry in own if path)]


def _places(data: bytes, at: int, most: int) -> tuple[list[int], int]:
    """Return the places in a set, below `most` where many follow each other, and where the set ends."""
    _, count = _SIZES.unpack_from(data, at)
    at += _SIZES.size
    words = struct.unpack_from(f">{count}Q", data, at)
    found: list[int] = []
    word = place = 0
    while word < count:
        marker, word = words[word], word + 1
        run, literals = (marker >> 1 & _RUN_MASK) * _WORD_BITS, marker >> _LITERALS_SHIFT
        found += range(place, min(place + run, most)) if marker & 1 else ()
        place += run
        for bits in words[word : word + literals]:
            found += [place + bit for bit in range(_WORD_BITS) if bits >> bit & 1]
            place += _WORD_BITS
        word += literals
    return found, at + count * _WORD_BYTES + _CURSOR_BYTES
