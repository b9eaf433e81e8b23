"""Reads what git noted of the files that it wrote: the index of a repository, in its second and third version.

Format: Documentation/gitformat-index.txt of git. What is not of this form is no index, and nothing is known then.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct(">4sII")
#: Time of change and of writing, device, inode, mode, owner, group, size; hash; flags.
_ENTRY: Final = struct.Struct(">IIIIIIIIII20sH")
_EXTENDED: Final = 0x4000
_ALIGNED: Final = 8
_NS: Final = 1_000_000_000
_WORD: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """How a file looked from outside when git wrote it or looked at it last; numbers of 32 bits."""

    inode: int
    size: int
    modified_s: int
    modified_ns: int

    def is_of(self, inode: int, size: int, modified_ns: int) -> bool:
        """Say whether a file that looks like this is as it was; a git that knows no fractions of seconds notes 0."""
        whole, part = divmod(modified_ns, _NS)
        is_then = whole & _WORD == self.modified_s and self.modified_ns in (0, part)
        return is_then and (inode & _WORD, size & _WORD) == (self.inode, self.size)


def read_index(data: bytes) -> Mapping[str, IndexEntry]:
    """Return the entries by path; none where this is no index that is known here."""
    found: dict[str, IndexEntry] = {}
    try:
        kind, version, count = _HEADER.unpack_from(data)
        if kind != b"DIRC" or version not in (2, 3):
            return {}
        at = _HEADER.size
        for _ in range(count):
            _, _, modified_s, modified_ns, _, inode, _, _, _, size, _, flags = _ENTRY.unpack_from(data, at)
            start = at + _ENTRY.size + (2 if flags & _EXTENDED else 0)
            end = data.index(b"\0", start)
            found[data[start:end].decode()] = IndexEntry(inode, size, modified_s, modified_ns)
            at += (end - at + _ALIGNED) // _ALIGNED * _ALIGNED
    except (struct.error, ValueError):
        return {}
    return found
