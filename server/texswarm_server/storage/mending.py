"""Fills gaps between the tables of a recovered database: what one of them lost and others still tell.

A document of which updates or a snapshot are there and the record is not is given one again, with lineage and title
from its content; and whoever owned a document has a role in it again. Nobody is given more than stands somewhere.
"""

import sqlite3
from typing import Final
from uuid import uuid4

from texswarm_server.document.loading import load_document
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.errors import CorruptSnapshotError, DocumentError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.storage.document_log import read_log

_WITHOUT_RECORD: Final = """
    SELECT document_id FROM updates UNION SELECT document_id FROM snapshots
    EXCEPT SELECT document_id FROM documents ORDER BY document_id
"""
_OWNER: Final = """
    SELECT user_id FROM roles WHERE document_id = ? AND role = 'owner' ORDER BY decided_at NULLS FIRST, user_id LIMIT 1
"""
_OWNERS_WITHOUT_ROLE: Final = """
    INSERT INTO roles (user_id, document_id, role)
    SELECT owner_id, document_id, 'owner' FROM documents WHERE owner_id <> ''
    AND NOT EXISTS (SELECT 1 FROM roles WHERE user_id = owner_id AND roles.document_id = documents.document_id)
    AND NOT EXISTS (SELECT 1 FROM removals WHERE user_id = owner_id AND removals.document_id = documents.document_id)
"""


def restore_documents(database: sqlite3.Connection, owners: dict[str, str], updated_at: float) -> int:
    """Make a record of every document that lost it and can be shown; return how many.

    `owners`: who owns a document, where that is known from elsewhere than the roles. `updated_at` is in seconds since
    the epoch. What cannot be shown is left without one: whoever has it makes it again, and it joins what is stored.
    """
    restored = 0
    for (document_id,) in database.execute(_WITHOUT_RECORD).fetchall():
        document = _shown(database, DocumentId(document_id))
        if document is None:
            continue
        owner = database.execute(_OWNER, (document_id,)).fetchone()
        values = (
            document_id,
            document.title or document_id,
            document.lineage or str(uuid4()),
            owner[0] if owner else owners.get(document_id, ""),
            updated_at,
        )
        database.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?)", values)
        restored += 1
    return restored


def restore_owners(database: sqlite3.Connection) -> int:
    """Give owners back the role that was lost; return how many. To be asked only where roles were lost."""
    return database.execute(_OWNERS_WITHOUT_ROLE).rowcount


def _shown(database: sqlite3.Connection, document_id: DocumentId) -> SharedDocument | None:
    """Return a document as far as it can be shown, None where nothing can."""
    try:
        document = load_document(read_log(database, document_id).content)
    except (CorruptSnapshotError, DocumentError):
        return None
    return document if document.lineage or document.state_vector != EMPTY_STATE else None
