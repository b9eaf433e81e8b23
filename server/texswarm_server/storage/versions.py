"""Former states of documents in the database: written, listed, read, and made into documents of their own."""

import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.errors import CorruptSnapshotError, DocumentError, NotReadableError
from texswarm_server.protocol.ids import DocumentId, Lineage
from texswarm_server.sessions.administration import note_restoration
from texswarm_server.sessions.audit import OPERATOR
from texswarm_server.sessions.credentials import new_uuid
from texswarm_server.sessions.document_lock import lock_alike
from texswarm_server.sessions.records import DocumentRecord
from texswarm_server.storage.history import HistoryPolicy, Version
from texswarm_server.storage.packing import unpack
from texswarm_server.storage.read_only import open_read_only
from texswarm_server.storage.recovery import usable_database
from texswarm_server.storage.schema import open_database, storage_error
from texswarm_server.storage.sqlite_records import transaction

_MAX_TITLE_CHARS: Final = 200
_COLUMNS: Final = "version_id, created_at, through, size, length(data)"


def put_version(
    database: sqlite3.Connection,
    document_id: DocumentId,
    *,
    through: int,
    packed: bytes,
    size_bytes: int,
    now: float,
    policy: HistoryPolicy,
) -> None:
    """Store a version and remove those that `policy` does not keep any more; the caller holds the transaction."""
    database.execute(
        "INSERT INTO versions (document_id, created_at, through, size, crc, data) VALUES (?, ?, ?, ?, ?, ?)",
        (document_id, now, through, size_bytes, zlib.crc32(packed), packed),
    )
    gone = policy.superfluous(versions_of(database, document_id), now)
    database.executemany("DELETE FROM versions WHERE version_id = ?", [(each,) for each in gone])


def versions_of(database: sqlite3.Connection, document_id: DocumentId) -> list[Version]:
    """Return the versions of a document, the oldest first; raises sqlite3.Error."""
    query = f"SELECT {_COLUMNS} FROM versions WHERE document_id = ? ORDER BY version_id"  # noqa: S608
    return [_version(row) for row in database.execute(query, (document_id,))]


def latest_version(database: sqlite3.Connection, document_id: DocumentId) -> Version | None:
    """Return the newest version of a document, None when there is none; raises sqlite3.Error."""
    query = f"SELECT {_COLUMNS} FROM versions WHERE document_id = ? ORDER BY version_id DESC LIMIT 1"  # noqa: S608
    row = database.execute(query, (document_id,)).fetchone()
    return row and _version(row)


def version_content(database: sqlite3.Connection, version_id: int) -> bytes:
    """Return a version as a Yjs update; raises NotReadableError (none), CorruptSnapshotError or sqlite3.Error."""
    row = database.execute("SELECT crc, data FROM versions WHERE version_id = ?", (version_id,)).fetchone()
    if row is None:
        raise NotReadableError(f"there is no version {version_id}")
    return unpack(row[0], row[1], f"version {version_id}")


def list_versions(data: Path, document_id: str) -> list[Version]:
    """Return the versions of a document in the folder `data`, the oldest first, also while a server runs.

    Raises NotReadableError when there is no such document, or StorageError.
    """
    path = usable_database(data)
    try:
        with closing(open_read_only(path)) as database:
            if not database.execute("SELECT 1 FROM documents WHERE document_id = ?", (document_id,)).fetchone():
                raise NotReadableError(f"there is no document {document_id}")
            return versions_of(database, DocumentId(document_id))
    except sqlite3.Error as error:
        raise storage_error(error, path) from error


def restore_version(
    data: Path,
    version_id: int,
    *,
    now: float,
    random: Callable[[int], bytes],
    title: str | None = None,
    actor: str = OPERATOR,
) -> DocumentRecord:
    """Make a former state a new document beside the present one, and return it; works while a server runs.

    The new one has an id and a lineage of its own, and the people who are in the present one; the audit log tells of
    it. `title` is by default that of the version, and its time. Raises NotReadableError when there is no such version,
    or StorageError.
    """
    path = usable_database(data)
    with closing(open_database(path)) as database, transaction(database) as records:
        content = version_content(database, version_id)
        query = "SELECT document_id, created_at FROM versions WHERE version_id = ?"
        origin, created_at = database.execute(query, (version_id,)).fetchone()
        former = records.find_document(DocumentId(origin))
        if former is None:
            raise NotReadableError(f"there is no document {origin}")
        lineage = Lineage(new_uuid(random))
        update, new_title = _begun_anew(content, lineage, created_at, title)
        document_id = DocumentId(new_uuid(random))
        record = DocumentRecord(
            document_id=document_id, title=new_title, lineage=lineage, owner_id=former.owner_id, updated_at=now
        )
        records.put_document(record)
        _put_beside(database, former.document_id, document_id, update)
        lock_alike(records, former.document_id, document_id)
        note_restoration(records, actor=actor, document_id=document_id, version_id=version_id, origin=origin, now=now)
    return record


def _put_beside(database: sqlite3.Connection, origin: DocumentId, document_id: DocumentId, update: bytes) -> None:
    """Give a new document its content, and the people and the binary files of the one it comes from."""
    database.execute(
        "INSERT INTO roles (user_id, document_id, role) SELECT user_id, ?, role FROM roles WHERE document_id = ?",
        (document_id, origin),
    )
    database.execute(
        "INSERT INTO blobs SELECT ?, hash, size, stored_at, NULL FROM blobs WHERE document_id = ?",
        (document_id, origin),
    )
    database.execute(
        "INSERT INTO updates (document_id, crc, data) VALUES (?, ?, ?)", (document_id, zlib.crc32(update), update)
    )


def _begun_anew(content: bytes, lineage: Lineage, created_at: float, title: str | None) -> tuple[bytes, str]:
    """Return a document's content under another lineage and title, and the title."""
    document = ProjectDocument()
    try:
        document.apply(content)
    except DocumentError as error:
        raise CorruptSnapshotError(f"the version cannot be read: {error}") from error
    if title is None:
        when = f" ({datetime.fromtimestamp(created_at, UTC):%Y-%m-%d %H:%M} UTC)"
        title = document.title[: _MAX_TITLE_CHARS - len(when)] + when
    document.initialise(title, lineage)
    return document.update_since(), title


def _version(row: tuple[int, float, int, int, int]) -> Version:
    return Version(version_id=row[0], created_at=row[1], through=row[2], size_bytes=row[3], stored_bytes=row[4])
