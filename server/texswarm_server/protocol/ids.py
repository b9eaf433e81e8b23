"""Identifiers as distinct types, and the one rule for their form on the wire."""

from typing import Final, NewType
from uuid import UUID

DocumentId = NewType("DocumentId", str)
UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
Lineage = NewType("Lineage", str)
Handle = NewType("Handle", int)

MAX_ID_CHARS: Final = 64


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID in its canonical form: 36 characters, lower case, with hyphens."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
