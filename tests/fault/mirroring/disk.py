"""A disk in memory on which one mirror and other programs are at work, and the port through which the mirror sees it.

As on a real one: a file is what its inode holds, whoever has it open goes on with it after its name has gone, numbers
of inodes are used again, and the clock that stamps files ticks every four milliseconds.
"""

import errno
import os
import stat
from collections.abc import Callable
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from texswarm_desktop.core.text_bytes import DecodedText, decode_text
from texswarm_desktop.services.disk import Entry
from texswarm_server.document.text_format import TextFormat

_TICK_NS = 4_000_000
TEMPORARY = ".texswarm-tmp-"


class Killed(BaseException):
    """The process is no more."""


class Inode:
    """What a name stands for. `number` is given to another one when nobody needs this one any more."""

    def __init__(self, number: int, data: bytes, modified_ns: int) -> None:
        self.number, self.data, self.modified_ns = number, data, modified_ns
        self.holders = 0


class SimulatedDisk:
    """Names and what they stand for. Paths are strings relative to the root; every method is one step.

    `were`: by path, where a file was before programs moved it.
    """

    def __init__(self, clock: Callable[[], float], on_change: Callable[[str], None]) -> None:
        self.files: dict[str, Inode] = {}
        self.folders: set[str] = {""}
        self.were: dict[str, set[str]] = {}
        self._clock = clock
        self._on_change = on_change
        self._free: list[int] = []
        self._last = 100

    def now_ns(self) -> int:
        return int(self._clock() * 1e9)

    def text(self, path: str) -> str:
        return self._decoded(path).text

    def spelling(self, path: str) -> TextFormat:
        return self._decoded(path).format

    def contents(self) -> dict[str, bytes]:
        """The bytes of every file that is the project's."""
        return {path: self.files[path].data for path in self.texts()}

    def _decoded(self, path: str) -> DecodedText:
        decoded = decode_text(self.files[path].data)
        assert decoded is not None, path
        return decoded

    def texts(self) -> dict[str, str]:
        """Every file that is the project's."""
        return {path: self.text(path) for path in sorted(self.files) if _is_shown(PurePosixPath(path).name)}

    def shown_folders(self) -> set[str]:
        return {folder for folder in self.folders if folder and not folder.startswith(".")}

    def create(self, path: str, data: bytes = b"") -> Inode:
        """Open for writing: an existing file is emptied, as programs do that save in place."""
        inode = self.files.get(path)
        if inode is None:
            self._need_folder(path)
            number = self._free.pop() if self._free else self._next_number()
            inode = self.files[path] = Inode(number, data, self._stamp())
        else:
            inode.data, inode.modified_ns = data, self._stamp()
        self._on_change(path)
        return inode

    def fill(self, path: str, inode: Inode, data: bytes) -> None:
        """Write into an open file, wherever that is by now."""
        inode.data, inode.modified_ns = data, self._stamp()
        if self.files.get(path) is inode:
            self._on_change(path)

    def rename(self, old: str, new: str) -> None:
        if old not in self.files:
            raise FileNotFoundError(errno.ENOENT, "not there", old)
        self._need_folder(new)
        if new in self.folders:
            raise IsADirectoryError(errno.EISDIR, "a folder", new)
        replaced = self.files.get(new)
        self.files[new] = self.files.pop(old)
        self._let_go(replaced)
        self._on_change(old)
        self._on_change(new)

    def exchange(self, one: str, other: str) -> None:
        if one not in self.files or other not in self.files:
            raise FileNotFoundError(errno.ENOENT, "not there", one)
        self.files[one], self.files[other] = self.files[other], self.files[one]
        self._on_change(one)
        self._on_change(other)

    def remove(self, path: str) -> None:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "not there", path)
        self._let_go(self.files.pop(path))
        self._on_change(path)

    def make_folder(self, path: str) -> None:
        for parent in (path, *map(str, PurePosixPath(path).parents)):
            if parent in self.files:
                raise FileExistsError(errno.EEXIST, "a file", parent)
            if parent not in {"", "."} | self.folders:
                self.folders.add(parent)
                self._on_change(parent)

    def remove_folder(self, path: str) -> None:
        if path not in self.folders:
            raise FileNotFoundError(errno.ENOENT, "not there", path)
        if any(one.startswith(f"{path}/") for one in (*self.files, *self.folders)):
            raise OSError(errno.ENOTEMPTY, "not empty", path)
        self.folders.remove(path)
        self._on_change(path)

    def move_folder(self, old: str, new: str) -> None:
        """Give a folder another name, with everything in it."""
        for known in (self.files, self.folders):
            for path in [path for path in known if path == old or path.startswith(f"{old}/")]:
                moved = new + path[len(old) :]
                if isinstance(known, dict):
                    known[moved] = known.pop(path)
                else:
                    known.remove(path)
                    known.add(moved)
        self._on_change(old)
        self._on_change(new)

    def release(self, inode: Inode) -> None:
        inode.holders -= 1
        self._let_go(inode)

    def _let_go(self, inode: Inode | None) -> None:
        if inode is not None and not inode.holders and inode not in self.files.values():
            self._free.append(inode.number)

    def _need_folder(self, path: str) -> None:
        if path.rpartition("/")[0] not in self.folders:
            raise FileNotFoundError(errno.ENOENT, "no such folder", path)

    def _next_number(self) -> int:
        self._last += 1
        return self._last

    def _stamp(self) -> int:
        return self.now_ns() // _TICK_NS * _TICK_NS + 1


class MirrorsDisk:
    """The disk as the mirror's process sees it. `before_step` lets others act, or ends the process (`Killed`)."""

    def __init__(self, disk: SimulatedDisk, root: Path, before_step: Callable[[str], None], *, exchanges: bool) -> None:
        self._disk, self._root, self._step = disk, root, before_step
        self._exchanges = exchanges

    def now_ns(self) -> int:
        return self._disk.now_ns()

    def status(self, path: Path) -> os.stat_result:
        name = self._at(path, "status")
        if name in self._disk.files:
            return _status(self._disk.files[name])
        if name in self._disk.folders:
            return os.stat_result((stat.S_IFDIR | 0o755, 1, 1, 1, 0, 0, 0, 0, 0, 0))
        raise FileNotFoundError(errno.ENOENT, "not there", name)

    def entries(self, folder: Path) -> list[Entry]:
        name = self._at(folder, "list")
        if name not in self._disk.folders:
            raise FileNotFoundError(errno.ENOENT, "not there", name)
        inside = f"{name}/" if name else ""
        files = [path[len(inside) :] for path in self._disk.files if path.startswith(inside)]
        folders = [path[len(inside) :] for path in self._disk.folders if path.startswith(inside) and path != name]
        return [
            *(Entry(one, is_file=True, is_folder=False) for one in files if "/" not in one),
            *(Entry(one, is_file=False, is_folder=True) for one in folders if "/" not in one),
        ]

    def read(self, path: Path) -> bytes:
        name = self._at(path, "read")
        if name not in self._disk.files:
            raise FileNotFoundError(errno.ENOENT, "not there", name)
        return self._disk.files[name].data

    def make_folder(self, path: Path) -> None:
        self._disk.make_folder(self._at(path, "make folder"))

    def remove_folder(self, path: Path) -> None:
        self._disk.remove_folder(self._at(path, "remove folder"))

    def write_new(self, path: Path, data: bytes, mode: int | None) -> os.stat_result:
        return _status(self._disk.create(self._at(path, "write"), data))

    def rename(self, old: Path, new: Path) -> None:
        self._move(self._name(old), self._at(new, f"rename {old.name} to"))

    def put_beside(self, old: Path, new: Path) -> None:
        name = self._at(new, f"put {old.name} at")
        if name in self._disk.files or name in self._disk.folders:
            raise FileExistsError(errno.EEXIST, "there", name)
        self._move(self._name(old), name)

    def _move(self, old: str, new: str) -> None:
        self._disk.rename(old, new)
        if old in self._disk.were:
            self._disk.were[new] = self._disk.were[old]

    def exchange(self, one: Path, other: Path) -> bool:
        name = self._at(other, f"exchange {one.name} with")
        if self._exchanges:
            self._disk.exchange(self._name(one), name)
        return self._exchanges

    def remove(self, path: Path) -> None:
        self._disk.remove(self._at(path, "remove"))

    def hold(self, path: Path) -> "HeldInode":
        name = self._at(path, "hold")
        if name not in self._disk.files:
            raise FileNotFoundError(errno.ENOENT, "not there", name)
        return HeldInode(self._disk, self._disk.files[name], self._step)

    def sync_folder(self, folder: Path) -> None:
        self._at(folder, "sync")

    def _at(self, path: Path, deed: str) -> str:
        name = self._name(path)
        self._step(f"{deed} {name}")
        return name

    def _name(self, path: Path) -> str:
        name = path.relative_to(self._root).as_posix()
        return "" if name == "." else name


class HeldInode:
    """An open file."""

    def __init__(self, disk: SimulatedDisk, inode: Inode, step: Callable[[str], None]) -> None:
        self._disk, self._inode, self._step = disk, inode, step
        self._is_open = True
        inode.holders += 1

    def status(self) -> os.stat_result:
        self._step("status of a held file")
        return _status(self._inode)

    def read(self) -> bytes:
        self._step("read a held file")
        return self._inode.data

    def reader(self) -> BinaryIO:
        return BytesIO(self.read())

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._disk.release(self._inode)


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and not name.endswith("~")


def _status(inode: Inode) -> os.stat_result:
    fields = (stat.S_IFREG | 0o644, inode.number, 1, 1, 0, 0, len(inode.data), 0, inode.modified_ns // 10**9, 0)
    return os.stat_result(fields, {"st_mtime_ns": inode.modified_ns})
