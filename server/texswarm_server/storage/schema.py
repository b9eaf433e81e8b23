"""The tables, their version, and how a database is opened: privately, and only if it is one of ours."""

import sqlite3
from pathlib import Path
from typing import Final

from texswarm_server.protocol.errors import CorruptSnapshotError, NotWritableError, StorageError

SCHEMA_VERSION: Final = 1
BUSY_TIMEOUT_S: Final = 5.0
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600

_TABLES: Final = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE users (
    user_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, color TEXT NOT NULL,
    can_create INTEGER NOT NULL, is_confirmed INTEGER NOT NULL, is_removed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE invites (
    token_hash TEXT PRIMARY KEY, role TEXT NOT NULL, document_id TEXT, expires_at REAL,
    max_uses INTEGER, uses INTEGER NOT NULL, is_revoked INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE registrations (
    token_hash TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (token_hash, user_id)
) WITHOUT ROWID;
CREATE TABLE grants (
    grant_id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL,
    used_at REAL NOT NULL, is_revoked INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX grants_of_user ON grants (user_id);
CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, grant_id TEXT NOT NULL, detached_at REAL
) WITHOUT ROWID;
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, title TEXT NOT NULL, lineage TEXT NOT NULL,
    owner_id TEXT NOT NULL, updated_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX documents_of_owner ON documents (owner_id);
CREATE TABLE roles (
    user_id TEXT NOT NULL, document_id TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (user_id, document_id)
) WITHOUT ROWID;
CREATE TABLE updates (
    number INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX updates_of_document ON updates (document_id, number);
CREATE TABLE snapshots (
    document_id TEXT PRIMARY KEY, through INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
);
"""


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


def storage_error(error: sqlite3.Error, path: Path | str = "the database") -> StorageError:
    """Return our error for one of SQLite's."""
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
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection, path) == 0:
            _insist_on_empty(connection, path)
            create_tables(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in {0, SCHEMA_VERSION}:
        raise CorruptSnapshotError(f"{path} has schema version {version}, this program knows {SCHEMA_VERSION}")
    return version


def _insist_on_empty(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise CorruptSnapshotError(f"{path} is another program's database")


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
