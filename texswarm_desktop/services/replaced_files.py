"""Files that are no more on the disk, and that another program may have open: what it writes there is not lost.

A program that saves in place opens the file, empties it and writes. When we replace the file in between, it writes into
one that has no name any more, and never hears of it. So for a moment each replaced file is looked at further.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from texswarm_desktop.core.disk_changes import LateSave
from texswarm_desktop.core.renames import Seen
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.folder_writer import Replaced

#: For how long, after it was replaced or last written to.
HELD_S: Final = 2.0
#: How many at once; each costs a descriptor.
MOST_HELD: Final = 64
_PREFIX: Final = "replaced: "


@dataclass(slots=True)
class _Kept:
    replaced: Replaced
    text: str
    since: float


class ReplacedFiles:
    """Belongs to the loop, except what `look` returns. Files go by names of their own, which are no paths."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._count = 0

    def keep(self, files: Iterable[Replaced], now: float) -> None:
        """Look into these from now on."""
        for one in files:
            self._count += 1
            self._kept[f"{_PREFIX}{self._count}"] = _Kept(one, one.text, now)
        while len(self._kept) > MOST_HELD:
            self._drop(next(iter(self._kept)))

    def look(self) -> Callable[[], dict[str, DiskFile]]:
        """Return what looks which of them were written to; blocks."""
        files = {name: kept.replaced.file for name, kept in self._kept.items()}

        def look() -> dict[str, DiskFile]:
            found = {}
            for name, file in files.items():
                with suppress(OSError):
                    seen = file.look()
                    if seen is not None and seen.text is not None:
                        found[name] = seen
            return found

        return look

    def text_of(self, name: str) -> str:
        """Return what is known to be in one."""
        return self._kept[name].text

    def saves(self, names: Collection[str], found: Mapping[str, DiskFile]) -> dict[str, LateSave]:
        """Return what was written to those of `names`."""
        return {
            name: LateSave(
                kept.replaced.file_id,
                kept.replaced.file.path,
                kept.text,
                Seen(found[name].state.digest, None, found[name].text),
            )
            for name, kept in self._kept.items()
            if name in names
        }

    def taken(self, name: str, found: DiskFile, now: float) -> None:
        """Hear that what was written to one is in the document."""
        if (kept := self._kept.get(name)) is not None:
            kept.text, kept.since, kept.replaced.file.known = found.text or "", now, found.state

    def drop_old(self, now: float, *, kept: Collection[str]) -> None:
        """Let go of those that nobody wrote to for long, `kept` ones apart."""
        for name in [name for name, one in self._kept.items() if name not in kept and now - one.since > HELD_S]:
            self._drop(name)

    def close(self) -> None:
        """Let go of all."""
        for name in list(self._kept):
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._kept.pop(name).replaced.file.close()
