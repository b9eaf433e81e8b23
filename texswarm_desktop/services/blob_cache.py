"""Contents of binary files as this replica has them: in the project's own folder, by hash, out of everybody's way.

    .texswarm/blobs/ab12…             a whole content; it is what its name says, durable, and never changed
    .texswarm/blobs/ab12….1234.part   what has arrived of one that has 1234 bytes

What is in the folder of the project may be changed by any program at any moment, also while it is being sent. What is
here may not, so a content is copied here before it is named in the document. Files are read and written bit by bit.
Every method blocks; all of them belong to one job at a time.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import uuid4

from texswarm_desktop.services.atomic_file import TEMPORARY_PREFIX, replace_atomically, sync_folder
from texswarm_desktop.services.disk import HeldFile
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.figure_record import Stamp, stamp_of
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.errors import (
    BlobContentError,
    ChangedOnDiskError,
    ErrorCode,
    NotReadableError,
    RejectedError,
)
from texswarm_server.protocol.ids import BlobHash, is_blob_hash

BLOB_FOLDER: Final = "blobs"
_PART: Final = ".part"
_BLOCK_BYTES: Final = 1024 * 1024
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


class BlobCache:
    """The folder of contents. Invariant: a file under a bare hash is whole and durable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashers: dict[BlobRef, tuple[int, Any]] = {}

    def contents(self) -> tuple[dict[BlobHash, int], dict[BlobRef, int]]:
        """Return the sizes of whole contents, and how much has come of others; removes what a crash left over.

        Of one that had come whole when the crash came, all but the last byte: with that it is looked through and named.
        """
        whole: dict[BlobHash, int] = {}
        parts: dict[BlobRef, int] = {}
        with suppress(OSError):
            for path in list(self._folder.iterdir()):
                part = _part_of(path)
                if is_blob_hash(path.name):
                    whole[BlobHash(path.name)] = path.stat().st_size
                elif part is not None:
                    parts[part] = _come(path, part)
                elif path.name.startswith(TEMPORARY_PREFIX):
                    path.unlink()
        return whole, parts

    def take_in(self, source: Path, most_bytes: int) -> tuple[BlobRef, Stamp]:
        """Copy the file at `source`, as it is at one moment, and say what it is.

        Raises ChangedOnDiskError while somebody writes it, RejectedError(limit_exceeded) for one that is too large,
        NotReadableError or NotWritableError.
        """
        return self._take_in(lambda: _reading(source), lambda: _stamp_at(source), str(source), most_bytes)

    def take_in_held(self, held: HeldFile, name: str, most_bytes: int) -> tuple[BlobRef, Stamp]:
        """Copy a file that has no name any more, as `take_in` does; `name`: which it had."""
        return self._take_in(held.reader, lambda: _stamp_of_held(held, name), name, most_bytes)

    def _take_in(
        self, reader: Callable[[], BinaryIO], stamp: Callable[[], Stamp], name: str, most_bytes: int
    ) -> tuple[BlobRef, Stamp]:
        before = stamp()
        if before.size > most_bytes:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{name}: {before.size} bytes")
        temporary = self._made().joinpath(f"{TEMPORARY_PREFIX}{uuid4().hex}")
        try:
            with reader() as file, _writing(temporary) as copy:
                blob = _copied(file, copy, most_bytes)
                _sync(copy)
            if stamp() != before or blob.size != before.size:
                raise ChangedOnDiskError(name)
            self._name(temporary, blob.blob_hash)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return blob, before

    def read(self, blob: BlobRef, offset: int, length: int) -> bytes:
        """Return some bytes of a whole content; raises NotReadableError."""
        with _reading(self._folder / blob.blob_hash) as file:
            try:
                file.seek(offset)
                data = file.read(length)
            except OSError as error:
                raise NotReadableError(f"{file.name}: {error.strerror}") from error
        if len(data) != length:
            raise NotReadableError(f"{blob.blob_hash}: {len(data)} of {length} bytes at {offset}")
        return data

    def append(self, blob: BlobRef, offset: int, data: bytes) -> int:
        """Write what follows on what has arrived, and return up to where that is; the last bytes make it whole.

        Other bytes are passed over. Raises NotWritableError, and BlobContentError for a whole with another hash: then
        nothing of it is kept.
        """
        path = self._part_path(blob)
        try:
            received, hasher = self._hashers.get(blob) or self._begun(blob, path)
            if offset <= received < offset + len(data):
                fresh = data[received - offset :]
                with path.open("rb+") as file:
                    file.seek(received)
                    file.write(fresh)
                hasher.update(fresh)
                received += len(fresh)
            self._hashers[blob] = (received, hasher)
            if received < blob.size:
                return received
            self._finish(blob, path, hasher.hexdigest())
        except OSError as error:
            self._hashers.pop(blob, None)
            raise not_writable(path, error) from error
        return received

    def received(self, blob: BlobRef) -> int:
        """Return how much of a content that is not whole has arrived."""
        try:
            return _come(self._part_path(blob), blob)
        except OSError:
            return 0

    def put_out(self, blob: BlobRef, target: Path, put: Callable[[Path, Path], object]) -> Stamp:
        """Write a whole content to `target`, atomically and durably; `put` as for `replace_atomically`.

        Raises NotWritableError, NotReadableError, or BlobContentError where what lies here is damaged: it is removed.
        """

        def fill(file: BinaryIO) -> None:
            with _reading(self._folder / blob.blob_hash) as source:
                if _copied(source, file, blob.size) != blob:
                    raise BlobContentError(f"{blob.blob_hash}: damaged on this disk")

        try:
            return stamp_of(replace_atomically(target, fill, put=put))
        except BlobContentError:
            self.remove(blob.blob_hash)
            raise

    @staticmethod
    def put_out_held(held: HeldFile, target: Path, put: Callable[[Path, Path], object]) -> tuple[BlobRef, Stamp]:
        """Copy a file that has no name any more to `target`, however large, and say what it is; `put` as for `put_out`.

        Raises ChangedOnDiskError while somebody writes it, NotReadableError, NotWritableError, and what `put` raises.
        """
        before, blobs = _stamp_of_held(held, str(target)), []

        def fill(file: BinaryIO) -> None:
            with held.reader() as source:
                blobs.append(_copied(source, file, before.size))

        def put_if_whole(temporary: Path, target: Path) -> None:
            if blobs[0].size != before.size or _stamp_of_held(held, str(target)) != before:
                raise ChangedOnDiskError(str(target))
            put(temporary, target)

        replace_atomically(target, fill, put=put_if_whole)
        return blobs[0], before

    def remove(self, blob_hash: BlobHash) -> None:
        """Remove a whole content."""
        with suppress(OSError):
            (self._folder / blob_hash).unlink(missing_ok=True)

    def release(self, hashes: Collection[BlobHash]) -> None:
        """Let the time run after which contents that are not named any more are removed."""
        for blob_hash in hashes:
            with suppress(OSError):
                os.utime(self._folder / blob_hash)

    def collect(self, named: Collection[BlobHash], older_than_s: float) -> set[BlobHash]:
        """Remove what is not named and was released so long ago; returns what was whole of it."""
        removed = set()
        limit = time.time() - older_than_s
        with suppress(OSError):
            for path in list(self._folder.iterdir()):
                blob_hash = BlobHash(path.name.partition(".")[0])
                if blob_hash not in named and is_blob_hash(blob_hash) and path.stat().st_mtime < limit:
                    path.unlink()
                    removed.add(blob_hash)
        return removed

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _made(self) -> Path:
        try:
            self._folder.mkdir(_PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise not_writable(self._folder, error) from error
        return self._folder

    def _begun(self, blob: BlobRef, path: Path) -> tuple[int, Any]:
        """Go on with a part that lies here, hashed anew: what is on the disk counts."""
        self._made()
        received, hasher = 0, hashlib.sha256()
        with path.open("ab+") as file:
            path.chmod(_PRIVATE_FILE)
            file.seek(0)
            while block := file.read(min(_BLOCK_BYTES, blob.size - received)):
                hasher.update(block)
                received += len(block)
            file.truncate(received)
        return received, hasher

    def _finish(self, blob: BlobRef, path: Path, digest: str) -> None:
        self._hashers.pop(blob, None)
        if digest != blob.blob_hash:
            path.unlink()
            raise BlobContentError(f"{digest} came for {blob.blob_hash}")
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        self._name(path, blob.blob_hash)

    def _name(self, path: Path, blob_hash: BlobHash) -> None:
        try:
            path.replace(self._folder / blob_hash)
        except OSError as error:
            raise not_writable(path, error) from error
        sync_folder(self._folder)

    def _part_path(self, blob: BlobRef) -> Path:
        return self._folder / f"{blob.blob_hash}.{blob.size}{_PART}"


def _come(path: Path, blob: BlobRef) -> int:
    return min(path.stat().st_size, max(blob.size - 1, 0))


def _part_of(path: Path) -> BlobRef | None:
    blob_hash, _, size = path.name.removesuffix(_PART).partition(".")
    is_part = path.name.endswith(_PART) and is_blob_hash(blob_hash) and size.isdecimal()
    return BlobRef(BlobHash(blob_hash), int(size)) if is_part else None


def _stamp_at(path: Path) -> Stamp:
    try:
        status = path.lstat()
    except OSError as error:
        raise NotReadableError(f"{path}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise NotReadableError(f"{path}: not a plain file")
    return stamp_of(status)


def _stamp_of_held(held: HeldFile, name: str) -> Stamp:
    try:
        return stamp_of(held.status())
    except OSError as error:
        raise NotReadableError(f"{name}: {error.strerror}") from error


def _reading(path: Path) -> BinaryIO:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        return os.fdopen(os.open(path, flags), "rb")
    except OSError as error:
        raise NotReadableError(f"{path}: {error.strerror}") from error


def _writing(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.fdopen(os.open(path, flags, _PRIVATE_FILE), "wb")
    except OSError as error:
        raise not_writable(path, error) from error


def _copied(source: BinaryIO, target: BinaryIO, most_bytes: int) -> BlobRef:
    """Copy, no more than a little over `most_bytes`, and return what was copied."""
    hasher, size = hashlib.sha256(), 0
    while size <= most_bytes and (block := _block_of(source)):
        hasher.update(block)
        size += len(block)
        try:
            target.write(block)
        except OSError as error:
            raise not_writable(target.name, error) from error
    return BlobRef(BlobHash(hasher.hexdigest()), size)


def _block_of(source: BinaryIO) -> bytes:
    try:
        return source.read(_BLOCK_BYTES)
    except OSError as error:
        raise NotReadableError(f"{source.name}: {error.strerror}") from error


def _sync(file: BinaryIO) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise not_writable(file.name, error) from error
