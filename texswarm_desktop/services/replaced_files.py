"""Files that are no more on the disk, and that another program may have open: what it writes there is not lost.

A program that saves in place opens the file, empties it and writes. When we replace the file in between, it writes into
one that has no name any more, and never hears of it. So for a moment each replaced file is looked at further.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

import msgspec

from texswarm_desktop.core.disk_changes import LateSave
from texswarm_desktop.core.renames import Seen
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.folder_writer import Replaced
from texswarm_desktop.services.kept_open import KeptOpen


class _Kept(msgspec.Struct):
    replaced: Replaced
    text: str


class ReplacedFiles(KeptOpen[_Kept]):
    """Belongs to the loop, except what `look` returns."""

    def keep(self, files: Iterable[Replaced], now: float) -> None:
        """Look into these from now on."""
        for one in files:
            self._hold(_Kept(one, one.text), now)

    def look(self) -> Callable[[], dict[str, DiskFile]]:
        """Return what looks which of them were written to; blocks."""
        files = {name: held.file.replaced.file for name, held in self._held.items()}

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
        return self._held[name].file.text

    def saves(self, names: Collection[str], found: Mapping[str, DiskFile]) -> dict[str, LateSave]:
        """Return what was written to those of `names`."""
        return {
            name: LateSave(
                held.file.replaced.file_id,
                held.file.replaced.file.path,
                held.file.text,
                Seen(found[name].state.digest, None, found[name].text),
            )
            for name, held in self._held.items()
            if name in names
        }

    def taken(self, name: str, found: DiskFile, now: float) -> None:
        """Hear that what was written to one is in the document."""
        if (held := self._held.get(name)) is not None:
            held.since = now
            held.file.text, held.file.replaced.file.known = found.text or "", found.state

    def _close_file(self, file: _Kept) -> None:
        file.replaced.file.close()
