"""Binary files that are no more on the disk, and that another program may have open: what it writes there is not lost.

As `services.replaced_files` for texts: who opened a file before it was replaced or deleted here writes into one that
has no name any more. Such a file is looked at until nobody can be writing to it.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from texswarm_desktop.core.figure_changes import LateFigure
from texswarm_desktop.services.disk import HeldFile
from texswarm_desktop.services.figure_record import FigureRecord, Stamp, stamp_of
from texswarm_desktop.services.kept_open import KeptOpen
from texswarm_server.document.project_document import FileId


class ReplacedFigure(msgspec.Struct, frozen=True):
    """A file of which we took the place, or which we deleted: as it was then, and held open."""

    record: FigureRecord
    held: HeldFile

    def stamp(self) -> Stamp:
        """Say how it looks from outside now; blocks, and raises OSError."""
        return stamp_of(self.held.status())


class _Kept(msgspec.Struct):
    file_id: FileId
    figure: ReplacedFigure


class ReplacedFigures(KeptOpen[_Kept]):
    """Belongs to the loop, except what `look` returns."""

    def keep(self, files: Iterable[tuple[FileId, ReplacedFigure]], now: float) -> None:
        """Look into these from now on; each with the file of the project that it was."""
        for file_id, figure in files:
            self._hold(_Kept(file_id, figure), now)

    def look(self) -> Callable[[], dict[str, Stamp]]:
        """Return what looks which of them were written to; blocks."""
        figures = {name: held.file.figure for name, held in self._held.items()}

        def look() -> dict[str, Stamp]:
            found = {}
            for name, figure in figures.items():
                with suppress(OSError):
                    if (stamp := figure.stamp()) != figure.record.stamp:
                        found[name] = stamp
            return found

        return look

    def figure(self, name: str) -> ReplacedFigure:
        """Return one, as it is known."""
        return self._held[name].file.figure

    def saves(self, found: Mapping[str, FigureRecord]) -> dict[str, LateFigure]:
        """Return what was written to those of which contents were `found`."""
        late = {}
        for name, record in found.items():
            kept = self._held[name].file
            known = kept.figure.record
            late[name] = LateFigure(kept.file_id, known.path, known.blob.blob_hash, record.blob.blob_hash)
        return late

    def taken(self, name: str, record: FigureRecord, now: float, file_id: FileId | None = None) -> None:
        """Hear that what was written to one is dealt with; it is in the file `file_id` now, if that is another one."""
        held = self._held[name]
        kept, held.since = held.file, now
        kept.figure = replace(kept.figure, record=record)
        kept.file_id = file_id or kept.file_id

    def _close_file(self, file: _Kept) -> None:
        file.figure.held.close()
