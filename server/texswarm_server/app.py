"""CollabServer: joins storage, rooms, sessions and the network, and owns their lives."""

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self

from texswarm_server.blob_desk import BlobDesk
from texswarm_server.code_desk import CodeDesk
from texswarm_server.config import ServerConfig
from texswarm_server.dispatcher import Dispatcher
from texswarm_server.front_desk import FrontDesk
from texswarm_server.front_door import FrontDoor, Shown
from texswarm_server.logs import fields
from texswarm_server.monitoring import Monitoring
from texswarm_server.net.admission import AdmissionLimits
from texswarm_server.net.http_endpoints import HttpEndpoints
from texswarm_server.net.legacy_peer import LegacyPeer
from texswarm_server.net.listener import Listener, ListenerConfig
from texswarm_server.net.peer import Peer
from texswarm_server.net.protocol2_peer import Protocol2Peer
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.net.tls_files import ShownCertificate, first_certificate, tls_context
from texswarm_server.net.yjs_peer import YjsPeer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.pairing_desk import Door
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, recognised_by
from texswarm_server.protocol.messages import Authentication, RoleName
from texswarm_server.protocol.version import PAIRING_PATH, WEBSOCKET_PATH, YJS_PATH
from texswarm_server.self_description import SelfDescription
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.administration import revoke_by_token
from texswarm_server.sessions.audit import OPERATOR
from texswarm_server.sessions.credentials import RandomBytes
from texswarm_server.sessions.document_access import DocumentAccess, issue_invite
from texswarm_server.sessions.door_invite import DoorInvite
from texswarm_server.sessions.issued_codes import CodeGiven
from texswarm_server.sessions.records import InviteWay, Records
from texswarm_server.sessions.server_identity import server_id
from texswarm_server.sessions.signing_keys import keys_for_start, verifying
from texswarm_server.storage.folder_lock import FolderLock
from texswarm_server.storage.schema import prepare_folder
from texswarm_server.storage.sqlite_store import SqliteStore
from texswarm_server.storage.store import log_failure

_logger = logging.getLogger(__name__)

LISTENING_URL: Final = "listening_url"
FINGERPRINT: Final = "fingerprint"
KEY_FINGERPRINT: Final = "key_fingerprint"
_GOODBYE_S: Final = 1.5
_LONGEST_SILENCE_S: Final = 8.0


class CollabServer:
    """A session server in the loop that starts it. An async context manager; `stop` may be called twice.

    Nothing in it touches signals, so it may run in any thread that has a loop.
    """

    def __init__(
        self,
        config: ServerConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        random: RandomBytes = os.urandom,
    ) -> None:
        self._config = config
        self._wall_clock = wall_clock
        self._random = random
        self._peers: set[Peer] = set()
        self._lock: FolderLock | None = None
        self._store: SqliteStore | None = None
        self._listener: Listener | None = None
        self._documents: OpenDocuments | None = None
        self._front_desk: FrontDesk | None = None
        self._blobs: BlobDesk | None = None
        self._dispatcher: Dispatcher | None = None
        self._monitoring: Monitoring | None = None
        self._front_door: FrontDoor | None = None
        self._door_invite, self._nearby_invite = DoorInvite(random), DoorInvite(random, InviteWay.NEARBY)
        self._certificate: ShownCertificate | None = None
        self._housekeeping_due = 0.0
        self._housekeeping: asyncio.TimerHandle | None = None
        self._stalls_due = 0.0
        self._tls: ssl.SSLContext | None = None
        self._is_draining = False
        self._is_stopping = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> ServerAddress:
        """Where it listens, with the real port; after `start`."""
        assert self._listener is not None
        return self._listener.address

    async def start(self) -> None:
        """Open storage and begin to accept.

        Raises StorageError, SettingsError (TLS files), or OSError when the address cannot be had.
        """
        prepare_folder(self._config.data)
        self._tls = tls_context(self._config.tls_cert, self._config.tls_key)
        self._certificate = first_certificate(self._config.tls_cert)
        self._lock = FolderLock(self._config.data)
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def drain(self, over_s: float, hurry: asyncio.Event | None = None) -> None:
        """Let nobody in any more and send everybody away with 1012, in random order, spread over `over_s` seconds.

        `/readyz` says no from now on. Returns when everybody was told, or as soon as `hurry` is set; `stop` follows.
        """
        assert self._listener is not None
        self._is_draining = True
        self._listener.refuse_newcomers()
        peers = sorted(self._peers, key=lambda _peer: self._random(8))
        _logger.info("draining", extra=fields(connections=len(peers), seconds=over_s))
        loop, pause_s = asyncio.get_running_loop(), over_s / max(len(peers), 1)
        goodbyes = [
            loop.call_later(number * pause_s, peer.shut, CloseCode.SERVICE_RESTART) for number, peer in enumerate(peers)
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s * max(len(peers) - 1, 0)):
                await (hurry or asyncio.Event()).wait()
        for goodbye in goodbyes:
            goodbye.cancel()

    async def reload_tls(self) -> None:
        """Use certificate and key as they are on disk now, for connections that begin later.

        Raises SettingsError when they cannot be used, and goes on with the old ones; StorageError.
        """
        if self._tls is None or self._config.tls_cert is None or self._store is None:
            return
        tls_context(
            self._config.tls_cert, self._config.tls_key
        )  # a pair that does not fit must not touch the one in use
        self._tls.load_cert_chain(self._config.tls_cert, self._config.tls_key)
        self._certificate = shown = first_certificate(self._config.tls_cert)
        await self._store.run(self._note_address)
        if self._config.advertise:
            self.announce(self._config.advertise)
        _logger.info("certificate read again", extra=fields(fingerprint=shown.fingerprint if shown else ""))

    async def stop(
        self,
        code: CloseCode = CloseCode.SERVICE_RESTART,
        *,
        goodbye_s: float = _GOODBYE_S,
        time_limit_s: float = 10.0,
    ) -> None:
        """Say goodbye with `code`, store everything, let go of everything.

        `goodbye_s`: how long a client that does not answer the goodbye is waited for.
        Raises StorageError when something could not be stored within the time limit.
        """
        if self._is_stopping:
            return
        self._is_stopping = True
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        if self._front_desk is not None:
            self._front_desk.feed.stop()
        if self._documents is not None:
            self._documents.turn()
            if code == CloseCode.SESSION_ENDED:
                self._documents.leave_everybody()
        if self._front_door is not None:
            self._front_door.close(code)
            if self._store is not None:
                self._end_invites(self._door_invite, self._nearby_invite)
        try:
            await self._close_connections(code, goodbye_s)
            await self._close_storage(time_limit_s)
        finally:
            if self._front_door is not None:
                await self._front_door.wait_closed()
            if self._lock is not None:
                self._lock.release()
            if self._housekeeping is not None:
                _logger.info("stopped", extra=fields(code=int(code)))

    async def create_invite(
        self,
        role: RoleName = "editor",
        document_id: str | None = None,
        ttl_s: float | None = None,
        uses: int | None = None,
        *,
        asks: bool = False,
    ) -> str:
        """Return the token of a new invite by the host's own wish; raises RejectedError or StorageError.

        `asks`: owners are asked about everybody who comes by it.
        """
        assert self._store is not None
        issue = partial(
            issue_invite,
            random=self._random,
            now=self._wall_clock(),
            role=role,
            document_id=document_id,
            ttl_s=ttl_s,
            uses=uses,
            asks=asks,
        )
        return (await self._store.run(issue)).token

    def announce(
        self, name: str, *, project: str = "", document_id: str | None = None, fingerprint: str | None = None
    ) -> None:
        """Let the local network know of this server until it stops, or know something else of it; after `start`.

        `fingerprint`: by what it is recognised; without, it is the key of its certificate.
        """
        assert self._front_door is not None
        if not self._is_stopping:
            known_by = fingerprint or (self._certificate.lasting if self._certificate else None)
            self._front_door.announce(Shown(name=name, project=project, document_id=document_id, fingerprint=known_by))

    def open_door(
        self,
        invitation: Callable[[], Awaitable[str]],
        *,
        nearby: Callable[[], Awaitable[str]] | None = None,
        on_code: Callable[[str], object] = lambda _code: None,
    ) -> None:
        """Give an invite link to guests who have the join code, or by other rules than before; after `start`.

        `nearby` gives one to whoever is on the local network and has no code; None: nobody without one is let in.
        `on_code` is told the code, empty while there is none.
        """
        assert self._front_door is not None
        if not self._is_stopping:
            door = Door(invitation=invitation, nearby=nearby, on_code=lambda code: on_code(str(code or "")))
            self._front_door.open(door)

    async def door_invite(self, role: RoleName, document_id: str | None, *, asks: bool, is_nearby: bool = False) -> str:
        """Return the token for one more guest who comes by the open door; raises RejectedError or StorageError.

        It is the same for all who have the code, and another one for all who were found to be nearby (`is_nearby`). It
        lets nobody in any more once this server has stopped.
        """
        assert self._store is not None
        now, invite = self._wall_clock(), self._nearby_invite if is_nearby else self._door_invite
        give = partial(invite.give, now=now, role=role, document_id=document_id, asks=asks)
        return await self._store.run(give)

    def withdraw_invite(self, token: str) -> None:
        """Let nobody else in by an invite; who came by it stays."""
        assert self._store is not None
        if not self._is_stopping:
            withdraw = partial(revoke_by_token, actor=OPERATOR, token=token, now=self._wall_clock())
            self._store.run(withdraw).add_done_callback(log_failure)

    def change_door_invite(self, role: RoleName, document_id: str | None, *, asks: bool) -> None:
        """Let what was given to guests at the door be worth this from now on."""
        assert self._store is not None
        if not self._is_stopping:
            now = self._wall_clock()
            for invite in (self._door_invite, self._nearby_invite):
                change = partial(invite.change, now=now, role=role, document_id=document_id, asks=asks)
                self._store.run(change).add_done_callback(log_failure)

    def end_nearby_invite(self) -> None:
        """Let nobody else in by what was given to guests without the code; who came by it stays."""
        if not self._is_stopping:
            self._end_invites(self._nearby_invite)

    def _end_invites(self, *invites: DoorInvite) -> None:
        assert self._store is not None
        end = partial(_revoke_each, invites=invites, now=self._wall_clock())
        self._store.run(end).add_done_callback(log_failure)

    @property
    def is_announced(self) -> bool:
        """Whether the local network is told of this server."""
        return self._front_door is not None and self._front_door.is_announced

    @property
    def server_id(self) -> str:
        """By what this server is known again, whatever its name and address; after `start`."""
        assert self._front_door is not None
        return self._front_door.instance

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    async def _start(self) -> None:
        config, clock = self._config, self._wall_clock
        self._store = store = SqliteStore(config.data, wall_clock=clock)
        now, ttl_s = clock(), config.access_ttl_s
        keys = await store.run(partial(keys_for_start, random=self._random, now=now, ttl_s=ttl_s))
        tokens = AccessTokens(*verifying(keys), ttl_s=ttl_s, random=self._random)
        self._documents = OpenDocuments(store, config, wall_clock=clock)
        access = DocumentAccess(self._random, config.limits, is_open=config.open)
        self._front_desk = FrontDesk(
            store, self._documents, tokens, access, config, random=self._random, wall_clock=clock
        )
        self._blobs = BlobDesk(store, self._documents, config, wall_clock=clock)
        description = SelfDescription(
            config.host, lambda: self.address.port, is_open=config.open, is_announced=self._has_announced
        )
        self._dispatcher = Dispatcher(
            store, self._front_desk, self._blobs, self._documents, access, wall_clock=clock, description=description
        )
        if self._lock is not None:
            self._front_desk.feed.on_followed = self._lock.followed
        await self._front_desk.restore()
        endpoints = HttpEndpoints(self._is_ready, self._metrics)
        self._listener = listener = Listener(_listener_config(config, self._tls), endpoints)
        self._monitoring = Monitoring(
            listener.statistics,
            self._documents,
            self._front_desk,
            store,
            self._blobs.statistics,
            peers=lambda: self._peers,
            is_ready=self._is_ready,
        )
        self._monitoring.count_documents()
        await self._listener.start(self._drive)
        await store.run(self._note_address)
        await store.run(partial(_revoke_each, invites=(self._door_invite, self._nearby_invite), now=now))
        codes = CodeDesk(store, wall_clock=clock, link=self._link_for)
        self._front_door = FrontDoor(
            instance=await store.run(partial(server_id, random=self._random)),
            host=config.host,
            port=self.address.port,
            issued=codes,
            certificate=lambda: self._certificate.der if self._certificate else None,
            random=self._random,
            clock=asyncio.get_running_loop().time,
        )
        self._front_desk.feed.tell(codes.apply)
        await codes.load()
        if config.advertise:
            self.announce(config.advertise)
        self._keep_house()
        _logger.info("listening", extra=fields(url=self.address.url, open=config.open))

    async def _drive(self, connection: PeerConnection) -> None:
        path = connection.request.path if connection.request else WEBSOCKET_PATH
        if path.startswith(YJS_PATH):
            await self._serve(self._yjs_peer(connection, path))
            return
        if path.partition("?")[0] == PAIRING_PATH:
            await self._pair(connection)
            return
        assert self._dispatcher is not None
        peer = Protocol2Peer(connection, self._dispatcher, auth_timeout_s=self._config.auth_timeout_s)
        await self._serve(peer)
        if peer.first_generation is not None:
            await self._serve(self._legacy_peer(connection, peer.first_generation))

    async def _pair(self, connection: PeerConnection) -> None:
        if self._front_door is None or self._is_draining or self._is_stopping:
            connection.shut(CloseCode.SERVICE_RESTART)
            return
        await self._front_door.serve(connection)

    def _yjs_peer(self, connection: PeerConnection, path: str) -> Peer:
        assert self._dispatcher is not None
        return YjsPeer(
            connection,
            self._dispatcher,
            path,
            auth_timeout_s=self._config.auth_timeout_s,
            heartbeat_s=min(self._config.heartbeat_s, _LONGEST_SILENCE_S),
        )

    def _legacy_peer(self, connection: PeerConnection, greeting: Authentication) -> Peer:
        assert self._dispatcher is not None
        return LegacyPeer(
            connection,
            self._dispatcher,
            greeting,
            auth_timeout_s=self._config.auth_timeout_s,
            heartbeat_s=min(self._config.heartbeat_s, _LONGEST_SILENCE_S),
            wall_clock=self._wall_clock,
        )

    async def _serve(self, peer: Peer) -> None:
        if self._is_draining or self._is_stopping:
            peer.shut(CloseCode.SERVICE_RESTART)
        self._peers.add(peer)
        try:
            await peer.serve()
        finally:
            self._peers.discard(peer)

    def _keep_house(self) -> None:
        assert self._documents is not None
        assert self._front_desk is not None
        assert self._blobs is not None
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._monitoring and self._housekeeping_due:
            self._monitoring.loop_lag_s.observe(max(now - self._housekeeping_due, 0.0))
        self._blobs.tick(now)
        self._front_desk.tick(now)
        self._documents.tick(now)
        if self._front_door is not None:
            self._front_door.tick()
        if now >= self._stalls_due:
            self._stalls_due = now + self._config.dead_after_s
            self._close_stalled()
        self._housekeeping_due = loop.time() + self._config.housekeeping_s
        self._housekeeping = loop.call_at(self._housekeeping_due, self._keep_house)

    def _close_stalled(self) -> None:
        for peer in list(self._peers):
            if peer.outbox.is_stalled():
                peer.shut(CloseCode.TRY_AGAIN_LATER, "reads too slowly")

    async def _close_connections(self, code: CloseCode, goodbye_s: float) -> None:
        if self._listener is None:
            return
        for peer in list(self._peers):
            peer.shut(code)
        self._listener.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(goodbye_s):
                await self._listener.wait_closed()
        self._listener.abort_connections()
        await self._listener.wait_closed()

    async def _close_storage(self, time_limit_s: float) -> None:
        if self._blobs is not None:
            await self._blobs.close()
        if self._store is None:
            return
        if self._documents is not None:
            self._documents.turn()
            self._documents.record_changes()
        if self._front_desk is not None:
            self._front_desk.record_changes()
        await self._store.close(time_limit_s)

    def _link_for(self, given: CodeGiven) -> str:
        """Return the link that a join code leads to; who gets it knows the address by which they came."""
        address = ServerAddress("localhost", self.address.port, self.address.tls)
        shown = self._certificate
        link = InviteLink(address, given.token, given.document_id)
        return str(link if shown is None else recognised_by(link, shown.fingerprint, shown.key))

    def _metrics(self) -> bytes:
        assert self._monitoring is not None
        return self._monitoring.render()

    def _has_announced(self) -> bool:
        return self._front_door is not None and self._front_door.has_announced

    def _is_ready(self) -> bool:
        return (
            not (self._is_draining or self._is_stopping) and self._documents is not None and self._documents.is_storing
        )

    def _note_address(self, records: Records) -> None:
        records.put_setting(LISTENING_URL, self.address.url)
        shown = self._certificate
        records.put_setting(FINGERPRINT, shown.fingerprint if shown else "")
        records.put_setting(KEY_FINGERPRINT, (shown.key or "") if shown else "")


def _revoke_each(records: Records, *, invites: tuple[DoorInvite, ...], now: float) -> None:
    for invite in invites:
        invite.revoke(records, now)


def _listener_config(config: ServerConfig, tls: ssl.SSLContext | None) -> ListenerConfig:
    return ListenerConfig(
        host=config.host,
        port=config.port,
        tls=tls,
        ping_every_s=config.heartbeat_s,
        dead_after_s=config.dead_after_s,
        handshake_s=config.auth_timeout_s,
        max_first_frame_bytes=config.limits.max_unauthenticated_frame_bytes,
        trusted_proxies=config.trusted_proxies,
        metrics_from=config.metrics_from,
        admission=AdmissionLimits(
            max_connections=config.max_connections,
            max_per_address=config.max_connections_per_address,
            max_unauthenticated=config.max_unauthenticated,
        ),
    )
