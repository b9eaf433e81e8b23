"""The way through a project's folder: which files and folders in it are the project's, and why others are not.

Every method blocks.

Reads names, `.gitignore` files and the project's own settings, no other content; what was read is read again when its
stamp is another one. Follows no symbolic link to a folder, and none that leads out of the project.
"""

import stat
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from texswarm_desktop.core.ignore_rules import (
    IgnoreFile,
    IgnoreRules,
    SharedOnPurpose,
    Sharing,
    decode_sharing,
    encode_sharing,
)
from texswarm_desktop.core.project_files import (
    OWN_FOLDER,
    is_obeyed,
    is_project_folder,
    is_project_text,
    is_untold,
    is_usual,
    may_be_shared,
)
from texswarm_desktop.services.atomic_file import write_atomically
from texswarm_desktop.services.disk import Disk, Entry, SystemDisk
from texswarm_server.protocol.errors import (
    FilePathError,
    KindNotSharedError,
    LinkNotFollowedError,
    NameNotSharedError,
    NotReadableError,
    NotSharedError,
    ObeyedFileError,
    OutOfReachError,
    SpecialFileError,
    TexSwarmError,
)

SETTINGS_FILE: Final = "settings.json"
_IGNORE_FILE: Final = ".gitignore"
_MAX_BYTES: Final = 1024 * 1024

_T = TypeVar("_T")


class Walked(msgspec.Struct):
    """What is in a folder, by paths relative to it: `files` that are the project's, and such that are `left_out`.

    `folders`: those that were looked into, the project's own (empty path) first; `empty`: those of them that nothing is
    in, hidden files apart. `refused`: what looks like the project's and cannot be, with the reason; `notes`: what is in
    the folder and is not shared, as it should be. Hidden folders, what is left out, and what nobody needs to hear of
    are in neither. `closed`: folders that could not be listed, and why.
    """

    files: list[str] = msgspec.field(default_factory=list)
    left_out: list[str] = msgspec.field(default_factory=list)
    folders: list[str] = msgspec.field(default_factory=list)
    empty: set[str] = msgspec.field(default_factory=set)
    refused: dict[str, TexSwarmError] = msgspec.field(default_factory=dict)
    notes: dict[str, NotSharedError] = msgspec.field(default_factory=dict)
    closed: dict[str, OutOfReachError] = msgspec.field(default_factory=dict)


class _GoneError(Exception):
    """There is no such folder any more."""


class FolderWalk:
    """Walks through `root`. `problem` says what is wrong with the project's settings, if anything."""

    def __init__(
        self,
        root: Path,
        *,
        takes: Callable[[str], bool] = is_project_text,
        brings_in: Callable[[str], bool] = is_usual,
        disk: Disk | None = None,
        draft: Sharing | None = None,
    ) -> None:
        """`takes`: says of a path whether a file there is looked at; `brings_in`: whether also if nobody wishes so.

        Who looks for anything but texts gets no links: they are followed for texts alone, and only who looks for texts
        is told of everything else. `draft`: wishes to try out in the place of those that are said; all that they leave
        out is named then, also inside folders.
        """
        self._root = root
        self._takes, self._brings_in = takes, brings_in
        self._is_for_texts = takes is is_project_text
        self._disk: Disk = disk or SystemDisk()
        self._files: dict[Path, _Reread[IgnoreFile]] = {}
        self._settings = _Reread(root / OWN_FOLDER / SETTINGS_FILE, decode_sharing)
        self._draft = draft
        self._rules = IgnoreRules(Sharing())
        self._made_of: object = None
        self._left_out: dict[str, bool] = {}
        self._goes_past_closed = False
        self.problem: NotReadableError | None = None

    def look(self, known: Collection[str] = (), *, past_closed: bool = False) -> Walked:
        """As `walk`, for who looks again and again: raises OutOfReachError, the folder may be there in a moment."""
        try:
            return self.walk(known, past_closed=past_closed)
        except NotReadableError as error:
            raise OutOfReachError(str(error)) from error

    def walk(self, known: Collection[str] = (), *, past_closed: bool = False) -> Walked:
        """Go through the folder; files at `known` paths are the project's, whatever the rules say.

        Raises NotReadableError for a folder that cannot be listed; with `past_closed` for the project's own only.
        """
        self._refresh()
        self._goes_past_closed = past_closed
        walked = Walked()
        on_the_way = {folder for path in known for folder in _folders_of(path)}
        self._enter(walked, "", (), known=known, on_the_way=on_the_way, is_inside=False)
        return walked

    def sharing(self) -> Sharing:
        """Return what is said to be shared and left out; where that cannot be read, `problem` is set."""
        return self._wishes()

    @property
    def on_purpose(self) -> SharedOnPurpose:
        """What was wished to be shared when the folder was last walked through."""
        return self._rules.on_purpose

    def set_sharing(self, sharing: Sharing) -> None:
        """Store what is to be shared and left out from now on; raises NotWritableError."""
        write_atomically(self._settings.path, encode_sharing(sharing))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _enter(
        self,
        walked: Walked,
        folder: str,
        files: tuple[IgnoreFile, ...],
        *,
        known: Collection[str],
        on_the_way: Collection[str],
        is_inside: bool,
    ) -> None:
        try:
            names, folders, is_empty = self._list(folder)
        except _GoneError:
            return
        except NotReadableError as error:
            if not folder or not self._goes_past_closed:
                raise
            walked.closed[folder] = OutOfReachError(str(error))
            return
        walked.folders.append(folder)
        if is_empty and not is_inside and folder:
            walked.empty.add(folder)
        if not is_inside and any(entry.name == _IGNORE_FILE for entry in names):
            files = (*files, *self._ignore_file(folder))
        for entry in names:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if self._takes(path) or (self._is_for_texts and not is_untold(entry.name)):
                self._sort(walked, path, files, entry, is_known=path in known, is_inside=is_inside)
        for name in folders:
            path = f"{folder}/{name}" if folder else name
            is_out = self._leaves_out(f"{path}/", files, is_inside=is_inside)
            is_wanted = self._draft is not None or path in on_the_way or self._rules.may_share_inside(path)
            if not is_out or is_wanted:
                self._enter(walked, path, files, known=known, on_the_way=on_the_way, is_inside=is_out)

    def _sort(
        self, walked: Walked, path: str, files: tuple[IgnoreFile, ...], entry: Entry, *, is_known: bool, is_inside: bool
    ) -> None:
        is_out = not is_known and self._leaves_out(path, files, is_inside=is_inside)
        try:
            is_there = self._check(path, entry, is_known=is_known)
        except KindNotSharedError as error:
            if self._draft is not None:
                walked.left_out.append(path)
            elif not is_out and not is_untold(entry.name):
                walked.notes[path] = error
        except NotSharedError as error:
            if not is_out:
                walked.notes[path] = error
        except FilePathError as error:
            if not is_out:
                walked.refused[path] = error
        else:
            if is_there:
                (walked.left_out if is_out else walked.files).append(path)

    def _check(self, path: str, entry: Entry, *, is_known: bool) -> bool:
        """Say whether a file is one that is looked for here; raises FilePathError for one that cannot be shared."""
        is_taken = self._takes(path)
        if not entry.is_file:
            raise SpecialFileError(repr(path))
        if self._is_for_texts and is_obeyed(entry.name):
            raise LinkNotFollowedError(repr(path)) if _is_free_link(entry) else ObeyedFileError(repr(path))
        if not is_known and not self._brings_in(path) and not self._rules.on_purpose.names(path):
            raise KindNotSharedError(repr(path))
        if not is_taken and not may_be_shared(path):
            raise NameNotSharedError(repr(path))
        if entry.is_link:
            if not is_taken or not self._is_for_texts:
                raise LinkNotFollowedError(repr(path))
            linked_file(self._root, self._root / path)
        return is_taken

    def _list(self, folder: str) -> tuple[list[Entry], list[str], bool]:
        """Return files, links and what is neither, and the names of folders that may be the project's, in order.

        The last says whether nothing is in it, hidden files apart.
        """
        try:
            entries = self._disk.entries(self._root / folder)
        except (FileNotFoundError, NotADirectoryError) as error:
            if folder:  # another program took it away since the folder around it was listed
                raise _GoneError from error
            raise NotReadableError(f"{error.filename}: {error.strerror}") from error
        except OSError as error:
            raise NotReadableError(f"{error.filename}: {error.strerror}") from error
        names = sorted((entry for entry in entries if not entry.is_folder), key=lambda entry: entry.name)
        folders = sorted(entry.name for entry in entries if entry.is_folder and is_project_folder(entry.name))
        return names, folders, all(entry.name.startswith(".") for entry in entries)

    def _leaves_out(self, path: str, files: tuple[IgnoreFile, ...], *, is_inside: bool) -> bool:
        known = self._left_out.get(path)
        if known is None:
            known = self._left_out[path] = self._rules.leaves_out(path, files, is_inside=is_inside)
        return known

    def _refresh(self) -> None:
        """Read the settings and what stands above the folder; when anything is another one, forget what was decided."""
        sharing = self._wishes()
        above = tuple(self._ignore_files_above())
        inside = tuple(file.read() for path, file in self._files.items() if path.is_relative_to(self._root))
        if (sharing, above, inside) != self._made_of:
            self._rules = IgnoreRules(sharing, above)
            self._made_of = (sharing, above, inside)
            self._left_out = {}

    def _wishes(self) -> Sharing:
        """Nothing new is shared while it cannot be read what is to be left out."""
        if self._draft is not None:
            return self._draft
        try:
            sharing = self._settings.read() or Sharing()
        except ValueError as error:
            self.problem = NotReadableError(f"{self._settings.path}: {error}")
            return Sharing(leave_out=("*",))
        self.problem = None
        return sharing

    def _ignore_file(self, folder: str) -> list[IgnoreFile]:
        path = self._root / folder / _IGNORE_FILE
        if path not in self._files:
            self._files[path] = _Reread(path, lambda data: IgnoreFile(folder, _lines(data)))
            self._left_out = {}
        found = self._files[path].read()
        return [] if found is None else [found]

    def _ignore_files_above(self) -> list[IgnoreFile]:
        """Return what a repository says that the folder is in, or is."""
        repository = next((at for at in (self._root, *self._root.parents) if (at / ".git").exists()), None)
        if repository is None:
            return []
        between = [at for at in self._root.parents if at.is_relative_to(repository)]
        places = [repository / ".git" / "info" / "exclude", *(at / _IGNORE_FILE for at in reversed(between))]
        found = [self._ignore_file_above(path, repository if ".git" in path.parts else path.parent) for path in places]
        return [file for file in found if file is not None]

    def _ignore_file_above(self, path: Path, folder: Path) -> IgnoreFile | None:
        above = self._root.relative_to(folder).as_posix()
        if path not in self._files:
            self._files[path] = _Reread(
                path, lambda data: IgnoreFile("", _lines(data), above="" if above == "." else above)
            )
        return self._files[path].read()


def linked_file(root: Path, link: Path) -> Path:
    """Return the file behind a link; raises LinkNotFollowedError where that is not another text of the project."""
    try:
        target = link.resolve(strict=True)
        path = target.relative_to(root.resolve()).as_posix()
        if not is_project_text(path) or not is_usual(path) or not stat.S_ISREG(target.lstat().st_mode):
            raise LinkNotFollowedError(f"{link}: leads to {path!r}")
    except (OSError, RuntimeError, ValueError) as error:
        raise LinkNotFollowedError(f"{link}: leads out of the project") from error
    return target


def _is_free_link(entry: Entry) -> bool:
    """A link to a folder has a name that a file could not have."""
    return entry.is_link and not entry.name.startswith(".")


class _Reread(Generic[_T]):
    """A small file, decoded, and read again when it was touched; None when there is none that can be read."""

    def __init__(self, path: Path, decode: Callable[[bytes], _T]) -> None:
        self.path = path
        self._decode = decode
        self._stamp: object = None
        self._value: _T | None = None

    def read(self) -> _T | None:
        """Return what is in it now; raises what `decode` does."""
        stamp = self._stamp_now()
        if stamp is None or stamp != self._stamp:
            self._value = self._stamp = None
            self._value = self._read_anew() if stamp is not None else None
            self._stamp = stamp
        return self._value

    def _stamp_now(self) -> object:
        try:
            status = self.path.lstat()
        except OSError:
            return None
        is_ours = stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_BYTES
        return (status.st_ino, status.st_size, status.st_mtime_ns) if is_ours else None

    def _read_anew(self) -> _T | None:
        try:
            return self._decode(self.path.read_bytes())
        except OSError:
            return None


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="replace").removeprefix("\ufeff").splitlines()


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
