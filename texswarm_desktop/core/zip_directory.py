"""Reads the directory of a zip archive: which entries there are, and where their bytes lie. Bytes in, values out.

Why not the standard library's reader: it gives up on a whole archive for one name that is not the UTF-8 it says it is,
and here every entry is judged alone. The format is PKWARE's APPNOTE 6.3, sections 4.3.12 to 4.3.16 and 4.5.3; the name
in a field of its own (0x7075) is Info-ZIP's. Nothing in an archive is believed: `core.zip_check` decides what is taken.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from texswarm_server.protocol.errors import ArchiveError

#: The directory's end lies within so many bytes of the file's: a comment of 64 KiB, and the larger form before it.
TAIL_BYTES: Final = 65_535 + 22 + 20 + 56
MAX_DIRECTORY_BYTES: Final = 64 * 1024 * 1024
STORED: Final = 0
DEFLATED: Final = 8

_END: Final = struct.Struct("<4s4H2IH")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64: Final = struct.Struct("<4sIQI")
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")
_LOCAL: Final = struct.Struct("<4s5H3I2H")
LOCAL_BYTES: Final = _LOCAL.size
_IN_64: Final = 0xFFFFFFFF
_ENCRYPTED: Final = 1 | 1 << 6 | 1 << 13
_NAME_IS_UTF8: Final = 1 << 11
_DOS_FOLDER: Final = 0x10


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory lies, how far everything is shifted by what was put before the archive, and its comment."""

    offset: int
    size: int
    shift: int
    comment: bytes


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """What the directory says of one entry. `name` is None when it is not UTF-8; `mode` is 0 when it is not known."""

    name: str | None
    raw_name: bytes
    is_folder: bool
    is_encrypted: bool
    mode: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int

    @property
    def shown_name(self) -> str:
        """The name as far as it can be read."""
        return self.name if self.name is not None else self.raw_name.decode("ascii", "backslashreplace")


def find_directory(tail: bytes, file_size: int) -> Directory:
    """Return where the directory lies, from the last bytes of the file; raises ArchiveError when there is none."""
    at = len(tail)
    while (at := tail.rfind(b"PK\x05\x06", 0, at)) >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[-1] <= len(tail):
            return _directory_before(tail, at, file_size - len(tail))
    raise ArchiveError("no directory at the end")


def _directory_before(tail: bytes, at: int, tail_start: int) -> Directory:
    """Find out where the directory really is: right before its end, whatever was put before the archive."""
    *_, size, offset, comment_size = _END.unpack_from(tail, at)
    comment = tail[at + _END.size :][:comment_size]
    larger = _larger(tail, at)
    if larger is not None:
        at, size, offset = larger
    place = tail_start + at - size
    if not 0 <= offset <= place or size > MAX_DIRECTORY_BYTES:
        raise ArchiveError(f"directory of {size} bytes at {offset}, which ends at {tail_start + at}")
    return Directory(place, size, place - offset, comment)


def _larger(tail: bytes, at: int) -> tuple[int, int, int] | None:
    """Return place, directory size and directory offset of the form for large archives, where there is one."""
    locator, record = at - _LOCATOR_64.size, at - _LOCATOR_64.size - _END_64.size
    if record < 0 or tail[locator : locator + 4] != b"PK\x06\x07" or tail[record : record + 4] != b"PK\x06\x06":
        return None
    *_, size, offset = _END_64.unpack_from(tail, record)
    return record, size, offset


def read_directory(data: bytes, directory: Directory) -> Iterator[ZipEntry]:
    """Yield the entries of a directory, as many as there are whatever it says; raises ArchiveError at a broken one."""
    at = 0
    while at < len(data):
        if len(data) - at < _ENTRY.size or data[at : at + 4] != b"PK\x01\x02":
            raise ArchiveError(f"no entry at {at} in the directory")
        fields = _ENTRY.unpack_from(data, at)
        name_size, extra_size, comment_size = fields[10:13]
        name_at = at + _ENTRY.size
        extra_at = name_at + name_size
        at = extra_at + extra_size + comment_size
        if at > len(data):
            raise ArchiveError("an entry that leads out of the directory")
        yield _entry(fields, data[name_at:extra_at], data[extra_at : extra_at + extra_size], directory.shift)


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes, shift: int) -> ZipEntry:
    flags, method, crc = fields[3], fields[4], fields[7]
    extras = dict(_extras(extra))
    packed_size, size, offset = _sizes(fields[8], fields[9], fields[16], extras.get(1, b""))
    mode = fields[15] >> 16
    name = _name(raw_name, extras.get(0x7075, b""), is_utf8=bool(flags & _NAME_IS_UTF8))
    is_folder = raw_name.endswith((b"/", b"\\")) or bool(fields[15] & _DOS_FOLDER)
    return ZipEntry(
        name=name,
        raw_name=raw_name,
        is_folder=is_folder,
        is_encrypted=bool(flags & _ENCRYPTED),
        mode=mode,
        method=method,
        crc=crc,
        packed_size=packed_size,
        size=size,
        offset=offset + shift,
    )


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + size]
        at += 4 + size


def _sizes(packed: int, size: int, offset: int, larger: bytes) -> tuple[int, int, int]:
    """Take what does not fit into 32 bits from its field: size, packed size, offset, those that are needed."""
    numbers = iter(struct.unpack_from(f"<{len(larger) // 8}Q", larger))
    size = next(numbers, size) if size == _IN_64 else size
    packed = next(numbers, packed) if packed == _IN_64 else packed
    offset = next(numbers, offset) if offset == _IN_64 else offset
    return packed, size, offset


def _name(raw: bytes, unicode_field: bytes, *, is_utf8: bool) -> str | None:
    """Many programs write UTF-8 without saying so; what is neither UTF-8 nor ASCII is nobody's to guess."""
    if not is_utf8 and len(unicode_field) > 5 and unicode_field[1:5] == struct.pack("<I", zlib.crc32(raw)):
        raw = unicode_field[5:]
    with suppress(UnicodeDecodeError):
        return raw.decode()
    return None


def data_offset(entry: ZipEntry, header: bytes) -> int | None:
    """Return where the bytes of an entry begin, from the header before them; None when that is not one."""
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        return None
    name_size, extra_size = _LOCAL.unpack_from(header)[-2:]
    return entry.offset + _LOCAL.size + int(name_size) + int(extra_size)
