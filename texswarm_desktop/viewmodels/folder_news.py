"""Tells other programs on this computer how the project stands that is on the desk; knows no widgets."""

from collections.abc import Callable
from concurrent.futures import Executor

from PySide6.QtCore import QObject

from texswarm_desktop.client.states import Idle, state_name
from texswarm_desktop.client.status import holds_up
from texswarm_desktop.core.holder_news import HolderNews
from texswarm_desktop.services.at_rest import is_at_rest, missing_figures
from texswarm_desktop.services.folder_channel import FolderChannel
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.file_news import FileNews
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_server.protocol.errors import TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink


class FolderNews(QObject):
    """Stands beside one project from its opening to its closing."""

    def __init__(
        self,
        opened: OpenedProject,
        status: ConnectionView,
        *,
        sentence_of: Callable[[TexSwarmError], str],
        executor: Executor,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._opened, self._status = opened, status
        self._channel = FolderChannel(opened.project.folder, self._is_at_rest, executor=executor)
        self._files = FileNews(opened.project, sentence_of, self._tell)
        status.line_changed.connect(self._tell)
        status.state_changed.connect(self._tell)

    async def run(self) -> None:
        """Begin to tell."""
        self._tell()
        await self._channel.open()

    def stop(self) -> None:
        """Tell nobody any more, at once; once."""
        self._files.close()
        self._status.line_changed.disconnect(self._tell)
        self._status.state_changed.disconnect(self._tell)
        self._channel.stop()

    async def close(self) -> None:
        """Return when nobody is spoken with any more; after `stop`."""
        await self._channel.close()
        self.deleteLater()

    def _tell(self, *_change: object) -> None:
        status, project = self._status, self._opened.project
        state = status.state
        news = HolderNews(
            state=state_name(type(state or Idle())),
            text=status.line.whole,
            waiting=status.facts.unacknowledged,
            code=holds_up(state, status.facts),
            server=self._server,
            missing=missing_figures(project),
        )
        self._channel.tell(self._files.added_to(news))

    @property
    def _server(self) -> str:
        connection, project = self._opened.connection, self._opened.project
        if project.server_link is not None:
            return str(project.server_link)
        return str(InviteLink(connection.address, document_id=project.document_id)) if connection is not None else ""

    async def _is_at_rest(self) -> bool:
        return await is_at_rest(self._opened.project)
