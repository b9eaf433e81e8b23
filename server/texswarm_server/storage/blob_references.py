"""Which binary contents a document still uses: in its present state, or in a version that is kept."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from texswarm_server.document import ProjectDocument
from texswarm_server.document.loading import load_document
from texswarm_server.protocol.errors import TexSwarmError
from texswarm_server.protocol.ids import BlobHash, DocumentId
from texswarm_server.storage.document_log import read_log
from texswarm_server.storage.read_only import tolerant_text
from texswarm_server.storage.schema import open_for_reading
from texswarm_server.storage.versions import version_content, versions_of


def unreferenced(path: Path, document_id: DocumentId, hashes: Collection[BlobHash]) -> set[BlobHash]:
    """Return those of `hashes` that nothing of the document names; of one that cannot be read whole, none.

    `path` is that of the database. Versions are read only while something is left to be looked for. Blocks.
    """
    left = set(hashes)
    try:
        with closing(open_for_reading(path)) as database:
            database.text_factory = tolerant_text
            database.execute("BEGIN")
            log = read_log(database, document_id)
            if log.damage:
                return set()
            left -= _named(log.content)
            for version in reversed(versions_of(database, document_id) if left else []):
                if not left:
                    break
                left -= _named([version_content(database, version.version_id)])
    except (TexSwarmError, sqlite3.Error):
        return set()
    return left


def _named(updates: list[bytes]) -> set[BlobHash]:
    document = ProjectDocument()
    document.apply(load_document(updates).update_since())
    return {entry.blob.blob_hash for entry in document.blob_files.values() if entry.blob}
