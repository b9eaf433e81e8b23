"""How people nearby find this server and come in: it is announced, and its door opens to a join code, or to everybody.

The announcement names the numbers of the join codes and says whether one is needed; so both change together here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from texswarm_server.code_desk import CodeDesk
from texswarm_server.net.pairing_peer import PairingPeer
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.pairing_desk import Door, PairingDesk
from texswarm_server.protocol.announcement import Announcement, Entry
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.sessions.credentials import RandomBytes

if TYPE_CHECKING:
    from texswarm_server.discovery import Advertiser


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the network is told beside who the server is. `fingerprint`: by what its certificate is recognised."""

    name: str
    project: str = ""
    document_id: str | None = None
    fingerprint: str | None = None


class FrontDoor:
    """Closed and unannounced until it is told otherwise. `host` and `port` are those of the listener."""

    def __init__(
        self,
        *,
        instance: str,
        host: str,
        port: int,
        issued: CodeDesk,
        certificate: Callable[[], bytes | None],
        random: RandomBytes,
        clock: Callable[[], float],
    ) -> None:
        self._instance, self._host, self._port, self._certificate = instance, host, port, certificate
        self._issued = issued
        self._desk = PairingDesk(issued=issued, random=random, certificate=certificate, clock=clock)
        issued.on_change = self._tell
        self._peers: set[PairingPeer] = set()
        self._shown: Shown | None = None
        self._entry = Entry.CODE
        self._code: JoinCode | None = None
        self._advertiser: Advertiser | None = None
        self._is_closed = False

    @property
    def instance(self) -> str:
        """By what the server is known again in announcements."""
        return self._instance

    @property
    def is_announced(self) -> bool:
        """Whether the network knows."""
        return self._advertiser is not None

    @property
    def has_announced(self) -> bool:
        """Whether the network was told indeed: there is one that carries multicast."""
        return self._advertiser is not None and self._advertiser.has_announced

    def announce(self, shown: Shown) -> None:
        """Let the network know of the server until it stops, or know something else of it."""
        self._shown = shown
        self._tell()

    def open(self, door: Door) -> None:
        """Let guests in from now on, by other rules than before if it was open."""
        self._entry = Entry.CODE if door.nearby is None else Entry.OPEN
        self._desk.open(replace(door, on_code=partial(self._on_desk_code, door)))

    def tick(self) -> None:
        """Do what is due; called now and then."""
        self._desk.tick()

    async def serve(self, connection: PeerConnection) -> None:
        """Run one connection to its end."""
        peer = PairingPeer(connection, self._desk)
        self._peers.add(peer)
        try:
            await peer.serve()
        finally:
            self._peers.discard(peer)

    def close(self, code: CloseCode) -> None:
        """Say goodbye to the network, and end connections with `code`; returns at once."""
        self._is_closed = True
        self._desk.close()
        for peer in list(self._peers):
            peer.shut(code)
        if self._advertiser is not None:
            self._advertiser.close()

    async def wait_closed(self) -> None:
        """Return when nothing of it runs any more."""
        if self._advertiser is not None:
            await self._advertiser.wait_closed()
        self._desk.executor.shutdown()

    def _on_desk_code(self, door: Door, code: JoinCode | None) -> None:
        self._code = code
        self._tell()
        door.on_code(code)

    def _tell(self) -> None:
        if self._shown is None or self._is_closed:
            return
        from texswarm_server.discovery import Advertiser, Service, addresses_of  # noqa: PLC0415 - most are not announced

        numbers = (*([self._code.nameplate] if self._code is not None else []), *self._issued.nameplates)
        announcement = Announcement(
            instance=self._instance,
            name=self._shown.name,
            project=self._shown.project,
            document_id=self._shown.document_id,
            fingerprint=self._shown.fingerprint,
            nameplate=next(iter(numbers), ""),
            more_nameplates=numbers[1:],
            entry=self._entry,
            tls=self._certificate() is not None,
        )
        service = Service(announcement, self._host, self._port)
        if self._advertiser is not None:
            self._advertiser.announce(service)
        else:
            self._advertiser = Advertiser(service, find_addresses=addresses_of(self._host))
            self._advertiser.start()
