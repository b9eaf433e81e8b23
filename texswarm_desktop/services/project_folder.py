"""A project's folder on disk: what text is in it, and writing a file without ever destroying what is there.

Nothing is read or written outside the folder or of a kind that is not project text, also not through a symbolic link:
paths come from other people. A link to another text of the project is kept, and is that text. Every method blocks.
"""

import errno
import hashlib
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.project_files import (
    MAX_TEXT_BYTES,
    OWN_FOLDER,
    DecodedText,
    decode_text,
    is_project_folder,
    is_project_text,
)
from texswarm_desktop.core.reconcile import Found
from texswarm_desktop.services.atomic_file import remove_leftovers, write_atomically
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
    TexSwarmError,
)

_NO_SUCH_NAME: Final = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})


@dataclass(frozen=True, slots=True)
class DiskState:
    """What is known to be on disk under a path: the digest of its content, and when that was looked at."""

    stamp: Stamp
    digest: bytes


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file as it was read; `decoded` is None when it is not text."""

    state: DiskState
    decoded: DecodedText | None

    @property
    def found(self) -> Found:
        """The part that decisions are made of."""
        return Found(self.state.digest, self.decoded)


@dataclass(frozen=True, slots=True)
class Look:
    """Where the folder differs from what was known of it.

    `changed`: files that are new or hold something else; `touched`: what is as it was, but was written again; `gone`:
    known paths without a file; `errors`: files that cannot be looked at; `left_out`: those of `changed` that are not to
    be brought in; `folders`: those that hold, or may come to hold, text of the project; `there` and `empty`: the same
    and those that nothing is in, by their paths.
    """

    changed: dict[str, DiskFile] = field(default_factory=dict)
    touched: dict[str, DiskState] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    errors: dict[str, TexSwarmError] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    folders: set[Path] = field(default_factory=set)
    there: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)


class ProjectFolder:
    """The folder `root`. Paths are relative, with `/`."""

    def __init__(self, root: Path, *, must_hold: str = OWN_FOLDER) -> None:
        """`must_hold`: the folder in it without which it is not the project's but an empty place of that name."""
        self.root = root
        self._proof = root / must_hold
        self._walk = FolderWalk(root)

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
                file = self.read(path)
                if file is not None:
                    found[path] = file
        return found

    def set_sharing(self, sharing: Sharing) -> None:
        """Store what is to be shared and left out from now on; raises NotWritableError."""
        self._walk.set_sharing(sharing)

    def look(
        self, known: Mapping[str, DiskState], suspects: Collection[str] = (), *, expected: Collection[str] = ()
    ) -> Look:
        """Compare the folder with what is `known` of it, by path; raises NotReadableError when it cannot be walked.

        Only files with another stamp are read, and `suspects`: two writes may fall into one tick of the disk's clock.
        Files at `known` and `expected` paths are the project's, whatever its rules leave out.
        """
        if not self._proof.is_dir():
            raise NotReadableError(f"{self.root}: the folder is away")
        walked = self._walk.walk({*known, *expected})
        folders = {self.root / folder for folder in walked.folders}
        look = Look(
            gone=known.keys() - set(walked.files),
            errors=walked.refused,
            folders=folders,
            there=set(walked.folders),
            empty=walked.empty,
        )
        for path in walked.files:
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
            file = self.read(path)
        except (NotReadableError, FilePathError) as error:
            look.errors[path] = error
            return
        if file is None:
            if known is not None:
                look.gone.add(path)
        elif known is None and file.decoded is None:
            look.errors[path] = KindNotTakenError(f"not text: {path!r}")
        elif known is None or file.state.digest != known.digest:
            look.changed[path] = file
        elif file.state.stamp != known.stamp:
            look.touched[path] = file.state

    def remove_leftovers(self) -> None:
        """Remove what an earlier process left in the middle of writing; only while holding the project's lock."""
        for folder in self._walk.walk().folders:
            remove_leftovers(self.root / folder)

    def read(self, path: str) -> DiskFile | None:
        """Return the file at `path`, or None when there is none; raises NotReadableError or FilePathError."""
        target = self._target(path)
        try:
            status = target.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise KindNotTakenError(f"not a plain file: {path!r}")
            # A file of that size is no text of ours; it is known by its stamp alone.
            data = target.read_bytes() if status.st_size <= MAX_TEXT_BYTES else repr(status).encode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise NotReadableError(f"{target}: {error.strerror}") from error
        decoded = decode_text(data) if status.st_size <= MAX_TEXT_BYTES else None
        return DiskFile(DiskState(stamp_of(status), digest_of(data)), decoded)

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
            target.parent.mkdir(parents=True, exist_ok=True)

        def look_once_more() -> None:
            if must_be_there and self._state(path, there) != there:
                raise ChangedOnDiskError(path)

        with _typed(target):
            return DiskState(stamp_of(write_atomically(target, data, before_replacing=look_once_more)), digest)

    def move(self, old: str, new: str, *, expected: DiskState, kept: Collection[str] = ()) -> DiskState | None:
        """Give the file at `old` the name `new`, if it is as `expected` and nothing else is at `new`.

        Returns its state, or None when it was not moved. Also between names that differ in letter case only, on
        systems that do not tell them apart. Raises NotWritableError, NotReadableError or FilePathError.
        """
        source, target = self._place(old), self._place(new)
        there = self._state(old, expected)
        if there is None or there.digest != expected.digest:
            return None
        with _typed(target):
            if target.exists() and not target.samefile(source):
                return None
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            self._remove_empty(source, kept)
            return DiskState(stamp_of(target.stat()), expected.digest)

    def make_folder(self, path: str) -> None:
        """Make the folder at `path` if it is not there; raises NotWritableError or FilePathError."""
        place = self._folder_place(path)
        with _typed(place):
            place.mkdir(parents=True, exist_ok=True)

    def remove_folder(self, path: str) -> bool:
        """Take away the folder at `path` and say whether it is gone: what is in one keeps it; raises FilePathError."""
        place = self._folder_place(path)
        with suppress(OSError):
            place.rmdir()
        return not place.is_dir()

    def remove(self, path: str, *, expected: DiskState, kept: Collection[str] = ()) -> bool:
        """Delete the file at `path` and folders that get empty, apart from `kept` ones.

        Returns False when another program changed it.
        """
        there = self._state(path, expected)
        if there is None:
            return True
        if there.digest != expected.digest:
            return False
        target = self._place(path)
        with _typed(target):
            target.unlink(missing_ok=True)
        self._remove_empty(target, kept)
        return True

    def _remove_empty(self, target: Path, kept: Collection[str]) -> None:
        """Remove the folders that `target` was the last in."""
        with suppress(OSError):
            for folder in target.parents:
                if folder == self.root or folder.relative_to(self.root).as_posix() in kept:
                    break
                folder.rmdir()

    def _state(self, path: str, expected: DiskState | None) -> DiskState | None:
        """Look what is there, and read it only if its stamp is not the expected one."""
        try:
            status = self._target(path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise NotReadableError(f"{path}: {error.strerror}") from error
        if expected is not None and stat.S_ISREG(status.st_mode) and stamp_of(status) == expected.stamp:
            return expected
        file = self.read(path)
        return file.state if file else None

    def _target(self, path: str) -> Path:
        """Return the file that is read and written for `path`: behind a link, as long as that is one of ours too.

        Raises FilePathError for a path that is not one of ours, or that leads out of the folder.
        """
        place = self._place(path)
        return linked_file(self.root, place) if place.is_symlink() else place

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
            if place.is_symlink():
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
    kind = NameNotHereError if error.errno in _NO_SUCH_NAME else NotWritableError
    return kind(f"{target}: {error.strerror}")


def digest_of(data: bytes) -> bytes:
    """Return what content is recognised by."""
    return hashlib.sha256(data).digest()
