"""A folder on the desk that is only looked at, with its views, and why: another process has it, or nothing can be
written there.

Knows no widgets, and has no link: what it shows is the disk.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from texswarm_desktop.client.status import NOTHING_WRITABLE, OPEN_ELSEWHERE
from texswarm_desktop.services.observed_folder import ObservedFolder
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.participants_view import ParticipantsView
from texswarm_desktop.viewmodels.people import Person
from texswarm_desktop.viewmodels.presence_view import PresenceView
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_server.protocol.errors import ProjectInUseError, StorageError


class ObservedProject(QObject):
    """Stands on the desk until it is closed. The status line says all the while why nothing can be written."""

    def __init__(
        self,
        observed: ObservedFolder,
        *,
        me: Person,
        status: ConnectionView,
        on_problem: Callable[[Exception | None], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._observed, self._status, self._on_problem = observed, status, on_problem
        self.view = ProjectView(observed, self, obstacle=observed.reason)
        self.participants = ParticipantsView(observed, me, self)
        self.presence = PresenceView(observed, me, self)
        self._unsubscribe = observed.subscribe(self)
        self._tell_obstacle()

    @property
    def folder(self) -> Path:
        """The folder that is looked at."""
        return self._observed.folder

    @property
    def reason(self) -> StorageError:
        """Why it is only looked at."""
        return self._observed.reason

    def set_reason(self, reason: StorageError) -> None:
        """Take in another reason, or that somebody else has the project now."""
        self._observed.reason = self.view.obstacle = reason
        self._tell_obstacle()

    async def close(self) -> None:
        """Close the views and look no more."""
        self._unsubscribe()
        self._status.set_obstacle("")
        self.presence.close()
        self.participants.close()
        self.view.close()
        await self._observed.close()

    def _tell_obstacle(self) -> None:
        reason = self.reason
        if isinstance(reason, ProjectInUseError):
            self._status.set_obstacle(OPEN_ELSEWHERE, reason.holder)
        else:
            self._status.set_obstacle(NOTHING_WRITABLE)

    def files_changed(self) -> None:
        """Shown by the project's view."""

    def problem(self, error: Exception | None) -> None:
        """Pass on that the folder cannot be looked at, or (None) can again."""
        self._on_problem(error)
