"""Brings many new files of a folder into a document bit by bit, so that nobody who writes meanwhile is held up.

Each portion becomes durable as a whole, with what is known of its files, so that a crash between two of them leaves a
project with fewer files: what is not there yet is found in the folder the next time, as what another program made.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from texswarm_desktop.core.reconcile import Add, Step
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.paths import usual_main
from texswarm_server.protocol.errors import FilePathError

#: What is brought in without anybody noticing, and how much at a time beyond that; code points.
_AT_ONCE_CP: Final = 512 * 1024
_PORTION_CP: Final = 512 * 1024
#: For whatever else waits for its turn.
_PAUSE_S: Final = 0.001


def can_wait(steps: Iterable[Step], found: Mapping[str, DiskFile], *, has_main: bool) -> frozenset[str]:
    """Return the paths of new files that may be brought in later: all but the one that is looked at first.

    None when all of them are few. `has_main`: the document has a file to begin with already.
    """
    fresh = [step.path for step in steps if isinstance(step, Add)]
    first = None if has_main else usual_main(fresh)
    later = frozenset(path for path in fresh if path != first)
    return later if sum(_length(found[path]) for path in later) > _AT_ONCE_CP else frozenset()


class FolderImport:
    """One import at most. `add` takes a file into the document; `on_done` is called when the last one is in."""

    def __init__(
        self,
        store: ReplicaStore,
        *,
        add: Callable[[str, DiskFile], None],
        before_write: Callable[[], None],
        on_done: Callable[[], None],
    ) -> None:
        self._store, self._add = store, add
        self._before_write, self._on_done = before_write, on_done
        self._loop = asyncio.get_running_loop()
        self._files: list[tuple[str, DiskFile]] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_going(self) -> bool:
        """Whether files are still to be brought in."""
        return self._timer is not None

    def begin(self, files: Mapping[str, DiskFile]) -> None:
        """Bring in these files, from the next turn on."""
        if files:
            self._files = sorted(files.items(), reverse=True)
            self._wait()

    def give_up(self) -> None:
        """Leave what is not in yet to the next look at the folder."""
        self._files = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = self._loop.call_later(_PAUSE_S, self._portion)

    def _portion(self) -> None:
        left = _PORTION_CP
        with self._store.together():
            while self._files and left > 0:
                path, file = self._files.pop()
                left -= _length(file)
                try:
                    self._add(path, file)
                except FilePathError:
                    continue  # somebody made a file of that name meanwhile: the next look sees both
            self._before_write()
        self._store.wake()
        if self._files:
            self._wait()
        else:
            self._timer = None
            self._on_done()


def _length(file: DiskFile) -> int:
    return len(file.decoded.text) if file.decoded else 0
