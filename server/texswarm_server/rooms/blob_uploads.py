"""Which binary contents are arriving at the server, and whether more of them may.

One machine for the whole server, fed by whoever does the writing: what was offered, what came, what has been written,
what failed. It holds no bytes and no clock. An upload is known by document, sender and content, and has arrived in
full up to an offset; it outlives connections, and the process, because what has arrived lies on the disk.

Left out: who may upload at all, and whether the bytes are what they should be.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from texswarm_server.document.blob_ref import BlobRef, UploadKey
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.frames import BlobChunk
from texswarm_server.protocol.ids import DocumentId, SessionId
from texswarm_server.protocol.version import Limits

#: How many of the largest chunks one session may have on their way to the disk.
MOST_CHUNKS: Final = 4


@dataclass(slots=True)
class _Upload:
    """`received` bytes are on the disk, `pending` more are being written. `touched_at`: when it was last added to."""

    received: int
    touched_at: float
    pending: int = 0


class BlobUploads:
    """Invariant: the uploads of a document and what it has stored never exceed its quota together."""

    def __init__(self, limits: Limits, unfinished: Mapping[UploadKey, int], now: float) -> None:
        """`unfinished`: what lies on the disk from before, and how much of each has arrived."""
        self._limits = limits
        self._uploads = {key: _Upload(received, now) for key, received in unfinished.items()}
        self._unwritten: Counter[SessionId] = Counter()

    def __len__(self) -> int:
        return len(self._uploads)

    def refusal(self, key: UploadKey, stored_bytes: int) -> ErrorCode | None:
        """Say why a content is not taken, None where it is. `stored_bytes`: what the document has already."""
        reserved = sum(
            other.blob.size for other in self._uploads if other.document_id == key.document_id and other != key
        )
        is_too_large = key.blob.size > self._limits.max_blob_bytes
        is_full = stored_bytes + reserved + key.blob.size > self._limits.max_document_blob_bytes
        return ErrorCode.LIMIT_EXCEEDED if is_too_large or is_full else None

    def offset(self, key: UploadKey) -> int:
        """Return from where on a content is wanted."""
        upload = self._uploads.get(key)
        return upload.received if upload else 0

    def take(self, session_id: SessionId, key: UploadKey, chunk: BlobChunk, *, stored_bytes: int, now: float) -> None:
        """Let a chunk be written; raises RejectedError where it may not."""
        self._check(session_id, chunk)
        upload = self._uploads.get(key)
        arrived = upload.received + upload.pending if upload else 0
        if chunk.offset > arrived:
            raise RejectedError(ErrorCode.BLOB_INVALID, f"begins at {chunk.offset}, and {arrived} bytes are here")
        if upload is None:
            if code := self.refusal(key, stored_bytes):
                raise RejectedError(code, f"a blob of {key.blob.size} bytes")
            upload = self._uploads[key] = _Upload(0, now)
        upload.pending += len(chunk.data)
        upload.touched_at = now
        self._unwritten[session_id] += len(chunk.data)

    def written(self, session_id: SessionId, key: UploadKey, chunk: BlobChunk, received: int | None) -> None:
        """Note that a chunk that was taken is dealt with; `received`: how much is on the disk now, None if unknown."""
        self._unwritten[session_id] -= len(chunk.data)
        if self._unwritten[session_id] <= 0:
            del self._unwritten[session_id]
        if upload := self._uploads.get(key):
            upload.pending -= len(chunk.data)
            upload.received = upload.received if received is None else received

    def ended(self, key: UploadKey) -> None:
        """Forget an upload: it is whole, or not wanted any more."""
        self._uploads.pop(key, None)

    def of_blob(self, document_id: DocumentId, blob: BlobRef) -> list[UploadKey]:
        """Return the uploads of one content in a document."""
        return [key for key in self._uploads if key.document_id == document_id and key.blob == blob]

    def overdue(self, before: float) -> list[UploadKey]:
        """Return the uploads to which nothing was added since a moment."""
        return [key for key, upload in self._uploads.items() if upload.touched_at < before and not upload.pending]

    def _check(self, session_id: SessionId, chunk: BlobChunk) -> None:
        most = self._limits.max_blob_chunk_bytes
        if len(chunk.data) > most:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"a chunk of {len(chunk.data)} bytes")
        if chunk.end > chunk.size or (not chunk.data and chunk.size):
            raise RejectedError(ErrorCode.BLOB_INVALID, f"bytes {chunk.offset} to {chunk.end} of {chunk.size}")
        if self._unwritten[session_id] + len(chunk.data) > MOST_CHUNKS * most:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, "chunks are sent as earlier ones are answered")
