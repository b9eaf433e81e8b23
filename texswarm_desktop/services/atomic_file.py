"""Files that are replaced whole or not at all: after a crash there is the old content or the new, never half of one.

Every function blocks.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from texswarm_desktop.services.disk_errors import not_writable

#: Files of ours that a crash may leave behind begin so; they are hidden, hence never taken for a project's.
TEMPORARY_PREFIX: Final = ".texswarm-tmp-"
PRIVATE_MODE: Final = 0o600


def write_atomically(path: Path, data: bytes, *, mode: int | None = None) -> os.stat_result:
    """Put `data` in place of the file at `path`, durably, and return what the system says about the new file.

    As `replace_atomically`.
    """
    return replace_atomically(path, lambda file: file.write(data), mode=mode)


def replace_atomically(
    path: Path,
    fill: Callable[[BinaryIO], object],
    *,
    mode: int | None = None,
    put: Callable[[Path, Path], object] = os.replace,
) -> os.stat_result:
    """Put what `fill` writes in place of the file at `path`, durably, and return what the system says of the new file.

    The file keeps its permissions; `mode` is for one that must have others. `put` gives the new file, once it is
    durable, the name of the old one; what it leaves under the new one's first name is removed. Raises NotWritableError,
    and what `fill` and `put` raise; the old file is untouched then.
    """
    temporary = temporary_beside(path)
    try:
        kept = mode if mode is not None else _mode_of(path)
        status = write_new(temporary, fill, kept)
        put(temporary, path)
    except OSError as error:
        raise not_writable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    sync_folder(path.parent)
    return status


def temporary_beside(path: Path) -> Path:
    """Return a hidden name that nothing has, in the folder of `path`."""
    return path.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}")


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable, where the system can; what is in the files is durable already."""
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what an earlier process left in the middle of writing; only for a folder nobody else writes to."""
    with suppress(OSError):
        for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
            path.unlink()


def _mode_of(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def write_new(path: Path, fill: Callable[[BinaryIO], object], mode: int | None) -> os.stat_result:
    """Make a file with what `fill` writes, durably; its name must be free. Raises OSError, and what `fill` raises."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666 if mode is None else mode & 0o777)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        fill(file)
        file.flush()
        os.fsync(descriptor)
        return os.fstat(descriptor)
