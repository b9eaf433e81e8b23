"""The door of a project's folder: who may enter, and what is found inside. Every function blocks."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from texswarm_desktop.core.ignore_rules import SharedOnPurpose
from texswarm_desktop.core.local_names import POSIX, NameRules, rules_for
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.atomic_file import remove_leftovers, write_atomically
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.folder_lock import FolderLock, holder_of
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.project_identity import ProjectIdentity, read_identity
from texswarm_server.protocol.errors import FolderTakenError, NotReadableError

REPLICA_FILE: Final = "replica.db"
_LOCK_FILE: Final = "lock"
_PRIVATE_FOLDER: Final = 0o700
_IGNORE_EVERYTHING: Final = b"*\n"


class Entered(msgspec.Struct, frozen=True):
    """A folder nobody else has open now. `identity` is None when no replica is in it yet; `rules`: of its disk."""

    lock: FolderLock
    identity: ProjectIdentity | None
    rules: NameRules = POSIX


class Surroundings(msgspec.Struct, frozen=True):
    """What is in a folder: `found`, its texts by path, and what the people here wish to share (`on_purpose`)."""

    found: Mapping[str, DiskFile]
    on_purpose: SharedOnPurpose


def enter_folder(folder: Path) -> Entered:
    """Enter a folder that is there. Raises NotReadableError, NotWritableError or ProjectInUseError."""
    _list(folder)
    return _enter(folder)


def enter_or_make_folder(folder: Path) -> Entered:
    """Enter a folder, which is made if it is not there; raises as `enter_folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotReadableError(f"{folder}: not a folder") from error
    except OSError as error:
        raise not_writable(folder, error) from error
    return enter_folder(folder)


def enter_new_folder(folder: Path) -> Entered:
    """Enter a folder that is empty or not there yet; raises NotWritableError for another, and as `enter_folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    if _list(folder):
        raise FolderTakenError(f"{folder}: not empty")
    return _enter(folder)


def look_around(folder: Path) -> Surroundings:
    """Look at all that is in a folder that was entered, and let nobody's leftovers stay; raises NotReadableError."""
    disk = ProjectFolder(folder)
    disk.remove_leftovers()
    found = disk.scan()
    return Surroundings(found, disk.on_purpose)


def _list(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise NotReadableError(f"{folder}: {error.strerror}") from error


def _enter(folder: Path) -> Entered:
    own = folder / OWN_FOLDER
    if own.is_symlink():
        raise NotReadableError(f"{own}: a symbolic link")
    try:
        own.mkdir(_PRIVATE_FOLDER, exist_ok=True)
    except OSError as error:
        raise not_writable(own, error) from error
    lock = FolderLock(lock_path(folder))
    try:
        return _make_ready(folder, own, lock)
    except BaseException:
        lock.release()
        raise


def _make_ready(folder: Path, own: Path, lock: FolderLock) -> Entered:
    remove_leftovers(own)
    ignore = own / ".gitignore"
    if not ignore.exists():
        write_atomically(ignore, _IGNORE_EVERYTHING)
    return Entered(lock, read_identity(folder), _rules_of(own))


def _rules_of(own: Path) -> NameRules:
    """Ask the disk whether it tells letter case apart: our own folder is there under one spelling."""
    folds_case = own.with_name(OWN_FOLDER.upper()).exists()
    return rules_for(sys.platform, folds_case=folds_case)


def is_open_elsewhere(folder: Path) -> bool:
    """Say whether a process has the project in `folder` open, at this moment."""
    return holder_of(lock_path(folder)) is not None


def lock_path(folder: Path) -> Path:
    """Return where the lock of a project's folder is."""
    return folder / OWN_FOLDER / _LOCK_FILE
