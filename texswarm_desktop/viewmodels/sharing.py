"""This desktop's own server, while it shares a project, and what is shown of that."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.status import Hosting
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.wakefulness import KeepAwake, Wakefulness
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_server.protocol.errors import LinkError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import InviteCreated, RevokeInvite, RoleName

if TYPE_CHECKING:
    from texswarm_desktop.services.embedded_server import EmbeddedServer, HostConfig, HostStarted

#: Where a host listens: on every interface, IPv4 and IPv6.
EVERYWHERE: Final = ""
#: What the own server is known by, whatever its address.
OWN_SERVER: Final = "embedded"
#: What was not withdrawn by then is withdrawn when the project is shared again, before anybody is invited.
_WITHDRAW_LIMIT_S: Final = 0.1


async def _kept_nowhere(_document_id: str, _invite_id: str) -> None:
    """Keep nothing."""


class Sharing(QObject):
    """Invariant: while `hosting` is not None, the server runs and a project is open on it.

    The system is asked to stay awake while others are here.

    Three invitations lead here. The one in the link is what people send each other: it is withdrawn when the sharing is
    ended, and kept, so that after a crash, which ends no sharing, the link that somebody was sent leads here again.
    Where the own server did not answer in time, that it is over is kept, and comes true when it is shared again. The
    others are the server's own, one for who comes by the list, one for who has the join code: nobody was sent them,
    and they end with every run of the server, however that ends. That of the list ends also when the list is closed.

    Signals: `changed(Hosting | None)`; `server_changed(str | None)` with the id under which the server is announced;
    `awake_changed(bool)`, which comes from another thread.
    """

    changed = Signal(object)
    server_changed = Signal(object)
    awake_changed = Signal(bool)

    def __init__(
        self,
        *,
        data: Path,
        address: str,
        identity: HostIdentity,
        status: ConnectionView,
        keep_link: Callable[[InviteCreated], object] = lambda _invite: None,
        keep_over: Callable[[str, str], Awaitable[object]] = _kept_nowhere,
        keep_awake: KeepAwake | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._data, self._address, self._identity, self._status = data, address, identity, status
        self._keep_link, self._keep_over = keep_link, keep_over
        self._wakefulness = Wakefulness(self.awake_changed.emit, keep_awake)
        self.awake_changed.connect(self._on_awake_changed)
        self._server: EmbeddedServer | None = None
        self._opened: OpenedProject | None = None
        self._link: InviteLink | None = None
        self.invite_id = ""
        self._name = ""
        self._who = WhoJoins.ANYBODY
        self.hosting: Hosting | None = None

    async def start(self, document_id: str, name: str) -> "HostStarted":
        """Return when the server accepts connections; raises HostError. `name`: what others read of the server."""
        from texswarm_desktop.services.embedded_server import EmbeddedServer  # noqa: PLC0415 - most starts host nothing

        config = host_config(self._data, self._address, name)
        self._server = EmbeddedServer(config, identity=self._identity, on_addresses=self._on_server_addresses)
        self._name = name
        started = await self._server.start(document_id)
        self.server_changed.emit(started.server_id)
        return started

    def announce(
        self,
        opened: OpenedProject,
        started: "HostStarted",
        invite: InviteCreated,
        who: WhoJoins,
        *,
        is_locked: bool = False,
    ) -> Hosting:
        """Take in that others may come to a project that is open on the server that has started, by `invite`."""
        self._who = who
        self._link = InviteLink(started.public_address, invite.token, opened.project.document_id, started.fingerprint)
        self.invite_id = invite.invite_id
        self._keep_link(invite)
        self.follow(opened)
        hosting = Hosting(address="", role=invite.role, who=who, is_locked=is_locked)
        return self._show_addresses(hosting, started.public_addresses)

    @property
    def link(self) -> InviteLink | None:
        """What others come by, while something is shared."""
        return self._link

    def set_words(self, words: str) -> None:
        """Show the words that guests compare who came without a link or a code."""
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, words=words))

    def set_join_code(self, code: str) -> None:
        """Show the short code that leads here, or (empty) that there is none."""
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, join_code=code))

    def show_invite(self, invite: InviteCreated) -> None:
        """Pass on another invite from now on: nobody comes in any more by the one of before."""
        if self.hosting is not None and self._link is not None:
            self._link, self.invite_id = replace(self._link, token=invite.token), invite.invite_id
            self._keep_link(invite)
            self._show(msgspec.structs.replace(self.hosting, link=str(self._link), role=invite.role))
            self._offer()

    def show_access(self, role: RoleName) -> None:
        """Show what joining gives."""
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, role=role))
            self._offer()

    def let_join(self, who: WhoJoins) -> None:
        """Have the list let in these from now on; it is shown once the link does so too."""
        self._who = who
        self._offer()

    def show_who_joins(self) -> None:
        """Show who may join now."""
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, who=self._who))

    def show_locked(self, *, is_locked: bool) -> None:
        """Show that everybody else only reads, or no longer."""
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, is_locked=is_locked))

    def _offer(self) -> None:
        """Let the local network know of the project, and those in who find it there or have the code."""
        server, opened, link, hosting = self._server, self._opened, self._link, self.hosting
        if server is not None and opened is not None and link is not None and hosting is not None:
            from texswarm_desktop.services.embedded_server import Offer  # noqa: PLC0415 - loaded since it began

            offer = Offer(
                name=self._name,
                project=opened.view.title,
                link=link,
                role=hosting.role,
                asks=self._who.asks,
                is_open=self._who.is_open,
            )
            server.offer(offer, self.set_join_code)

    def follow(self, opened: OpenedProject) -> None:
        """Count the people of this project, which may be the same one loaded again, and announce its title."""
        self.unfollow()
        self._opened = opened
        opened.participants.others_changed.connect(self._on_participants_others)
        opened.view.title_changed.connect(self._on_view_title)

    def unfollow(self) -> None:
        """Listen to nobody; needed before a project that is loaded again is closed."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.participants.others_changed.disconnect(self._on_participants_others)
            opened.view.title_changed.disconnect(self._on_view_title)

    async def end(self) -> None:
        """End the server, if it runs; what was shared goes on locally."""
        server, self._server = self._server, None
        opened = self._opened
        self.unfollow()
        invite_id, self.invite_id, self._link = self.invite_id, "", None
        if self.hosting is not None:
            self._show(None)
            if opened is not None:
                is_withdrawn = await _withdraw(opened, invite_id)
                await opened.detach()
                if not is_withdrawn:
                    await self._keep_over(opened.project.document_id, invite_id)
        if server is not None:
            self.server_changed.emit(None)
            await server.stop()
        await self._wakefulness.close()

    def _show(self, hosting: Hosting | None) -> None:
        self.hosting = hosting
        self._status.set_hosting(hosting)
        self.changed.emit(hosting)

    def _on_participants_others(self, people: int) -> None:
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, people=people))
            self._wakefulness.want(is_wanted=people > 0)

    def _on_view_title(self, _title: str) -> None:
        if self.hosting is not None:
            self._offer()

    def _on_awake_changed(self, is_awake: bool) -> None:
        if self.hosting is not None:
            self._show(msgspec.structs.replace(self.hosting, is_awake=is_awake))

    def _on_server_addresses(self, addresses: tuple[ServerAddress, ...]) -> None:
        if self.hosting is not None:
            self._show_addresses(self.hosting, addresses)

    def _show_addresses(self, hosting: Hosting, addresses: tuple[ServerAddress, ...]) -> Hosting:
        assert self._link is not None
        best, *others = addresses
        self._link = replace(self._link, address=best)
        shown = msgspec.structs.replace(
            hosting, address=str(best), link=str(self._link), others=tuple(map(str, others))
        )
        self._show(shown)
        self._offer()
        return shown


async def _withdraw(opened: OpenedProject, invite_id: str) -> bool:
    """Leave no way in behind: nobody new comes by the link of a sharing that is over. Returns whether that is sure.

    Who came by it is a member, and comes back without it when the project is shared again.
    """
    if not invite_id:
        return True
    with suppress(LinkError, TimeoutError):
        async with asyncio.timeout(_WITHDRAW_LIMIT_S):
            with suppress(RejectedError):  # it is not there any more
                if opened.connection is None:
                    return False
                await opened.connection.request(RevokeInvite(invite_id=invite_id))
            return True
    return False


def host_config(data: Path, address: str, name: str) -> "HostConfig":
    """Return how a desktop hosts: for people nearby, so it finds out as soon as they do that a guest is not there."""
    from texswarm_desktop.services.embedded_server import HostConfig  # noqa: PLC0415 - as above

    return HostConfig(data=data, host=address, name=name, heartbeat_s=LAN.ping_every_s, dead_after_s=LAN.dead_after_s)
