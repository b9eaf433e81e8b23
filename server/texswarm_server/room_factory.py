"""Makes the room of a document from what storage holds of it, and knows which documents are not to be trusted."""

import logging

from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.loading import load_document
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.protocol.errors import ReadOnlyReason
from texswarm_server.protocol.ids import DocumentId, Handle
from texswarm_server.protocol.version import Limits
from texswarm_server.rooms.room import Room
from texswarm_server.storage.store import StoredDocument

_logger = logging.getLogger(__name__)


class RoomFactory:
    """Invariant: no two rooms have the same handle."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._distrusted: set[DocumentId] = set()
        self._next_handle = 1

    def distrust(self, document_id: DocumentId) -> None:
        """Have a document made carefully from now on: an update has damaged it before."""
        self._distrusted.add(document_id)

    def make(self, stored: StoredDocument, now: float, *, is_database_damaged: bool = False) -> Room:
        """Return a new room; of a damaged document or database it is read-only. Raises CorruptSnapshotError.

        `now`: the wall time. Clocks of presence go on from its milliseconds, because browsers remember those of the
        room before, also of another run of the server, and hold what comes with a smaller one for old.
        """
        document = self._document_of(stored)
        handle = Handle(self._next_handle)
        self._next_handle += 1
        return Room(
            stored.record.document_id,
            stored.record.lineage,
            handle,
            document,
            limits=self._limits,
            size_bytes=stored.size_bytes,
            is_cautious=isinstance(document, CarefulDocument),
            read_only=_reason_for_read_only(stored, is_database_damaged=is_database_damaged),
            first_presence_clock=int(now * 1000),
        )

    def _document_of(self, stored: StoredDocument) -> SharedDocument:
        document_id = stored.record.document_id
        if stored.damage:
            _logger.error("document %s is damaged and takes no edits: %s", document_id, "; ".join(stored.damage))
        document = load_document(stored.updates, is_suspect=document_id in self._distrusted)
        if isinstance(document, CarefulDocument) and document.harmful:
            _logger.error("document %s is shown without %d updates that break it", document_id, len(document.harmful))
        return document


def _reason_for_read_only(stored: StoredDocument, *, is_database_damaged: bool) -> str:
    if is_database_damaged:
        return ReadOnlyReason.DATABASE_DAMAGED
    return ReadOnlyReason.DOCUMENT_DAMAGED if stored.damage else ""
