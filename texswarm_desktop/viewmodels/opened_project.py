"""One project on the desk: the replica, what is shown of it, and its link to a server while it has one.

Knows no widgets. It owns the connection it is given and ends it; who made the embedded server ends that.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from texswarm_desktop.client.server_talk import end_connection
from texswarm_desktop.client.states import LinkState, Live, Syncing
from texswarm_desktop.client.status import refusal_to_show
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.services.server_word import VIEWER
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.lobby_view import LobbyView
from texswarm_desktop.viewmodels.participants_view import ParticipantsView
from texswarm_desktop.viewmodels.people import Person
from texswarm_desktop.viewmodels.presence_view import PresenceView
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import LinkError

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection


class OpenedProject(QObject, ProjectListener):
    """A project with its views. Invariant: while `connection` is not None, the project is open on it."""

    def __init__(
        self,
        project: Project,
        *,
        me: Person,
        status: ConnectionView,
        on_problem: Callable[[Exception | None], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.project = project
        self.view = ProjectView(project, self)
        self.participants = ParticipantsView(project, me, self)
        self.presence = PresenceView(project, me, self)
        self.lobby = LobbyView(project.document_id, self)
        self._me = me
        self.connection: Connection | None = None
        self.server_key = ""
        self._leave_link: Callable[[], None] = nothing
        self._status = status
        self._on_problem = on_problem
        self._unsubscribe = project.subscribe(self)
        self.waiting_changed()

    @property
    def document(self) -> ProjectDocument:
        """The replica."""
        return self.project.document

    async def attach(self, connection: "Connection", *, key: str = "") -> None:
        """Open the project on `connection`, which is up or coming up and is owned here from now on.

        `key`: what the server is known by, its address unless given.
        """
        await self.detach()
        self.connection, self.server_key = connection, key or str(connection.address)
        self._leave_link = connection.subscribe(self._on_connection_state)
        self._keep_session()
        self.set_me(self._me)
        self.lobby.attach(connection)
        self.project.shared.attach(connection.add(self.project.shared))
        self._status.set_opening(is_opening=False)
        self.waiting_changed()
        self.show_link()

    def show_link(self) -> None:
        """Let the status line show the link of this project, if it has one."""
        if self.connection is not None:
            self._status.set_server_name(str(self.connection.address))
            self._status.attach(self.connection)

    async def detach(self) -> None:
        """End the link; the project goes on locally."""
        connection = self.release()
        if connection is not None:
            await end_connection(connection)

    def release(self) -> "Connection | None":
        """Leave the link to somebody else, who owns it from now on; the project goes on locally."""
        connection, self.connection = self.connection, None
        self.waiting_changed()
        if connection is None:
            return None
        self._leave_link()
        self.lobby.detach()
        self._status.detach()
        connection.remove(self.project.document_id)
        self.project.shared.detach()
        self._tell_refusal()
        return connection

    async def close(self) -> None:
        """Leave the server, close the views, and return when everything typed is stored here."""
        await self.detach()
        self._unsubscribe()
        self.presence.close()
        self.participants.close()
        self.view.close()
        await self.project.close()

    @property
    def me(self) -> Person:
        """Who sits here, as the server knows them: by another id than this installation's where it gave one."""
        return self.participants.me

    def set_me(self, me: Person) -> None:
        """Take in another name or colour."""
        self._me = me
        welcome = self.connection.welcome if self.connection is not None else None
        known_as = welcome.user_id if welcome is not None else None
        shown = Person(known_as or self.me.user_id, me.name, me.color)
        if shown != self.me:
            self.participants.set_me(shown)
            self.presence.set_me(shown)

    async def tell_name(self) -> None:
        """Let the others see another name or colour; without a link they do when it is back."""
        if self.connection is not None:
            with suppress(LinkError):
                await self.connection.describe(self._me.name, self._me.color)

    def _on_connection_state(self, _old: LinkState, new: LinkState) -> None:
        if isinstance(new, Syncing | Live):
            self._keep_session()
            self.set_me(self._me)

    def _keep_session(self) -> None:
        """So that the next start of the program goes on with it."""
        welcome = self.connection.welcome if self.connection is not None else None
        if welcome is not None and welcome.session_id is not None:
            self.project.keep_session(self.server_key, welcome.session_id)

    # ── what the project tells ──────────────────────────────────────────────────────────────────────────

    def waiting_changed(self) -> None:
        """Tell the status line what the project's server has not stored; where it has none, nothing waits."""
        has_server = self.connection is not None or self.project.server_link is not None
        count = self.project.unacknowledged() if has_server else 0
        since = self.project.oldest_unacknowledged_since if count else None
        self._status.set_unacknowledged(count, since, files=self.project.blobs.unsent if has_server else 0)
        self._tell_refusal()

    def transfers_changed(self) -> None:
        """A figure is stored by the server, or is still to be."""
        self.waiting_changed()

    def problem(self, error: Exception | None) -> None:
        """Pass on what is wrong with the disk or with the server's answer, or that it no longer is."""
        self._on_problem(error)

    def _tell_refusal(self) -> None:
        refusal, reason = self.project.refusal, self.project.read_only
        code = refusal_to_show(
            None if refusal is None else refusal.code,
            is_viewer=reason == VIEWER,
            is_read_only=reason is not None,
            unacknowledged=self.project.unacknowledged(),
        )
        self._status.set_refusal(code, reason or "", is_reading=reason is not None)

    def participants_changed(self) -> None:
        """The participants' view shows them; the status line, whether the server takes what is written here."""
        self._tell_refusal()
