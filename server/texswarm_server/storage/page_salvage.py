"""Finds rows with checksums on the pages of a damaged database, where the trees that lead to them are torn."""

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from texswarm_server.storage.leaf_pages import Value, is_blob, is_integer, is_number, is_text, leaf_rows

_Check = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class _Table:
    """What tells a row of a table from all others, and how it is added. The last two columns are checksum and data."""

    columns: tuple[_Check, ...]
    has_number: bool
    insert: str


def _is_null(serial_type: int) -> bool:
    return serial_type == 0


_TABLES: Final = {
    "updates": _Table(
        (_is_null, is_text, is_integer, is_blob),
        has_number=True,
        insert="INSERT OR IGNORE INTO updates (number, document_id, crc, data) VALUES (?, ?, ?, ?)",
    ),
    "snapshots": _Table(
        (is_text, is_integer, is_integer, is_blob),
        has_number=False,
        insert="INSERT INTO snapshots (document_id, through, crc, data) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (document_id) DO UPDATE SET through = excluded.through, crc = excluded.crc, data = excluded.data"
        " WHERE excluded.through > through",
    ),
    "versions": _Table(
        (_is_null, is_text, is_number, is_integer, is_integer, is_integer, is_blob),
        has_number=True,
        insert="INSERT OR IGNORE INTO versions (version_id, document_id, created_at, through, size, crc, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
    ),
}


def salvage_pages(path: Path, database: sqlite3.Connection, torn: set[str]) -> int:
    """Add to `database` the rows of tables that are `torn` in the file at `path`; return how many it lacked.

    A row is taken when its checksum is right, so that what was replaced and still lies there is taken too: of updates
    that does no harm, and of snapshots the latest stays. Raises MalformedPageError where the file's head is broken.
    """
    before = database.total_changes
    with path.open("rb") as file:
        for table in (_TABLES[name] for name in _TABLES if name in torn):
            rows = leaf_rows(file, partial(_has_shape, table.columns))
            database.executemany(table.insert, _sound(rows, has_number=table.has_number))
    return database.total_changes - before


def _has_shape(columns: tuple[_Check, ...], types: tuple[int, ...]) -> bool:
    return len(types) == len(columns) and all(check(each) for check, each in zip(columns, types, strict=True))


def _sound(rows: Iterator[tuple[int, tuple[Value, ...]]], *, has_number: bool) -> Iterator[tuple[Value, ...]]:
    for number, row in rows:
        crc, data = row[-2:]
        if number > 0 and isinstance(data, bytes) and zlib.crc32(data) == crc:
            yield (number, *row[1:]) if has_number else row
