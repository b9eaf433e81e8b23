"""The binary files of a project's folder on disk: which there are, and changing one without destroying what is there.

Nothing is read or written through a symbolic link, nor outside the folder, nor of a kind that is no figure: paths come
from other people. What another program saves in the very moment in which a file is replaced or deleted stays, where the
system lets two files change places, and what it writes into one that it opened before is looked at afterwards. Every
method blocks.
"""

import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec

from texswarm_desktop.core.figure_changes import names_beside
from texswarm_desktop.core.ignore_rules import SharedOnPurpose
from texswarm_desktop.core.project_files import OWN_FOLDER, is_project_figure, may_be_binary
from texswarm_desktop.core.text_bytes import MAX_TEXT_BYTES, decode_text
from texswarm_desktop.services.atomic_file import temporary_beside
from texswarm_desktop.services.blob_cache import BlobCache
from texswarm_desktop.services.disk import Disk, SystemDisk
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.figure_record import FigureRecord, Stamp, stamp_of
from texswarm_desktop.services.folder_walk import FolderWalk
from texswarm_desktop.services.replaced_figures import ReplacedFigure
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.errors import ChangedOnDiskError, FilePathError, NotReadableError, OutOfReachError


class FigureLook(msgspec.Struct, frozen=True):
    """The binary files that are there. `left_out`: those that are not to be brought in.

    `on_purpose`: what the people here wish to share; `is_whole`: False where there is nothing in the folder at all, so
    that nobody takes that for a deletion; `late`: see `services.replaced_figures`.
    """

    stamps: dict[str, Stamp] = msgspec.field(default_factory=dict)
    left_out: set[str] = msgspec.field(default_factory=set)
    is_whole: bool = True
    late: dict[str, Stamp] = msgspec.field(default_factory=dict)
    on_purpose: SharedOnPurpose = msgspec.field(default_factory=SharedOnPurpose)


class FigureFolder:
    """The folder `root`. Paths are relative, with `/`.

    `replaced`: files that were replaced or deleted, and that somebody may still have open; who reads that empties it.
    """

    def __init__(
        self, root: Path, cache: BlobCache, disk: Disk | None = None, *, is_ours: Callable[[], bool] = lambda: True
    ) -> None:
        """`is_ours`: whether what is there is still the folder that was opened."""
        self._root = root
        self._is_ours = is_ours
        self._cache = cache
        self._disk = disk or SystemDisk()
        self._walk = FolderWalk(root, takes=may_be_binary)
        self._texts: dict[str, Stamp] = {}
        self.replaced: list[ReplacedFigure] = []

    def look(self, known: Collection[str], texts: Collection[str] = ()) -> FigureLook:
        """List the binary files; those at `known` paths are the project's, whatever its rules leave out.

        Nothing at the paths of its `texts` is one, whatever another program put there.

        Raises OutOfReachError when the folder cannot be walked or is away.
        """
        if not _is_folder(self._root / OWN_FOLDER) or not self._is_ours():
            raise OutOfReachError(f"{self._root}: the folder is away")
        walked = self._walk.look(known)
        is_whole = any(name != OWN_FOLDER for name in _names_in(self._root))
        look = FigureLook(is_whole=is_whole, on_purpose=self._walk.on_purpose)
        for path in (*walked.files, *walked.left_out):
            if path in texts:
                continue
            with suppress(OSError):
                status = (self._root / path).lstat()
                if stat.S_ISREG(status.st_mode) and (path in known or not self._is_text(path, stamp_of(status))):
                    look.stamps[path] = stamp_of(status)
        products = {path for path in walked.files if path not in known and is_product(self._root / path)}
        look.left_out.update(walked.left_out, products)
        return look

    def take_in(self, path: str, most_bytes: int) -> FigureRecord:
        """Copy a file among the contents; raises what `BlobCache.take_in` does, and FilePathError.

        One that is gone has changed, and is no file that cannot be read.
        """
        target = self._target(path)
        try:
            blob, stamp = self._cache.take_in(target, most_bytes)
        except NotReadableError as error:
            if _stamp_of(target) is None:  # it was there a moment ago
                raise ChangedOnDiskError(path) from error
            raise
        return FigureRecord(path, blob, stamp)

    def take_in_replaced(self, figure: ReplacedFigure, most_bytes: int) -> FigureRecord:
        """Copy what is in a file that was replaced; raises as `take_in` does."""
        path = figure.record.path
        blob, stamp = self._cache.take_in_held(figure.held, path, most_bytes)
        return FigureRecord(path, blob, stamp)

    def put_replaced_beside(self, figure: ReplacedFigure, taken: Collection[str]) -> FigureRecord:
        """Copy what is in a file that was replaced to where nothing is, and not to `taken`, and say what it is.

        Raises ChangedOnDiskError while somebody writes it, NotReadableError, NotWritableError, FilePathError.
        """
        free = (each for each in names_beside(figure.record.path) if each not in taken)
        target = next(target for target in map(self._target, free) if not os.path.lexists(target))
        self._make_folder_of(target)
        blob, stamp = self._cache.put_out_held(figure.held, target, self._put_beside)
        return FigureRecord(figure.record.path, blob, stamp)

    def write(self, path: str, blob: BlobRef, *, expected: FigureRecord | None) -> FigureRecord:
        """Put a content that is here into the file at `path`, if that is as `expected` (None: not there).

        Raises ChangedOnDiskError when another program was there, NotWritableError, NotReadableError, FilePathError,
        BlobContentError.
        """
        target = self._target(path)
        self._check(target, expected)
        if expected is not None and expected.blob == blob:
            return expected
        self._make_folder_of(target)
        put = self._put_beside if expected is None else partial(self._take_place, there=expected)
        stamp = self._cache.put_out(blob, target, put)
        return FigureRecord(path, blob, stamp)

    def check(self, expected: FigureRecord) -> None:
        """Raise ChangedOnDiskError when another program changed a file or took it away, or FilePathError."""
        self._check(self._target(expected.path), expected)

    def move(self, old: FigureRecord, path: str) -> FigureRecord:
        """Give a file, which is as `old`, another name that nothing has: it stays the file that somebody may have open.

        Also between names that differ in letter case only, on systems that do not tell them apart. Raises as `write`.
        """
        source, target = self._target(old.path), self._target(path)
        self._check(source, old)
        is_same = (there := _stamp_of(target)) is not None and there.inode == old.stamp.inode
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            (self._disk.rename if is_same else self._disk.put_beside)(source, target)
        except (FileExistsError, FileNotFoundError) as error:
            raise ChangedOnDiskError(str(target)) from error
        except OSError as error:
            raise not_writable(target, error) from error
        self._disk.sync_folder(target.parent)
        self._remove_empty(source)
        return FigureRecord(path, old.blob, old.stamp)

    def remove(self, path: str, *, expected: FigureRecord | None) -> None:
        """Delete the file at `path` and folders that get empty; raises ChangedOnDiskError or NotWritableError."""
        target = self._target(path)
        if _stamp_of(target) is None:
            return
        self._check(target, expected)
        assert expected is not None
        try:
            self._take_away(target, expected)
        except OSError as error:
            raise not_writable(target, error) from error
        self._remove_empty(target)

    @staticmethod
    def _make_folder_of(target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(target.parent, error) from error

    def _remove_empty(self, target: Path) -> None:
        with suppress(OSError):
            for folder in target.parents:
                if folder == self._root:
                    break
                folder.rmdir()

    def _is_text(self, path: str, stamp: Stamp) -> bool:
        """Say whether a file is for those who look after texts; read once for each stamp."""
        if is_project_figure(path):
            return False
        if self._texts.get(path) != stamp:
            self._texts.pop(path, None)
            if stamp.size > MAX_TEXT_BYTES or decode_text((self._root / path).read_bytes()) is None:
                return False
            self._texts[path] = stamp
        return True

    def _put_beside(self, temporary: Path, target: Path) -> None:
        try:
            self._disk.put_beside(temporary, target)
        except FileExistsError as error:
            raise ChangedOnDiskError(str(target)) from error

    def _take_place(self, temporary: Path, target: Path, there: FigureRecord) -> None:
        """Let the new file have the name of the old one, unless that is not as `there`: then it keeps it."""
        ours = _stamp_of(temporary)
        with self._holding(target, there):
            self._change_places(temporary, target, there.stamp, ours)

    def _change_places(self, temporary: Path, target: Path, there: Stamp, ours: Stamp | None) -> None:
        if _stamp_of(target) != there:
            raise ChangedOnDiskError(str(target))
        try:
            if not self._disk.exchange(temporary, target):
                self._disk.rename(temporary, target)
                return
        except FileNotFoundError as error:
            raise ChangedOnDiskError(str(target)) from error
        if _stamp_of(temporary) != there:
            self._disk.exchange(temporary, target)
            if _stamp_of(temporary) != ours:  # saved once more before it was back: that is the newer one
                self._disk.exchange(temporary, target)
            raise ChangedOnDiskError(str(target))

    @contextmanager
    def _holding(self, target: Path, there: FigureRecord) -> Iterator[None]:
        """Hold what is at `target`, as `there`, for whoever has it open, if it is replaced or deleted meanwhile."""
        held = None
        if os.name != "nt":  # there nobody can have it open
            with suppress(OSError):
                held = self._disk.hold(target)
        try:
            yield
        except BaseException:
            if held is not None:
                held.close()
            raise
        if held is not None:
            self.replaced.append(ReplacedFigure(there, held))

    def _take_away(self, target: Path, there: FigureRecord) -> None:
        """Delete a file, unless it is not as `there`: looked at once more when nobody finds it any more."""
        with self._holding(target, there):
            self._put_away(target, there.stamp)

    def _put_away(self, target: Path, there: Stamp) -> None:
        aside = temporary_beside(target)
        try:
            self._disk.rename(target, aside)
        except FileNotFoundError:
            return
        if _stamp_of(aside) == there:
            self._disk.remove(aside)
            return
        try:
            self._disk.put_beside(aside, target)
        except FileExistsError:  # saved once more meanwhile: that is the newer one
            self._disk.remove(aside)
        raise ChangedOnDiskError(str(target))

    def _check(self, target: Path, expected: FigureRecord | None) -> None:
        if _stamp_of(target) != (expected.stamp if expected else None):
            raise ChangedOnDiskError(str(target))

    def _target(self, path: str) -> Path:
        """Raises FilePathError for a path that is not one of ours, or that leads through a symbolic link."""
        if not may_be_binary(path):
            raise FilePathError(f"not a figure: {path!r}")
        target = self._root
        for part in path.split("/"):
            target /= part
            if target.is_symlink():
                raise FilePathError(f"a symbolic link: {path!r}")
        return target


def is_product(target: Path) -> bool:
    """Say whether a file is what LaTeX makes of a source: that lies beside it under the same name."""
    return target.suffix.lower() in {".pdf", ".ps"} and os.path.lexists(target.with_suffix(".tex"))


def _is_folder(place: Path) -> bool:
    try:
        return stat.S_ISDIR(place.stat().st_mode)
    except OSError:
        return False


def _names_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise OutOfReachError(f"{folder}: {error.strerror}") from error


def _stamp_of(target: Path) -> Stamp | None:
    try:
        return stamp_of(target.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutOfReachError(f"{target}: {error.strerror}") from error
