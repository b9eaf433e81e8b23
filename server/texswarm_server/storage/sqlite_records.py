"""The records in SQLite. One transaction is open around every call; who opens it is `SqliteStore`."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from texswarm_server.protocol.ids import DocumentId, Lineage, SessionId, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.records import DocumentRecord, Grant, Invite, ListedDocument, StoredSession, User
from texswarm_server.storage.schema import storage_error

_DOCUMENT = "d.document_id, d.title, d.lineage, d.owner_id, d.updated_at"


class SqliteRecords:
    """Implements `sessions.records.Records`, whose docstrings hold here."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def find_user(self, user_id: UserId) -> User | None:  # noqa: D102
        row = self._one(
            "SELECT user_id, display_name, color, can_create, is_confirmed, is_removed FROM users WHERE user_id = ?",
            user_id,
        )
        return row and User(
            user_id=UserId(row[0]),
            display_name=row[1],
            color=row[2],
            can_create=bool(row[3]),
            is_confirmed=bool(row[4]),
            is_removed=bool(row[5]),
        )

    def put_user(self, user: User) -> None:  # noqa: D102
        self._db.execute(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)",
            (user.user_id, user.display_name, user.color, user.can_create, user.is_confirmed, user.is_removed),
        )

    def find_invite(self, token_hash: str) -> Invite | None:  # noqa: D102
        row = self._one(
            "SELECT token_hash, role, document_id, expires_at, max_uses, uses, is_revoked"
            " FROM invites WHERE token_hash = ?",
            token_hash,
        )
        return row and Invite(
            token_hash=row[0],
            role=row[1],
            document_id=row[2],
            expires_at=row[3],
            max_uses=row[4],
            uses=row[5],
            is_revoked=bool(row[6]),
        )

    def put_invite(self, invite: Invite) -> None:  # noqa: D102
        self._db.execute(
            "INSERT OR REPLACE INTO invites VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                invite.token_hash,
                invite.role,
                invite.document_id,
                invite.expires_at,
                invite.max_uses,
                invite.uses,
                invite.is_revoked,
            ),
        )

    def is_registration(self, token_hash: str, user_id: UserId) -> bool:  # noqa: D102
        return bool(self._one("SELECT 1 FROM registrations WHERE token_hash = ? AND user_id = ?", token_hash, user_id))

    def put_registration(self, token_hash: str, user_id: UserId) -> None:  # noqa: D102
        self._db.execute("INSERT OR IGNORE INTO registrations VALUES (?, ?)", (token_hash, user_id))

    def find_grant(self, grant_id: str) -> Grant | None:  # noqa: D102
        return self._grant("grant_id = ?", grant_id)

    def find_grant_by_token(self, token_hash: str) -> Grant | None:  # noqa: D102
        return self._grant("token_hash = ?", token_hash)

    def put_grant(self, grant: Grant) -> None:  # noqa: D102
        self._db.execute(
            "INSERT OR REPLACE INTO grants VALUES (?, ?, ?, ?, ?)",
            (grant.grant_id, grant.token_hash, grant.user_id, grant.used_at, grant.is_revoked),
        )

    def revoke_grants_of(self, user_id: UserId) -> None:  # noqa: D102
        self._db.execute("UPDATE grants SET is_revoked = 1 WHERE user_id = ?", (user_id,))

    def put_session(self, session: StoredSession) -> None:  # noqa: D102
        self._db.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)",
            (session.session_id, session.user_id, session.grant_id, session.detached_at),
        )

    def remove_sessions(self, session_ids: Iterable[SessionId]) -> None:  # noqa: D102
        self._db.executemany("DELETE FROM sessions WHERE session_id = ?", [(each,) for each in session_ids])

    def sessions(self) -> list[StoredSession]:  # noqa: D102
        rows = self._db.execute("SELECT session_id, user_id, grant_id, detached_at FROM sessions")
        return [
            StoredSession(session_id=SessionId(row[0]), user_id=UserId(row[1]), grant_id=row[2], detached_at=row[3])
            for row in rows
        ]

    def find_document(self, document_id: DocumentId) -> DocumentRecord | None:  # noqa: D102
        row = self._one(f"SELECT {_DOCUMENT} FROM documents d WHERE d.document_id = ?", document_id)  # noqa: S608
        return row and _document(row)

    def put_document(self, document: DocumentRecord) -> None:  # noqa: D102
        self._db.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)",
            (document.document_id, document.title, document.lineage, document.owner_id, document.updated_at),
        )

    def role_of(self, user_id: UserId, document_id: DocumentId) -> RoleName | None:  # noqa: D102
        row = self._one("SELECT role FROM roles WHERE user_id = ? AND document_id = ?", user_id, document_id)
        return row and cast("RoleName", row[0])

    def put_role(self, user_id: UserId, document_id: DocumentId, role: RoleName) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO roles VALUES (?, ?, ?)", (user_id, document_id, role))

    def count_owned(self, user_id: UserId) -> int:  # noqa: D102
        row = self._one("SELECT count(*) FROM documents WHERE owner_id = ?", user_id)
        return int(row[0]) if row else 0

    def documents_of(self, user_id: UserId) -> list[ListedDocument]:  # noqa: D102
        rows = self._db.execute(
            f"SELECT {_DOCUMENT}, r.role FROM roles r JOIN documents d USING (document_id)"  # noqa: S608
            " WHERE r.user_id = ? ORDER BY d.updated_at DESC",
            (user_id,),
        )
        return [ListedDocument(record=_document(row), role=row[5]) for row in rows]

    def documents(self) -> list[DocumentRecord]:  # noqa: D102
        rows = self._db.execute(f"SELECT {_DOCUMENT} FROM documents d ORDER BY d.updated_at DESC")  # noqa: S608
        return [_document(row) for row in rows]

    def count_documents(self) -> int:  # noqa: D102
        (count,) = self._one("SELECT COUNT(*) FROM documents") or (0,)
        return int(count)

    def find_setting(self, key: str) -> str | None:  # noqa: D102
        row = self._one("SELECT value FROM settings WHERE key = ?", key)
        return row and str(row[0])

    def put_setting(self, key: str, value: str) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value))

    def _one(self, query: str, *values: object) -> Any:
        return self._db.execute(query, values).fetchone()

    def _grant(self, condition: str, value: str) -> Grant | None:
        row = self._one(
            f"SELECT grant_id, token_hash, user_id, used_at, is_revoked FROM grants WHERE {condition}",  # noqa: S608
            value,
        )
        return row and Grant(
            grant_id=row[0], token_hash=row[1], user_id=UserId(row[2]), used_at=row[3], is_revoked=bool(row[4])
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[SqliteRecords]:
    """One transaction of a process beside the server; raises StorageError. What it raises itself undoes it."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteRecords(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise storage_error(error) from error


def _document(row: Any) -> DocumentRecord:
    return DocumentRecord(
        document_id=DocumentId(row[0]),
        title=row[1],
        lineage=Lineage(row[2]),
        owner_id=UserId(row[3]),
        updated_at=row[4],
    )
