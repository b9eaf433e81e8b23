"""A project's folder on disk: what text is in it, and writing a file without ever destroying what is there.

Nothing is read or written outside the folder or of a kind that is not project text, also not through a symbolic link:
paths come from other people. A link to another text of the project is kept, and is that text. Every method blocks.
"""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from texswarm_desktop.core.ignore_rules import SharedOnPurpose, Sharing
from texswarm_desktop.core.project_files import OWN_FOLDER, is_project_folder, is_project_text
from texswarm_desktop.core.text_bytes import MAX_TEXT_BYTES, decode_text
from texswarm_desktop.services.atomic_file import remove_leftovers, temporary_beside
from texswarm_desktop.services.disk import Disk, SystemDisk
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.disk_state import DiskFile, DiskState, ReplacedFile, digest_of, read_steadily, state_of
from texswarm_desktop.services.figure_record import Stamp, stamp_of
from texswarm_desktop.services.folder_walk import SETTINGS_FILE, FolderWalk, linked_file
from texswarm_server.protocol.errors import (
    ChangedOnDiskError,
    FilePathError,
    KindNotTakenError,
    LinkNotFollowedError,
    NameNotHereError,
    NotReadableError,
    NotWritableError,
    OutOfReachError,
    TexSwarmError,
)

_NO_SUCH_NAME: Final = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
#: How often a folder is made anew that another program takes away before a file is in it.
_FOLDER_TRIES: Final = 3

_T = TypeVar("_T")


class Look(msgspec.Struct, frozen=True):
    """Where the folder differs from what was known of it.

    `changed`: files that are new or hold something else; `touched`: what is as it was, but was written again; `gone`:
    known paths without a file; `errors`: files that cannot be looked at; `notes`: files that are not shared, as it
    should be; `on_purpose`: what is wished to be shared; `binary`: files under texts' names that are none; `left_out`:
    those of `changed` that are not to be brought in; `folders`: those that hold, or may come to hold, text of the
    project; `there` and `empty`: the same and those that nothing is in, by their paths; `late`: see
    `services.replaced_files`; `closed`: folders that cannot be listed now, where any of `gone` may be.
    """

    changed: dict[str, DiskFile] = msgspec.field(default_factory=dict)
    touched: dict[str, DiskState] = msgspec.field(default_factory=dict)
    gone: set[str] = msgspec.field(default_factory=set)
    errors: dict[str, TexSwarmError] = msgspec.field(default_factory=dict)
    notes: Mapping[str, TexSwarmError] = msgspec.field(default_factory=dict)
    on_purpose: SharedOnPurpose = msgspec.field(default_factory=SharedOnPurpose)
    binary: set[str] = msgspec.field(default_factory=set)
    left_out: set[str] = msgspec.field(default_factory=set)
    folders: set[Path] = msgspec.field(default_factory=set)
    there: set[str] = msgspec.field(default_factory=set)
    empty: set[str] = msgspec.field(default_factory=set)
    late: dict[str, DiskFile] = msgspec.field(default_factory=dict)
    closed: set[str] = msgspec.field(default_factory=set)


class ProjectFolder:
    """The folder `root`. Paths are relative, with `/`.

    Other programs are at work between any two steps on the disk. So nothing is taken away that was not looked at
    after it had lost its name, and `replaced` are the files that somebody may still have open: whoever reads that
    list empties it.
    """

    def __init__(
        self,
        root: Path,
        disk: Disk | None = None,
        *,
        must_hold: str = OWN_FOLDER,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        """`must_hold`: the folder in it without which it is not the project's but an empty place of that name.

        `is_ours`: whether what is there is still the folder that was opened.
        """
        self.root = root
        self.replaced: list[ReplacedFile] = []
        self._proof = root / must_hold
        self._is_ours = is_ours
        self._disk: Disk = disk or SystemDisk()
        self._walk = FolderWalk(root, disk=self._disk)
        self._binary: dict[str, Stamp] = {}

    def scan(self) -> dict[str, DiskFile]:
        """Read every project text that is not left out; raises NotReadableError for the folder or for one of them.

        A file that cannot be read must not be taken for one that was deleted, so one is enough to refuse all.
        """
        return self.read_all(self._walk.walk().files)

    def read_all(self, paths: Iterable[str]) -> dict[str, DiskFile]:
        """Read those of `paths` where a plain file is; raises NotReadableError."""
        found = {}
        for path in paths:
            with suppress(FilePathError):
                file = self._read_once(path)
                if file is not None:
                    found[path] = file
        return found

    def _read_once(self, path: str) -> DiskFile | None:
        try:
            return self.read(path)
        except OutOfReachError as error:  # nobody looks again
            raise NotReadableError(str(error)) from error

    @property
    def on_purpose(self) -> SharedOnPurpose:
        """What was wished to be shared when the folder was last looked at."""
        return self._walk.on_purpose

    def set_sharing(self, sharing: Sharing) -> None:
        """Store what is to be shared and left out from now on; raises NotWritableError."""
        self._walk.set_sharing(sharing)

    def check_ours(self) -> None:
        """Raise OutOfReachError when another folder is in the place of the one that was opened."""
        if not self._is_ours():
            raise OutOfReachError(f"{self.root}: another folder is in its place")

    def look(
        self,
        known: Mapping[str, DiskState],
        suspects: Collection[str] = (),
        *,
        expected: Collection[str] = (),
        figures: Collection[str] = (),
    ) -> Look:
        """Compare the folder with what is `known` of it, by path; raises OutOfReachError when it cannot be walked.

        Only files with another stamp are read, and `suspects`: two writes may fall into one tick of the disk's clock.
        Files at `known` and `expected` paths are the project's, whatever its rules leave out; those at `figures` are
        binary files of it, and not looked at here.
        """
        if not self._is_folder(self._proof):
            raise OutOfReachError(f"{self.root}: the folder is away")
        self.check_ours()
        walked = self._walk.look({*known, *expected}, past_closed=True)
        folders = {self.root / folder for folder in walked.folders}
        look = Look(
            gone=known.keys() - set(walked.files),
            errors={**walked.refused, **walked.closed},
            notes=walked.notes,
            on_purpose=self._walk.on_purpose,
            folders=folders,
            there={*walked.folders, *walked.closed},
            empty=walked.empty,
            closed=set(walked.closed),
        )
        for path in walked.files:
            if path not in figures:
                self._look_at(look, path, known.get(path), is_suspect=path in suspects)
        if look.gone:  # one of those that are left out may be a known one under another name
            look.left_out.update(walked.left_out)
            for path in walked.left_out:
                self._look_at(look, path, None, is_suspect=False)
        if self._walk.problem is not None:
            look.errors[f"{OWN_FOLDER}/{SETTINGS_FILE}"] = self._walk.problem
        return look

    def _look_at(self, look: Look, path: str, known: DiskState | None, *, is_suspect: bool) -> None:
        try:
            if known is not None and not is_suspect and self._state(path, known) is known:
                return
            if known is None and self._is_known_binary(path):
                look.binary.add(path)
                return
            file = self.read(path)
        except (NotReadableError, FilePathError) as error:
            look.errors[path] = error
            return
        if file is None:
            if known is not None:
                look.gone.add(path)
        elif known is None and file.decoded is None:
            look.binary.add(path)
            self._binary[path] = file.state.stamp
        elif known is None or file.state.digest != known.digest:
            look.changed[path] = file
        elif file.state.stamp != known.stamp:
            look.touched[path] = file.state

    def _is_known_binary(self, path: str) -> bool:
        """Say whether it was none when it was last read, and is still the same."""
        stamp = self._binary.pop(path, None)
        status = self._status(self._target(path)) if stamp is not None else None
        if stamp is None or status is None or stamp_of(status) != stamp:
            return False
        self._binary[path] = stamp
        return True

    def remove_leftovers(self) -> None:
        """Remove what an earlier process left in the middle of writing; only while holding the project's lock."""
        for folder in self._walk.walk().folders:
            remove_leftovers(self.root / folder)

    def read(self, path: str) -> DiskFile | None:
        """Return the file at `path`, or None when there is none; raises OutOfReachError or FilePathError."""
        return self._read(self._target(path), path)

    def write(self, path: str, data: bytes, *, expected: DiskState | None, must_be_there: bool = False) -> DiskState:
        """Put `data` into the file at `path`, if that is still as `expected` (None: not there) or `data` already.

        With `must_be_there` an expected file that is gone counts as changed. Raises ChangedOnDiskError when another
        program was there, NotWritableError, NotReadableError, FilePathError.
        """
        target = self._target(path)
        digest = digest_of(data)
        there = self._state(path, expected)
        if there is not None and there.digest == digest:
            return there
        if there is not None and (expected is None or there.digest != expected.digest):
            raise ChangedOnDiskError(path)
        if there is None and expected is not None and must_be_there:
            raise ChangedOnDiskError(path)
        with _typed(target):
            return self._write(path, target, data, there)

    def _write(self, path: str, target: Path, data: bytes, there: DiskState | None) -> DiskState:
        temporary, mode = temporary_beside(target), self._mode_of(target)
        try:
            status = self._in_folder(target, lambda: self._disk.write_new(temporary, data, mode))
            if there is None:
                self._put(path, temporary, target)
            else:
                self._take_place(path, temporary, target, there, status.st_ino)
        finally:
            with suppress(OSError):
                self._disk.remove(temporary)
        self._disk.sync_folder(target.parent)
        return state_of(stamp_of(status), digest_of(data), self._disk.now_ns())

    def _put(self, path: str, temporary: Path, target: Path) -> None:
        try:
            self._disk.put_beside(temporary, target)
        except FileExistsError as error:
            raise ChangedOnDiskError(path) from error

    def _take_place(self, path: str, temporary: Path, target: Path, there: DiskState, ours: int) -> None:
        """Replace the file at `target` by the one at `temporary`, whose inode is `ours`, unless it is not as `there`.

        What another program saves in this very moment changes places with ours, and then gets its place back.
        """
        try:
            held = self._hold(path, target, there)
        except FileNotFoundError as error:
            raise ChangedOnDiskError(path) from error
        if held.look() is not None:
            held.close()
            raise ChangedOnDiskError(path)
        if not self._disk.exchange(temporary, target):
            self._disk.rename(temporary, target)
        elif self._differs(temporary, path, there):
            held.close()
            self._disk.exchange(temporary, target)
            if self._disk.status(temporary).st_ino != ours:  # somebody replaced ours before it was back
                self.replaced.append(self._hold(path, temporary, there))
            raise ChangedOnDiskError(path)
        self.replaced.append(held)

    def check(self, path: str, *, expected: DiskState, must_be_there: bool) -> None:
        """Raise ChangedOnDiskError when another program wrote in the file at `path`, or took it away."""
        there = self._state(path, expected)
        if must_be_there if there is None else there.digest != expected.digest:
            raise ChangedOnDiskError(path)

    def move(self, old: str, new: str, *, expected: DiskState, kept: Collection[str] = ()) -> bool:
        """Give the file at `old` the name `new`, if it is as `expected` and nothing else is at `new`; say whether.

        Another program may have written in it in that moment: look once more. Also between names that differ in
        letter case only, on systems that do not tell them apart. Raises NotWritableError, NotReadableError or
        FilePathError.
        """
        source, target = self._place(old), self._place(new)
        there = self._state(old, expected)
        if there is None or there.digest != expected.digest:
            return False
        with _typed(target), suppress(FileExistsError):
            is_same = self._inode(target) == self._inode(source)
            put = self._disk.rename if is_same else self._disk.put_beside
            self._in_folder(target, lambda: put(source, target))
            self._remove_empty(source, kept)
            return True
        return False

    def make_folder(self, path: str) -> None:
        """Make the folder at `path` if it is not there; raises NotWritableError or FilePathError."""
        place = self._folder_place(path)
        with _typed(place):
            self._disk.make_folder(place)

    def remove_folder(self, path: str, *, kept: Collection[str] = ()) -> bool:
        """Take away the folder at `path` and say whether it is gone: what is in one keeps it; raises FilePathError.

        Folders around it that get empty go too, apart from `kept` ones.
        """
        place = self._folder_place(path)
        with suppress(OSError):
            self._disk.remove_folder(place)
            self._remove_empty(place, kept)
        return not self._is_folder(place)

    def remove(
        self, path: str, *, expected: DiskState, kept: Collection[str] = (), must_be_there: bool = False
    ) -> bool:
        """Delete the file at `path` and folders that get empty, apart from `kept` ones.

        Returns False when another program changed it; with `must_be_there` also when one took it away.
        """
        there = self._state(path, expected)
        if there is None:
            return not must_be_there
        if there.digest != expected.digest:
            return False
        target = self._place(path)
        with _typed(target):
            is_gone = self._take_away(path, target, there)
        if is_gone:
            self._remove_empty(target, kept)
        return is_gone

    def _take_away(self, path: str, target: Path, there: DiskState) -> bool:
        """Remove the file at `target`, and bring it back if it is not as `there`."""
        temporary = temporary_beside(target)
        try:
            held = self._hold(path, target, there) if not self._is_link(target) else None
            self._disk.rename(target, temporary)
        except FileNotFoundError:
            return True
        if held is not None and self._differs(temporary, path, there):
            held.close()
            try:
                self._disk.put_beside(temporary, target)
            except FileExistsError:
                self.replaced.append(self._hold(path, temporary, there))
                self._disk.remove(temporary)
            return False
        self._disk.remove(temporary)
        if held is not None:
            self.replaced.append(held)
        return True

    def _remove_empty(self, target: Path, kept: Collection[str]) -> None:
        """Remove the folders that `target` was the last in."""
        with suppress(OSError):
            for folder in target.parents:
                if folder == self.root or folder.relative_to(self.root).as_posix() in kept:
                    break
                self._disk.remove_folder(folder)

    # ── one step at a time ──────────────────────────────────────────────────────────────────────────────

    def _read(self, target: Path, path: str) -> DiskFile | None:
        try:
            status = self._disk.status(target)
            if not stat.S_ISREG(status.st_mode):
                raise KindNotTakenError(f"not a plain file: {path!r}")
            if status.st_size <= MAX_TEXT_BYTES:
                stamp, data = read_steadily(
                    lambda: stamp_of(self._disk.status(target)), lambda: self._disk.read(target)
                )
            else:  # no text of ours: it is known by its stamp alone
                stamp, data = stamp_of(status), repr(status).encode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OutOfReachError(f"{target}: {error.strerror}") from error
        decoded = decode_text(data) if status.st_size <= MAX_TEXT_BYTES else None
        return DiskFile(state_of(stamp, digest_of(data), self._disk.now_ns()), decoded)

    def _state(self, path: str, expected: DiskState | None) -> DiskState | None:
        """Look what is there, and read it only if its stamp does not say that it is as expected."""
        try:
            status = self._disk.status(self._target(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OutOfReachError(f"{path}: {error.strerror}") from error
        if expected is not None and stat.S_ISREG(status.st_mode) and expected.still(stamp_of(status)):
            return expected
        file = self.read(path)
        return file.state if file else None

    def _differs(self, place: Path, path: str, known: DiskState) -> bool:
        """Say whether the file at `place`, which nobody else knows, is another one than it was under its name."""
        if known.still(stamp_of(self._disk.status(place))):
            return False
        file = self._read(place, path)
        return file is None or file.state.digest != known.digest

    def _hold(self, path: str, place: Path, known: DiskState) -> ReplacedFile:
        return ReplacedFile(self._disk, path, known, self._disk.hold(place))

    def _in_folder(self, target: Path, act: Callable[[], _T]) -> _T:
        """Do something in the folder of `target`, which another program may take away while it is empty."""
        for _ in range(_FOLDER_TRIES - 1):
            self._disk.make_folder(target.parent)
            with suppress(FileNotFoundError):
                return act()
        self._disk.make_folder(target.parent)
        return act()

    def _status(self, place: Path) -> os.stat_result | None:
        try:
            return self._disk.status(place)
        except OSError:
            return None

    def _is_folder(self, place: Path) -> bool:
        status = self._status(place)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def _is_link(self, place: Path) -> bool:
        status = self._status(place)
        return status is not None and stat.S_ISLNK(status.st_mode)

    def _mode_of(self, place: Path) -> int | None:
        status = self._status(place)
        return stat.S_IMODE(status.st_mode) if status is not None else None

    def _inode(self, place: Path) -> object:
        status = self._status(place)
        return (status.st_dev, status.st_ino) if status is not None else None

    def _target(self, path: str) -> Path:
        """Return the file that is read and written for `path`: behind a link, as long as that is one of ours too.

        Raises FilePathError for a path that is not one of ours, or that leads out of the folder.
        """
        place = self._place(path)
        return linked_file(self.root, place) if self._is_link(place) else place

    def _place(self, path: str) -> Path:
        """Return where `path` itself is; raises FilePathError as `_target`."""
        if not is_project_text(path):
            raise KindNotTakenError(f"not a project text: {path!r}")
        folder, _, name = path.rpartition("/")
        return self._folder_place(folder) / name

    def _folder_place(self, path: str) -> Path:
        """Return where the folder `path` is; raises FilePathError as `_target`."""
        place = self.root
        for name in path.split("/") if path else ():
            place /= name
            if name in {".", ".."} or not is_project_folder(name):
                raise KindNotTakenError(f"not a folder of a project: {path!r}")
            if self._is_link(place):
                raise LinkNotFollowedError(f"a symbolic link: {path!r}")
        return place


@contextmanager
def _typed(target: Path) -> Iterator[None]:
    """A name that the disk does not take is this file's trouble, anything else may be the disk's."""
    try:
        yield
    except OSError as error:
        raise _typed_error(target, error) from error
    except NotWritableError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_SUCH_NAME:
            raise NameNotHereError(str(error)) from error
        raise


def _typed_error(target: Path, error: OSError) -> TexSwarmError:
    if error.errno in _NO_SUCH_NAME:
        return NameNotHereError(f"{target}: {error.strerror}")
    return not_writable(target, error)
