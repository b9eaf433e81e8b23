"""What a window works on, and the roads to it: new, open, host, join, connect.

One window, one project. Everything here that can fail for a reason the user must know ends in `notice`, with an error
that carries data; the words are chosen in `ui`. What the program can mend by itself is a state of the connection.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.address_book import lasting_key
from texswarm_desktop.client.events import RetryCause
from texswarm_desktop.client.server_talk import admitted, has_lock, other_side, same_or_new_invite, share
from texswarm_desktop.client.states import Live, NeedsUser
from texswarm_desktop.client.status import Hosting
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.core.joining import Choice, Road
from texswarm_desktop.core.palette import color_of
from texswarm_desktop.core.settings import KnownServer
from texswarm_desktop.core.templates import Template
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.services.wakefulness import KeepAwake
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.desk import Desk, open_paths_of
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.people import Person, clean_name
from texswarm_desktop.viewmodels.server_reach import NewTransport, ServerReach
from texswarm_desktop.viewmodels.sharing import EVERYWHERE, OWN_SERVER, Sharing
from texswarm_server.protocol.certificates import same_fingerprint
from texswarm_server.protocol.errors import (
    ErrorCode,
    LinkError,
    LinkLostError,
    ProjectInUseError,
    RejectedError,
    StorageError,
)
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link
from texswarm_server.protocol.messages import DocumentInfo, InviteCreated, SignOut

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection
    from texswarm_desktop.core.doctor import OtherSide
    from texswarm_desktop.services.embedded_server import HostStarted
    from texswarm_desktop.viewmodels.observed_project import ObservedProject
    from texswarm_desktop.viewmodels.owner_desk import OwnerDesk
    from texswarm_desktop.viewmodels.two_histories import TwoHistories

_log: Final = logging.getLogger(__name__)
_ROADS: Final = {
    Choice.KEEP_BOTH: Road.KEEP_BOTH,
    Choice.TAKE_THEIRS: Road.TAKE_THEIRS,
    Choice.MERGE: Road.MERGE,
}


async def _at_once() -> None:
    """Nobody looks."""


class DocumentChoice(msgspec.Struct, frozen=True):
    """A server without a document in the link: the user says which one, or that this project goes there."""

    link: InviteLink
    documents: tuple[DocumentInfo, ...]
    can_create: bool


class Workspace(QObject):
    """The project of one window and its link. Invariant: at most one project, one connection, one embedded server.

    `opened` is the project, or `observed` a folder that is only looked at; never both. `bring_up` asks the window that
    has a folder open to come to the front, and tells whether one did; `until_seen`: see `Desk`.

    The roads are gone one at a time, in the order they were asked for.

    Signals: `opened_changed(OpenedProject)`; `observed_changed(ObservedProject)`; `attached(str)` with a folder that
    another window shows; `closing()` before the views of the open project are closed;
    `notice(Exception | None)`, None when the last one no longer matters; `hosting_changed(Hosting | None)`;
    `choice_needed(DocumentChoice)`; `copy_met(TwoHistories)`: the document is another one of the project's origin;
    `put_aside(str)`: where a copy that gave way is; `busy_changed(str)`;
    `own_server_changed(str | None)` with its id.
    """

    opened_changed = Signal(object)
    observed_changed = Signal(object)
    attached = Signal(str)
    closing = Signal()
    notice = Signal(object)
    hosting_changed = Signal(object)
    choice_needed = Signal(object)
    copy_met = Signal(object)
    put_aside = Signal(str)
    busy_changed = Signal(str)
    own_server_changed = Signal(object)

    def __init__(
        self,
        *,
        library: Library,
        credentials: CredentialStore,
        settings: SettingsStore,
        status: ConnectionView,
        host_data: Path,
        host_identity: HostIdentity,
        new_transport: NewTransport,
        scope: TaskScope,
        host_address: str = EVERYWHERE,
        keep_awake: KeepAwake | None = None,
        bring_up: Callable[[Path], bool] = lambda _folder: False,
        until_seen: Callable[[], Awaitable[None]] = _at_once,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._credentials = credentials
        self._reach = ServerReach(
            credentials=credentials,
            new_transport=new_transport,
            status=status,
            me=lambda: self.me,
            on_given_up=self._show_link,
        )
        self._settings = settings
        self._status = status
        self._scope = scope
        self._sharing = Sharing(
            data=host_data,
            address=host_address,
            identity=host_identity,
            status=status,
            keep_link=self._keep_link,
            keep_over=credentials.keep_that_link_is_over,
            keep_awake=keep_awake,
            parent=self,
        )
        self._sharing.changed.connect(self.hosting_changed)
        self._sharing.server_changed.connect(self.own_server_changed)
        self._last_followed: InviteLink | None = None
        self._desk = Desk(
            library=library,
            status=status,
            sharing=self._sharing,
            me=lambda: self.me,
            road=self._reach.road,
            link_again=self._link_again,
            bring_up=bring_up,
            until_seen=until_seen,
            scope=scope,
            parent=self,
        )
        for name in ("opened_changed", "observed_changed", "attached", "closing", "notice"):
            getattr(self._desk, name).connect(getattr(self, name))

    @property
    def opened(self) -> OpenedProject | None:
        """The project that is open here, if one is."""
        return self._desk.opened

    @property
    def observed(self) -> "ObservedProject | None":
        """The folder that is only looked at, if one is."""
        return self._desk.observed

    @cached_property
    def owner(self) -> "OwnerDesk":
        """What an owner of the project decides; loaded when somebody is to be decided about."""
        from texswarm_desktop.viewmodels.owner_desk import OwnerDesk  # noqa: PLC0415

        return OwnerDesk(opened=lambda: self.opened, sharing=self._sharing)

    @property
    def hosting(self) -> Hosting | None:
        """What is shared from here, if anything is."""
        return self._sharing.hosting

    # ── who sits here ───────────────────────────────────────────────────────────────────────────────────

    @property
    def me(self) -> Person:
        """This installation's user."""
        user_id, settings = self._credentials.user_id, self._settings.settings
        return Person(user_id, settings.name or self._credentials.default_name, settings.color or color_of(user_id))

    def set_name(self, name: str) -> None:
        """Take in the name others shall see, and let those who are connected see it."""
        name = clean_name(name)
        if not name or name == self._settings.settings.name:
            return
        self._settings.set_name(name)
        if self.opened is not None:
            self.opened.set_me(self.me)
            self._scope.start("rename", self.opened.tell_name())

    # ── local work ──────────────────────────────────────────────────────────────────────────────────────

    async def new(self, title: str, template: Template = Template.BLANK) -> None:
        """Make a project in the projects folder and open it."""
        async with self._reach.road():
            await self._desk.show(await self._library.create_from(template, title, self.me.name))

    async def open_welcome(self) -> None:
        """Open a copy of the small paper that comes with the program."""
        async with self._reach.road():
            await self._desk.show(await self._library.create_welcome())

    async def open(self, folder: Path) -> bool:
        """Open a folder as a project, and link it to its server if it has one; return whether it is on this desk.

        One that another window has is shown there; one that another program has, or that takes no writing, is only
        looked at.
        """
        async with self._reach.road():
            return await self._desk.open(folder)

    async def open_free(self, folder: Path) -> None:
        """Open a folder as `open` does, or leave it alone; raises StorageError, ProjectInUseError among them."""
        async with self._reach.road():
            await self._desk.show_ahead(await self._library.open(folder, ahead=True))

    async def reopen(self) -> None:
        """Try again to open as a project what is only looked at; raises the StorageError that is still in the way."""
        observed = self.observed
        if observed is None:
            return
        before, (paths, current) = observed.reason, open_paths_of(observed.view)
        await self.open(observed.folder)
        if self.opened is not None:
            self.opened.view.open_paths(paths, current)
        elif self.observed is observed:
            raise before

    async def close(self) -> None:
        """Let go of everything; returns when what was typed is stored here.

        Raises StorageError, and leaves the project open, when it cannot be.
        """
        async with self._reach.road():
            await self._desk.leave()

    # ── hosting ─────────────────────────────────────────────────────────────────────────────────────────

    async def host(self) -> str:
        """Share the open project from this computer and return the link to pass on."""
        async with self._reach.road():
            return (self.hosting or await self._begin_hosting(self._desk.require_opened())).link

    async def stop_hosting(self) -> None:
        """End the sharing; guests keep their copies. May be called at any time."""
        async with self._reach.road():
            await self._sharing.end()

    # ── joining ─────────────────────────────────────────────────────────────────────────────────────────

    async def join(self, text: str, name: str = "") -> None:
        """Follow a link somebody sent: sign in, and open the document it names; raises what `notice` should show."""
        self.set_name(name)
        link = parse_invite_link(text)
        async with self._reach.road():
            await self._follow(link)

    async def connect_to(self, address: str, invitation: str, name: str = "") -> None:
        """Sign in at a server; the invitation may be a link of its own, or the bare secret."""
        self.set_name(name)
        link = parse_invite_link(invitation if "://" in invitation else address)
        if "://" not in invitation and invitation.strip():
            link = replace(link, token=invitation.strip())
        async with self._reach.road():
            await self._follow(link)

    async def choose(self, link: InviteLink, document_id: str) -> None:
        """Open one of the documents that were offered."""
        async with self._reach.road():
            await self._follow(replace(link, document_id=document_id))

    async def share_at(self, link: InviteLink) -> None:
        """Put the open project on a server, and keep it linked."""
        async with self._reach.road():
            opened = self._desk.require_opened()
            async with self._reach.reached(link) as connection:
                await share(connection, opened.project.as_new_document(), link.token)
                await self._keep(opened, connection, link)

    async def compare_histories(self) -> "TwoHistories":
        """Say how the open project differs from the server's of another history; raises RejectedError or LinkError."""
        from texswarm_desktop.viewmodels.two_histories import compare_histories  # noqa: PLC0415 - seldom asked

        async with self._reach.road():
            opened = self._desk.require_opened()
            connection, key = opened.release(), opened.server_key
            if connection is None:
                raise LinkLostError("the project is not on a server")
            try:
                return await compare_histories(opened.project, connection)
            finally:
                await opened.attach(connection, key=key)

    async def choose_history(self, choice: Choice, histories: "TwoHistories") -> None:
        """Let the server's history take the place of the one here, which is put aside, or merge both.

        Raises StorageError; the project is open as it was then.
        """
        async with self._reach.road():
            project = self._desk.require_opened().project
            link = histories.document or project.server_link
            if link is None:
                return
            if histories.document is not None and choice is Choice.KEEP_BOTH:
                await self._follow(histories.document, is_chosen=True)
                return
            await self._desk.leave()
            try:
                document_id = link.document_id or project.document_id
                joined = await self._library.join(_ROADS[choice], project.folder, document_id, histories.lineage)
            except StorageError:
                self._desk.present(await self._library.open(project.folder))
                await self._link_again()
                raise
            joined.project.bind_server(link)
            self._desk.present(joined.project)
            await self._link_again()
        if joined.aside is not None:
            self.put_aside.emit(str(joined.aside))

    async def sign_out(self) -> None:
        """Leave the project's server for good: nothing is kept that would let this computer in; the copy stays."""
        async with self._reach.road():
            opened = self._desk.require_opened()
            link = opened.project.server_link
            if link is None:
                return
            if opened.connection is not None:
                with suppress(LinkError, RejectedError):  # what is forgotten here cannot be used either way
                    await opened.connection.request(SignOut())
            opened.project.forget_server()
            await opened.detach()
            await self._credentials.forget(link.address, lasting_key(link))
            self._settings.remove_server(str(InviteLink(link.address)))
            self._library.remember(opened.project)

    def cancel(self) -> None:
        """Give up the attempt to reach a server; an open project goes on locally."""
        if self._reach.pending is not None:
            self._reach.pending.close()
        elif self.opened is not None and self.hosting is None:
            self._scope.start("cancel", self.opened.detach())

    def work_locally(self) -> None:
        """Cut the project loose from its server for now; the local copy stays."""
        if self.opened is not None:
            self.opened.project.forget_server()
            self._scope.start("work locally", self.opened.detach())

    def show_words(self, words: str) -> None:
        """Show what guests compare with what they see of this host's certificate."""
        self._sharing.set_words(words)

    def network_changed(self, is_online: bool) -> None:
        """Pass on what the system says about the network."""
        for connection in self._connections():
            connection.network_changed(is_online)

    def way_out_changed(self, is_there: bool) -> None:
        """Pass on what the system says about the way out of this network: whoever is in it is reached without."""
        for connection in self._connections():
            if is_there or connection.profile is not LAN:
                connection.network_changed(is_there)

    def woke(self) -> None:
        """The system says that it was asleep: links may be dead without knowing."""
        for connection in self._connections():
            connection.retry_now(RetryCause.WAKE)

    def came_back(self) -> None:
        """Somebody turns to the window again, from a web browser perhaps in which they signed in to this network."""
        for connection in self._connections():
            connection.retry_now(RetryCause.KEY_PRESS)

    def link_to_check(self) -> InviteLink | None:
        """Return where the road leads that may have to be examined; None: others come here.

        The invitation is in it only as long as it has not let anybody in: shown once more, it would count again.
        """
        if self.hosting is not None and self._reach.pending is None:
            return None
        kept = self.opened.project.server_link if self.opened is not None else None
        if self._reach.pending is None and kept is not None:
            return replace(kept, token=None)
        return self._last_followed

    @property
    def last_followed(self) -> InviteLink | None:
        """The link that was followed last and led to no project yet."""
        return self._last_followed

    def road_failed(self, road: InviteLink | None) -> None:
        """Remember where the way in was looked for in vain, for who has a check made later; None: nowhere yet."""
        self._last_followed = road or self._last_followed

    def question_to_server(self) -> "Callable[[], Awaitable[OtherSide | None]] | None":
        """Return what asks the server of the project how it is doing on its side; None where no link to it stands."""
        connection = self.opened.connection if self.opened is not None else None
        if self._reach.pending is not None or connection is None or not isinstance(connection.state, Live):
            return None
        return partial(other_side, connection)

    def host_seen(
        self, fingerprint: str, addresses: Iterable[ServerAddress], lately: Sequence[ServerAddress] = ()
    ) -> None:
        """A host announced itself on the local network: a link to it that is away looks for it there at once.

        `lately`: where else it was said to be a moment ago.
        """
        self._reach.learn(fingerprint, told := tuple(addresses))
        for connection in self._connections():
            if connection.fingerprint and same_fingerprint(connection.fingerprint) == same_fingerprint(fingerprint):
                connection.seen_at(told, lately)

    def _connections(self) -> Iterator["Connection"]:
        for connection in (self._reach.pending, self.opened.connection if self.opened else None):
            if connection is not None:
                yield connection

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _show_link(self) -> None:
        if self.opened is not None:
            self.opened.show_link()

    async def _link_again(self) -> None:
        """Connect the open project to the server it belongs to; a state from here on, whatever happens."""
        opened = self._desk.require_opened()
        link = opened.project.server_link
        if link is not None:
            session_id = opened.project.session_at(str(link.address))
            connection = await self._reach.new_connection(link, session_id=session_id)
            connection.connect()
            await opened.attach(connection)

    async def _begin_hosting(self, opened: OpenedProject) -> Hosting:
        self.notice.emit(None)
        try:
            started = await self._sharing.start(opened.project.document_id, self.me.name)
            who = self._settings.settings.who_joins
            invite, is_locked = await self._enter_own_server(opened, started, asks=who.asks)
        except BaseException:
            await self._sharing.end()
            raise
        self._library.remember(opened.project)
        return self._sharing.announce(opened, started, invite, who, is_locked=is_locked)

    async def _enter_own_server(
        self, opened: OpenedProject, started: "HostStarted", *, asks: bool
    ) -> tuple[InviteCreated, bool]:
        """Open the project on the server that has just started.

        Returns an invitation for others, and whether a lock outlived the last sharing.
        """
        own_way_in = InviteLink(started.address, started.owner_invite, None, started.fingerprint)
        session_id = opened.project.session_at(OWN_SERVER)
        async with self._reach.reached(own_way_in, key=OWN_SERVER, session_id=session_id) as connection:
            await share(connection, opened.project.as_new_document(), started.owner_invite)
            kept = await self._credentials.kept_link(opened.project.document_id)
            invite = await same_or_new_invite(connection, opened.project.document_id, kept, asks=asks)
            is_locked = await has_lock(connection, opened.project.document_id)
            await opened.attach(connection, key=OWN_SERVER)
            self._reach.taken()
        return invite, is_locked

    def _keep_link(self, invite: InviteCreated) -> None:
        if invite.document_id is not None:
            self._credentials.keep_link(invite.document_id, invite.invite_id, invite.token)

    async def _follow(self, link: InviteLink, *, is_chosen: bool = False) -> None:
        """`is_chosen`: somebody said that the document is to be in a folder of its own."""
        self.notice.emit(None)
        self._last_followed = link
        async with self._reach.reached(link) as connection:
            documents = await admitted(connection, link, lambda: self._status.set_waiting_for(_host_of(connection)))
            self._status.set_waiting_for("")
            wanted = link.document_id or self._signed_out_of(link)
            chosen = next((one for one in documents if one.id == wanted), None)
            if chosen is not None:
                if is_chosen or not await self._meets_copy(chosen, connection, link):
                    await self._open_replica(chosen, connection, link)
                return
            if link.document_id is not None:
                raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
            can_create = connection.welcome is not None and connection.welcome.can_create
        self.choice_needed.emit(DocumentChoice(link, documents, can_create))

    def _signed_out_of(self, link: InviteLink) -> str | None:
        """Return which document waits for its user to be let in again at a server, None for none."""
        opened = self.opened
        if opened is None or opened.connection is None or not isinstance(opened.connection.state, NeedsUser):
            return None
        kept = opened.project.server_link
        return opened.project.document_id if kept is not None and kept.address == link.address else None

    async def _meets_copy(self, chosen: DocumentInfo, connection: "Connection", link: InviteLink) -> bool:
        """Ask what is to happen where the open project is a copy of the document, which is not here yet."""
        project = self.opened.project if self.opened is not None else None
        if project is None or self.hosting is not None or project.document_id == chosen.id:
            return False
        if project.lineage != chosen.lineage or await self._library.has(chosen.id, chosen.lineage):
            return False
        from texswarm_desktop.viewmodels.two_histories import compare_with_copy  # noqa: PLC0415 - as above

        self.copy_met.emit(await compare_with_copy(project, connection, chosen, link))
        return True

    async def _open_replica(self, chosen: DocumentInfo, connection: "Connection", link: InviteLink) -> None:
        project = self.opened.project if self.opened is not None else None
        if project is None or (project.document_id, project.lineage) != (chosen.id, chosen.lineage):
            try:
                replica = await self._library.replica(chosen.id, chosen.lineage, chosen.title)
            except ProjectInUseError as error:
                if await self._desk.brought_up(error):
                    return
                raise
            await self._desk.show(replica)
        elif self.hosting is not None:
            return
        await self._keep(self._desk.require_opened(), connection, link)

    async def _keep(self, opened: OpenedProject, connection: "Connection", link: InviteLink) -> None:
        self._last_followed = None
        opened.project.bind_server(link)
        await opened.attach(connection)
        self._reach.taken()
        self._settings.add_server(KnownServer(address=str(InviteLink(link.address))))
        self._library.remember(opened.project)


def _host_of(connection: "Connection") -> str:
    """Return how whoever decides there is called."""
    server = connection.welcome.server if connection.welcome is not None else None
    return clean_name(server.name if server is not None else "") or "the host"
