"""Reads the rows of tables page by page, without the trees that lead to them: what a broken page hid is found again.

Only leaf pages of tables with row numbers are understood, and which table a row belonged to is not written on them: the
caller tells it by its shape. Every byte may be wrong. The format: https://www.sqlite.org/fileformat.html#b_tree_pages.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Protocol

from texswarm_server.protocol.errors import CorruptSnapshotError

Value = int | float | str | bytes | None
#: The serial types of a record's columns: https://www.sqlite.org/fileformat.html#record_format.
Shape = Callable[[tuple[int, ...]], bool]

_LEAF: Final = 0x0D
_LEAF_HEAD_BYTES: Final = 8
_HEAD_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\x00"
_LEAST_PAGE, _LARGEST_PAGE = 512, 65536
_LEAST_USABLE: Final = 480
_MOST_COLUMNS: Final = 32
_VARINT_BYTES: Final = 9
_FIXED_BYTES: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
_FLOAT: Final = 7
#: How often every page may be read as a part of a long row. In a sound file it is one of one row at most.
_READS_A_PAGE: Final = 4


class MalformedPageError(CorruptSnapshotError):
    """Bytes are not what they should be; raised for a file's head alone, bad rows are passed over."""


class ReadableFile(Protocol):
    """What is read from."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place and return where it is."""

    def read(self, size: int = -1, /) -> bytes:
        """Return so many bytes, or what there is."""


def leaf_rows(
    file: ReadableFile, is_wanted: Shape, former: Iterable[bytes] = ()
) -> Iterator[tuple[int, tuple[Value, ...]]]:
    """Yield row number and columns of every row on the leaf pages of a database whose shape `is_wanted`.

    `former`: what pages of it once were. Of a row that was longer than a page the rest is looked for where it is now.

    Also what was deleted or moved and not overwritten yet may be among them, and the same row more than once. A column
    that is the row number is None. One row is held in memory at a time, of at most the size of the file. Raises
    MalformedPageError when the file does not begin as a database does.
    """
    pages = Pages(file)
    everywhere = (pages.read(number) for number in range(2, pages.count + 1))
    for page in chain(everywhere, (page[: pages.usable] for page in former)):
        if page[:1] == bytes((_LEAF,)):
            yield from _rows_on(page, pages, is_wanted)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place and where the next one begins; raises MalformedPageError where it does not end."""
    value = 0
    for place, byte in enumerate(data[at : at + _VARINT_BYTES]):
        if place == _VARINT_BYTES - 1:
            return value << 8 | byte, at + _VARINT_BYTES
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    raise MalformedPageError("a number does not end")


def read_types(payload: bytes) -> tuple[tuple[int, ...], int]:
    """Return the serial types of a record's columns and where its body begins; raises MalformedPageError."""
    head_bytes, at = read_varint(payload, 0)
    if head_bytes > len(payload):
        raise MalformedPageError("a record's head does not fit")
    types: list[int] = []
    while at < head_bytes and len(types) < _MOST_COLUMNS:
        serial_type, at = read_varint(payload, at)
        types.append(serial_type)
    if at != head_bytes:
        raise MalformedPageError("a record's head has another length")
    return tuple(types), head_bytes


def size_of(serial_type: int) -> int:
    """Return the bytes a column of a type takes; raises MalformedPageError for types that are none."""
    if serial_type >= 12:
        return (serial_type - 12) // 2
    if serial_type not in _FIXED_BYTES:
        raise MalformedPageError(f"type {serial_type} is none")
    return _FIXED_BYTES[serial_type]


def read_columns(types: tuple[int, ...], body: bytes) -> tuple[Value, ...]:
    """Return the columns of a record; raises MalformedPageError."""
    if sum(map(size_of, types)) != len(body):
        raise MalformedPageError("a record has another length than its columns")
    values: list[Value] = []
    at = 0
    for serial_type in types:
        end = at + size_of(serial_type)
        values.append(_value(serial_type, body[at:end]))
        at = end
    return tuple(values)


def is_text(serial_type: int) -> bool:
    """Whether a column of this type is a text that is not empty."""
    return serial_type > 13 and serial_type % 2 == 1


def is_blob(serial_type: int) -> bool:
    """Whether a column of this type is bytes."""
    return serial_type >= 12 and serial_type % 2 == 0


def is_integer(serial_type: int) -> bool:
    """Whether a column of this type is a whole number."""
    return serial_type in {1, 2, 3, 4, 5, 6, 8, 9}


def is_number(serial_type: int) -> bool:
    """Whether a column of this type is a number; whole ones are stored as such, whatever they are to be."""
    return is_integer(serial_type) or serial_type == _FLOAT


def _value(serial_type: int, data: bytes) -> Value:
    if is_blob(serial_type):
        return data
    if serial_type > 12:
        return data.decode(errors="replace")
    if serial_type == _FLOAT:
        number: float = struct.unpack(">d", data)[0]
        return number
    if serial_type in {8, 9}:
        return serial_type - 8
    return int.from_bytes(data, "big", signed=True) if serial_type else None


@dataclass(slots=True)
class Pages:
    """The pages of a file, and how many more may be read as parts of long rows."""

    file: ReadableFile
    size: int = field(init=False)
    usable: int = field(init=False)
    count: int = field(init=False)
    credit: int = field(init=False)

    def __post_init__(self) -> None:
        self.file.seek(0)
        head = self.file.read(_HEAD_BYTES)
        size = 0 if len(head) < _HEAD_BYTES else int.from_bytes(head[16:18], "big")
        self.size = _LARGEST_PAGE if size == 1 else size
        is_size = _LEAST_PAGE <= self.size <= _LARGEST_PAGE and self.size & (self.size - 1) == 0
        if head[:16] != _MAGIC or not is_size or self.size - head[20] < _LEAST_USABLE:
            raise MalformedPageError("it does not begin as a database does")
        self.usable = self.size - head[20]
        self.count = self.file.seek(0, 2) // self.size
        self.credit = self.count * _READS_A_PAGE

    def read(self, number: int) -> bytes:
        """Return a page without what is reserved at its end."""
        self.file.seek((number - 1) * self.size)
        return self.file.read(self.size)[: self.usable]

    def follow(self, number: int, wanted: int) -> bytes:
        """Return so many bytes of a chain of pages, each of which names the next; raises MalformedPageError."""
        parts: list[bytes] = []
        while wanted > 0:
            if not 2 <= number <= self.count or self.credit == 0:
                raise MalformedPageError("the rest of a row is not to be found")
            self.credit -= 1
            page = self.read(number)
            number, part = int.from_bytes(page[:4], "big"), page[4 : 4 + wanted]
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)


def cell_starts(page: bytes, head_bytes: int) -> Iterator[int]:
    """Yield where a page of a tree says that its cells begin; that may be anywhere."""
    count = min(int.from_bytes(page[3:5], "big"), (len(page) - head_bytes) // 2)
    for place in range(head_bytes, head_bytes + 2 * count, 2):
        yield int.from_bytes(page[place : place + 2], "big")


def read_record(
    page: bytes, at: int, size: int, pages: Pages, is_wanted: Shape, *, most: int
) -> tuple[Value, ...] | None:
    """Read the record of `size` bytes that begins at `at`, its long rest only once its head has the shape wanted.

    `most`: how much of a record may lie on a page of this kind. Raises MalformedPageError.
    """
    here = _bytes_here(size, pages.usable, most)
    local = page[at : at + here]
    types, begin = read_types(local)
    if len(local) < here or begin + sum(map(size_of, types)) != size:
        raise MalformedPageError("a row has another length than its columns")
    if not is_wanted(types):
        return None
    rest = b""
    if here < size:
        if size > pages.count * pages.size:
            raise MalformedPageError("a row is longer than the file")
        rest = pages.follow(int.from_bytes(page[at + here : at + here + 4], "big"), size - here)
    return read_columns(types, local[begin:] + rest)


def _rows_on(page: bytes, pages: Pages, is_wanted: Shape) -> Iterator[tuple[int, tuple[Value, ...]]]:
    for at in cell_starts(page, _LEAF_HEAD_BYTES):
        try:
            row = _row_at(page, at, pages, is_wanted)
        except MalformedPageError:
            continue
        if row is not None:
            yield row


def _row_at(page: bytes, at: int, pages: Pages, is_wanted: Shape) -> tuple[int, tuple[Value, ...]] | None:
    """Read one row with its number; raises MalformedPageError."""
    if at < _LEAF_HEAD_BYTES:
        raise MalformedPageError("a row lies outside")
    size, at = read_varint(page, at)
    number, at = read_varint(page, at)
    row = read_record(page, at, size, pages, is_wanted, most=pages.usable - 35)
    return None if row is None else (_signed(number), row)


def _bytes_here(size: int, usable: int, most: int) -> int:
    """Return how much of a record lies on its page; the rest lies on others."""
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    fitting = least + (size - least) % (usable - 4)
    return fitting if fitting <= most else least


def _signed(number: int) -> int:
    number &= 2**64 - 1
    return number - 2**64 if number >= 2**63 else number
