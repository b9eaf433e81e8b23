"""Reads the rows of a table that is kept in the order of its key, past the pages of its tree that are broken.

SQLite gives such a table up at the first broken page. Here the tree is walked from its root, so that only rows are
found that are in the table still: what was taken out of it, a role or an invitation, may lie on other pages as if it
held.
Every byte may be wrong. The format: https://www.sqlite.org/fileformat.html#b_tree_pages.
"""

from collections.abc import Callable, Iterator
from typing import Final

from texswarm_server.storage.leaf_pages import (
    MalformedPageError,
    Pages,
    ReadableFile,
    Shape,
    Value,
    cell_starts,
    read_record,
    read_varint,
)

_LEAF, _INTERIOR = 0x0A, 0x02
_LEAF_HEAD_BYTES: Final = 8
_INTERIOR_HEAD_BYTES: Final = 12
_POINTER_BYTES: Final = 4


def keyed_rows(
    file: ReadableFile, root: int, is_wanted: Shape, on_gap: Callable[[], None] = lambda: None
) -> Iterator[tuple[Value, ...]]:
    """Yield the rows under page `root` whose shape `is_wanted`: the columns of the key, then the others.

    A row may be shorter than the table, which got more columns later. `on_gap` is called for what cannot be read.
    Raises MalformedPageError when the file does not begin as a database does.
    """
    pages, seen, waiting = Pages(file), set[int](), [root]
    while waiting:
        number = waiting.pop()
        if number in seen or not 2 <= number <= pages.count:
            on_gap()
            continue
        seen.add(number)
        page = pages.read(number)
        head_bytes = {_LEAF: _LEAF_HEAD_BYTES, _INTERIOR: _INTERIOR_HEAD_BYTES}.get(page[0])
        if head_bytes is None:
            on_gap()
            continue
        if page[0] == _INTERIOR:
            waiting.append(int.from_bytes(page[_LEAF_HEAD_BYTES:_INTERIOR_HEAD_BYTES], "big"))
        for at in cell_starts(page, head_bytes):
            start = at
            if page[0] == _INTERIOR:
                waiting.append(int.from_bytes(page[at : at + _POINTER_BYTES], "big"))
                start += _POINTER_BYTES
            try:
                row = _row_at(page, start, pages, is_wanted) if at >= head_bytes else None
            except MalformedPageError:
                row = None
            if row is None:
                on_gap()
            else:
                yield row


def _row_at(page: bytes, at: int, pages: Pages, is_wanted: Shape) -> tuple[Value, ...] | None:
    """Read one row; raises MalformedPageError."""
    size, at = read_varint(page, at)
    return read_record(page, at, size, pages, is_wanted, most=(pages.usable - 12) * 64 // 255 - 23)
