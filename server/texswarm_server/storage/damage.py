"""Does a database look sound when a server starts on it, and what must be known to recover it if it does not?

Only what is cheap is looked at: that the file has the length it says, and that the small tables can be read; a document
that is damaged shows when it is loaded. Beside the database lies the layout of its tables, which stands on the first
pages and without which the rest of a file says nothing.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from texswarm_server.storage.read_only import is_damage, open_read_only, quick_check, table_names
from texswarm_server.storage.schema import storage_error

_LAYOUT_NAME: Final = "texswarm.layout.json"
_SUSPECT_NAME: Final = "texswarm.suspect"
_LARGE_TABLES: Final = {"updates", "snapshots", "versions", "harmful_updates", "audit", "sqlite_sequence"}
_OUR_TABLE: Final = "documents"


class SchemaRow(msgspec.Struct, frozen=True, array_like=True):
    """One row of `sqlite_master`: what a page of the file is the root of."""

    kind: str
    name: str
    table: str
    root_page: int
    statement: str | None


class Layout(msgspec.Struct, frozen=True):
    """The head of a database: size of its pages in bytes, its version, and its tables and indexes."""

    page_bytes: int
    version: int
    rows: list[SchemaRow]


def find_damage(path: Path) -> str:
    """Return why a database cannot be trusted, empty when it looks sound, is new, or is none of ours.

    Raises StorageError when it cannot be looked at.
    """
    if not path.exists() or path.stat().st_size == 0:
        return ""
    try:
        with closing(open_read_only(path)) as database:
            tables = table_names(database)
            if _OUR_TABLE not in tables:
                return ""
            _read_small_tables(database, tables)
            return quick_check(database) if _suspect_path(path).exists() else ""
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise storage_error(error, path) from error


def note_suspicion(path: Path) -> None:
    """Remember that a running server met damage, so that the next start looks at every page."""
    with suppress(OSError):
        _suspect_path(path).touch(mode=0o600)


def forget_suspicion(path: Path) -> None:
    """Forget it, once every page was looked at."""
    with suppress(OSError):
        _suspect_path(path).unlink(missing_ok=True)


def note_layout(database: sqlite3.Connection, path: Path) -> None:
    """Write the layout of a sound database beside it, if that is not what stands there already."""
    rows = database.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master ORDER BY rootpage")
    layout = Layout(
        page_bytes=int(database.execute("PRAGMA page_size").fetchone()[0]),
        version=int(database.execute("PRAGMA user_version").fetchone()[0]),
        rows=[SchemaRow(*row) for row in rows],
    )
    text, target = msgspec.json.encode(layout), path.with_name(_LAYOUT_NAME)
    part = target.with_suffix(".part")
    with suppress(OSError):  # without it the database works as well
        if target.exists() and target.read_bytes() == text:
            return
        part.write_bytes(text)
        part.chmod(0o600)
        part.replace(target)


def read_layout(path: Path) -> Layout | None:
    """Return the layout that lies beside a database, None when there is none that can be read."""
    try:
        return msgspec.json.decode(path.with_name(_LAYOUT_NAME).read_bytes(), type=Layout)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def fingerprint_of(path: Path, *, with_wal: bool = True) -> str:
    """Return what tells one state of a database's files from another without reading them."""
    files = (path, wal_path(path)) if with_wal else (path,)
    stats = [each.stat() for each in files if each.exists()]
    return " ".join(f"{each.st_size}:{each.st_mtime_ns}" for each in stats)


def wal_path(path: Path) -> Path:
    """Return where SQLite keeps what is not in the database file yet."""
    return path.with_name(path.name + "-wal")


def _suspect_path(path: Path) -> Path:
    return path.with_name(_SUSPECT_NAME)


def _read_small_tables(database: sqlite3.Connection, tables: set[str]) -> None:
    for table in sorted(tables - _LARGE_TABLES):
        database.execute(f"SELECT count(*) FROM {table} NOT INDEXED").fetchone()  # noqa: S608 - a name from the schema
    if "updates" in tables:  # where the next ones will be written
        database.execute("SELECT max(number) FROM updates").fetchone()


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
