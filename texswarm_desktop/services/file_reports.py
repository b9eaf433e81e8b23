"""What is to be told of single files of a folder: why one is not written here, or not shared."""

from collections.abc import Callable, Mapping

from texswarm_desktop.services.mirrored_paths import MirroredPaths
from texswarm_server.document.project_document import FileId
from texswarm_server.protocol.errors import TexSwarmError


class FileReports:
    """By path, as the project spells it where the file is in it. `on_changed` hears when it is another list."""

    def __init__(self, paths: MirroredPaths, *, on_changed: Callable[[], None]) -> None:
        self._paths = paths
        self._on_changed = on_changed
        self._told: dict[str, str] = {}
        self._unwritten: dict[FileId, TexSwarmError] = {}
        self.on_disk: dict[str, TexSwarmError] = {}

    @property
    def all(self) -> Mapping[str, TexSwarmError]:
        """Everything there is to be told now, in order."""
        placed = self._paths.of_files
        unwritten = {placed[one]: error for one, error in self._unwritten.items() if one in placed}
        here = {self._paths.shared(path): error for path, error in (self.on_disk | unwritten).items()}
        return dict(sorted({**here, **self._paths.refused}.items()))

    def written(self, file_ids: Mapping[FileId, object], errors: Mapping[FileId, TexSwarmError]) -> None:
        """Take in what a round of writing came to: what was written, and what was not."""
        self._unwritten = {one: error for one, error in self._unwritten.items() if one not in file_ids} | dict(errors)

    def tell(self) -> None:
        """Say that it is another list, if it is."""
        now = {path: str(error) for path, error in self.all.items()}
        if now != self._told:
            self._told = now
            self._on_changed()
