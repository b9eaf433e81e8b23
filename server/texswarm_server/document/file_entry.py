"""The files of a project, as they are read from what stands in its document: nothing there is trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NewType

from texswarm_server.document.blob_contents import ChangedBlob, lost_contents
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.paths import free_path, is_safe_path
from texswarm_server.document.text_format import TextFormat

FileId = NewType("FileId", str)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the project. `path` is relative, with `/`; two files never show the same one.

    `blob`: the content of a binary file, None for text. `spelling`: how the file of a text is written, None where
    nothing is said of it: then it is plain.
    """

    file_id: FileId
    path: str
    blob: BlobRef | None = None
    spelling: TextFormat | None = None


@dataclass(frozen=True, slots=True)
class FileTree:
    """What the map `files` comes to. `unsafe`: paths that lead out of the project; `lost`: see `lost_contents`."""

    entries: Mapping[FileId, FileEntry] = field(default_factory=dict)
    unsafe: Mapping[FileId, str] = field(default_factory=dict)
    lost: Mapping[FileId, Sequence[BlobRef]] = field(default_factory=dict)


def read_files(written: Mapping[str, Any], changes: Mapping[FileId, Sequence[ChangedBlob]]) -> FileTree:
    """Read the map `files`; `changes` is what `changed` tells. What is half a binary file is none at all.

    Where two were given one path, the one with the smaller id keeps it.
    """
    paths, unsafe = _paths(written)
    entries: dict[FileId, FileEntry] = {}
    lost: dict[FileId, list[BlobRef]] = {}
    for file_id, path in _unique(paths).items():
        said = written[file_id]
        blob = BlobRef.from_map(said.get("blob"))
        if (blob is not None) == (said.get("kind") == "blob"):
            spelling = None if blob else TextFormat.from_map(said.get("spelling"))
            entries[file_id] = FileEntry(file_id, path, blob, spelling)
            if gone := lost_contents(blob, said, changes.get(file_id, ())):
                lost[file_id] = gone
    return FileTree(entries, unsafe, lost)


def _paths(written: Mapping[str, Any]) -> tuple[dict[FileId, str], dict[FileId, str]]:
    paths: dict[FileId, str] = {}
    unsafe: dict[FileId, str] = {}
    for file_id, entry in written.items():
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str):
            (paths if is_safe_path(path) else unsafe)[FileId(file_id)] = path
    return paths, unsafe


def _unique(paths: Mapping[FileId, str]) -> dict[FileId, str]:
    shown: dict[FileId, str] = {}
    taken: set[str] = set()
    for file_id in sorted(paths):
        path = shown[file_id] = free_path(paths[file_id], taken)
        taken.add(path)
    return shown
