"""Unpacks an archive that somebody else made into a new folder: what is refused is left out, the rest arrives whole.

Unpacked beside the folder and moved into place, so that there is the whole of it or nothing. Every function blocks.
"""

import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from texswarm_desktop.core.text_bytes import MAX_TEXT_BYTES, decode_text
from texswarm_desktop.core.zip_check import Accepted, Checked, Limits, Refusal, Refused, check_entries, without_root
from texswarm_desktop.core.zip_directory import (
    LOCAL_BYTES,
    MAX_DIRECTORY_BYTES,
    STORED,
    TAIL_BYTES,
    Directory,
    ZipEntry,
    data_offset,
    find_directory,
    read_directory,
)
from texswarm_desktop.core.zip_root import is_named
from texswarm_desktop.services.atomic_file import TEMPORARY_PREFIX, sync_folder
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_server.protocol.errors import (
    FolderTakenError,
    NothingToImportError,
    NotReadableError,
)

Progress = Callable[[int, int], None]
"""Is told how much of how much is done; what it raises ends the work, which leaves nothing behind."""

#: Stands in the comment of an archive that is a project as it is: its only folder is not taken for a wrapping.
PROJECT_COMMENT: Final = b"TeXSwarm project"
_SOURCES: Final = (".tex", ".ltx", ".latex", ".sty", ".cls")
_LEFT_AFTER_S: Final = 24 * 3600.0
_PIECE_BYTES: Final = 64 * 1024
_MOST_AT_ONCE: Final = 1024 * 1024


class _DamagedError(Exception):
    """An entry does not hold what the directory says."""


def unzip(archive: Path, target: Path, *, limits: Limits | None = None, progress: Progress | None = None) -> Checked:
    """Unpack into `target`, which is empty or not there yet, and return what was taken and what was not.

    Raises NotReadableError or ArchiveError for the archive, NothingToImportError, or NotWritableError; nothing is at
    `target` then.
    """
    limits = limits or Limits(for_windows=os.name == "nt")
    try:
        with archive.open("rb") as file:
            directory = _directory(file)
            checked = _checked(file, directory, limits)
            may_unwrap = directory.comment != PROJECT_COMMENT
            return _unpacked(file, checked, target, progress or _nobody_asks, may_unwrap=may_unwrap)
    except OSError as error:
        raise NotReadableError(f"{archive}: {error.strerror}") from error


def new_place(target: Path) -> Path:
    """Make a folder beside `target` to fill and move there; raises NotWritableError when it may not come there."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or (target.exists() and any(target.iterdir())):
            raise FolderTakenError(f"{target}: not empty")
        _remove_leftovers(target.parent)
        place = target.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}")
        place.mkdir()
    except OSError as error:
        raise not_writable(target, error) from error
    return place


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed left here long ago; another one may be at work in a fresh one."""
    with suppress(OSError):
        for left in folder.glob(f"{TEMPORARY_PREFIX}*"):
            if left.is_dir() and not left.is_symlink() and time.time() - left.stat().st_mtime > _LEFT_AFTER_S:
                shutil.rmtree(left, ignore_errors=True)


def move_into_place(place: Path, target: Path) -> None:
    """Give a folder from `new_place` its name; raises NotWritableError when something came there meanwhile."""
    try:
        with suppress(FileNotFoundError):
            target.rmdir()
        place.rename(target)
    except OSError as error:
        raise not_writable(target, error) from error
    sync_folder(target.parent)


def _nobody_asks(_done: int, _all: int) -> None:
    """Tell nobody."""


def _directory(file: BinaryIO) -> Directory:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    return find_directory(file.read(TAIL_BYTES), size)


def _checked(file: BinaryIO, directory: Directory, limits: Limits) -> Checked:
    file.seek(directory.offset)
    entries = list(read_directory(file.read(min(directory.size, MAX_DIRECTORY_BYTES)), directory))
    return check_entries(entries, limits)


def _unpacked(file: BinaryIO, checked: Checked, target: Path, progress: Progress, *, may_unwrap: bool) -> Checked:
    place = new_place(target)
    try:
        taken, damaged = _fill(file, checked.accepted, place, progress)
        _require_a_file(taken, target)
        unwrapped = without_root(taken) if may_unwrap else tuple(taken)
        if unwrapped == tuple(taken) or _is_root_named(place, taken, unwrapped):
            move_into_place(place, target)
        else:
            move_into_place(place / _root_of(taken), target)
            shutil.rmtree(place, ignore_errors=True)
            taken = list(unwrapped)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return Checked(tuple(taken), (*checked.refused, *damaged))


def _root_of(taken: Iterable[Accepted]) -> str:
    return next(one.path.partition("/")[0] for one in taken if not one.entry.is_folder)


def _is_root_named(place: Path, taken: Iterable[Accepted], unwrapped: Iterable[Accepted]) -> bool:
    """Say whether a source names the one folder that all is in."""
    sources = [one.path for one in taken if one.path.lower().endswith(_SOURCES) and one.entry.size <= MAX_TEXT_BYTES]
    texts = (decode_text(place.joinpath(*path.split("/")).read_bytes()) for path in sources)
    paths = {one.path for one in unwrapped if not one.entry.is_folder}
    return is_named(_root_of(taken), paths, (one.text for one in texts if one is not None))


def _require_a_file(taken: list[Accepted], target: Path) -> None:
    if all(one.entry.is_folder for one in taken):
        raise NothingToImportError(str(target))


def _fill(
    file: BinaryIO, accepted: tuple[Accepted, ...], place: Path, progress: Progress
) -> tuple[list[Accepted], list[Refused]]:
    """Write every entry below `place`, where there is nothing that we did not make."""
    taken: list[Accepted] = []
    damaged: list[Refused] = []
    done, total = 0, sum(one.entry.size for one in accepted)
    for one in accepted:
        progress(done, total)
        path = place.joinpath(*one.path.split("/"))
        try:
            if one.entry.is_folder:
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, _content(file, one.entry))
        except _DamagedError:
            path.unlink(missing_ok=True)
            damaged.append(Refused(one.entry.shown_name, Refusal.DAMAGED))
        except OSError as error:
            raise not_writable(path, error) from error
        else:
            taken.append(one)
        done += one.entry.size
    progress(done, total)
    return taken, damaged


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o666), "wb") as written:
        for piece in pieces:
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())


def _content(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    """Yield what an entry holds, never more than the directory says; raises _DamagedError when that is not it."""
    crc = size = 0
    for piece in _inflated(_packed(file, entry), entry):
        size += len(piece)
        if size > entry.size:
            raise _DamagedError
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != entry.size or crc != entry.crc:
        raise _DamagedError


def _packed(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    file.seek(entry.offset)
    start = data_offset(entry, file.read(LOCAL_BYTES))
    if start is None:
        raise _DamagedError
    left = entry.packed_size
    file.seek(start)
    while left:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            raise _DamagedError
        left -= len(piece)
        yield piece


def _inflated(packed: Iterator[bytes], entry: ZipEntry) -> Iterator[bytes]:
    if entry.method == STORED:
        yield from packed
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            yield inflater.decompress(piece, _MOST_AT_ONCE)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, _MOST_AT_ONCE)
        yield inflater.flush(_MOST_AT_ONCE)
    except zlib.error as error:
        raise _DamagedError from error
