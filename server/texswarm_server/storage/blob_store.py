"""Binary contents on the disk of the server: whole ones under their hash, and parts of those that are arriving.

    blobs/ab/ab12…              a whole content, by SHA-256
    blobs/ab/ab12….damaged      one that is not what its name says any more; set aside, never thrown away
    blobs/parts/DOCUMENT/…      what has arrived of one, for a document and from one user

A whole content is durable before it has its name, and is what the name says. It is never changed, so that documents
share it; who may see it is not decided here. Every method blocks, and all of them belong to one thread.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from texswarm_server.document.blob_ref import BlobRef, UploadKey
from texswarm_server.protocol.errors import BlobContentError, NotReadableError, NotWritableError
from texswarm_server.protocol.ids import BlobHash, DocumentId, is_blob_hash, is_uuid
from texswarm_server.storage.damage import sync_folder

FOLDER_NAME: Final = "blobs"
_PARTS: Final = "parts"
_DAMAGED: Final = ".damaged"
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_BLOCK_BYTES: Final = 1024 * 1024
_MOST_OPEN: Final = 32


@dataclass(slots=True)
class _OpenPart:
    """A part that is being written: what was hashed of it so far."""

    received: int
    hasher: Any


def blobs_folder(data: Path) -> Path:
    """Return where in the data folder the contents lie."""
    return data / FOLDER_NAME


def blob_path(folder: Path, blob_hash: str) -> Path:
    """Return where in a folder of blobs a whole content lies."""
    return folder / blob_hash[:2] / blob_hash


def hash_file(path: Path) -> tuple[str, int]:
    """Return SHA-256 and size of a file, read bit by bit; raises OSError."""
    hasher, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            hasher.update(block)
            size += len(block)
    return hasher.hexdigest(), size


def whole_blobs(folder: Path) -> Iterator[Path]:
    """Yield the whole contents in a folder of blobs; raises OSError."""
    for shelf in sorted(folder.iterdir()) if folder.is_dir() else ():
        if len(shelf.name) == 2 and shelf.is_dir():
            yield from sorted(path for path in shelf.iterdir() if is_blob_hash(path.name))


class BlobStore:
    """The folder `blobs` of a server. Raises NotWritableError while the disk refuses; what had arrived stays then."""

    def __init__(self, data: Path) -> None:
        self._folder = blobs_folder(data)
        self._open: dict[UploadKey, _OpenPart] = {}

    def parts(self) -> dict[UploadKey, int]:
        """Return what has arrived of contents that are not whole, in bytes.

        Of one that had arrived whole when the server was killed, all but the last byte: with that it is finished.
        """
        found = {}
        with suppress(OSError):
            for path in (self._folder / _PARTS).glob("*/*"):
                key = _key_of(path)
                if key is not None:
                    found[key] = min(path.stat().st_size, max(key.blob.size - 1, 0))
        return found

    def append(self, key: UploadKey, offset: int, data: bytes) -> int:
        """Write what follows on what has arrived, and return up to where that is; other bytes are passed over."""
        try:
            part = self._open.get(key) or self._begin(key)
            if offset <= part.received < offset + len(data):
                self._write(key, part, data[part.received - offset :])
        except OSError as error:
            self._open.pop(key, None)
            raise NotWritableError(f"cannot write a blob: {error.strerror or error}") from error
        return part.received

    def finish(self, key: UploadKey) -> None:
        """Make a content that has arrived whole a durable one; raises BlobContentError, and forgets, other bytes."""
        try:
            part = self._open.get(key) or self._begin(key)
            is_right = part.received == key.blob.size and part.hasher.hexdigest() == key.blob.blob_hash
            if is_right:
                self._put_in_place(key)
        except OSError as error:
            self._open.pop(key, None)
            raise NotWritableError(f"cannot store a blob: {error.strerror or error}") from error
        if not is_right:
            self.drop(key)
            raise BlobContentError(f"{part.received} bytes, which are not {key.blob.blob_hash}")

    def drop(self, key: UploadKey) -> None:
        """Forget what has arrived of a content."""
        self._open.pop(key, None)
        path = self._part_path(key)
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()

    def read(self, blob: BlobRef, offset: int, length: int) -> bytes:
        """Return some bytes of a whole content; raises NotReadableError."""
        path = blob_path(self._folder, blob.blob_hash)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(length)
        except OSError as error:
            raise NotReadableError(f"{path}: {error.strerror}") from error
        if len(data) != length:
            raise NotReadableError(f"{path}: ends after {offset + len(data)} bytes")
        return data

    def lies_there(self, blob: BlobRef) -> bool:
        """Whether there is a file for a content that may be it."""
        try:
            return blob_path(self._folder, blob.blob_hash).stat().st_size == blob.size
        except OSError:
            return False

    def is_sound(self, blob: BlobRef) -> bool:
        """Look through a whole content; one that is not what its name says is set aside. Raises NotReadableError."""
        path = blob_path(self._folder, blob.blob_hash)
        try:
            if hash_file(path) == (blob.blob_hash, blob.size):
                return True
            path.replace(path.with_name(path.name + _DAMAGED))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise NotReadableError(f"{path}: {error.strerror}") from error
        return False

    def hashes(self, *, older_than: float) -> set[BlobHash]:
        """Return the whole contents that came before a time (seconds since the epoch)."""
        try:
            return {BlobHash(path.name) for path in whole_blobs(self._folder) if path.stat().st_mtime < older_than}
        except OSError as error:
            raise NotReadableError(f"{self._folder}: {error.strerror}") from error

    def remove(self, blob_hash: BlobHash) -> None:
        """Delete a whole content that nobody uses."""
        path = blob_path(self._folder, blob_hash)
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, key: UploadKey) -> _OpenPart:
        """Go on with a part that lies there, hashed anew: what is on the disk counts."""
        path = self._part_path(key)
        path.parent.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
        part = _OpenPart(0, hashlib.sha256())
        with path.open("ab+") as file:
            path.chmod(_PRIVATE_FILE)
            file.seek(0)
            while block := file.read(min(_BLOCK_BYTES, key.blob.size - part.received)):
                part.hasher.update(block)
                part.received += len(block)
            file.truncate(part.received)
        while len(self._open) >= _MOST_OPEN:
            self._open.pop(next(iter(self._open)))
        self._open[key] = part
        return part

    def _write(self, key: UploadKey, part: _OpenPart, data: bytes) -> None:
        with self._part_path(key).open("rb+") as file:
            file.seek(part.received)
            file.write(data)
        part.hasher.update(data)
        part.received += len(data)

    def _put_in_place(self, key: UploadKey) -> None:
        source, target = self._part_path(key), blob_path(self._folder, key.blob.blob_hash)
        if not target.exists():
            with source.open("rb+") as file:
                os.fsync(file.fileno())
            target.parent.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
            source.replace(target)
            sync_folder(target.parent)
            sync_folder(self._folder)
        self.drop(key)

    def _part_path(self, key: UploadKey) -> Path:
        name = f"{key.sender}-{key.blob.blob_hash}-{key.blob.size}"
        return self._folder / _PARTS / key.document_id / name


def _key_of(path: Path) -> UploadKey | None:
    sender, blob_hash, size = [*path.name.split("-"), "", ""][:3]
    if not (is_uuid(path.parent.name) and is_blob_hash(blob_hash) and size.isdecimal()):
        return None
    return UploadKey(DocumentId(path.parent.name), sender, BlobRef(BlobHash(blob_hash), int(size)))
