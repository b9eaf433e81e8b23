"""Who hears what happens to a project."""

from texswarm_server.protocol.errors import TexSwarmError


class ProjectListener:
    """Whoever derives from this overrides what it wants to hear; the rest is passed over."""

    def files_changed(self) -> None:
        """The tree, the title, the main file, or what is to be told of single files is another one."""

    def participants_changed(self) -> None:
        """Somebody came, left, or is in another state; or one's own role is another one."""

    def presence_changed(self) -> None:
        """Somebody's caret moved."""

    def waiting_changed(self) -> None:
        """Another number of edits waits for the server."""

    def transfers_changed(self) -> None:
        """Binary files travel, or do no more: see `Project.blobs`."""

    def problem(self, error: TexSwarmError | None) -> None:
        """Something is wrong with the disk or the server's answer, or (None) no longer is."""
