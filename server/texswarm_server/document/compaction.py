"""One update instead of many, also where some of them do harm: these are left out and named."""

from dataclasses import dataclass

from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.loading import load_document
from texswarm_server.document.updates import compact
from texswarm_server.protocol.errors import DocumentError


@dataclass(frozen=True, slots=True)
class Compacted:
    """What many updates say in one. `harmful`: places in the list of those left out, since they break the document."""

    content: bytes
    harmful: tuple[int, ...] = ()


def compact_carefully(updates: list[bytes]) -> Compacted:
    """Return one update with everything in `updates` that a document shows or waits for.

    Raises DocumentError, or CorruptSnapshotError when the first, which everything stands on, cannot be read.
    """
    try:
        return Compacted(compact(updates))
    except DocumentError:
        document = load_document(updates, is_suspect=True)
    assert isinstance(document, CarefulDocument)
    harmful = set(document.harmful)
    kept = [update for update in updates if update not in harmful]
    return Compacted(compact(kept), tuple(place for place, update in enumerate(updates) if update in harmful))
