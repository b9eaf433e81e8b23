"""Which document a folder is a replica of: a small file beside the replica, readable without opening it.

Written once the replica is durable, so its presence also says that a replica must be there: an empty database beside it
is damage, and nothing new. Every function blocks.
"""

from pathlib import Path
from typing import Final

import msgspec

from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.atomic_file import PRIVATE_MODE, write_atomically

_FILE: Final = "project.json"


class ProjectIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """`lineage` is None for a replica that has not met its document yet."""

    document_id: str
    lineage: str | None = None


def read_identity(folder: Path) -> ProjectIdentity | None:
    """Return whose replica is in `folder`, or None where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / OWN_FOLDER / _FILE).read_bytes(), type=ProjectIdentity)
    except (OSError, msgspec.DecodeError, UnicodeError):
        return None


def write_identity(folder: Path, identity: ProjectIdentity) -> None:
    """Note whose replica is in `folder`; raises NotWritableError."""
    if read_identity(folder) != identity:
        write_atomically(folder / OWN_FOLDER / _FILE, msgspec.json.encode(identity), mode=PRIVATE_MODE)


def forget_identity(folder: Path) -> None:
    """Note that no replica is in `folder` any more; raises OSError."""
    (folder / OWN_FOLDER / _FILE).unlink(missing_ok=True)
