"""How a database is opened: privately, only if it is one of ours, and brought up to date."""

import sqlite3
from pathlib import Path
from typing import Final

from texswarm_server.protocol.errors import CorruptSnapshotError, NotWritableError, StorageError
from texswarm_server.storage.migrations import SCHEMA_VERSION, migrate

BUSY_TIMEOUT_S: Final = 5.0
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


def prepare_folder(data: Path) -> None:
    """Make the data folder, for its owner only; raises NotWritableError."""
    try:
        data.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        list(data.iterdir())
    except FileExistsError as error:
        raise NotWritableError(f"{data} is not a folder") from error
    except OSError as error:
        raise NotWritableError(f"cannot use the data folder {data}: {error.strerror}") from error


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database for writing, and make it when it does not exist.

    Raises NotWritableError for a file that cannot be written and CorruptSnapshotError for one that is not ours.
    """
    try:
        path.touch(mode=_PRIVATE_FILE, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise NotWritableError(f"cannot open {path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        _configure(connection)
        _ensure_tables(connection, path)
    except StorageError:
        connection.close()
        raise
    except sqlite3.Error as error:
        connection.close()
        raise storage_error(error, path) from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing database for loads and compaction, beside the one writer."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def storage_error(error: sqlite3.Error | OSError, path: Path | str = "the database") -> StorageError:
    """Return our error for one of SQLite's, or of the system's."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return CorruptSnapshotError(f"{path} is not a database of this server, or is damaged: {error}")
    return NotWritableError(f"cannot write {path}: {error}")


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 2000")
    connection.execute("PRAGMA cache_size = -8192")


def _ensure_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables or bring them up to date, both whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        if version == 0:
            _insist_on_empty(connection, path)
        if version < SCHEMA_VERSION:
            migrate(connection, version)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version <= SCHEMA_VERSION:
        raise CorruptSnapshotError(
            f"{path} has schema version {version}, this program knows {SCHEMA_VERSION}: a newer one wrote it"
        )
    return version


def _insist_on_empty(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise CorruptSnapshotError(f"{path} is another program's database")
