"""Adds to a recovered database what SQLite did not reach of a table that is kept in the order of its key."""

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any, Final

from texswarm_server.storage.keyed_pages import keyed_rows
from texswarm_server.storage.leaf_pages import Shape, is_blob, is_integer, is_number, is_text
from texswarm_server.storage.read_only import readable_number

_EMPTY_TEXT: Final = 13
_NULL: Final = 0


def _is_text(serial_type: int) -> bool:
    return is_text(serial_type) or serial_type == _EMPTY_TEXT


#: By the type that a column was declared with.
_KINDS: Final = {"TEXT": _is_text, "INTEGER": is_integer, "REAL": is_number, "BLOB": is_blob}


def salvage_tree(path: Path, damaged: sqlite3.Connection, recovered: sqlite3.Connection, table: str) -> int:
    """Add the rows of a torn `table` that its tree in the file at `path` still leads to; return how many were lacking.

    `damaged` is that file, too. Tables with row numbers are left alone: see `read_only.salvaged_rows`. Raises
    MalformedPageError where the file's head is broken.
    """
    definition = recovered.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    root = readable_number(damaged, f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'")  # noqa: S608
    if "WITHOUT ROWID" not in definition or root is None:
        return 0
    columns = recovered.execute(f"PRAGMA table_info({table})").fetchall()
    stored = sorted(columns, key=lambda row: row[5] or len(columns) + 1)  # the key first, the others as they stand
    before = recovered.total_changes
    with path.open("rb") as file:
        for row in keyed_rows(file, root, _shape_of(stored)):
            names, marks = ", ".join(each[1] for each in stored[: len(row)]), ", ".join("?" * len(row))
            recovered.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)  # noqa: S608
    return recovered.total_changes - before


def _shape_of(columns: list[tuple[Any, ...]]) -> Shape:
    """Return what tells rows of a table from others; one that is older than a column with a default is shorter."""
    least = max(place for place, row in enumerate(columns, 1) if row[5] or (row[3] and row[4] is None))
    return partial(_fits, columns, least)


def _fits(columns: list[tuple[Any, ...]], least: int, types: tuple[int, ...]) -> bool:
    if not least <= len(types) <= len(columns):
        return False
    return all(_holds(row, each) for row, each in zip(columns, types, strict=False))


def _holds(column: tuple[Any, ...], serial_type: int) -> bool:
    """Whether a column can hold a value of this type: name, type, whether it must not be empty, default, key."""
    _place, _name, kind, is_required, _default, key = column
    return _KINDS[kind](serial_type) or (serial_type == _NULL and not (is_required or key))
