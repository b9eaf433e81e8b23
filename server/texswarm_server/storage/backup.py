"""A copy of the database in one file, and of the binary files beside it, made while the server writes into it.

The copy shows one moment: it is read inside one transaction, which in SQLite's WAL mode neither waits for the writer
nor holds it up. It is written beside its place, looked through, made durable and only then put there, so that a file
that has the name of a backup is a whole one, and an older backup lives until the new one is.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from texswarm_server.protocol.errors import CorruptSnapshotError, NotReadableError, NotWritableError
from texswarm_server.storage.blob_backup import BlobCopies, copy_blobs
from texswarm_server.storage.damage import find_loss, sync_folder
from texswarm_server.storage.read_only import FILE_MAGIC, open_read_only, quick_check
from texswarm_server.storage.schema import BUSY_TIMEOUT_S, storage_error
from texswarm_server.storage.store import database_path

PAGES_PER_STEP: Final = 512
_PRIVATE_FILE: Final = 0o600

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A finished backup: where it lies, how large it is, how many documents and which binary files are in it."""

    path: Path
    size_bytes: int
    documents: int
    blobs: BlobCopies


def backup(data: Path, target: Path, *, on_progress: Progress = lambda _done, _total: None) -> Backup:
    """Copy the database in the folder `data` to the file `target`; `on_progress` is told pages done and pages in all.

    An older backup of that name is replaced, anything else is not. Secrets of the server are inside: the file is for
    its owner only. Raises NotReadableError (nothing to copy), CorruptSnapshotError (the database is damaged: an older
    backup stays) or NotWritableError.
    """
    source = database_path(data)
    if loss := find_loss(source):
        raise CorruptSnapshotError(f"the database is damaged and was not copied: {loss}")
    _check_target(source, target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with closing(open_read_only(source)) as database:
            _make(part)
            _copy(database, part, on_progress)
        documents = _looked_through(part)
        _put_in_place(part, target)
        blobs = copy_blobs(data, target, on_progress)
    except sqlite3.Error as error:
        raise storage_error(error, source) from error
    except OSError as error:
        raise NotWritableError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        _remove(part)
    return Backup(path=target, size_bytes=target.stat().st_size, documents=documents, blobs=blobs)


def _check_target(source: Path, target: Path) -> None:
    if not source.is_file():
        raise NotReadableError(f"there is no database at {source}")
    if target.is_dir():
        raise NotWritableError(f"{target} is a folder; name the file to write")
    if not target.exists():
        return
    if target.samefile(source):
        raise NotWritableError(f"{target} is the database itself")
    try:
        with target.open("rb") as file:
            is_database = file.read(len(FILE_MAGIC)) == FILE_MAGIC
    except OSError as error:
        raise NotWritableError(f"cannot replace {target}: {error.strerror}") from error
    if not is_database:
        raise NotWritableError(f"{target} exists and is no backup")


def _make(part: Path) -> None:
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE))


def _copy(database: sqlite3.Connection, part: Path, on_progress: Progress) -> None:
    """Copy all pages as they are at one moment; without the transaction each write of others would begin it anew."""
    with closing(sqlite3.connect(part, isolation_level=None, timeout=BUSY_TIMEOUT_S)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # made durable once, at the end
        database.execute("BEGIN")
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        database.backup(
            copy,
            pages=PAGES_PER_STEP,
            progress=lambda _status, remaining, total: on_progress(total - remaining, total),
            sleep=0,
        )
        database.execute("COMMIT")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, that needs no other beside it


def _looked_through(part: Path) -> int:
    """Return how many documents are in the copy; raises CorruptSnapshotError when it is not sound."""
    with closing(open_read_only(part)) as copy:
        if damage := quick_check(copy):
            raise CorruptSnapshotError(f"the database is damaged and was not copied: {damage}")
        return int(copy.execute("SELECT count(*) FROM documents").fetchone()[0])


def _put_in_place(part: Path, target: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)


def _remove(part: Path) -> None:
    for path in (part, *(part.with_name(part.name + end) for end in ("-journal", "-wal", "-shm"))):
        with suppress(OSError):
            path.unlink(missing_ok=True)
