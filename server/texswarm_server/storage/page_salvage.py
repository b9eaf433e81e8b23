"""Finds rows with checksums on the pages of a damaged database and of its log, where the trees to them are torn.

Such rows are what people wrote, and each is known by its number or its document: one that was replaced, or belongs to
a page as it once was, does no harm, so every page is as good as another. It is otherwise with rows that say who may do
what. They have no checksums, and an older page of theirs may give back a role that was taken away; nor may a page as
it once was be put in the place of a broken one, under a tree that has grown since. So those are looked for only where
their tree still leads: see `keyed_pages`.

Where a row is there and is not what was written, an intact copy of the same row takes its place: the same number, or
for a snapshot the same updates it stands for, and as many bytes. An older snapshot does not: its document would seem
whole, and lack what was written since. It is shown as far as it can be, and takes no edits.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from texswarm_server.storage.leaf_pages import Pages, Value, is_blob, is_integer, is_number, is_text, leaf_rows
from texswarm_server.storage.write_ahead_log import logged_pages

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
        insert="INSERT INTO updates (number, document_id, crc, data) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (number) DO UPDATE SET crc = excluded.crc, data = excluded.data"
        " WHERE document_id = excluded.document_id AND length(data) = length(excluded.data)"
        " AND NOT is_sound(crc, data)",
    ),
    "snapshots": _Table(
        (is_text, is_integer, is_integer, is_blob),
        has_number=False,
        insert="INSERT INTO snapshots (document_id, through, crc, data) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (document_id) DO UPDATE SET through = excluded.through, crc = excluded.crc, data = excluded.data"
        " WHERE excluded.through > through"
        " OR (excluded.through = through AND length(data) = length(excluded.data) AND NOT is_sound(crc, data))",
    ),
    "versions": _Table(
        (_is_null, is_text, is_number, is_integer, is_integer, is_integer, is_blob),
        has_number=True,
        insert="INSERT INTO versions (version_id, document_id, created_at, through, size, crc, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (version_id) DO UPDATE SET crc = excluded.crc, data = excluded.data"
        " WHERE document_id = excluded.document_id AND length(data) = length(excluded.data)"
        " AND NOT is_sound(crc, data)",
    ),
}


def salvage_pages(path: Path, log: Path, database: sqlite3.Connection, torn: set[str]) -> int:
    """Add to `database` the rows of tables that are `torn` in the file at `path`; return how many it lacked.

    Those with a row that is not what was written count as torn. `log`: the write-ahead log as it was found, if there is
    one. A row is taken when its checksum is right. Raises MalformedPageError where the file's head is broken.
    """
    database.create_function("is_sound", 2, _is_sound, deterministic=True)
    before = database.total_changes
    with path.open("rb") as file:
        page_bytes = Pages(file).size
        for table in (_TABLES[name] for name in _TABLES if name in torn or _is_spoilt(database, name)):
            former = logged_pages(log, page_bytes) if log.exists() else ()
            rows = leaf_rows(file, partial(_has_shape, table.columns), former)
            database.executemany(table.insert, _sound(rows, has_number=table.has_number))
    return database.total_changes - before


def _is_spoilt(database: sqlite3.Connection, table: str) -> bool:
    has_table = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    query = f"SELECT 1 FROM {table} WHERE NOT is_sound(crc, data) LIMIT 1"  # noqa: S608 - our own names
    return has_table is not None and database.execute(query).fetchone() is not None


def _is_sound(crc: object, data: object) -> bool:
    return isinstance(data, bytes) and zlib.crc32(data) == crc


def _has_shape(columns: tuple[_Check, ...], types: tuple[int, ...]) -> bool:
    return len(types) == len(columns) and all(check(each) for check, each in zip(columns, types, strict=True))


def _sound(rows: Iterator[tuple[int, tuple[Value, ...]]], *, has_number: bool) -> Iterator[tuple[Value, ...]]:
    for number, row in rows:
        crc, data = row[-2:]
        if number > 0 and _is_sound(crc, data):
            yield (number, *row[1:]) if has_number else row
