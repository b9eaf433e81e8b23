"""What a document says of a binary file: the name of its content, and how large it is.

The content itself is never in the document. Two files with the same content have the same name for it.
"""

from dataclasses import dataclass
from typing import Any, Self

from texswarm_server.protocol.ids import BlobHash, DocumentId, is_blob_hash

_MOST_BYTES = 2**53


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A content: SHA-256 in hexadecimal digits, and size in bytes."""

    blob_hash: BlobHash
    size: int

    @classmethod
    def from_map(cls, value: object) -> Self | None:
        """Read what stands in a document, None for anything that is not of this form: strangers may have written it."""
        if not isinstance(value, dict):
            return None
        blob_hash, size = value.get("hash"), value.get("size")
        if isinstance(size, float) and size.is_integer():  # JavaScript knows no other numbers
            size = int(size)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MOST_BYTES:
            return None
        if not isinstance(blob_hash, str) or not is_blob_hash(blob_hash):
            return None
        return cls(BlobHash(blob_hash), size)

    def to_map(self) -> dict[str, Any]:
        """Return what stands in a document: one value, so that hash and size never come from two people."""
        return {"hash": self.blob_hash, "size": self.size}


@dataclass(frozen=True, slots=True)
class UploadKey:
    """Which content arrives at a server, for which document and from whom.

    `sender` is a name without meaning that is fit for a file. What one person sends cannot be spoiled by another.
    """

    document_id: DocumentId
    sender: str
    blob: BlobRef
