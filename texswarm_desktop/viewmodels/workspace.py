"""What a window works on, and the roads to it: new, open, host, join, connect.

One window, one project. Everything here that can fail for a reason the user must know ends in `notice`, with an error
that carries data; the words are chosen in `ui`. What the program can mend by itself is a state of the connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.link import TransportFactory
from texswarm_desktop.client.states import Closed, Idle, LinkState, Live, NeedsUser
from texswarm_desktop.core.palette import color_of
from texswarm_desktop.core.settings import KnownServer
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.services.embedded_server import EmbeddedServer, HostConfig
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.viewmodels.connection_view import ConnectionView, Hosting
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.people import Person
from texswarm_server.protocol.errors import ErrorCode, LinkError, LinkLostError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link
from texswarm_server.protocol.messages import (
    CreateDocument,
    CreateInvite,
    DocumentInfo,
    DocumentList,
    InviteCreated,
    ListDocuments,
    RedeemInvite,
)

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection

_log: Final = logging.getLogger(__name__)
_OWN_SERVER: Final = "embedded"
#: Where a host listens: on every interface.
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - to host for the network is the point
_ESCAPED: Final = {character: f"\\{character}" for character in "#$%&_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}

NewTransport = Callable[[str | None], TransportFactory]
"""Makes what opens a link, given the fingerprint of the certificate to insist on."""


@dataclass(frozen=True, slots=True)
class DocumentChoice:
    """A server without a document in the link: the user says which one, or that this project goes there."""

    link: InviteLink
    documents: tuple[DocumentInfo, ...]
    can_create: bool


class LinkCancelledError(LinkError):
    """The user ended an attempt, or a newer one replaced it."""


class Workspace(QObject):
    """The project of one window and its link. Invariant: at most one project, one connection, one embedded server.

    Signals: `opened_changed(OpenedProject)`; `closing()` before the views of the open project are closed;
    `notice(Exception | None)`, None when the last one no longer matters; `hosting_changed(Hosting | None)`;
    `choice_needed(DocumentChoice)`; `busy_changed(str)`.
    """

    opened_changed = Signal(object)
    closing = Signal()
    notice = Signal(object)
    hosting_changed = Signal(object)
    choice_needed = Signal(object)
    busy_changed = Signal(str)

    def __init__(
        self,
        *,
        library: Library,
        credentials: CredentialStore,
        settings: SettingsStore,
        status: ConnectionView,
        host_data: Path,
        new_transport: NewTransport,
        scope: TaskScope,
        host_address: str = EVERYWHERE,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._credentials = credentials
        self._settings = settings
        self._status = status
        self._host_data = host_data
        self._new_transport = new_transport
        self._scope = scope
        self._host_address = host_address
        self._host: EmbeddedServer | None = None
        self._pending: Connection | None = None
        self.opened: OpenedProject | None = None
        self.hosting: Hosting | None = None

    # ── who sits here ───────────────────────────────────────────────────────────────────────────────────

    @property
    def me(self) -> Person:
        """This installation's user."""
        user_id, settings = self._credentials.user_id, self._settings.settings
        return Person(user_id, settings.name or self._credentials.default_name, settings.color or color_of(user_id))

    def set_name(self, name: str) -> None:
        """Take in the name others shall see."""
        name = name.strip()
        if not name or name == self._settings.settings.name:
            return
        self._settings.set_name(name)
        if self.opened is not None:
            self.opened.set_me(self.me)

    # ── local work ──────────────────────────────────────────────────────────────────────────────────────

    async def new(self, title: str) -> None:
        """Make a project in the projects folder and open it."""
        await self._show(await self._library.create(title, {"main.tex": first_text(title)}))

    async def open_welcome(self) -> None:
        """Open a copy of the small paper that comes with the program."""
        await self._show(await self._library.create_welcome())

    async def open(self, folder: Path) -> None:
        """Open a folder as a project, and link it to its server if it has one."""
        if self.opened is not None and self.opened.project.folder == folder:
            return
        project = await self._library.open(folder)
        await self._show(project)
        if project.server_link is not None:
            await self._link(project.server_link)

    async def close(self) -> None:
        """Let go of everything; returns when what was typed is stored here."""
        await self._end_pending()
        await self.stop_hosting()
        if self.opened is None:
            return
        await self.opened.project.kept()
        opened, self.opened = self.opened, None
        self.closing.emit()
        await opened.close()

    # ── hosting ─────────────────────────────────────────────────────────────────────────────────────────

    async def host(self) -> str:
        """Share the open project from this computer and return the link to pass on."""
        opened = self._require_opened()
        if self.hosting is not None:
            return self.hosting.link
        self.notice.emit(None)
        config = HostConfig(data=self._host_data, host=self._host_address, name=self.me.name)
        self._host = host = EmbeddedServer(config)
        try:
            started = await host.start(opened.project.document_id)
            own_way_in = InviteLink(started.address, started.owner_invite)
            connection = await self._connected(own_way_in, key=_OWN_SERVER)
            await self._share(opened.project, connection)
            token = await self._invite(connection, opened.project.document_id)
        except BaseException:
            await self._end_pending()
            await self.stop_hosting()
            raise
        self._pending = None
        await opened.attach(connection)
        self._library.remember(opened.project)
        link = InviteLink(started.public_address, token, opened.project.document_id)
        self._set_hosting(Hosting(address=str(started.public_address), link=str(link)))
        opened.participants.others_changed.connect(self._on_participants_others)
        self._on_participants_others(0)
        return str(link)

    async def stop_hosting(self) -> None:
        """End the sharing; guests keep their copies. May be called at any time."""
        host, self._host = self._host, None
        if host is None:
            return
        if self.opened is not None:
            self.opened.participants.others_changed.disconnect(self._on_participants_others)
            await self.opened.detach()
        self._set_hosting(None)
        await host.stop()

    # ── joining ─────────────────────────────────────────────────────────────────────────────────────────

    async def join(self, text: str, name: str = "") -> None:
        """Follow a link somebody sent: sign in, and open the document it names; raises what `notice` should show."""
        self.set_name(name)
        await self._follow(parse_invite_link(text))

    async def connect_to(self, address: str, invitation: str, name: str = "") -> None:
        """Sign in at a server; the invitation may be a link of its own, or the bare secret."""
        self.set_name(name)
        link = parse_invite_link(invitation if "://" in invitation else address)
        if "://" not in invitation and invitation.strip():
            link = InviteLink(link.address, invitation.strip(), link.document_id, link.fingerprint)
        await self._follow(link)

    async def choose(self, link: InviteLink, document_id: str) -> None:
        """Open one of the documents that were offered."""
        await self._follow(InviteLink(link.address, link.token, document_id, link.fingerprint))

    async def share_at(self, link: InviteLink) -> None:
        """Put the open project on a server, and keep it linked."""
        opened = self._require_opened()
        async with self._signed_in(link) as connection:
            await self._share(opened.project, connection)
            await self._keep(opened, connection, link)

    async def invite(self) -> InviteLink:
        """Return a link that lets somebody else in where the project is shared; raises RejectedError or LinkError."""
        opened = self._require_opened()
        link = opened.project.server_link
        if opened.connection is None or link is None:
            raise LinkLostError("the project is not on a server")
        return replace(link, token=await self._invite(opened.connection, opened.project.document_id))

    async def keep_both(self) -> None:
        """Two histories of one document: let the copy here be a local project, and fetch the server's beside it."""
        opened = self._require_opened()
        link = opened.project.server_link
        if link is not None:
            opened.project.forget_server()
            await self._follow(link)

    def cancel(self) -> None:
        """Give up the attempt to reach a server; an open project goes on locally."""
        if self._pending is not None:
            self._pending.close()
        elif self.opened is not None and self.hosting is None:
            self._scope.start("cancel", self.opened.detach())

    def work_locally(self) -> None:
        """Cut the project loose from its server for now; the local copy stays."""
        if self.opened is not None:
            self.opened.project.forget_server()
            self._scope.start("work locally", self.opened.detach())

    def network_changed(self, is_online: bool) -> None:
        """Pass on what the system says about the network."""
        for connection in (self._pending, self.opened.connection if self.opened else None):
            if connection is not None:
                connection.network_changed(is_online)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _require_opened(self) -> OpenedProject:
        if self.opened is None:
            raise RuntimeError("no project is open")
        return self.opened

    async def _show(self, project: Project) -> None:
        await self.close()
        self.notice.emit(None)
        opened = OpenedProject(project, me=self.me, status=self._status, on_problem=self.notice.emit, parent=self)
        self.opened = opened
        self._library.remember(project)
        self.opened_changed.emit(opened)

    async def _link(self, link: InviteLink) -> None:
        """Connect the open project to the server it belongs to; a state from here on, whatever happens."""
        opened = self._require_opened()
        connection = await self._new_connection(link)
        connection.connect()
        await opened.attach(connection)

    async def _follow(self, link: InviteLink) -> None:
        self.notice.emit(None)
        async with self._signed_in(link) as connection:
            await self._follow_on(connection, link)

    async def _follow_on(self, connection: "Connection", link: InviteLink) -> None:
        documents = await self._documents(connection, link)
        chosen = next((one for one in documents if one.id == link.document_id), None)
        if chosen is None:
            await self._offer(connection, link, documents)
            return
        if not self._is_open_here(chosen):
            project = await self._library.replica(chosen.id, chosen.lineage, chosen.title)
            self._pending = None
            await self._show(project)
        await self._keep(self._require_opened(), connection, link)

    def _is_open_here(self, document: DocumentInfo) -> bool:
        project = self.opened.project if self.opened is not None else None
        return project is not None and (project.document_id, project.lineage) == (document.id, document.lineage)

    async def _keep(self, opened: OpenedProject, connection: "Connection", link: InviteLink) -> None:
        self._pending = None
        opened.project.bind_server(InviteLink(link.address, None, opened.project.document_id, link.fingerprint))
        self._settings.add_server(KnownServer(address=str(InviteLink(link.address))))
        await opened.attach(connection)

    async def _offer(self, connection: "Connection", link: InviteLink, documents: tuple[DocumentInfo, ...]) -> None:
        welcome = connection.welcome
        can_create = welcome is not None and welcome.can_create
        await self._end_pending()
        if link.document_id is not None:
            raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
        self.choice_needed.emit(DocumentChoice(link, documents, can_create))

    async def _documents(self, connection: "Connection", link: InviteLink) -> tuple[DocumentInfo, ...]:
        """Return what the user may see there, after the invitation was used for what it is good for."""
        documents = await _listed(connection)
        if link.token is None or link.document_id in {one.id for one in documents}:
            return documents
        try:
            await connection.request(RedeemInvite(token=link.token))
        except RejectedError as error:
            if link.document_id is not None:
                raise
            _log.info("the invitation brought nothing new: %s", error)
        return await _listed(connection)

    @asynccontextmanager
    async def _signed_in(self, link: InviteLink) -> AsyncIterator["Connection"]:
        """A connection on which the server let us in; ended again when what it was made for fails."""
        connection = await self._connected(link)
        try:
            yield connection
        except BaseException:
            await self._end_pending()
            raise

    async def _connected(self, link: InviteLink, *, key: str | None = None) -> "Connection":
        """Return a connection on which the server let us in; raises LinkCancelledError or RejectedError."""
        await self._end_pending()
        connection = self._pending = await self._new_connection(link, key)
        self._status.set_server_name(str(link.address))
        self._status.set_opening(is_opening=True)
        self._status.attach(connection)
        connection.connect()
        try:
            await _let_in(connection)
        except BaseException:
            await self._end_pending()
            raise
        return connection

    async def _new_connection(self, link: InviteLink, key: str | None = None) -> "Connection":
        credentials = await self._credentials.for_server(link.address, invite=link.token, key=key)
        credentials.describe(self.me.name, self.me.color)
        from texswarm_desktop.client.connection import Connection  # noqa: PLC0415 - most starts need none

        transport = self._new_transport(link.fingerprint)
        connection = Connection(address=link.address, credentials=credentials, transport=transport)
        await connection.__aenter__()
        return connection

    async def _end_pending(self) -> None:
        connection, self._pending = self._pending, None
        if connection is None:
            return
        self._status.set_opening(is_opening=False)
        self._status.detach()
        if self.opened is not None and self.opened.connection is not None:
            self._status.attach(self.opened.connection)
        connection.close()
        await connection.__aexit__(None, None, None)

    async def _share(self, project: Project, connection: "Connection") -> None:
        document = project.document
        await connection.request(
            CreateDocument(
                title=document.title or project.folder.name, document_id=project.document_id, lineage=project.lineage
            )
        )

    @staticmethod
    async def _invite(connection: "Connection", document_id: str) -> str:
        answer = await connection.request(CreateInvite(document_id=document_id, role="editor"))
        assert isinstance(answer, InviteCreated)
        return answer.token

    def _set_hosting(self, hosting: Hosting | None) -> None:
        self.hosting = hosting
        self._status.set_hosting(hosting)
        self.hosting_changed.emit(hosting)

    def _on_participants_others(self, people: int) -> None:
        if self.hosting is not None:
            self._set_hosting(Hosting(self.hosting.address, self.hosting.link, people))


async def _listed(connection: "Connection") -> tuple[DocumentInfo, ...]:
    answer = await connection.request(ListDocuments())
    assert isinstance(answer, DocumentList)
    return tuple(answer.documents)


async def _let_in(connection: "Connection") -> None:
    """Wait until a connection without documents is live; raises RejectedError or LinkCancelledError."""
    settled: asyncio.Future[LinkState] = asyncio.get_running_loop().create_future()

    def look(_old: LinkState, new: LinkState) -> None:
        if isinstance(new, Live | NeedsUser | Closed) and not settled.done():
            settled.set_result(new)

    unsubscribe = connection.subscribe(look)
    try:
        look(Idle(), connection.state)
        state = await settled
    finally:
        unsubscribe()
    if isinstance(state, NeedsUser):
        raise RejectedError(state.code, state.message)
    if isinstance(state, Closed):
        raise LinkCancelledError("cancelled")


def first_text(title: str) -> str:
    """Return what a new project's main file begins with."""
    name = "".join(_ESCAPED.get(character, character) for character in title)
    return (
        "\\documentclass{article}\n\n"
        f"\\title{{{name}}}\n\\author{{}}\n\n"
        "\\begin{document}\n\\maketitle\n\n\n\n\\end{document}\n"
    )
