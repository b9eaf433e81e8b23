"""What a folder holds, looked at from outside: before it is opened, and without changing anything in it.

Every function blocks.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.project_entry import REPLICA_FILE
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.project_identity import ProjectIdentity, read_identity
from texswarm_desktop.services.replica_database import read_meta
from texswarm_server.protocol.errors import NotReadableError, SettingsError, StorageError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link


@dataclass(frozen=True, slots=True)
class FolderSurvey:
    """`texts` by path. `identity` and `server` are None for a plain folder, and for one that is not there."""

    identity: ProjectIdentity | None = None
    server: InviteLink | None = None
    texts: dict[str, str] = field(default_factory=dict)


def survey(folder: Path) -> FolderSurvey:
    """Look at a folder, which need not be there; raises NotReadableError."""
    if not folder.exists():
        return FolderSurvey()
    if not folder.is_dir():
        raise NotReadableError(f"{folder}: not a folder")
    found = ProjectFolder(folder).scan()
    texts = {path: file.decoded.text for path, file in found.items() if file.decoded is not None}
    identity = read_identity(folder)
    return FolderSurvey(identity, _server_of(folder) if identity is not None else None, texts)


def _server_of(folder: Path) -> InviteLink | None:
    with suppress(StorageError, SettingsError):
        kept = read_meta(folder / OWN_FOLDER / REPLICA_FILE, "server")
        return parse_invite_link(kept) if kept is not None else None
    return None
