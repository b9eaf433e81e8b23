"""How the tables came to be, step by step: a database's version is the number of steps that were applied to it.

A step that was released is never changed; what comes later is a step of its own at the end. Each step is a text of SQL
statements, every one ended by a semicolon at the end of a line.
"""

import sqlite3
from typing import Final

_FIRST: Final = """
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

_HISTORY: Final = """
CREATE TABLE versions (
    version_id INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL, created_at REAL NOT NULL,
    through INTEGER NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX versions_of_document ON versions (document_id, version_id);
CREATE TABLE harmful_updates (
    number INTEGER PRIMARY KEY, document_id TEXT NOT NULL, found_at REAL NOT NULL,
    crc INTEGER NOT NULL, data BLOB NOT NULL
);
"""

_ACCESS: Final = """
ALTER TABLE users ADD COLUMN is_tokenless INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invites ADD COLUMN issued_by TEXT NOT NULL DEFAULT '';
ALTER TABLE invites ADD COLUMN issued_at REAL NOT NULL DEFAULT 0;
CREATE INDEX invites_of_document ON invites (document_id);
ALTER TABLE registrations ADD COLUMN is_redeemed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX registrations_of_user ON registrations (user_id);
ALTER TABLE roles ADD COLUMN decided_at REAL;
CREATE INDEX roles_of_document ON roles (document_id);
CREATE TABLE removals (
    user_id TEXT NOT NULL, document_id TEXT NOT NULL, removed_at REAL NOT NULL, is_ban INTEGER NOT NULL,
    PRIMARY KEY (document_id, user_id)
) WITHOUT ROWID;
ALTER TABLE sessions ADD COLUMN attached_at REAL NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN client TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE TABLE refresh_tokens (
    token_hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, parent_hash TEXT NOT NULL, issued_at REAL NOT NULL,
    is_spent INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_of_grant ON refresh_tokens (grant_id, issued_at);
INSERT INTO refresh_tokens SELECT token_hash, grant_id, '', used_at, 0 FROM grants;
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, action TEXT NOT NULL, actor TEXT NOT NULL,
    user_id TEXT NOT NULL, document_id TEXT NOT NULL, reference TEXT NOT NULL, role TEXT NOT NULL,
    address TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
"""

_LOBBY: Final = """
ALTER TABLE invites ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;
"""

_BLOBS: Final = """
CREATE TABLE blobs (
    document_id TEXT NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL, stored_at REAL NOT NULL,
    unreferenced_since REAL, PRIMARY KEY (document_id, hash)
) WITHOUT ROWID;
CREATE INDEX blobs_by_hash ON blobs (hash);
"""

_RETURN: Final = """
ALTER TABLE invites ADD COLUMN for_user TEXT NOT NULL DEFAULT '';
"""

_CODES: Final = """
ALTER TABLE invites ADD COLUMN way TEXT NOT NULL DEFAULT '';
CREATE TABLE join_codes (
    nameplate TEXT PRIMARY KEY, words TEXT NOT NULL, token TEXT NOT NULL, token_hash TEXT NOT NULL,
    given INTEGER NOT NULL, wrong INTEGER NOT NULL
);
"""

_PLACES: Final = """
CREATE TABLE places (
    session_id TEXT NOT NULL, document_id TEXT NOT NULL, PRIMARY KEY (session_id, document_id)
) WITHOUT ROWID;
"""

_WIRES: Final = """
ALTER TABLE sessions ADD COLUMN wire TEXT NOT NULL DEFAULT '';
"""

MIGRATIONS: Final[tuple[str, ...]] = (
    _FIRST, _HISTORY, _ACCESS, _LOBBY, _BLOBS, _RETURN, _CODES, _PLACES, _WIRES,
)  # fmt: skip
SCHEMA_VERSION: Final = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Apply the steps that a database of `version` lacks; the caller holds the transaction."""
    for script in MIGRATIONS[version:]:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
