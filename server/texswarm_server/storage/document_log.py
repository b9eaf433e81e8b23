"""What is stored of one document, row by row: what can be read and is as it was written, and what is not.

A row whose bytes changed, or that lies on a page that cannot be read, is named and left out; the others are returned.
Updates that stand on a missing one wait inside the document, so the rest may be shown, and must not be written to.
"""

import sqlite3
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from texswarm_server.protocol.errors import CorruptSnapshotError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.storage.packing import unpack
from texswarm_server.storage.read_only import is_damage, salvaged_rows

_ROW: Final = "number, crc, data"


@dataclass(slots=True)
class DocumentLog:
    """A document's snapshot and log. `damage`: what of it cannot be read, in words for logs; empty when all is well.

    `through` is the number of the last update that was looked at, whether it could be read or not.
    """

    snapshot: bytes | None = None
    through: int = 0
    updates: list[tuple[int, bytes]] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)

    @property
    def content(self) -> list[bytes]:
        """Snapshot and updates in the order in which they were stored."""
        return ([] if self.snapshot is None else [self.snapshot]) + [data for _number, data in self.updates]

    @property
    def size_bytes(self) -> int:
        """Bytes of what can be read."""
        return sum(map(len, self.content))


def read_log(database: sqlite3.Connection, document_id: DocumentId) -> DocumentLog:
    """Return what is stored of a document, with everything that can still be read.

    Call it in a transaction where somebody else may write. Raises sqlite3.Error for anything but damage.
    """
    log = DocumentLog()
    _read_snapshot(database, document_id, log)
    for number, crc, data in _rows(database, document_id, log):
        log.through = max(log.through, number)
        if _is_as_written(crc, data):
            log.updates.append((number, data))
        else:
            log.damage.append(f"update {number} is not what was written")
    return log


def _is_as_written(crc: Any, data: Any) -> bool:
    return isinstance(data, bytes) and zlib.crc32(data) == crc


def _read_snapshot(database: sqlite3.Connection, document_id: DocumentId, log: DocumentLog) -> None:
    query = "SELECT through, crc, data FROM snapshots WHERE document_id = ?"
    try:
        row = database.execute(query, (document_id,)).fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        log.damage.append("the snapshot cannot be read")
        log.snapshot = _stand_in(database, document_id)
        return
    if row is None:
        return
    log.through = row[0]
    if _is_as_written(row[1], row[2]):
        log.snapshot = row[2]
    else:
        log.damage.append("the snapshot is not what was written")
        log.snapshot = _stand_in(database, document_id)


def _stand_in(database: sqlite3.Connection, document_id: DocumentId) -> bytes | None:
    """Return the newest version that can be read, to stand for a snapshot that cannot."""
    query = "SELECT version_id, crc, data FROM versions WHERE document_id = ? ORDER BY version_id DESC"
    try:
        for number, crc, data in database.execute(query, (document_id,)):
            with suppress(CorruptSnapshotError):
                return unpack(crc, data, f"version {number}")
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    return None


def _rows(database: sqlite3.Connection, document_id: DocumentId, log: DocumentLog) -> list[tuple[int, int, Any]]:
    query = f"SELECT {_ROW} FROM updates WHERE document_id = ? ORDER BY number"  # noqa: S608
    try:
        return database.execute(query, (document_id,)).fetchall()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        log.damage.append("some pages of the log cannot be read")
        return list(salvaged_rows(database, "updates", _ROW, condition="+document_id = ?", values=(document_id,)))
