"""Reads what git noted of the files that it wrote: the index of a repository, in its versions 2 to 4, split or whole.

Format: Documentation/gitformat-index.txt of git. What is not of this form is no index, and nothing is known then.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from texswarm_desktop.core.git_split_index import joined, read_link

#: How long the names of objects are, in repositories of both kinds.
SHA1_BYTES: Final = 20
SHA256_BYTES: Final = 32

_HEADER: Final = struct.Struct(">4sII")
#: Time of change and of writing, device, inode, mode, owner, group, size; the object's name and flags follow.
_STATUS: Final = struct.Struct(">10I")
_FLAGS: Final = struct.Struct(">H")
_EXTENDED: Final = 0x4000
_ALIGNED: Final = 8
_NS: Final = 1_000_000_000
_WORD: Final = 0xFFFF_FFFF


class IndexEntry(msgspec.Struct, frozen=True):
    """How a file looked from outside when git wrote it or looked at it last; numbers of 32 bits.

    `name`: of the object that has its content.
    """

    inode: int
    size: int
    modified_s: int
    modified_ns: int
    name: str = ""

    def is_of(self, inode: int, size: int, modified_ns: int) -> bool:
        """Say whether a file that looks like this is as it was; git notes 0 for fractions and inodes it cannot know."""
        whole, part = divmod(modified_ns, _NS)
        is_then = whole & _WORD == self.modified_s and self.modified_ns in (0, part)
        return is_then and self.inode in (0, inode & _WORD) and self.size == size & _WORD


def read_index(
    data: bytes, name_bytes: int = SHA1_BYTES, shared: Callable[[str], bytes] = lambda _name: b""
) -> Mapping[str, IndexEntry]:
    """Return the entries by path; none where this is no index that is known here.

    `name_bytes`: how long the names of objects are in this repository; `shared`: reads the rest of a split index, which
    lies beside it under a name. Paths are decoded as the system decodes those of files: what is not UTF-8 keeps its
    bytes.
    """
    try:
        entries, at = _entries(data, name_bytes)
        if (link := read_link(data, at, name_bytes)) is not None:
            entries = joined(link, _entries(shared(link.shared), name_bytes)[0], entries)
    except (struct.error, ValueError, IndexError):
        return {}
    return {path.decode("utf-8", "surrogateescape"): entry for path, entry in entries}


def _entries(data: bytes, name_bytes: int) -> tuple[list[tuple[bytes, IndexEntry]], int]:
    """Return all entries by path, and where they end; raises struct.error, ValueError or IndexError."""
    kind, version, count = _HEADER.unpack_from(data)
    if kind != b"DIRC" or version not in (2, 3, 4):
        raise ValueError(kind)
    found: list[tuple[bytes, IndexEntry]] = []
    at, path = _HEADER.size, b""
    for _ in range(count):
        _, _, modified_s, modified_ns, _, inode, _, _, _, size = _STATUS.unpack_from(data, at)
        flags_at = at + _STATUS.size + name_bytes
        name = data[at + _STATUS.size : flags_at].hex()
        (flags,) = _FLAGS.unpack_from(data, flags_at)
        start = flags_at + (2 * _FLAGS.size if flags & _EXTENDED else _FLAGS.size)
        path, at = _next_path(data, start, path) if version == 4 else _padded_path(data, at, start)
        found.append((path, IndexEntry(inode, size, modified_s, modified_ns, name)))
    return found, at


def _padded_path(data: bytes, entry_at: int, start: int) -> tuple[bytes, int]:
    """Return the path that begins at `start`, and where the next entry does: each takes a multiple of eight bytes."""
    end = data.index(b"\0", start)
    return data[start:end], entry_at + (end - entry_at + _ALIGNED) // _ALIGNED * _ALIGNED


def _next_path(data: bytes, start: int, before: bytes) -> tuple[bytes, int]:
    """Return a path of version 4, and where the next entry begins: so much of `before` goes, and that comes instead."""
    gone, at = _number(data, start)
    end = data.index(b"\0", at)
    if gone > len(before):
        raise ValueError(gone)
    return before[: len(before) - gone] + data[at:end], end + 1


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number as in the offsets of packs, and where it ends: seven bits a byte, no number in two ways."""
    byte = data[at]
    number = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = data[at]
        number = (number + 1 << 7) + (byte & 0x7F)
        if number > len(data):
            raise ValueError(number)
    return number, at + 1
