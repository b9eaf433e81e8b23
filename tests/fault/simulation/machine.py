"""The machine a server runs on: the real desk, rooms, sessions and peers over a simulated disk and network.

What `app.CollabServer` joins to sockets and SQLite is joined here to wires and a `Disk`. `kill` is SIGKILL: the disk
dies first, so that nothing this server still does can be seen by anybody.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.fault.simulation.disk import Disk, SimulatedStore
from tests.fault.simulation.network import ServerEnd
from texswarm_server.blob_desk import BlobDesk
from texswarm_server.config import ServerConfig
from texswarm_server.dispatcher import Dispatcher
from texswarm_server.front_desk import FrontDesk
from texswarm_server.net.admission import Admission, AdmissionLimits, NoPlace
from texswarm_server.net.legacy_peer import LegacyPeer
from texswarm_server.net.peer import Peer
from texswarm_server.net.protocol2_peer import Protocol2Peer
from texswarm_server.net.yjs_peer import YjsPeer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.protocol.version import YJS_PATH
from texswarm_server.self_description import SelfDescription
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.document_access import DocumentAccess
from texswarm_server.sessions.signing_keys import keys_for_start

HOLD_ABOVE_BYTES: Final = 512
_STARTED_AGAIN_AFTER_S: Final = 1.0


class Machine:
    """Holds at most one server at a time. `wall_skew_s`: how wrong its wall clock is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, disk: Disk, config: ServerConfig, seed: int) -> None:
        self._loop, self._disk, self._config = loop, disk, config
        self._chance = random.Random(f"machine {seed}")
        self.server: Server | None = None
        self.wall_skew_s = 0.0
        self.starts = 0

    def wall_clock(self) -> float:
        return 1_700_000_000.0 + self._loop.time() + self.wall_skew_s

    async def start(self) -> None:
        """Start a server, which listens once it has taken in what is on the disk.

        One that must write and cannot, ends, and is started again by what watches over it.
        """
        if self.server is not None:
            return
        self.starts += 1
        server = self.server = Server(self, self._disk, self._config, random.Random(self._chance.random()))
        server.starting = asyncio.current_task()
        is_refused = False
        try:
            with suppress(asyncio.CancelledError):
                await server.start()
        except NotWritableError:
            is_refused = True
        server.starting = None
        if is_refused and self.server is server:
            self.kill()
            await asyncio.sleep(_STARTED_AGAIN_AFTER_S)
            await self.start()

    def kill(self) -> None:
        if self.server is not None:
            self.server.kill()
            self.server = None

    async def restart(self) -> None:
        """End it in good order, saying 1012 to everybody, and start it anew."""
        if self.server is not None:
            server = self.server
            await server.stop()
            if self.server is not server:
                return  # it was killed meanwhile
            self.kill()
        await self.start()

    def accept(self, end: ServerEnd) -> bool:
        """Take a new connection; False when nobody listens."""
        return self.server is not None and self.server.accept(end)


class Server:
    """One life of the server."""

    def __init__(self, machine: Machine, disk: Disk, config: ServerConfig, chance: random.Random) -> None:
        self._machine, self._config = machine, config
        self._loop = asyncio.get_running_loop()
        self._random = chance.randbytes
        self.store = SimulatedStore(disk, random.Random(chance.random()))
        self.documents: OpenDocuments | None = None
        self.front_desk: FrontDesk | None = None
        self._dispatcher: Dispatcher | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._stalls_due = 0.0
        self.starting: asyncio.Task[None] | None = None
        self.peers: dict[Peer, ServerEnd] = {}
        self.admission = Admission(
            AdmissionLimits(
                max_connections=config.max_connections, max_per_address=None, max_unauthenticated=config.max_connections
            )
        )
        self.is_listening = False

    async def start(self) -> None:
        config, wall_clock = self._config, self._machine.wall_clock
        ttl_s, now = config.access_ttl_s, wall_clock()
        keys = await self.store.run(lambda records: keys_for_start(records, self._random, now=now, ttl_s=ttl_s))
        secrets = {key.key_id: key.secret for key in keys}
        tokens = AccessTokens(secrets, keys[-1].key_id, ttl_s=ttl_s, random=self._random)
        self.documents = OpenDocuments(self.store, config, wall_clock=wall_clock)
        access = DocumentAccess(self._random, config.limits, is_open=config.open)
        self.front_desk = FrontDesk(
            self.store, self.documents, tokens, access, config, random=self._random, wall_clock=wall_clock
        )
        blobs = BlobDesk(self.store, self.documents, config, wall_clock=wall_clock)
        description = SelfDescription("127.0.0.1", lambda: 0, is_open=config.open, is_announced=lambda: False)
        self._dispatcher = Dispatcher(
            self.store, self.front_desk, blobs, self.documents, access, wall_clock=wall_clock, description=description
        )
        await self.front_desk.restore()
        self.is_listening = True
        self._keep_house()

    def accept(self, end: ServerEnd) -> bool:
        if not self.is_listening:
            return False
        place = self.admission.take_place(end.address)
        if isinstance(place, NoPlace):
            return False
        end.place = place
        assert self._dispatcher is not None
        task = self._loop.create_task(self._drive(end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def kill(self) -> None:
        self.store.die()
        self.is_listening = False
        if self.front_desk is not None:
            self.front_desk.feed.stop()
        if self.starting is not None:
            self.starting.cancel()
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        if self.front_desk is not None:
            self.front_desk.feed.stop()
        for end in list(self.peers.values()):
            end._wire.cut()
        for task in list(self._tasks):
            task.cancel()

    async def stop(self) -> None:
        """As `CollabServer.stop`."""
        assert self.documents is not None
        self.is_listening = False
        self.documents.turn()
        for peer in list(self.peers):
            peer.shut(CloseCode.SERVICE_RESTART)
        give_up_at = self._loop.time() + 1.5
        while self.peers and self._loop.time() < give_up_at:  # noqa: ASYNC110 - waiting costs nothing here
            await asyncio.sleep(0.02)
        self.documents.turn()
        self.documents.record_changes()
        assert self.front_desk is not None
        self.front_desk.record_changes()
        with suppress(NotWritableError):  # on a full disk; nobody was told that it is stored
            await self.store.close(10.0)

    def double_sessions(self) -> list[str]:
        """Return the sessions that more than one connection serves."""
        served = Counter(peer.session_id for peer in self.peers if peer.is_signed_in)
        return [str(session_id) for session_id, count in served.items() if count > 1]

    async def _drive(self, end: ServerEnd) -> None:
        """As `CollabServer._drive`."""
        assert self._dispatcher is not None
        timing = {"auth_timeout_s": self._config.auth_timeout_s}
        beating = timing | {"heartbeat_s": self._config.heartbeat_s}
        try:
            if end.path.startswith(YJS_PATH):
                await self._serve(YjsPeer(end, self._dispatcher, end.path, **beating), end)
                return
            peer = Protocol2Peer(end, self._dispatcher, **timing)
            await self._serve(peer, end)
            if peer.first_generation is not None:
                clock = self._machine.wall_clock
                await self._serve(
                    LegacyPeer(end, self._dispatcher, peer.first_generation, **beating, wall_clock=clock), end
                )
        finally:
            end.lose()

    async def _serve(self, peer: Peer, end: ServerEnd) -> None:
        peer.outbox._hold_above_bytes = HOLD_ABOVE_BYTES
        self.peers[peer] = end
        try:
            await peer.serve()
        finally:
            del self.peers[peer]

    def _keep_house(self) -> None:
        assert self.documents is not None
        assert self.front_desk is not None
        now = self._loop.time()
        self.front_desk.tick(now)
        self.documents.tick(now)
        if now >= self._stalls_due:
            self._stalls_due = now + self._config.dead_after_s
            for peer in list(self.peers):
                if peer.outbox.is_stalled():
                    peer.shut(CloseCode.TRY_AGAIN_LATER, "reads too slowly")
        self._housekeeping = self._loop.call_later(self._config.housekeeping_s, self._keep_house)


def config_of(chance: random.Random, members: int) -> ServerConfig:
    """Return a server's settings with times short enough to be passed in a plan, and room for so many members."""
    return ServerConfig(
        data=Path("nowhere"),
        max_connections=chance.choice([members + 1, 50]),
        access_ttl_s=chance.choice([8.0, 3600.0, 3600.0]),
        grace_s=chance.choice([6.0, 60.0, 3 * 3600.0]),
        presence_grace_s=chance.choice([1.0, 5.0]),
        auth_timeout_s=10.0,
        heartbeat_s=2.0,
        dead_after_s=8.0,
        idle_document_s=chance.choice([0.0, 3.0, 60.0]),
        idle_s=chance.choice([0.0] * 7 + [60.0]),
    )
