"""Copies a file from a disk that fails: what cannot be read is zeros in the copy, and the rest is where it was."""

import errno
import logging
import shutil
from pathlib import Path
from typing import BinaryIO, Final

_logger = logging.getLogger(__name__)

_PORTION_BYTES: Final = 1024 * 1024
#: What a disk gives back or does not, as a whole.
_BLOCK_BYTES: Final = 4096
_UNREADABLE: Final = {errno.EIO, errno.EBADMSG, getattr(errno, "EUCLEAN", errno.EIO)}


def rescue_copy(source: Path, target: Path) -> int:
    """Copy `source` as far as it can be read and return how many bytes cannot.

    Raises OSError when it cannot be opened, or `target` cannot be written.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        if not is_unreadable(error):
            raise
    else:
        return 0
    size = source.stat().st_size
    with source.open("rb", buffering=0) as file, target.open("wb") as copy:
        lost = sum(_copy(file, copy, at, min(_PORTION_BYTES, size - at)) for at in range(0, size, _PORTION_BYTES))
    _logger.error("%s: %d of %d bytes cannot be read from the disk", source, lost, size)
    return lost


def is_unreadable(error: OSError) -> bool:
    """Whether an error says that the disk does not give back what was written."""
    return error.errno in _UNREADABLE


def _copy(file: BinaryIO, copy: BinaryIO, at: int, size: int) -> int:
    """Copy a part, and return how many bytes of it are lost; where it cannot be read as a whole, block by block."""
    try:
        copy.write(_read(file, at, size))
    except OSError as error:
        if not is_unreadable(error):
            raise
    else:
        return 0
    if size > _BLOCK_BYTES:
        blocks = range(at, at + size, _BLOCK_BYTES)
        return sum(_copy(file, copy, block, min(_BLOCK_BYTES, at + size - block)) for block in blocks)
    copy.write(bytes(size))
    return size


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    """Read exactly so much, or what there is of a file that ends too early, filled up."""
    file.seek(at)
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join((*parts, bytes(size)))
