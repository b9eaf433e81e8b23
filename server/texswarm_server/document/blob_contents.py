"""Which contents people gave to the binary files of a document, and which of them lost: rules, without the document.

Whoever gives a file another content names it twice: in the file's entry, as `blob:<hash>`, and in the map `changed`, as
`<file id> <hash>`. What others named meanwhile and nobody took away lost against what the file has now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.paths import is_safe_path

#: Under this and its hash stands a content that somebody gave to a file, until who knows of it gives it another.
SET: Final = "blob:"


@dataclass(frozen=True, slots=True)
class ChangedBlob:
    """A content that somebody gave to a binary file, and the path that this had then."""

    path: str
    blob: BlobRef

    @classmethod
    def from_map(cls, value: object) -> Self | None:
        """Read what stands in a document, None for anything that is not of this form."""
        path, blob = value.get("path") if isinstance(value, dict) else None, BlobRef.from_map(value)
        return cls(path, blob) if isinstance(path, str) and is_safe_path(path) and blob is not None else None


def change_key(file_id: str, blob_hash: str = "") -> str:
    """Return the key of a content in the map `changed`; without a hash how all keys of a file begin."""
    return f"{file_id} {blob_hash}"


def read_changes(changed: Mapping[str, Any]) -> dict[str, list[ChangedBlob]]:
    """Return what the map `changed` tells, by the ids of the files."""
    found: dict[str, list[ChangedBlob]] = {}
    for key, value in sorted(changed.items()):
        file_id, change = key.partition(" ")[0], ChangedBlob.from_map(value)
        if change is not None and key == change_key(file_id, change.blob.blob_hash):
            found.setdefault(file_id, []).append(change)
    return found


def lost_contents(blob: BlobRef | None, entry: Mapping[str, Any], changes: Iterable[ChangedBlob]) -> list[BlobRef]:
    """Return what lost against `blob`, the content that a file has, by its entry and what `changed` tells of it.

    Where the content that won is not named twice, a program set it that names none: nothing is known of it. A content
    of `changes` that is not named in the entry was set in one that somebody removed and brought back.
    """
    if blob is None or SET + blob.blob_hash not in entry:
        return []
    said = {key: BlobRef.from_map(value) for key, value in entry.items() if key.startswith(SET)}
    said |= {SET + one.blob.blob_hash: one.blob for one in changes}
    return [one for key, one in sorted(said.items()) if one is not None and one != blob and key == SET + one.blob_hash]
