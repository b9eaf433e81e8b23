"""Puts what a folder holds aside before another history takes its place: into `.texswarm`, or beside the folder.

The order is such that a crash at any point loses nothing: what is put aside is complete before anything is taken away.
Every function blocks.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from texswarm_desktop.core.folder_name import folder_name
from texswarm_desktop.core.joining import copy_name
from texswarm_desktop.core.project_files import OWN_FOLDER, may_be_binary
from texswarm_desktop.services.atomic_file import sync_folder, write_atomically
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.folder_walk import FolderWalk
from texswarm_desktop.services.project_entry import REPLICA_FILE, enter_folder, look_around
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.project_identity import forget_identity
from texswarm_desktop.services.replica_database import ReplicaDatabase
from texswarm_server.protocol.errors import StorageError

BACKUPS: Final = "backups"
#: The last two are what a crash leaves beside a database.
_DATABASE_FILES: Final = (REPLICA_FILE, f"{REPLICA_FILE}-wal", f"{REPLICA_FILE}-shm")


def put_inside(folder: Path, now: datetime) -> Path:
    """Empty a folder of its project, and return where in `.texswarm` all of it is kept.

    Raises NotWritableError, NotReadableError or ProjectInUseError; whatever was not put aside is as it was then.
    """
    entered = enter_folder(folder)
    try:
        found = look_around(folder).found
        figures = FolderWalk(folder, takes=may_be_binary).walk().files
        backup = _copy_of_texts(folder, found, now)
        forget_identity(folder)
        _move_replica(folder / OWN_FOLDER, backup)
        _move_files(folder, backup, [path for path in figures if path not in found])
        disk = ProjectFolder(folder)
        for path, file in found.items():
            disk.remove(path, expected=file.state)
    except OSError as error:
        raise not_writable(folder, error) from error
    finally:
        entered.lock.release()
    return backup


def put_beside(folder: Path, now: datetime) -> Path:
    """Let a folder become a copy beside itself, with all it holds, and return where that is.

    Raises NotWritableError, NotReadableError or ProjectInUseError; the folder is where it was then.
    """
    entered = enter_folder(folder)
    try:
        look_around(folder)  # what cannot be read here cannot be there either
    finally:
        entered.lock.release()
    try:
        taken = [entry.name for entry in folder.parent.iterdir()]
        copy = folder.with_name(folder_name(copy_name(folder.name, f"{now:%Y-%m-%d}"), taken))
        folder.rename(copy)
    except OSError as error:
        raise not_writable(folder, error) from error
    sync_folder(folder.parent)
    return copy


def _copy_of_texts(folder: Path, paths: Iterable[str], now: datetime) -> Path:
    backup = _new_folder(folder / OWN_FOLDER / BACKUPS, f"{now:%Y-%m-%d %H.%M.%S}")
    for path in paths:
        target = backup / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, (folder / path).read_bytes())
    sync_folder(backup.parent)
    return backup


def _move_files(folder: Path, backup: Path, paths: Iterable[str]) -> None:
    """Figures, and what LaTeX made: each is in one place or the other, and nobody takes it for deleted any more."""
    for path in paths:
        target = backup / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / path).replace(target)
        with suppress(OSError):  # what is not empty stays
            for parent in (folder / path).parents:
                if parent == folder:
                    break
                parent.rmdir()


def _new_folder(place: Path, name: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    made = place / folder_name(name, [entry.name for entry in place.iterdir()])
    made.mkdir()
    return made


def _move_replica(own: Path, backup: Path) -> None:
    """With what a crash left beside the database in it, so that it is one file."""
    with suppress(StorageError):
        if (own / REPLICA_FILE).exists():
            ReplicaDatabase(own / REPLICA_FILE).close()
    for name in reversed(_DATABASE_FILES):
        with suppress(FileNotFoundError):
            os.replace(own / name, backup / name)  # noqa: PTH105 - within one disk, and atomic
    sync_folder(own)
