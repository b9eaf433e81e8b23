"""A file as the mirror knows it to be on disk."""

import msgspec

from texswarm_desktop.core.reconcile import Record
from texswarm_desktop.core.renames import Mirrored
from texswarm_desktop.services.disk_state import DiskState
from texswarm_server.document.text_format import TextFormat


class MirroredFile(msgspec.Struct, frozen=True):
    """What we know to be on disk for a file: the last state that was written, or read and brought in."""

    path: str
    text: str
    format: TextFormat
    state: DiskState

    @property
    def record(self) -> Record:
        """The part that is kept for the next start."""
        return Record(self.path, self.text, self.format, self.state.digest)

    @property
    def mirrored(self) -> Mirrored:
        """The part that decisions are made of."""
        return Mirrored(self.path, self.text, self.state.digest, self.state.stamp.inode)
