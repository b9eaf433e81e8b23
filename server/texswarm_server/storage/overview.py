"""What operators look at: people, documents, sessions and invites with what belongs to them, each by one query."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from texswarm_server.sessions.audit import AuditAction, AuditEntry
from texswarm_server.sessions.records import INVITE_ID_CHARS
from texswarm_server.storage.sqlite_records import SqliteRecords

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """A person; `documents`: in how many there is a role; `seen_at`: last sign-in or connection, None for never."""

    user_id: str
    display_name: str
    can_create: bool
    is_removed: bool
    documents: int
    sessions: int
    seen_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A document; `owner_id`: who made it; `size_bytes`: what is stored of its present state."""

    document_id: str
    title: str
    owner_id: str
    owner_name: str
    members: int
    size_bytes: int
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """Somebody in a document, or taken out of it. `state`: `member`, `removed`, `banned`; `role` empty without one."""

    user_id: str
    display_name: str
    role: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session. `attached_at`: its latest connection; `detached_at`: since when none serves it."""

    session_id: str
    user_id: str
    display_name: str
    address: str
    client: str
    attached_at: float | None
    detached_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteLine:
    """An invite; `document_id` and `title` are None where it lets in to the server; None is no limit.

    `for_user`: the one it signs in again; empty where it lets in whoever holds it. `way`: as in `InviteWay`.
    """

    invite_id: str
    role: str
    document_id: str | None
    title: str | None
    uses: int
    max_uses: int | None
    issued_by: str
    issued_at: float | None
    expires_at: float | None
    is_revoked: bool
    for_user: str
    way: str


_USERS: Final = """
SELECT user_id, display_name, can_create, is_removed,
    (SELECT count(*) FROM roles r WHERE r.user_id = u.user_id) AS documents,
    (SELECT count(*) FROM sessions s WHERE s.user_id = u.user_id) AS sessions,
    nullif(max(ifnull((SELECT max(used_at) FROM grants g WHERE g.user_id = u.user_id), 0),
               ifnull((SELECT max(attached_at) FROM sessions s WHERE s.user_id = u.user_id), 0)), 0) AS seen_at
FROM users u WHERE ? IN ('', user_id) ORDER BY seen_at DESC, display_name, user_id
"""
_DOCUMENTS: Final = """
SELECT document_id, title, owner_id, ifnull(o.display_name, '') AS owner_name,
    (SELECT count(*) FROM roles r WHERE r.document_id = d.document_id) AS members,
    ifnull((SELECT sum(length(data)) FROM updates p WHERE p.document_id = d.document_id), 0)
        + ifnull((SELECT length(data) FROM snapshots s WHERE s.document_id = d.document_id), 0) AS size_bytes,
    updated_at
FROM documents d LEFT JOIN users o ON o.user_id = d.owner_id
WHERE :document IN ('', document_id)
    AND (:user = '' OR document_id IN (SELECT document_id FROM roles WHERE user_id = :user))
ORDER BY updated_at DESC, document_id
"""
_MEMBERS: Final = """
SELECT * FROM (
    SELECT r.user_id AS user_id, ifnull(u.display_name, '') AS display_name, r.role AS role,
        CASE WHEN u.is_removed THEN 'removed from the server' ELSE 'member' END AS state
    FROM roles r LEFT JOIN users u USING (user_id) WHERE r.document_id = :document
    UNION ALL
    SELECT m.user_id, ifnull(u.display_name, ''), '', CASE WHEN m.is_ban THEN 'banned' ELSE 'removed' END
    FROM removals m LEFT JOIN users u USING (user_id) WHERE m.document_id = :document
) ORDER BY state != 'member', role != 'owner', role != 'editor', display_name, user_id
"""
_SESSIONS: Final = """
SELECT session_id, s.user_id AS user_id, ifnull(u.display_name, '') AS display_name, address, client,
    nullif(attached_at, 0) AS attached_at, detached_at
FROM sessions s LEFT JOIN users u USING (user_id)
WHERE ? IN ('', s.user_id) ORDER BY detached_at IS NOT NULL, detached_at DESC, attached_at DESC, session_id
"""
_INVITES: Final = f"""
SELECT substr(token_hash, 1, {INVITE_ID_CHARS}) AS invite_id, role, document_id, d.title AS title, uses, max_uses,
    issued_by, nullif(issued_at, 0) AS issued_at, expires_at, is_revoked, for_user, way
FROM invites i LEFT JOIN documents d USING (document_id)
WHERE ? IN ('', document_id) ORDER BY issued_at DESC, token_hash
"""  # noqa: S608 - a number of ours
_ID_COLUMNS: Final = {
    "user": ("users", "user_id"),
    "document": ("documents", "document_id"),
    "session": ("sessions", "session_id"),
    "invite": ("invites", "token_hash"),
}
_MOST_ALIKE: Final = 3


class Overview:
    """Reads the database; every method raises sqlite3.Error."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def users(self, user_id: str = "") -> list[UserLine]:
        """Return everybody, or one user; who was here last comes first."""
        return self._lines(UserLine, _USERS, (user_id,))

    def documents(self, document_id: str = "") -> list[DocumentLine]:
        """Return all documents, or one; the latest change first."""
        return self._lines(DocumentLine, _DOCUMENTS, {"document": document_id, "user": ""})

    def documents_of(self, user_id: str) -> list[DocumentLine]:
        """Return the documents a user is in, the latest change first."""
        return self._lines(DocumentLine, _DOCUMENTS, {"document": "", "user": user_id})

    def members(self, document_id: str) -> list[MemberLine]:
        """Return who is in a document, owners first, and who was taken out of it."""
        return self._lines(MemberLine, _MEMBERS, {"document": document_id})

    def sessions(self, user_id: str = "") -> list[SessionLine]:
        """Return all sessions, or those of one user; attached ones first."""
        return self._lines(SessionLine, _SESSIONS, (user_id,))

    def invites(self, document_id: str = "") -> list[InviteLine]:
        """Return all invites, or those to one document, the latest first."""
        return self._lines(InviteLine, _INVITES, (document_id,))

    def audit(
        self, limit: int, *, user_id: str | None, document_id: str | None, actions: list[AuditAction]
    ) -> list[AuditEntry]:
        """Return the last entries of the audit log, in the order they happened."""
        records = SqliteRecords(self._db)
        return records.audit(limit=limit, actions=actions, user_id=user_id, document_id=document_id)

    def names(self) -> dict[str, str]:
        """Return what users call themselves and what documents are called, by id."""
        users = self._db.execute("SELECT user_id, display_name FROM users WHERE display_name != ''")
        return {**dict(users), **dict(self._db.execute("SELECT document_id, title FROM documents"))}

    def ids_like(self, thing: str, beginning: str) -> list[str]:
        """Return up to three ids of a user, document, session or invite that begin like this; one that is it, alone."""
        table, column = _ID_COLUMNS[thing]
        rows = self._db.execute(
            f"SELECT {column} FROM {table} WHERE substr({column}, 1, length(:text)) = :text"  # noqa: S608 - names of ours
            f" ORDER BY {column} != :text LIMIT {_MOST_ALIKE}",
            {"text": beginning},
        )
        found = [row[0] for row in rows]
        return [beginning] if beginning in found else found

    def _lines(self, kind: Callable[..., T], query: str, values: Any) -> list[T]:
        cursor = self._db.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [_line(kind, dict(zip(names, row, strict=True))) for row in cursor]


def _line(kind: Callable[..., T], fields: dict[str, Any]) -> T:
    flags = {name: bool(value) for name, value in fields.items() if name.startswith(("is_", "can_"))}
    return kind(**{**fields, **flags})
