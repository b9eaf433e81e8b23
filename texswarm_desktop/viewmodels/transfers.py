"""Brings projects in and gives them out for a window: one at a time, beside the loop; it can be watched and given up.

Knows files and git by the services only, and loads these when they are first needed: most starts need none. What goes
wrong is raised; whoever asked tells the user.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.core.folder_name import folder_name
from texswarm_server.protocol.errors import TransferCancelledError

if TYPE_CHECKING:
    from texswarm_desktop.services.exporting import ExportReport
    from texswarm_desktop.services.importing import ImportReport
    from texswarm_desktop.services.unzip import Progress

T = TypeVar("T")

_STEPS: Final = 200


class ExportWish(msgspec.Struct, frozen=True):
    """What to give out, and where to."""

    archive: Path
    for_arxiv: bool = False
    keep_comments: bool = False


class Transfers(QObject):
    """Signal: `progressed(int, int)`: so much of so much is done; of nothing while that is not known."""

    progressed = Signal(int, int)

    def __init__(self, executor: Executor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = executor
        self._given_up: Event | None = None

    async def bring_in(self, source: str, folder: Path) -> "ImportReport":
        """Bring an archive, or a repository, into a new folder; raises what `import_project` raises."""
        from texswarm_desktop.services.importing import import_project  # noqa: PLC0415

        return await self._run(lambda progress: import_project(source, folder, progress))

    async def give_out(self, folder: Path, wish: ExportWish, main: str | None) -> "ExportReport":
        """Give out the project in `folder`; `main`: its main file, where it has one. Raises as the services do."""
        from texswarm_desktop.services.exporting import export_arxiv, export_zip  # noqa: PLC0415

        if wish.for_arxiv:
            work = partial(export_arxiv, folder, wish.archive, main=main, keep_comments=wish.keep_comments)
        else:
            work = partial(export_zip, folder, wish.archive)
        return await self._run(work)

    def cancel(self) -> None:
        """Give up what is being done, which leaves nothing behind and ends in TransferCancelledError."""
        if self._given_up is not None:
            self._given_up.set()

    async def _run(self, work: Callable[["Progress"], T]) -> T:
        self.cancel()
        given_up = self._given_up = Event()
        try:
            progress = self._progress(given_up)
            return await asyncio.get_running_loop().run_in_executor(self._executor, work, progress)
        finally:
            given_up.set()

    def _progress(self, given_up: Event) -> "Progress":
        """Return what the worker tells: passed on in a few steps only, and the way in which it hears of the end."""
        loop, told = asyncio.get_running_loop(), [-1]

        def tell(done: int, of: int) -> None:
            if given_up.is_set():
                raise TransferCancelledError
            step = done * _STEPS // of if of else -1
            if step != told[0]:
                told[0] = step
                loop.call_soon_threadsafe(self._on_progress, done, of)

        return tell

    def _on_progress(self, done: int, of: int) -> None:
        if self._given_up is not None and not self._given_up.is_set():
            self.progressed.emit(done * _STEPS // of if of else 0, _STEPS if of else 0)


def suggested_folder(projects_folder: Path, source: str) -> Path:
    """Return a folder that is not there yet, called after the source, among the other projects."""
    from texswarm_desktop.services.importing import name_of_source  # noqa: PLC0415

    name = name_of_source(source)
    try:
        taken = [entry.name for entry in projects_folder.iterdir()]
    except OSError:
        taken = []
    return projects_folder / folder_name(name, taken)
