"""What a window works on, and the roads to it: new, open, host, join, connect.

One window, one project. Everything here that can fail for a reason the user must know ends in `notice`, with an error
that carries data; the words are chosen in `ui`. What the program can mend by itself is a state of the connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
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
from texswarm_desktop.services.embedded_server import EmbeddedServer, HostConfig, HostStarted
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.viewmodels.connection_view import ConnectionView, Hosting
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.people import Person
from texswarm_server.protocol.errors import ErrorCode, LinkError, LinkLostError, RejectedError, StorageError
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

    The roads are gone one at a time, in the order they were asked for.

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
        self._gives_way = False
        self._impatient = 0
        self._turn = asyncio.Lock()
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
        async with self._road():
            await self._show(await self._library.create(title, {"main.tex": first_text(title)}))

    async def open_welcome(self) -> None:
        """Open a copy of the small paper that comes with the program."""
        async with self._road():
            await self._show(await self._library.create_welcome())

    async def open(self, folder: Path) -> None:
        """Open a folder as a project, and link it to its server if it has one."""
        async with self._road():
            if self.opened is not None and _is_same(self.opened.project.folder, folder):
                return
            await self._show(await self._library.open(folder))
            await self._link_again()

    async def close(self) -> None:
        """Let go of everything; returns when what was typed is stored here.

        Raises StorageError, and leaves the project open, when it cannot be.
        """
        async with self._road():
            await self._leave()

    # ── hosting ─────────────────────────────────────────────────────────────────────────────────────────

    async def host(self) -> str:
        """Share the open project from this computer and return the link to pass on."""
        async with self._road():
            return (self.hosting or await self._begin_hosting(self._require_opened())).link

    async def stop_hosting(self) -> None:
        """End the sharing; guests keep their copies. May be called at any time."""
        async with self._road():
            await self._end_hosting()

    # ── joining ─────────────────────────────────────────────────────────────────────────────────────────

    async def join(self, text: str, name: str = "") -> None:
        """Follow a link somebody sent: sign in, and open the document it names; raises what `notice` should show."""
        self.set_name(name)
        link = parse_invite_link(text)
        async with self._road():
            await self._follow(link)

    async def connect_to(self, address: str, invitation: str, name: str = "") -> None:
        """Sign in at a server; the invitation may be a link of its own, or the bare secret."""
        self.set_name(name)
        link = parse_invite_link(invitation if "://" in invitation else address)
        if "://" not in invitation and invitation.strip():
            link = InviteLink(link.address, invitation.strip(), link.document_id, link.fingerprint)
        async with self._road():
            await self._follow(link)

    async def choose(self, link: InviteLink, document_id: str) -> None:
        """Open one of the documents that were offered."""
        async with self._road():
            await self._follow(replace(link, document_id=document_id))

    async def share_at(self, link: InviteLink) -> None:
        """Put the open project on a server, and keep it linked."""
        async with self._road():
            opened = self._require_opened()
            async with self._reached(link) as connection:
                await self._share(opened.project, connection, link.token)
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
        async with self._road():
            opened = self._require_opened()
            link = opened.project.server_link
            if link is None:
                return
            opened.project.forget_server()
            try:
                await self._follow(link)
            except BaseException:
                if self.opened is opened:
                    opened.project.bind_server(link)
                raise

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

    @asynccontextmanager
    async def _road(self) -> AsyncIterator[None]:
        """One road at a time; an attempt to reach a server elsewhere, which may last for ever, gives way."""
        self._impatient += 1
        if self._pending is not None and self._gives_way:
            self._pending.close()
        try:
            await self._turn.acquire()
        finally:
            self._impatient -= 1
        try:
            yield
        finally:
            self._turn.release()

    async def _show(self, project: Project) -> None:
        """Put another project on the desk; raises StorageError, and keeps the one there, when that cannot be stored."""
        try:
            await self._leave()
        except BaseException:
            await project.close(discard=True)
            raise
        self.notice.emit(None)
        self._present(project)

    def _present(self, project: Project) -> None:
        opened = OpenedProject(project, me=self.me, status=self._status, on_problem=self.notice.emit, parent=self)
        self.opened = opened
        self._library.remember(project)
        self.opened_changed.emit(opened)

    async def _leave(self) -> None:
        """Let go of the open project; raises StorageError, and keeps it on the desk, when it cannot be stored."""
        if self.opened is None:
            return
        await self.opened.project.kept()
        await self._end_hosting()
        opened, self.opened = self.opened, None
        self.closing.emit()
        try:
            await opened.close()
        except StorageError:
            self._present(opened.project)
            await self._link_again()
            raise

    async def _link_again(self) -> None:
        """Connect the open project to the server it belongs to; a state from here on, whatever happens."""
        opened = self._require_opened()
        link = opened.project.server_link
        if link is not None:
            connection = await self._new_connection(link)
            connection.connect()
            await opened.attach(connection)

    async def _begin_hosting(self, opened: OpenedProject) -> Hosting:
        self.notice.emit(None)
        config = HostConfig(data=self._host_data, host=self._host_address, name=self.me.name)
        self._host = host = EmbeddedServer(config)
        try:
            started = await host.start(opened.project.document_id)
            token = await self._enter_own_server(opened, started)
        except BaseException:
            await self._end_hosting()
            raise
        self._library.remember(opened.project)
        link = InviteLink(started.public_address, token, opened.project.document_id)
        hosting = Hosting(address=str(started.public_address), link=str(link))
        self._set_hosting(hosting)
        opened.participants.others_changed.connect(self._on_participants_others)
        return hosting

    async def _enter_own_server(self, opened: OpenedProject, started: HostStarted) -> str:
        """Open the project on the server that has just started, and return an invitation for others."""
        own_way_in = InviteLink(started.address, started.owner_invite)
        async with self._reached(own_way_in, key=_OWN_SERVER) as connection:
            await self._share(opened.project, connection, started.owner_invite)
            token = await self._invite(connection, opened.project.document_id)
            await opened.attach(connection)
            self._pending = None
        return token

    async def _end_hosting(self) -> None:
        host, self._host = self._host, None
        if self.hosting is not None:
            opened = self._require_opened()
            opened.participants.others_changed.disconnect(self._on_participants_others)
            self._set_hosting(None)
            await opened.detach()
        if host is not None:
            await host.stop()

    async def _follow(self, link: InviteLink) -> None:
        self.notice.emit(None)
        async with self._reached(link) as connection:
            documents = await self._documents(connection, link)
            chosen = next((one for one in documents if one.id == link.document_id), None)
            if chosen is not None:
                await self._open_replica(chosen, connection, link)
                return
            if link.document_id is not None:
                raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
            can_create = connection.welcome is not None and connection.welcome.can_create
        self.choice_needed.emit(DocumentChoice(link, documents, can_create))

    async def _open_replica(self, chosen: DocumentInfo, connection: "Connection", link: InviteLink) -> None:
        project = self.opened.project if self.opened is not None else None
        if project is None or (project.document_id, project.lineage) != (chosen.id, chosen.lineage):
            await self._show(await self._library.replica(chosen.id, chosen.lineage, chosen.title))
        elif self.hosting is not None:
            return
        await self._keep(self._require_opened(), connection, link)

    async def _keep(self, opened: OpenedProject, connection: "Connection", link: InviteLink) -> None:
        opened.project.bind_server(link)
        await opened.attach(connection)
        self._pending = None
        self._settings.add_server(KnownServer(address=str(InviteLink(link.address))))
        self._library.remember(opened.project)

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
    async def _reached(self, link: InviteLink, *, key: str | None = None) -> AsyncIterator["Connection"]:
        """A connection on which the server let us in; ended with the block, unless the project took it.

        Raises LinkCancelledError or RejectedError.
        """
        connection = self._pending = await self._new_connection(link, key)
        self._gives_way = key is None
        self._status.set_server_name(str(link.address))
        self._status.set_opening(is_opening=True)
        self._status.attach(connection)
        try:
            if self._impatient and self._gives_way:
                raise LinkCancelledError("a newer wish came")
            connection.connect()
            await _let_in(connection)
            yield connection
        except LinkLostError as error:
            if isinstance(connection.state, Closed):
                raise LinkCancelledError("cancelled") from error
            raise
        finally:
            await self._end_pending()

    async def _new_connection(self, link: InviteLink, key: str | None = None) -> "Connection":
        credentials = await self._credentials.for_server(link.address, invite=link.token, key=key)
        credentials.describe(self.me.name, self.me.color)
        from texswarm_desktop.client.connection import Connection  # noqa: PLC0415 - most starts need none

        transport = self._new_transport(link.fingerprint)
        connection = Connection(address=link.address, credentials=credentials, transport=transport)
        await connection.__aenter__()
        return connection

    async def _end_pending(self) -> None:
        """Drop the connection that nobody took, and show again the link that stood before, if there was one."""
        connection, self._pending = self._pending, None
        if connection is None:
            return
        self._status.set_opening(is_opening=False)
        self._status.detach()
        if self.opened is not None:
            self.opened.show_link()
        connection.close()
        await connection.__aexit__(None, None, None)

    async def _share(self, project: Project, connection: "Connection", invite: str | None) -> None:
        """Put a project where it is not yet; `invite` may say that what is there is ours, whoever we were before."""
        if await _has(connection, project):
            return
        if invite is not None:
            with suppress(RejectedError):
                await connection.request(RedeemInvite(token=invite))
            if await _has(connection, project):
                return
        title = project.document.title or project.folder.name
        await connection.request(CreateDocument(title=title, document_id=project.document_id, lineage=project.lineage))

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


async def _has(connection: "Connection", project: Project) -> bool:
    """Say whether this history of the document is on the server, and we may see it."""
    documents = await _listed(connection)
    return any((one.id, one.lineage) == (project.document_id, project.lineage) for one in documents)


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


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder == other or folder.samefile(other)
    except OSError:
        return False


def first_text(title: str) -> str:
    """Return what a new project's main file begins with."""
    name = "".join(_ESCAPED.get(character, character) for character in title)
    return (
        "\\documentclass{article}\n\n"
        f"\\title{{{name}}}\n\\author{{}}\n\n"
        "\\begin{document}\n\\maketitle\n\n\n\n\\end{document}\n"
    )
