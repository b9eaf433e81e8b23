"""The listening socket: accepts, answers plain HTTP, and runs a driver for each WebSocket."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from texswarm_server.logs import fields
from texswarm_server.net.admission import Admission, AdmissionLimits, NoPlace
from texswarm_server.net.bind_address import listening_place
from texswarm_server.net.client_address import FORWARDED_FOR, ClientAddresses, Networks
from texswarm_server.net.http_endpoints import HttpEndpoints, refuse_for_now
from texswarm_server.net.keep_alive import KeepAlive
from texswarm_server.net.server_connection import PeerConnection, Siblings
from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.network_place import network_of

_logger = logging.getLogger(__name__)

_BACKLOG: Final = 1024
"""Connections that may wait to be accepted: after a restart everybody comes back at once."""
_CONGESTED_ABOVE_BYTES: Final = 128 * 1024
_RETRY_AFTER_S: Final = {NoPlace.LEAVING: 1, NoPlace.UNAUTHENTICATED_FULL: 2, NoPlace.ADDRESS_FULL: 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """Where to listen and how. `host` may be empty: every address, IPv4 and IPv6.

    Times in seconds; `tls` None means plain; see `ClientAddresses` for the proxies. `metrics_from`: who may read the
    numbers, addresses or networks.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    ping_every_s: float
    dead_after_s: float
    handshake_s: float
    max_first_frame_bytes: int
    admission: AdmissionLimits
    trusted_proxies: tuple[str, ...] = ()
    metrics_from: tuple[str, ...] = ()


class Listener:
    """Invariant: between `start` and `stop` one server accepts at `address`."""

    def __init__(self, config: ListenerConfig, endpoints: HttpEndpoints) -> None:
        """Raises SettingsError for proxies that are no networks."""
        self._config = config
        self._addresses = ClientAddresses(config.trusted_proxies)
        self._metrics_from = Networks(config.metrics_from, "metrics_from")
        self._endpoints = endpoints
        self._server: Server | None = None
        self._host = config.host
        self._admission = Admission(config.admission)
        self._siblings = Siblings(config.admission.max_sockets, receive=self._receive)
        self.statistics = self._siblings.statistics
        self._keep_alive = KeepAlive(
            self._siblings.members, ping_every_s=config.ping_every_s, dead_after_s=config.dead_after_s
        )

    async def start(self, drive: Callable[[PeerConnection], Awaitable[None]]) -> None:
        """Begin to accept; `drive` runs each connection. Raises OSError when the address cannot be had."""

        async def handle(connection: ServerConnection) -> None:
            assert isinstance(connection, PeerConnection)
            connection.forget_handshake()
            await drive(connection)

        config = self._config
        hosts, port = listening_place(config.host, config.port)
        self._host = hosts[0]
        self._server = await serve(
            handle,
            cast("str", hosts),  # several are taken as well, which the annotation does not know
            port,
            ssl=config.tls,
            create_connection=cast("type[PeerConnection]", partial(PeerConnection, self._siblings)),
            process_request=self._process_request,
            compression=None,
            server_header=None,
            open_timeout=config.handshake_s,
            ping_interval=None,
            max_size=config.max_first_frame_bytes,
            write_limit=_CONGESTED_ABOVE_BYTES,
            backlog=_BACKLOG,
        )
        self._keep_alive.start()

    @property
    def address(self) -> ServerAddress:
        """Where it really listens, also when any free port was asked for."""
        assert self._server is not None
        port = int(next(iter(self._server.sockets)).getsockname()[1])
        return ServerAddress(host=self._host, port=port, tls=self._config.tls is not None)

    def refuse_newcomers(self) -> None:
        """Answer handshakes with 503 from now on; whoever is in stays, and plain HTTP is answered."""
        self._admission.is_leaving = True

    def close(self) -> None:
        """Stop accepting. Ending the connections is the business of their drivers."""
        if self._server is not None:
            _stop_reading(self._server)
            self._server.close(close_connections=False)

    def abort_connections(self) -> None:
        """Cut every connection, also those that are still shaking hands."""
        self._keep_alive.stop()
        for connection in list(self._siblings.members):
            connection.transport.abort()

    async def wait_closed(self) -> None:
        """Return when the last driver has ended; after `close`."""
        if self._server is not None:
            await self._server.wait_closed()
        self._keep_alive.stop()

    def _may_measure(self, connection: PeerConnection, *, is_forwarded: bool) -> bool:
        """Whoever comes by a proxy that is not trusted may come from anywhere."""
        nearest = ClientAddresses().find(connection.remote_address, ())
        is_unknown = is_forwarded and connection.address == nearest
        return not is_unknown and connection.address in self._metrics_from

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, PeerConnection)
        return self._receive(connection, request)

    def _receive(self, connection: PeerConnection, request: Request) -> Response | None:
        """Return the answer to a request, or None where a WebSocket is to come of it."""
        forwarded_for = request.headers.get_all(FORWARDED_FOR)
        connection.address = self._addresses.find(connection.remote_address, forwarded_for)
        may_measure = partial(self._may_measure, connection, is_forwarded=bool(forwarded_for))
        response = self._endpoints.respond(request, may_measure=may_measure, address=connection.address)
        if response is not None:
            return response
        is_ending = self._server is not None and not self._server.is_serving()
        place = NoPlace.LEAVING if is_ending else self._admission.take_place(network_of(connection.address))
        if isinstance(place, NoPlace):
            self.statistics.refused_handshakes[place] += 1
            _logger.debug("handshake refused", extra=fields(address=connection.address, reason=str(place)))
            return refuse_for_now(ErrorCode.OVER_CAPACITY, _RETRY_AFTER_S[place])
        connection.place = place
        return None


def _stop_reading(server: Server) -> None:
    """Leave who comes from now on in the backlog.

    `Server.close` ends the listening a turn later; asyncio fails on whom it accepts in between, and lets go of the
    socket without closing it. Other loops than its own have no such gap.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.SelectorEventLoop):
        for listening in server.sockets:
            loop.remove_reader(listening)
