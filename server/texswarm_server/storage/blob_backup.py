"""Binary files in a backup: a folder beside the backup's file, in the layout of the data folder.

Contents never change, so that a backup made again copies only what is new, and takes no room for it where a second name
for the same file will do. What the copied database does not name is taken out.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.storage.blob_store import blob_path, blobs_folder, hash_file, whole_blobs
from texswarm_server.storage.damage import sync_folder
from texswarm_server.storage.read_only import open_read_only

_SUFFIX: Final = ".blobs"
_PRIVATE_FOLDER: Final = 0o700
_NAMED: Final = "SELECT DISTINCT hash, size FROM blobs ORDER BY hash"


@dataclass(frozen=True, slots=True)
class BlobCopies:
    """What a backup has of binary files; `missing`: those that are not there, or not what they should be."""

    count: int = 0
    size_bytes: int = 0
    missing: tuple[str, ...] = ()


def backup_folder(target: Path) -> Path:
    """Return where the binary files of the backup in the file `target` lie."""
    return target.with_name(target.name + _SUFFIX)


def copy_blobs(data: Path, target: Path, on_progress: Callable[[int, int], None]) -> BlobCopies:
    """Copy what the database in the file `target` names; raises NotWritableError or sqlite3.Error."""
    with closing(open_read_only(target)) as database:
        named = named_blobs(database)
    source, copies = blobs_folder(data), backup_folder(target)
    missing = []
    try:
        for number, (blob_hash, _size) in enumerate(named):
            on_progress(number, len(named))
            if not _copy(blob_path(source, blob_hash), blob_path(copies, blob_hash)):
                missing.append(blob_hash)
        _remove_others(copies, {blob_hash for blob_hash, _ in named})
    except OSError as error:
        raise NotWritableError(f"cannot write {copies}: {error.strerror or error}") from error
    on_progress(len(named), len(named))
    sizes = [size for blob_hash, size in named if blob_hash not in missing]
    return BlobCopies(len(sizes), sum(sizes), tuple(missing))


def named_blobs(database: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return hash and size of every content that some document has."""
    return [(str(blob_hash), int(size)) for blob_hash, size in database.execute(_NAMED)]


def _copy(source: Path, target: Path) -> bool:
    """Have a content at `target`, durable and what its name says; False where there is none."""
    if target.exists():
        return True
    if not source.exists() or hash_file(source)[0] != target.name:
        return False
    target.parent.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with suppress(OSError):
            os.link(source, part)
        if not part.exists():
            shutil.copyfile(source, part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return True


def _remove_others(copies: Path, named: set[str]) -> None:
    for path in list(whole_blobs(copies)):
        if path.name not in named:
            path.unlink()
