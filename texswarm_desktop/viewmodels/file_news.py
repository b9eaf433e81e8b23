"""What is to be told to other programs of a project's files: which are in trouble, and how far figures travelled."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from msgspec import structs

from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.core.holder_news import HolderNews, Travel
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.viewmodels.figure_view import transfer_facts
from texswarm_server.protocol.errors import NotSharedError, TexSwarmError

_TRANSFER_EVERY_S: Final = 1.0
#: Of more than these nobody reads a line each, and what is told must stay small.
_MOST_FILES: Final = 500


class FileNews(ProjectListener):
    """Listens to one project until it is closed; `on_change` is called when there is something else to tell.

    `sentence_of`: the words about what is in the way of a file.
    """

    def __init__(
        self, project: Project, sentence_of: Callable[[TexSwarmError], str], on_change: Callable[[], None]
    ) -> None:
        self._project, self._sentence_of, self._on_change = project, sentence_of, on_change
        self._problem: TexSwarmError | None = None
        self._travel: tuple[Travel | None, Travel | None] = (None, None)
        self._told_at: float | None = None
        self._leave = project.subscribe(self)

    def close(self) -> None:
        """Listen no more."""
        self._leave()

    def added_to(self, news: HolderNews) -> HolderNews:
        """Return the news with what is to be told of files."""
        everything = dict(islice(sorted(self._project.file_problems.items()), _MOST_FILES))
        told = {_shown(path): self._sentence_of(error) for path, error in everything.items()}
        notes = {_shown(path) for path, error in everything.items() if isinstance(error, NotSharedError)}
        problem = self._problem if self._problem is not self._project.refusal else None  # told by the status
        return structs.replace(
            news,
            files={path: sentence for path, sentence in told.items() if path not in notes},
            notes={path: sentence for path, sentence in told.items() if path in notes},
            problem=self._sentence_of(problem) if problem is not None else "",
            sending=self._travel[0],
            fetching=self._travel[1],
        )

    # ── what the project tells ──────────────────────────────────────────────────────────────────────────

    def files_changed(self) -> None:
        """Also of single files."""
        self._on_change()

    def problem(self, error: TexSwarmError | None) -> None:
        """Something is wrong with the disk, or no longer is."""
        self._problem = error
        self._on_change()

    def transfers_changed(self) -> None:
        """Told once a second, and when it is over."""
        now = time.monotonic()
        facts = transfer_facts(self._project.blobs, now)
        if facts is not None and self._told_at is not None and now - self._told_at < _TRANSFER_EVERY_S:
            return
        travel = (_travel(facts.sending), _travel(facts.fetching)) if facts is not None else (None, None)
        self._told_at = now if facts is not None else None
        if travel != self._travel:
            self._travel = travel
            self._on_change()


def _travel(progress: Progress | None) -> Travel | None:
    return Travel(progress.done_bytes, progress.total_bytes, progress.files) if progress is not None else None


def _shown(path: str) -> str:
    """A name of a file may hold bytes that are no text."""
    return path.encode(errors="replace").decode()
