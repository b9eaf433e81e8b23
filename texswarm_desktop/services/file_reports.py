"""What is to be told of single files of a folder: why one is not written here, or not shared."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from texswarm_desktop.services.mirrored_paths import MirroredPaths
from texswarm_server.document.project_document import FileId
from texswarm_server.protocol.errors import EncodingTooSmallError, TexSwarmError

#: How long a file must be there that is not shared, and that nothing is wrong with: programs make some for a moment.
_LASTING_S: Final = 1.0


class FileReports:
    """By path, as the project spells it where the file is in it. `on_changed` hears when it is another list."""

    def __init__(self, paths: MirroredPaths, *, on_changed: Callable[[], None]) -> None:
        self._paths = paths
        self._on_changed = on_changed
        self._loop = asyncio.get_running_loop()
        self._told: dict[str, str] = {}
        self._unwritten: dict[FileId, TexSwarmError] = {}
        self._hindered: Mapping[str, TexSwarmError] = {}
        self._lost: set[FileId] = set()
        self._notes: Mapping[str, TexSwarmError] | None = None
        self._fresh: Mapping[str, TexSwarmError] = {}
        self._waiting: Collection[str] = ()
        self._timer: asyncio.TimerHandle | None = None
        self.on_disk: dict[str, TexSwarmError] = {}

    @property
    def all(self) -> Mapping[str, TexSwarmError]:
        """Everything there is to be told now, in order."""
        placed = self._paths.of_files
        unwritten = {placed[one]: error for one, error in self._unwritten.items() if one in placed}
        lost = {placed[one]: EncodingTooSmallError(placed[one]) for one in self._lost if one in placed}
        on_disk = {**(self._notes or {}), **lost, **self._hindered, **self.on_disk, **unwritten}
        here = {self._paths.shared(path): error for path, error in on_disk.items()}
        return dict(sorted({**here, **self._paths.refused}.items()))

    def written(
        self,
        file_ids: Mapping[FileId, object],
        errors: Mapping[FileId, TexSwarmError],
        hindered: Mapping[str, TexSwarmError],
    ) -> None:
        """Take in what a round of writing came to: what was written, and what was not.

        What was `hindered` is tried again in each round; by path.
        """
        self._unwritten = {one: error for one, error in self._unwritten.items() if one not in file_ids} | dict(errors)
        self._hindered = hindered

    def note(self, notes: Mapping[str, TexSwarmError]) -> None:
        """Take in what a look found that is not shared; what was there from the beginning is told at once."""
        known = notes if self._notes is None else self._notes
        self._notes, self._fresh = {path: error for path, error in notes.items() if path in known}, notes
        self._wait()

    def note_spelling(self, file_id: FileId, *, is_lost: bool) -> None:
        """Take in whether a text has a character that its encoding lacks."""
        (self._lost.add if is_lost else self._lost.discard)(file_id)

    def tell(self) -> None:
        """Say that it is another list, if it is."""
        now = {path: str(error) for path, error in self.all.items()}
        if now != self._told:
            self._told = now
            self._on_changed()

    def stop(self) -> None:
        """Tell nothing by itself any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        self._notes = {
            path: error for path, error in self._fresh.items() if path in {*self._waiting, *(self._notes or ())}
        }
        self.tell()
        self._wait()

    def _wait(self) -> None:
        waiting = self._fresh.keys() - (self._notes or {}).keys()
        if waiting and self._timer is None:
            self._waiting = waiting
            self._timer = self._loop.call_later(_LASTING_S, self._on_timer)
