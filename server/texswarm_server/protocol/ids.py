"""Identifiers as distinct types, and the one rule for their form on the wire."""

import re
from typing import Final, NewType
from uuid import UUID

DocumentId = NewType("DocumentId", str)
UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
Lineage = NewType("Lineage", str)
Handle = NewType("Handle", int)
BlobHash = NewType("BlobHash", str)
"""SHA-256 of a file's content, in 64 lower-case hexadecimal digits: the name of the content."""

MAX_ID_CHARS: Final = 64
HASH_BYTES: Final = 32
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID in its canonical form: 36 characters, lower case, with hyphens."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def is_blob_hash(text: str) -> bool:
    """Say whether `text` can be the hash of a blob."""
    return _HASH.fullmatch(text) is not None
