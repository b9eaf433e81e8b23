"""What a folder holds, looked at from outside: before it is opened, and without changing anything in it.

Every function blocks.
"""

import hashlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from texswarm_desktop.core.file_differences import FileSet
from texswarm_desktop.core.project_files import OWN_FOLDER, may_be_binary
from texswarm_desktop.services.figure_folder import is_product
from texswarm_desktop.services.folder_walk import FolderWalk
from texswarm_desktop.services.project_entry import REPLICA_FILE
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.project_identity import ProjectIdentity, read_identity
from texswarm_desktop.services.replica_database import read_meta
from texswarm_server.protocol.errors import NotReadableError, SettingsError, StorageError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link


@dataclass(frozen=True, slots=True)
class FolderSurvey:
    """`texts` by path; `figures`: paths of what is none.

    `identity` and `server` are None for a plain folder, and for one that is not there.
    """

    identity: ProjectIdentity | None = None
    server: InviteLink | None = None
    texts: dict[str, str] = field(default_factory=dict)
    figures: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it that could be lost."""
        return not any(self.texts.values()) and not self.figures


def survey(folder: Path) -> FolderSurvey:
    """Look at a folder, which need not be there; raises NotReadableError."""
    if not folder.exists():
        return FolderSurvey()
    if not folder.is_dir():
        raise NotReadableError(f"{folder}: not a folder")
    found = ProjectFolder(folder).scan()
    texts = {path: file.decoded.text for path, file in found.items() if file.decoded is not None}
    identity = read_identity(folder)
    server = _server_of(folder) if identity is not None else None
    return FolderSurvey(identity, server, texts, tuple(figures_in(folder, texts)))


def figures_in(folder: Path, texts: Collection[str]) -> list[str]:
    """Return the paths of what would be shared and is none of the `texts`; raises NotReadableError."""
    found = FolderWalk(folder, takes=may_be_binary).walk().files
    return [path for path in found if path not in texts and not is_product(folder / path)]


def files_of(folder: Path) -> FileSet:
    """Return everything in a folder that would be shared, to be compared; raises NotReadableError."""
    found = survey(folder)
    try:
        return FileSet(found.texts, {path: _hash_of(folder / path) for path in found.figures})
    except OSError as error:
        raise NotReadableError(f"{error.filename}: {error.strerror}") from error


def _hash_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _server_of(folder: Path) -> InviteLink | None:
    with suppress(StorageError, SettingsError):
        kept = read_meta(folder / OWN_FOLDER / REPLICA_FILE, "server")
        return parse_invite_link(kept) if kept is not None else None
    return None
