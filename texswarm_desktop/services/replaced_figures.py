"""Binary files that are no more on the disk, and that another program may have open: what it writes there is not lost.

As `services.replaced_files` for texts: who opened a file before it was replaced or deleted here writes into one that
has no name any more. Such a file is looked at until nobody can be writing to it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from texswarm_desktop.core.figure_changes import LateFigure
from texswarm_desktop.services.disk import HeldFile
from texswarm_desktop.services.figure_record import FigureRecord, Stamp, stamp_of
from texswarm_desktop.services.replaced_files import HELD_S, MOST_HELD
from texswarm_server.document.project_document import FileId

_PREFIX: Final = "replaced: "
#: Timers may ring early.
_SLACK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class ReplacedFigure:
    """A file of which we took the place, or which we deleted: as it was then, and held open."""

    record: FigureRecord
    held: HeldFile

    def stamp(self) -> Stamp:
        """Say how it looks from outside now; blocks, and raises OSError."""
        return stamp_of(self.held.status())


@dataclass(slots=True)
class _Kept:
    file_id: FileId
    figure: ReplacedFigure
    since: float


class ReplacedFigures:
    """Belongs to the loop, except what `look` returns. Files go by names of their own, which are no paths."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._count = 0

    def keep(self, files: Iterable[tuple[FileId, ReplacedFigure]], now: float) -> None:
        """Look into these from now on; each with the file of the project that it was."""
        for file_id, figure in files:
            self._count += 1
            self._kept[f"{_PREFIX}{self._count}"] = _Kept(file_id, figure, now)
        while len(self._kept) > MOST_HELD:
            self._drop(next(iter(self._kept)))

    def look(self) -> Callable[[], dict[str, Stamp]]:
        """Return what looks which of them were written to; blocks."""
        figures = {name: kept.figure for name, kept in self._kept.items()}

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
        return self._kept[name].figure

    def saves(self, found: Mapping[str, FigureRecord]) -> dict[str, LateFigure]:
        """Return what was written to those of which contents were `found`."""
        late = {}
        for name, record in found.items():
            kept = self._kept[name]
            known = kept.figure.record
            late[name] = LateFigure(kept.file_id, known.path, known.blob.blob_hash, record.blob.blob_hash)
        return late

    def taken(self, name: str, record: FigureRecord, now: float, file_id: FileId | None = None) -> None:
        """Hear that what was written to one is dealt with; it is in the file `file_id` now, if that is another one."""
        kept = self._kept[name]
        kept.figure, kept.since = replace(kept.figure, record=record), now
        kept.file_id = file_id or kept.file_id

    def drop_old(self, now: float, *, kept: Collection[str]) -> None:
        """Let go of those that nobody wrote to for long, `kept` ones apart."""
        for name in [name for name, one in self._kept.items() if name not in kept and now - one.since > HELD_S]:
            self._drop(name)

    def rest_s(self, now: float) -> float | None:
        """Say in how many seconds one may be let go of, None where there is none."""
        return min((max(one.since + HELD_S - now, 0.0) + _SLACK_S for one in self._kept.values()), default=None)

    def close(self) -> None:
        """Let go of all."""
        for name in list(self._kept):
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._kept.pop(name).figure.held.close()
