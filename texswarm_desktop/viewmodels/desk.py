"""What lies on the desk of a window: a project, or a folder that is only looked at.

Knows nothing of how a server is reached: who puts a project here links it again by what it was given for that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.server_talk import end_connection
from texswarm_desktop.core.reload_limit import ReloadLimit
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.project import Project
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.people import Person
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_desktop.viewmodels.sharing import Sharing
from texswarm_server.protocol.errors import DamagedDocumentError, NotWritableError, ProjectInUseError, StorageError

if TYPE_CHECKING:
    from texswarm_desktop.viewmodels.observed_project import ObservedProject

_BRING_UP_TRIES: Final = 5
_BRING_UP_PAUSE_S: Final = 0.2
#: How often, and how many times in a row, a project is found closed that another process had: it may be started anew.
_FREE_PAUSE_S: Final = 1.0
_FREE_TIMES: Final = 2


class Desk(QObject):
    """Invariant: `opened` is the project, or `observed` a folder that is only looked at; never both.

    What is on the desk leaves it only when it is stored. `link_again` connects an opened project to the server it
    belongs to; `bring_up` asks the window that has a folder open to come to the front, and tells whether one did;
    `until_seen` returns when the desk can be seen, from when on there is time for what nobody waits for.
    Everything but `opened`, `observed` and `require_opened` is for who is on the `road`.

    Signals: `opened_changed(OpenedProject)`; `observed_changed(ObservedProject)`; `attached(str)` with a folder that
    another window shows; `closing()` before the views of what is on the desk are closed; `notice(Exception | None)`.
    """

    opened_changed = Signal(object)
    observed_changed = Signal(object)
    attached = Signal(str)
    closing = Signal()
    notice = Signal(object)

    def __init__(
        self,
        *,
        library: Library,
        status: ConnectionView,
        sharing: Sharing,
        me: Callable[[], Person],
        road: Callable[[], AbstractAsyncContextManager[None]],
        link_again: Callable[[], Awaitable[None]],
        bring_up: Callable[[Path], bool],
        until_seen: Callable[[], Awaitable[None]],
        scope: TaskScope,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._status = status
        self._sharing = sharing
        self._me = me
        self._road = road
        self._link_again = link_again
        self._bring_up = bring_up
        self._until_seen = until_seen
        self._scope = scope
        self._reloads = ReloadLimit()
        self.opened: OpenedProject | None = None
        self.observed: ObservedProject | None = None

    def require_opened(self) -> OpenedProject:
        """Raises the StorageError that keeps what is looked at from being a project."""
        if self.opened is None:
            raise RuntimeError("no project is open") if self.observed is None else self.observed.reason
        return self.opened

    async def open(self, folder: Path) -> bool:
        """Put a folder on the desk, as a project if that can be, and say whether it is there now.

        One that another window has is shown there; one that another program has, or that takes no writing, is only
        looked at.
        """
        if self.opened is not None and is_same(self.opened.project.folder, folder):
            return True
        try:
            project = await self._library.open(folder, ahead=True)
        except ProjectInUseError as error:
            if await self.brought_up(error):
                return False
            await self.observe(folder, error)
        except NotWritableError as error:
            await self.observe(folder, error)
        else:
            await self.show_ahead(project)
        return True

    async def brought_up(self, error: ProjectInUseError) -> bool:
        """Ask the window that has the project to come to the front; one that is just opening it gets a moment."""
        tries = _BRING_UP_TRIES if error.program == "texswarm" else 1
        for number in range(tries):
            if number:
                await asyncio.sleep(_BRING_UP_PAUSE_S)
            if self._bring_up(Path(error.folder)):
                self.attached.emit(error.folder)
                return True
        return False

    async def observe(self, folder: Path, reason: StorageError) -> None:
        """Put a folder on the desk that is only looked at; one that is there already stays as it is."""
        if self.observed is not None and is_same(self.observed.folder, folder):
            self.observed.set_reason(reason)
            return
        found = await self._library.observe(folder, reason)
        try:
            await self.leave()
        except BaseException:
            await found.close()
            raise
        from texswarm_desktop.viewmodels.observed_project import ObservedProject  # noqa: PLC0415 - seldom needed

        self.notice.emit(None)
        self.observed = ObservedProject(
            found, me=self._me(), status=self._status, on_problem=self.notice.emit, parent=self
        )
        self.observed_changed.emit(self.observed)
        self._scope.start("wait for the project", self._wait_for_project(self.observed))

    async def _wait_for_project(self, observed: "ObservedProject") -> None:
        """Open as a project what another process had open, once that is gone and does not come again at once."""
        free = 0
        while self.observed is observed:
            await asyncio.sleep(_FREE_PAUSE_S)
            if not isinstance(observed.reason, ProjectInUseError):
                continue
            free = 0 if await self._library.is_open_elsewhere(observed.folder) else free + 1
            if free >= _FREE_TIMES:
                await self._open_in_place_of(observed)
                free = 0

    async def _open_in_place_of(self, observed: "ObservedProject") -> None:
        """Nothing is lost by that: what is only looked at is what is on the disk, and the project takes that in."""
        async with self._road():
            if self.observed is not observed:
                return
            try:
                project = await self._library.open(observed.folder)
            except ProjectInUseError as error:
                observed.set_reason(error)
                return
            except StorageError:
                return  # as before: one reads, and can try again
            paths, current = open_paths_of(observed.view)
            await self.show(project)
            await self._link_again()
            self.require_opened().view.open_paths(paths, current)

    async def show(self, project: Project) -> None:
        """Put another project on the desk; raises StorageError, and keeps the one there, when that cannot be stored."""
        try:
            await self.leave()
        except BaseException:
            await project.close(discard=True)
            raise
        self.notice.emit(None)
        self.present(project)

    async def show_ahead(self, project: Project) -> None:
        """Put a project on the desk that was opened ahead of its folder, then look at that, and link it again.

        Raises StorageError, and leaves the desk empty, where the folder cannot be looked at.
        """
        await self.show(project)
        await self._until_seen()
        try:
            await project.catch_up()
        except StorageError:
            await self.leave()
            raise
        await self._link_again()

    def present(self, project: Project) -> None:
        """Put a project on the desk, on which nothing is."""
        opened = OpenedProject(project, me=self._me(), status=self._status, on_problem=self._on_problem, parent=self)
        self.opened = opened
        self._library.remember(project)
        self.opened_changed.emit(opened)

    def _on_problem(self, error: Exception | None) -> None:
        self.notice.emit(error)
        if not isinstance(error, DamagedDocumentError) or self.opened is None:
            return
        if self._reloads.allows(asyncio.get_running_loop().time()):
            self._scope.start("load again", self._load_again(self.opened))

    async def _load_again(self, opened: OpenedProject) -> None:
        """Put the stored replica in the place of one that an edit broke in memory, on the link that stands."""
        async with self._road():
            if self.opened is not opened:
                return
            try:
                await opened.project.kept()
            except StorageError:
                return  # which is told, and leaves the project as it is: what was typed is in memory only
            files, current = opened.view.open_files, opened.view.current
            connection, key, self.opened = opened.connection, opened.server_key, None
            opened.release()
            self._sharing.unfollow()
            self.closing.emit()
            try:
                await opened.close()
                opened.deleteLater()
                self.present(await self._library.open(opened.project.folder))
            except StorageError as error:
                await self._sharing.end()
                if connection is not None:
                    await end_connection(connection)
                self.notice.emit(error)
                return
            again = self.require_opened()
            if self._sharing.hosting is not None:
                self._sharing.follow(again)
            if connection is not None:
                await again.attach(connection, key=key)
            again.view.open_again(files, current)
            self.notice.emit(None)

    async def leave(self) -> None:
        """Let go of the open project; raises StorageError, and keeps it on the desk, when it cannot be stored."""
        if self.observed is not None:
            observed, self.observed = self.observed, None
            self.closing.emit()
            await observed.close()
            observed.deleteLater()
        if self.opened is None:
            return
        await self.opened.project.kept()
        await self._sharing.end()
        opened, self.opened = self.opened, None
        self.closing.emit()
        try:
            await opened.close()
        except StorageError:
            self.present(opened.project)
            await self._link_again()
            raise
        finally:
            opened.deleteLater()


def open_paths_of(view: ProjectView) -> tuple[list[str], str]:
    """Return the paths of the files that are open, and of the one that is worked on."""
    return [view.path_of(one) for one in view.open_files], view.path_of(view.current or "")


def is_same(folder: Path, other: Path) -> bool:
    """Say whether both are one folder."""
    try:
        return folder == other or folder.samefile(other)
    except OSError:
        return False
