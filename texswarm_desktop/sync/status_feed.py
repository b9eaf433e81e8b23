"""Watches a link and a project, and tells the reporter when there is something new to say about them.

A line that stands for less than a moment is not told: edits come and are stored all the time.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from texswarm_desktop.client.states import Idle, LinkState, Waiting, state_name
from texswarm_desktop.client.status import LinkFacts, holds_up, is_blip, next_look, present, refusal_to_show
from texswarm_desktop.core.holder_news import HolderNews
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.services.server_word import VIEWER
from texswarm_desktop.sync.reporter import Reporter
from texswarm_desktop.ui.error_texts import need_words
from texswarm_desktop.viewmodels.figure_view import transfer_facts
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import NotSharedError, TexSwarmError

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection

_MOMENT_S: Final = 0.25
_TRANSFER_EVERY_S: Final = 1.0


class StatusFeed(ProjectListener):
    """Listens to one connection and one project at a time; `on_news` is called at whatever happens to either."""

    def __init__(
        self, reporter: Reporter, on_news: Callable[[], None], on_status: Callable[[HolderNews], None]
    ) -> None:
        """`on_status`: takes the same words for other programs, which do not know our states."""
        self._reporter = reporter
        self._on_status = on_status
        self._on_news = on_news
        self._connection: Connection | None = None
        self._project: Project | None = None
        self._facts = LinkFacts()
        self._leave_connection: Callable[[], None] = nothing
        self._leave_project: Callable[[], None] = nothing
        self._timer: asyncio.TimerHandle | None = None
        self._told: object = None
        self._has_problem = False
        self._told_transfer_at: float | None = None
        self._told_files: dict[str, str] = {}
        self._told_notes: frozenset[str] = frozenset()

    def follow_connection(self, connection: "Connection") -> None:
        """Tell of this connection from now on."""
        self._leave_connection()
        self._connection = connection
        self._facts = replace(self._facts, server_name=str(connection.address))
        self._leave_connection = connection.subscribe(self._on_state)
        self._look_soon()

    def follow_project(self, project: Project) -> None:
        """Tell of this project from now on."""
        self._leave_project()
        self._project = project
        self._leave_project = project.subscribe(self)
        self.waiting_changed()
        self.files_changed()

    def set_opening(self, *, is_opening: bool) -> None:
        """Take in that a link stands for a document that is not open yet, or no longer."""
        self._facts = replace(self._facts, is_opening=is_opening)
        self._look_soon()

    def close(self) -> None:
        """Tell what is still to be told, and no more after that."""
        self._leave_connection()
        self._leave_project()
        if self._timer is not None:
            self._timer.cancel()
            self._tell()
        self._timer = None

    # ── what the project tells ──────────────────────────────────────────────────────────────────────────

    def transfers_changed(self) -> None:
        """Binary files travel, or do no more; told once a second, and when it is over."""
        assert self._project is not None
        now = time.monotonic()
        facts = transfer_facts(self._project.blobs, now)
        is_due = self._told_transfer_at is None or now - self._told_transfer_at >= _TRANSFER_EVERY_S
        if facts is not None and is_due:
            self._told_transfer_at = now
            self._reporter.transfer(facts)
        elif facts is None and self._told_transfer_at is not None:
            self._told_transfer_at = None
            self._reporter.transfer(None)
        self.waiting_changed()

    def waiting_changed(self) -> None:
        """Another number of edits or of figures waits for the server."""
        project = self._project
        assert project is not None
        count, reason, refusal = project.unacknowledged(), project.read_only, project.refusal
        code = refusal_to_show(
            None if refusal is None else refusal.code,
            is_viewer=reason == VIEWER,
            is_read_only=reason is not None,
            unacknowledged=count,
        )
        self._facts = replace(
            self._facts,
            unacknowledged=count,
            oldest_edit_at=project.oldest_unacknowledged_since if count else None,
            refusal=code,
            is_reading=reason is not None,
            unsent_files=project.blobs.unsent,
        )
        self._changed()

    def participants_changed(self) -> None:
        """One's own role may be another one."""
        self.waiting_changed()

    def problem(self, error: TexSwarmError | None) -> None:
        """Something is wrong with the disk or the server's answer, or no longer is."""
        if self._project is not None and error is self._project.refusal:
            error = None  # told by the status line
        if error is not None or self._has_problem:
            self._reporter.problem(error)
        self._has_problem = error is not None
        self._changed()

    def files_changed(self) -> None:
        """The folder shows it; what is to be told of single files is told once."""
        assert self._project is not None
        everything = self._project.file_problems
        notes = {path: error for path, error in everything.items() if isinstance(error, NotSharedError)}
        before, found = self._told_files, {path: one for path, one in everything.items() if path not in notes}
        self._told_files = {path: str(error) for path, error in found.items()}
        for path, error in found.items():
            if before.get(path) != str(error):
                self._reporter.file(path, error)
        for path in before.keys() - found.keys():
            self._reporter.file(path, None)
        if notes.keys() != self._told_notes:
            self._reporter.not_shared(notes, sorted(self._told_notes - notes.keys()))
            self._told_notes = frozenset(notes)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _on_state(self, _old: LinkState, _new: LinkState) -> None:
        self._changed()

    def _changed(self) -> None:
        self._look_soon()
        self._on_news()

    def _look_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer.when() > loop.time() + _MOMENT_S:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_later(_MOMENT_S, self._look)

    def _look(self) -> None:
        self._timer = None
        self._tell()
        later_s = next_look(self._state, self._facts, time.monotonic())
        if later_s is not None:
            self._timer = asyncio.get_running_loop().call_later(later_s, self._look)

    @property
    def _state(self) -> LinkState | None:
        return self._connection.state if self._connection is not None else None

    def _tell(self) -> None:
        """The seconds of a wait are not counted down: a wait is told once."""
        state = self._state
        now = time.monotonic()
        line = present(state, self._facts, now, need_words).whole
        told = state if isinstance(state, Waiting) and not is_blip(state, now) else line
        if told != self._told:
            self._told = told
            self._reporter.status(state, line, self._facts.unacknowledged)
        self._on_status(
            HolderNews(
                state=state_name(type(state or Idle())),
                text=line,
                waiting=self._facts.unacknowledged,
                code=holds_up(state, self._facts),
            )
        )
