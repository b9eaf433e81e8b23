"""The records in SQLite. One transaction is open around every call; who opens it is `SqliteStore`."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, cast

from texswarm_server.protocol.ids import BlobHash, DocumentId, Lineage, SessionId, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.audit import AuditAction, AuditEntry
from texswarm_server.sessions.records import (
    INVITE_ID_CHARS,
    BlobRecord,
    DocumentRecord,
    Grant,
    Invite,
    InviteWay,
    ListedDocument,
    Membership,
    RefreshToken,
    Removal,
    StoredCode,
    StoredPlace,
    StoredSession,
    User,
)
from texswarm_server.storage.schema import storage_error

_USER: Final = "u.user_id, u.display_name, u.color, u.can_create, u.is_confirmed, u.is_removed, u.is_tokenless"
_INVITE: Final = (
    "i.token_hash, i.role, i.document_id, i.expires_at, i.max_uses, i.uses, i.is_revoked, i.issued_by, i.issued_at,"
    " i.asks, i.for_user, i.way"
)
_LATEST: Final = "ORDER BY i.issued_at DESC, i.token_hash"
_DOCUMENT: Final = "d.document_id, d.title, d.lineage, d.owner_id, d.updated_at"
_AUDITED: Final = ("at", "action", "actor", "user_id", "document_id", "reference", "role", "address", "detail")
_AUDIT: Final = ", ".join(_AUDITED)
_MARKS: Final = ", ".join("?" * len(_AUDITED))


class SqliteRecords:
    """Implements `sessions.records.Records`, whose docstrings hold here."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────

    def find_user(self, user_id: UserId) -> User | None:  # noqa: D102
        row = self._one(f"SELECT {_USER} FROM users u WHERE u.user_id = ?", user_id)  # noqa: S608
        return row and _user(row)

    def put_user(self, user: User) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?, ?)", _row(user))

    def users(self) -> list[User]:  # noqa: D102
        rows = self._db.execute(f"SELECT {_USER} FROM users u ORDER BY u.display_name, u.user_id")  # noqa: S608
        return [_user(row) for row in rows]

    # ── invites ─────────────────────────────────────────────────────────────────────────────────────────

    def find_invite(self, token_hash: str) -> Invite | None:  # noqa: D102
        return next(iter(self._invites("WHERE i.token_hash = ?", token_hash)), None)

    def find_invite_by_id(self, invite_id: str) -> Invite | None:  # noqa: D102
        if len(invite_id) != INVITE_ID_CHARS:
            return None
        found = self._invites("WHERE i.token_hash >= ? AND i.token_hash < ?", invite_id, invite_id + "~")
        return found[0] if len(found) == 1 else None

    def put_invite(self, invite: Invite) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO invites VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(invite))

    def invites(self) -> list[Invite]:  # noqa: D102
        return self._invites(_LATEST)

    def invites_of(self, document_id: DocumentId) -> list[Invite]:  # noqa: D102
        return self._invites(f"WHERE i.document_id = ? {_LATEST}", document_id)

    def invites_issued_by(self, user_id: UserId) -> list[Invite]:  # noqa: D102
        return self._invites(f"WHERE i.issued_by = ? {_LATEST}", user_id)

    def invites_used_by(self, user_id: UserId) -> list[Invite]:  # noqa: D102
        return self._invites(f"JOIN registrations r USING (token_hash) WHERE r.user_id = ? {_LATEST}", user_id)

    def invites_for(self, user_id: UserId) -> list[Invite]:  # noqa: D102
        return self._invites(f"WHERE i.for_user = ? {_LATEST}", user_id)

    def join_codes(self) -> list[StoredCode]:  # noqa: D102
        columns = "nameplate, words, token, token_hash, given, wrong"
        rows = self._db.execute(f"SELECT {columns} FROM join_codes ORDER BY rowid DESC")  # noqa: S608
        return [StoredCode(**dict(zip(columns.split(", "), row, strict=True))) for row in rows]

    def put_join_code(self, code: StoredCode) -> None:  # noqa: D102
        statement = (
            "INSERT INTO join_codes VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (nameplate) DO UPDATE SET given = excluded.given, wrong = excluded.wrong"
        )
        self._db.execute(statement, _row(code))

    def remove_join_code(self, nameplate: str) -> None:  # noqa: D102
        self._db.execute("DELETE FROM join_codes WHERE nameplate = ?", (nameplate,))

    def users_of(self, token_hash: str) -> list[UserId]:  # noqa: D102
        rows = self._db.execute("SELECT user_id FROM registrations WHERE token_hash = ?", (token_hash,))
        return [UserId(row[0]) for row in rows]

    def is_registration(self, token_hash: str, user_id: UserId) -> bool:  # noqa: D102
        query = "SELECT 1 FROM registrations WHERE token_hash = ? AND user_id = ? AND NOT is_redeemed"
        return bool(self._one(query, token_hash, user_id))

    def put_registration(self, token_hash: str, user_id: UserId, *, is_redeemed: bool = False) -> None:  # noqa: D102
        self._db.execute("INSERT OR IGNORE INTO registrations VALUES (?, ?, ?)", (token_hash, user_id, is_redeemed))

    def settle_registration(self, token_hash: str, user_id: UserId) -> None:  # noqa: D102
        statement = "UPDATE registrations SET is_redeemed = 1 WHERE token_hash = ? AND user_id = ?"
        self._db.execute(statement, (token_hash, user_id))

    # ── sign-ins and sessions ───────────────────────────────────────────────────────────────────────────

    def find_grant(self, grant_id: str) -> Grant | None:  # noqa: D102
        return next(iter(self._grants("grant_id = ?", grant_id)), None)

    def grants_of(self, user_id: UserId) -> list[Grant]:  # noqa: D102
        return self._grants("user_id = ?", user_id)

    def put_grant(self, grant: Grant) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO grants VALUES (?, ?, ?, ?, ?)", _row(grant))

    def revoke_grants_of(self, user_id: UserId) -> None:  # noqa: D102
        self._db.execute("UPDATE grants SET is_revoked = 1 WHERE user_id = ?", (user_id,))

    def find_refresh_token(self, token_hash: str) -> RefreshToken | None:  # noqa: D102
        return next(iter(self._refresh_tokens("token_hash = ?", token_hash)), None)

    def refresh_tokens_of(self, grant_id: str) -> list[RefreshToken]:  # noqa: D102
        return self._refresh_tokens("grant_id = ?", grant_id)

    def put_refresh_token(self, token: RefreshToken) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO refresh_tokens VALUES (?, ?, ?, ?, ?)", _row(token))

    def remove_refresh_tokens(self, token_hashes: Iterable[str]) -> None:  # noqa: D102
        self._db.executemany("DELETE FROM refresh_tokens WHERE token_hash = ?", [(each,) for each in token_hashes])

    def find_session(self, session_id: SessionId) -> StoredSession | None:  # noqa: D102
        return next(iter(self._sessions("WHERE session_id = ?", session_id)), None)

    def sessions(self) -> list[StoredSession]:  # noqa: D102
        return self._sessions("")

    def sessions_of(self, user_id: UserId) -> list[StoredSession]:  # noqa: D102
        return self._sessions("WHERE user_id = ?", user_id)

    def put_session(self, session: StoredSession) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(session))

    def remove_sessions(self, session_ids: Iterable[SessionId]) -> None:  # noqa: D102
        gone = [(each,) for each in session_ids]
        self._db.executemany("DELETE FROM sessions WHERE session_id = ?", gone)
        self._db.executemany("DELETE FROM places WHERE session_id = ?", gone)

    def detach_session(self, session_id: SessionId, grant_id: str, now: float) -> None:  # noqa: D102
        statement = "UPDATE sessions SET detached_at = ?, grant_id = ? WHERE session_id = ?"
        self._db.execute(statement, (now, grant_id, session_id))

    def detach_sessions(self, now: float) -> None:  # noqa: D102
        self._db.execute("UPDATE sessions SET detached_at = ? WHERE detached_at IS NULL", (now,))
        self._db.execute("DELETE FROM places WHERE session_id NOT IN (SELECT session_id FROM sessions)")

    def places(self) -> list[StoredPlace]:  # noqa: D102
        rows = self._db.execute(
            "SELECT p.session_id, p.document_id, s.user_id, u.display_name, u.color, r.role, s.detached_at"
            " FROM places p JOIN sessions s USING (session_id) JOIN users u ON u.user_id = s.user_id"
            " LEFT JOIN roles r ON r.user_id = s.user_id AND r.document_id = p.document_id"
        )
        return [
            StoredPlace(
                session_id=SessionId(row[0]),
                document_id=DocumentId(row[1]),
                user_id=UserId(row[2]),
                display_name=row[3],
                color=row[4],
                role=row[5],
                detached_at=row[6],
            )
            for row in rows
        ]

    def put_places(self, places: Iterable[tuple[SessionId, DocumentId]]) -> None:  # noqa: D102
        self._db.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", places)

    def remove_places(self, places: Iterable[tuple[SessionId, DocumentId]]) -> None:  # noqa: D102
        self._db.executemany("DELETE FROM places WHERE session_id = ? AND document_id = ?", places)

    # ── documents and roles ─────────────────────────────────────────────────────────────────────────────

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

    def put_role(  # noqa: D102
        self, user_id: UserId, document_id: DocumentId, role: RoleName, *, decided_at: float | None = None
    ) -> None:
        values = (user_id, document_id, role, decided_at)
        self._db.execute("INSERT OR REPLACE INTO roles VALUES (?, ?, ?, ?)", values)

    def role_decided_at(self, user_id: UserId, document_id: DocumentId) -> float | None:  # noqa: D102
        row = self._one("SELECT decided_at FROM roles WHERE user_id = ? AND document_id = ?", user_id, document_id)
        return None if row is None or row[0] is None else float(row[0])

    def remove_role(self, user_id: UserId, document_id: DocumentId) -> None:  # noqa: D102
        self._db.execute("DELETE FROM roles WHERE user_id = ? AND document_id = ?", (user_id, document_id))

    def members_of(self, document_id: DocumentId) -> list[Membership]:  # noqa: D102
        rows = self._db.execute(
            f"SELECT {_USER}, r.role FROM roles r JOIN users u USING (user_id)"  # noqa: S608
            " WHERE r.document_id = ? ORDER BY u.display_name, u.user_id",
            (document_id,),
        )
        return [Membership(user=_user(row), role=row[7]) for row in rows]

    def find_removal(self, user_id: UserId, document_id: DocumentId) -> Removal | None:  # noqa: D102
        return next(iter(self._removals("document_id = ? AND user_id = ?", document_id, user_id)), None)

    def removals_of(self, document_id: DocumentId) -> list[Removal]:  # noqa: D102
        return self._removals("document_id = ?", document_id)

    def put_removal(self, removal: Removal) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO removals VALUES (?, ?, ?, ?)", _row(removal))

    def forget_removal(self, user_id: UserId, document_id: DocumentId) -> None:  # noqa: D102
        self._db.execute("DELETE FROM removals WHERE document_id = ? AND user_id = ?", (document_id, user_id))

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

    # ── the server itself ───────────────────────────────────────────────────────────────────────────────

    # ── blobs ───────────────────────────────────────────────────────────────────────────────────────────

    def blobs(self) -> list[BlobRecord]:  # noqa: D102
        return [BlobRecord(*row) for row in self._db.execute("SELECT * FROM blobs ORDER BY document_id, hash")]

    def blob_totals(self) -> tuple[int, int]:  # noqa: D102
        contents = "SELECT DISTINCT hash, size FROM blobs"
        count, size = self._one(f"SELECT COUNT(*), COALESCE(SUM(size), 0) FROM ({contents})") or (0, 0)  # noqa: S608
        return int(count), int(size)

    def blobs_of(self, document_id: DocumentId) -> list[BlobRecord]:  # noqa: D102
        rows = self._db.execute("SELECT * FROM blobs WHERE document_id = ? ORDER BY hash", (document_id,))
        return [BlobRecord(*row) for row in rows]

    def put_blob(self, blob: BlobRecord) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?, ?)", _row(blob))

    def remove_blob(self, document_id: DocumentId, blob_hash: BlobHash) -> None:  # noqa: D102
        self._db.execute("DELETE FROM blobs WHERE document_id = ? AND hash = ?", (document_id, blob_hash))

    # ── the server itself ───────────────────────────────────────────────────────────────────────────────

    def find_setting(self, key: str) -> str | None:  # noqa: D102
        row = self._one("SELECT value FROM settings WHERE key = ?", key)
        return row and str(row[0])

    def put_setting(self, key: str, value: str) -> None:  # noqa: D102
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value))

    def put_audit(self, entry: AuditEntry) -> AuditEntry:  # noqa: D102
        values = (*(getattr(entry, name) for name in _AUDITED),)
        cursor = self._db.execute(f"INSERT INTO audit ({_AUDIT}) VALUES ({_MARKS})", values)  # noqa: S608
        return replace(entry, number=cursor.lastrowid or 0)

    def audit(  # noqa: D102
        self,
        *,
        after: int = 0,
        limit: int | None = None,
        actions: Iterable[AuditAction] = (),
        user_id: str | None = None,
        document_id: str | None = None,
    ) -> list[AuditEntry]:
        names = tuple(actions)
        conditions: list[tuple[str, tuple[object, ...]]] = [("number > ?", (after,))]
        if names:
            conditions.append((f"action IN ({', '.join('?' * len(names))})", names))
        if user_id is not None:
            conditions.append(("? IN (user_id, actor)", (user_id,)))
        if document_id is not None:
            conditions.append(("document_id = ?", (document_id,)))
        where = " AND ".join(text for text, _values in conditions)
        values = [value for _text, values in conditions for value in values]
        rows = self._db.execute(
            f"SELECT {_AUDIT}, number FROM audit WHERE {where} ORDER BY number DESC LIMIT ?",  # noqa: S608
            (*values, -1 if limit is None else limit),
        ).fetchall()
        return [_audit_entry(row) for row in reversed(rows)]

    def last_audit_number(self) -> int:  # noqa: D102
        return int(self._one("SELECT coalesce(max(number), 0) FROM audit")[0])

    def prune_audit(self, before: float) -> int:  # noqa: D102
        query = "DELETE FROM audit WHERE at < ? AND number < (SELECT max(number) FROM audit)"
        return self._db.execute(query, (before,)).rowcount

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _one(self, query: str, *values: object) -> Any:
        return self._db.execute(query, values).fetchone()

    def _invites(self, condition: str, *values: str) -> list[Invite]:
        rows = self._db.execute(f"SELECT {_INVITE} FROM invites i {condition}", values)  # noqa: S608
        return [
            Invite(
                token_hash=row[0],
                role=row[1],
                document_id=row[2],
                expires_at=row[3],
                max_uses=row[4],
                uses=row[5],
                is_revoked=bool(row[6]),
                issued_by=row[7],
                issued_at=row[8],
                asks=bool(row[9]),
                for_user=row[10],
                way=InviteWay(row[11]),
            )
            for row in rows
        ]

    def _grants(self, condition: str, value: str) -> list[Grant]:
        rows = self._db.execute(
            "SELECT grant_id, token_hash, user_id, used_at, is_revoked FROM grants"  # noqa: S608
            f" WHERE {condition} ORDER BY used_at DESC",
            (value,),
        )
        return [
            Grant(grant_id=row[0], token_hash=row[1], user_id=UserId(row[2]), used_at=row[3], is_revoked=bool(row[4]))
            for row in rows
        ]

    def _refresh_tokens(self, condition: str, value: str) -> list[RefreshToken]:
        rows = self._db.execute(
            "SELECT token_hash, grant_id, parent_hash, issued_at, is_spent FROM refresh_tokens"  # noqa: S608
            f" WHERE {condition} ORDER BY issued_at DESC",
            (value,),
        )
        return [
            RefreshToken(
                token_hash=row[0], grant_id=row[1], parent_hash=row[2], issued_at=row[3], is_spent=bool(row[4])
            )
            for row in rows
        ]

    def _sessions(self, condition: str, *values: str) -> list[StoredSession]:
        rows = self._db.execute(
            "SELECT session_id, user_id, grant_id, detached_at, attached_at, address, client, wire"  # noqa: S608
            f" FROM sessions {condition}",
            values,
        )
        return [
            StoredSession(
                session_id=SessionId(row[0]),
                user_id=UserId(row[1]),
                grant_id=row[2],
                detached_at=row[3],
                attached_at=row[4],
                address=row[5],
                client=row[6],
                wire=row[7],
            )
            for row in rows
        ]

    def _removals(self, condition: str, *values: str) -> list[Removal]:
        rows = self._db.execute(
            f"SELECT user_id, document_id, removed_at, is_ban FROM removals WHERE {condition}",  # noqa: S608
            values,
        )
        return [
            Removal(user_id=UserId(row[0]), document_id=DocumentId(row[1]), removed_at=row[2], is_ban=bool(row[3]))
            for row in rows
        ]


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


def _row(record: Any) -> list[Any]:
    """Return the fields of a record in their order; `dataclasses.astuple` would copy each of them."""
    return [getattr(record, name) for name in record.__slots__]


def _document(row: Any) -> DocumentRecord:
    return DocumentRecord(
        document_id=DocumentId(row[0]),
        title=row[1],
        lineage=Lineage(row[2]),
        owner_id=UserId(row[3]),
        updated_at=row[4],
    )


def _user(row: Any) -> User:
    return User(
        user_id=UserId(row[0]),
        display_name=row[1],
        color=row[2],
        can_create=bool(row[3]),
        is_confirmed=bool(row[4]),
        is_removed=bool(row[5]),
        is_tokenless=bool(row[6]),
    )


def _audit_entry(row: Any) -> AuditEntry:
    texts = dict(zip(_AUDITED[2:], row[2:-1], strict=True))
    return AuditEntry(at=row[0], action=AuditAction(row[1]), number=row[-1], **texts)
