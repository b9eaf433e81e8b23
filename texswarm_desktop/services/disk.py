"""The few things that are done to a disk, one step each, so that a test can put another disk in its place.

A step is whole or not done at all, but between any two steps other programs are at work. Three of them exist for that:
`put_beside` never takes a name that something has, `exchange` hands back what it took the place of, and a file that
is held can be looked at after its name has gone. Everything here blocks and raises OSError.
"""

import ctypes
import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from texswarm_desktop.services.atomic_file import sync_folder, write_new

_AT_FDCWD: Final = -100
_NO_REPLACE: Final = 1
_EXCHANGE: Final = 2
_NOT_HERE: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EOPNOTSUPP})


class Entry(msgspec.Struct, frozen=True):
    """A name in a folder. `is_file`: a plain file or a link (`is_link`), to whatever; `is_folder`: a real one."""

    name: str
    is_file: bool
    is_folder: bool
    is_link: bool = False


class HeldFile(Protocol):
    """A file that can be looked at whatever becomes of its name."""

    def status(self) -> os.stat_result:
        """Say how it looks from outside."""

    def read(self) -> bytes:
        """Return everything that is in it."""

    def reader(self) -> BinaryIO:
        """Return what reads it bit by bit, from its start."""

    def close(self) -> None:
        """Let go of it; may be called again."""


class Disk(Protocol):
    """The steps. Symbolic links are not followed, except by `read`."""

    def now_ns(self) -> int:
        """Return the time by the clock that stamps files."""

    def status(self, path: Path) -> os.stat_result:
        """Say how a file looks from outside."""

    def entries(self, folder: Path) -> list[Entry]:
        """List a folder."""

    def read(self, path: Path) -> bytes:
        """Return everything that is in a file."""

    def make_folder(self, path: Path) -> None:
        """Make a folder, and those around it, unless it is there."""

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""

    def write_new(self, path: Path, data: bytes, mode: int | None) -> os.stat_result:
        """Make a file with `data`, durably; its name must be free."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name, in place of whatever has that."""

    def put_beside(self, old: Path, new: Path) -> None:
        """Give a file another name; raises FileExistsError when something has that."""

    def exchange(self, one: Path, other: Path) -> bool:
        """Let two files have each other's name at once; False where the disk cannot."""

    def remove(self, path: Path) -> None:
        """Remove a file."""

    def hold(self, path: Path) -> HeldFile:
        """Keep a file for later, whatever becomes of its name."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""


class SystemDisk:
    """The disk of this computer."""

    def now_ns(self) -> int:
        """As `Disk`."""
        return time.time_ns()

    def status(self, path: Path) -> os.stat_result:
        """As `Disk`."""
        return path.lstat()

    def entries(self, folder: Path) -> list[Entry]:
        """As `Disk`."""
        with os.scandir(folder) as found:
            return [_entry(one) for one in found]

    def read(self, path: Path) -> bytes:
        """As `Disk`."""
        return path.read_bytes()

    def make_folder(self, path: Path) -> None:
        """As `Disk`."""
        path.mkdir(parents=True, exist_ok=True)

    def remove_folder(self, path: Path) -> None:
        """As `Disk`."""
        path.rmdir()

    def write_new(self, path: Path, data: bytes, mode: int | None) -> os.stat_result:
        """As `Disk`."""
        return write_new(path, lambda file: file.write(data), mode)

    def rename(self, old: Path, new: Path) -> None:
        """As `Disk`."""
        old.replace(new)

    def put_beside(self, old: Path, new: Path) -> None:
        """As `Disk`; where the system has no such step, the name is looked at just before."""
        if os.name == "nt":
            old.rename(new)
        elif not _rename(old, new, _NO_REPLACE):
            if os.path.lexists(new):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
            old.rename(new)

    def exchange(self, one: Path, other: Path) -> bool:
        """As `Disk`."""
        return _rename(one, other, _EXCHANGE)

    def remove(self, path: Path) -> None:
        """As `Disk`."""
        path.unlink()

    def hold(self, path: Path) -> HeldFile:
        """As `Disk`; on Windows an open file keeps its name, so nobody can have it open while it is replaced."""
        return _NotHeld(path) if os.name == "nt" else _OpenFile(path)

    def sync_folder(self, folder: Path) -> None:
        """As `Disk`, where the system can."""
        sync_folder(folder)


def _entry(found: "os.DirEntry[str]") -> Entry:
    is_link = found.is_symlink()
    is_file = is_link or found.is_file(follow_symlinks=False)
    return Entry(found.name, is_file, found.is_dir(follow_symlinks=False), is_link)


class _OpenFile:
    """Held by a descriptor, which no other program sees."""

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(self.status().st_mode):
            self.close()
            raise FileNotFoundError(errno.ENOENT, "not a plain file", str(path))

    def status(self) -> os.stat_result:
        assert self._descriptor is not None
        return os.fstat(self._descriptor)

    def read(self) -> bytes:
        assert self._descriptor is not None
        return os.pread(self._descriptor, self.status().st_size, 0)

    def reader(self) -> BinaryIO:
        assert self._descriptor is not None
        file = os.fdopen(os.dup(self._descriptor), "rb")
        file.seek(0)
        return file

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


class _NotHeld:
    """A file that nobody else can have open, as it was."""

    def __init__(self, path: Path) -> None:
        self._status, self._data = path.lstat(), path.read_bytes()

    def status(self) -> os.stat_result:
        return self._status

    def read(self) -> bytes:
        return self._data

    def reader(self) -> BinaryIO:
        return BytesIO(self._data)

    def close(self) -> None:
        self._data = b""


def _rename(old: Path, new: Path, how: int) -> bool:
    """Linux: rename in a way that Python has no word for; False where system or disk do not know it."""
    call = _renameat2()
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), how) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(old), None, str(new))


@cache
def _renameat2() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    call: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return call
