"""Does a database look sound when a server starts on it, and what must be known to recover it if it does not?

Only what is cheap is looked at: that nothing is gone, that the file has the length it says, and that the small tables
can be read; a document that is damaged shows when it is loaded. Beside the database lies the layout of its tables,
which stands on the first pages and without which the rest of a file says nothing. Where it lies, there was a database.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from texswarm_server.storage.read_only import is_damage, open_read_only, quick_check, table_names
from texswarm_server.storage.rescue_copy import is_unreadable
from texswarm_server.storage.schema import storage_error
from texswarm_server.storage.write_ahead_log import lost_changes, wal_path

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
    if (loss := find_loss(path)) or not is_there(path):
        return loss
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


def find_loss(path: Path) -> str:
    """Return what of a database is gone that was there, empty when nothing is; other damage is not looked for.

    To be asked before it is opened in any other way. Raises StorageError when it cannot be looked at.
    """
    try:
        return _missing(path) or _lost_changes(path) or _missing_tables(path)
    except OSError as error:
        raise storage_error(error, path) from error
    except sqlite3.Error as error:
        if is_damage(error):
            return ""
        raise storage_error(error, path) from error


def is_there(path: Path) -> bool:
    """Whether there is a database file in which anything stands."""
    return path.exists() and path.stat().st_size > 0


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
    text, target = msgspec.json.encode(layout), layout_path(path)
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
        return msgspec.json.decode(layout_path(path).read_bytes(), type=Layout)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def fingerprint_of(path: Path, *, with_wal: bool = True) -> str:
    """Return what tells one state of a database's files from another without reading them."""
    files = (path, wal_path(path)) if with_wal else (path,)
    stats = [each.stat() for each in files if each.exists()]
    return " ".join(f"{each.st_size}:{each.st_mtime_ns}" for each in stats)


def layout_path(path: Path) -> Path:
    """Return where the layout of a database lies."""
    return path.with_name(_LAYOUT_NAME)


def _suspect_path(path: Path) -> Path:
    return path.with_name(_SUSPECT_NAME)


def _missing(path: Path) -> str:
    """Tell a database that was never there from one that is gone: something of it lies beside its place."""
    was_there = layout_path(path).exists() or (wal_path(path).exists() and wal_path(path).stat().st_size > 0)
    if is_there(path) or not was_there:
        return ""
    return "the file is empty" if path.exists() else "the file is gone"


def _missing_tables(path: Path) -> str:
    if not is_there(path) or not layout_path(path).exists():
        return ""
    with closing(open_read_only(path)) as database:
        return "" if _OUR_TABLE in table_names(database) else "what was in it is gone"


def _lost_changes(path: Path) -> str:
    """Return what the log lost; it is noted for the files as they are, because SQLite forgets it once it is asked."""
    state = fingerprint_of(path)
    with suppress(OSError):
        noted = _suspect_path(path).read_text("utf-8", "replace").splitlines()
        if len(noted) > 1 and noted[0] == state:
            return noted[1]
    try:
        loss = lost_changes(path)
    except OSError as error:
        if not is_unreadable(error):
            raise
        loss = f"the log of the last changes cannot be read: {error.strerror}"
    if loss:
        with suppress(OSError):
            _suspect_path(path).touch(mode=0o600)
            _suspect_path(path).write_text(f"{state}\n{loss}\n", "utf-8")
    return loss


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
