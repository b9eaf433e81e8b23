"""A database looked at without touching it, beside a server that writes into it or after one that was killed."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from texswarm_server.protocol.errors import NotReadableError
from texswarm_server.storage.schema import BUSY_TIMEOUT_S

#: A bad sector, a file that ends too early, and a table of ours that is not in the schema any more.
_UNREADABLE: Final = {
    "SQLITE_IOERR_READ",
    "SQLITE_IOERR_SHORT_READ",
    "SQLITE_IOERR_CORRUPTFS",
    "SQLITE_ERROR",
}

_LOOK_BEYOND: Final = 100_000
_MOST_PROBES: Final = 40_000
_ANY_ROW: Final = 2**62

#: What a database file begins with; https://www.sqlite.org/fileformat.html#the_database_header.
FILE_MAGIC: Final = b"SQLite format 3\x00"


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open an existing database; not even what a killed server left beside it is tidied up.

    Raises NotReadableError when there is none. What is wrong inside shows as sqlite3.Error at the first query.
    """
    if not path.is_file():
        raise NotReadableError(f"there is no database at {path}")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    except sqlite3.Error as error:
        raise NotReadableError(f"cannot read {path}: {error}") from error
    database.text_factory = tolerant_text
    return database


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error of reading says that the file is not as it was written, rather than that it is in use."""
    name = getattr(error, "sqlite_errorname", "")
    return name in _UNREADABLE or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def tolerant_text(text: bytes) -> str:
    """Show text whose bytes have changed, rather than fail for the whole row."""
    return text.decode(errors="replace")


def table_names(database: sqlite3.Connection) -> set[str]:
    """Return the names of the tables; raises sqlite3.Error."""
    return {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def quick_check(database: sqlite3.Connection) -> str:
    """Look at every page and return what is wrong, empty when nothing is; raises sqlite3.Error."""
    lines = [str(row[0]) for row in database.execute("PRAGMA quick_check(3)")]
    return "" if lines == ["ok"] else "; ".join(lines) or "nothing could be looked at"


def readable_number(database: sqlite3.Connection, query: str) -> int | None:
    """Return the one number a query finds, None when there is none or it cannot be read.

    Raises sqlite3.Error for anything but damage.
    """
    try:
        row = database.execute(query).fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return None
    return row[0] if row and isinstance(row[0], int) else None


def salvaged_rows(
    database: sqlite3.Connection,
    table: str,
    columns: str,
    *,
    condition: str = "1",
    values: tuple[object, ...] = (),
    on_gap: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Any, ...]]:
    """Yield every row of a table with row numbers that can still be reached, past what cannot be read.

    What lies behind a place that cannot be read is halved until the bad rows are alone; `on_gap` is called for each
    such place. Indexes are not used. Raises sqlite3.Error for anything but damage.
    """
    query = (
        f"SELECT rowid, {columns} FROM {table} NOT INDEXED"  # noqa: S608 - our own names
        f" WHERE {condition} AND rowid BETWEEN ? AND ? ORDER BY rowid"
    )
    waiting = [(0, _last_row(database, table))]
    probes = 0
    while waiting:
        first, last = waiting.pop()
        for row in _until_damage(database, query, (*values, first, last)):
            if row is None:
                on_gap()
                probes += 1
                middle = (first + last) // 2
                if first < last and probes < _MOST_PROBES:
                    waiting += [(middle + 1, last), (first, middle)]
            else:
                first = row[0] + 1
                yield row[1:]


def _until_damage(
    database: sqlite3.Connection, query: str, values: tuple[Any, ...]
) -> Iterator[tuple[Any, ...] | None]:
    """Yield rows with rising numbers, and None where one cannot be read or is out of order; that is the end.

    The last two values are the first and the last number.
    """
    lowest, last = values[-2:]
    try:
        for row in database.execute(query, values):
            if not lowest <= row[0] <= last:
                break
            lowest = row[0] + 1
            yield row
        else:
            return
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    yield None


def _last_row(database: sqlite3.Connection, table: str) -> int:
    """Return a row number that none exceeds, or at least none that is worth looking for."""
    for query in (f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'", f"SELECT max(rowid) FROM {table}"):  # noqa: S608
        number = readable_number(database, query)
        if number is not None:
            return number
    query = f"SELECT rowid FROM {table} NOT INDEXED WHERE rowid BETWEEN ? AND ? ORDER BY rowid"  # noqa: S608
    return max((row[0] for row in _until_damage(database, query, (0, _ANY_ROW)) if row), default=0) + _LOOK_BEYOND
