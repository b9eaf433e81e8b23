"""Making a document from what is stored of it: at once where that works, carefully where something stored breaks it."""

from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.protocol.errors import CorruptSnapshotError, DocumentError


def load_document(updates: list[bytes], *, is_suspect: bool = False) -> SharedDocument:
    """Return the document that `updates` make; a CarefulDocument when some of them break it, or when it `is_suspect`.

    Raises CorruptSnapshotError when the first one, which everything stands on, cannot be read.
    """
    if not is_suspect:
        try:
            return SharedDocument(updates)
        except DocumentError:
            pass
    careful = CarefulDocument(updates)
    if updates[:1] == careful.harmful[:1] != []:
        raise CorruptSnapshotError("what everything stands on cannot be read")
    return careful
