"""The session server inside the desktop: a thread of its own with a loop of its own.

On the window's loop a stalled window would stall every guest. Only start, address and stop cross the threads; the
desktop itself speaks to it through the socket, like everybody else. This is the only file that imports the server.
"""

import asyncio
import errno
import importlib
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.lan_addresses import lan_addresses
from texswarm_server.config import ServerConfig as HostConfig
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import HostError, RejectedError, SettingsError, StorageError, TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import RoleName
from texswarm_server.protocol.version import DEFAULT_PORT

__all__ = ["EmbeddedServer", "HostConfig", "HostStarted", "Offer", "likely_ports", "load_ahead", "ports_to_try"]

if TYPE_CHECKING:
    from texswarm_server.app import CollabServer

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)
_STOP_LIMIT_S: Final = 5.0
#: A guest that does not answer the goodbye has heard it, or will find out: the host is not kept waiting.
_GOODBYE_S: Final = 0.15
#: How long a thread keeps the interpreter while another waits for it. Each step of the server waits so long behind a
#: window that is busy in Python: with the usual 5 ms the 99th percentile between two guests was 63 ms, with this 8 ms.
_SWITCH_S: Final = 0.0002
_USUAL_SWITCH_S: Final = 0.005
_INVITE_TTL_S: Final = 60.0
_ANY_PORT: Final = 0
_MORE_PORTS: Final = 8
_LOOK_AGAIN_S: Final = 2.0
_LOADED_AHEAD: Final = (
    "texswarm_server.app",
    "texswarm_server.discovery",
    "texswarm_server.pairing.exchange",
    "cryptography.x509",
)
_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


class HostStarted(msgspec.Struct, frozen=True):
    """A running server: `address` for this desktop, `public_addresses` for others, and the way in as its owner.

    The addresses for others are never none; the best one stands first. `fingerprint`: what the server is recognised
    by; None where it speaks without TLS. `server_id`: by what announcements are known to be this server's.
    """

    address: ServerAddress
    public_addresses: tuple[ServerAddress, ...]
    owner_invite: str
    fingerprint: str | None = None
    server_id: str = ""

    @property
    def public_address(self) -> ServerAddress:
        """The best address for others."""
        return self.public_addresses[0]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the local network is told: who shares which project, where, and who may come in.

    `link`: where it is; guests get an invitation of their own in it, that ends when the sharing does. `role`, `asks`:
    what it is worth. `is_open`: everybody who is there may come in; otherwise who has the join code, and what others
    were given before lets them in no more.
    """

    name: str
    project: str
    link: InviteLink
    role: RoleName
    asks: bool
    is_open: bool


class EmbeddedServer:
    """One run of the server. `start` once; `stop` as often as you like, it returns when the thread has ended.

    With an `identity` it speaks TLS and shows its certificate. `on_addresses` is called, on the loop that called
    `start`, when others can reach it under other addresses than before.
    """

    def __init__(
        self,
        config: HostConfig,
        *,
        identity: HostIdentity | None = None,
        list_addresses: Callable[[], list[str]] = lan_addresses,
        on_addresses: Callable[[tuple[ServerAddress, ...]], None] | None = None,
        look_again_s: float = _LOOK_AGAIN_S,
    ) -> None:
        self._config = config
        self._identity = identity
        self._fingerprint: str | None = None
        self._list_addresses = list_addresses
        self._on_addresses = on_addresses
        self._look_again_s = look_again_s
        self._addresses: list[str] = []
        self._home: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._server: CollabServer | None = None
        self._is_stopping = False
        self._ended: Future[None] = _unbreakable()
        self._document_id: str | None = None
        self._own_way_in = ""

    async def start(self, document_id: str | None = None) -> HostStarted:
        """Return when it accepts connections; on another port when the wanted one is taken. Raises HostError.

        `document_id`: the document the host will share, so that the host is its owner also with a new sign-in.
        """
        self._document_id = document_id
        self._home = asyncio.get_running_loop()
        ready: Future[HostStarted] = _unbreakable()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="embedded-server")
        self._thread.start()
        try:
            return await asyncio.wrap_future(ready)
        except BaseException:
            await self.stop()
            raise

    def offer(self, offer: Offer, on_code: Callable[[str], object]) -> None:
        """Tell the local network of a project, or something else of it; after `start`.

        `on_code` is told the join code on the caller's loop, empty while there is none.
        """
        loop, server, home = self._loop, self._server, asyncio.get_running_loop()
        if loop is None or server is None:
            return

        def tell(code: str) -> None:
            with suppress(RuntimeError):  # the window's loop has ended
                home.call_soon_threadsafe(on_code, code)

        own_way_in, self._own_way_in = self._own_way_in, ""
        with suppress(RuntimeError):  # its own has
            loop.call_soon_threadsafe(_offer, server, offer, tell)
            if own_way_in:  # who shares a project is in
                loop.call_soon_threadsafe(server.withdraw_invite, own_way_in)

    async def stop(self) -> None:
        """Tell the guests that the host ended the session, store everything, and end the thread."""
        if self._thread is None:
            return
        self._is_stopping = True
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # its loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.wrap_future(self._ended)
        self._thread.join()

    def _run(self, ready: "Future[HostStarted]") -> None:
        sys.setswitchinterval(_SWITCH_S)
        try:
            asyncio.run(self._serve(ready))
        except (TexSwarmError, OSError) as error:
            if ready.done():
                _log.exception("the embedded server ended badly")
            else:
                failure = HostError(str(error))
                failure.__cause__ = error
                ready.set_exception(failure)
        finally:
            sys.setswitchinterval(_USUAL_SWITCH_S)
            if not ready.done():
                ready.set_exception(HostError("the embedded server did not start"))
            self._ended.set_result(None)

    async def _serve(self, ready: "Future[HostStarted]") -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._is_stopping:  # it was said before there was a loop to say it to
            self._stop.set()
        self._addresses = self._list_addresses()
        server = self._server = await self._started()
        try:
            ready.set_result(await self._describe(server))
            await self._until_stopped(server)
        finally:
            try:
                await server.stop(CloseCode.SESSION_ENDED, goodbye_s=_GOODBYE_S, time_limit_s=_STOP_LIMIT_S)
            except StorageError:
                _log.exception("the embedded server could not store everything")

    async def _until_stopped(self, server: "CollabServer") -> None:
        """Return when `stop` was called; until then look now and then under which addresses others reach us."""
        assert self._stop is not None
        while not self._stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_again_s):
                    await self._stop.wait()
            if self._is_everywhere and not self._stop.is_set():
                await self._look_for_addresses(server)

    async def _look_for_addresses(self, server: "CollabServer") -> None:
        addresses = self._list_addresses()
        if addresses == self._addresses:
            return
        self._addresses = addresses
        _log.info("others reach this host at %s", ", ".join(addresses))
        if self._identity is not None:
            with suppress(StorageError, SettingsError):  # who insists on the key does not look at the names
                self._identity.prepare(addresses)
                await server.reload_tls()
        if self._on_addresses is not None and self._home is not None:
            with suppress(RuntimeError):  # the window's loop has ended
                self._home.call_soon_threadsafe(self._on_addresses, self._public(server.address))

    @property
    def _is_everywhere(self) -> bool:
        return self._config.host in _EVERYWHERE

    async def _started(self) -> "CollabServer":
        """Start on the wanted port, on one near it, or on any that is free."""
        if self._identity is not None:
            self._fingerprint = self._identity.prepare(self._addresses)
            files = self._identity.certificate_file, self._identity.key_file
            self._config = replace(self._config, tls_cert=files[0], tls_key=files[1])
        for port in ports_to_try(self._config.port):
            try:
                return await self._started_on(port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == _ANY_PORT:
                    raise
        raise AssertionError("any port is the last one to be tried")

    async def _started_on(self, port: int) -> "CollabServer":
        from texswarm_server.app import CollabServer  # noqa: PLC0415 - a quarter of a second, for those who host

        server = CollabServer(replace(self._config, port=port))
        await server.start()
        return server

    async def _describe(self, server: "CollabServer") -> HostStarted:
        invite = self._own_way_in = await self._owner_invite(server)
        local = replace(server.address, host="127.0.0.1") if self._is_everywhere else server.address
        return HostStarted(local, self._public(server.address), invite, self._fingerprint, server.server_id)

    def _public(self, bound: ServerAddress) -> tuple[ServerAddress, ...]:
        if not self._is_everywhere:
            return (bound,)
        return tuple(replace(bound, host=address) for address in self._addresses)

    async def _owner_invite(self, server: "CollabServer") -> str:
        """Return the way in as owner: of the document that is here from an earlier time, else of a new one."""
        if self._document_id is not None:
            try:
                return await server.create_invite("owner", self._document_id, ttl_s=_INVITE_TTL_S, uses=1)
            except RejectedError as error:
                _log.info("%s is new here: %s", self._document_id, error.code)
        return await server.create_invite("owner", ttl_s=_INVITE_TTL_S, uses=1)


def ports_to_try(wanted: int) -> list[int]:
    """Return the ports to listen on, in order: guests who come back look for the usual ones first."""
    if wanted == _ANY_PORT:
        return [_ANY_PORT]
    return [*range(wanted, min(wanted + _MORE_PORTS, 65536)), _ANY_PORT]


def likely_ports() -> list[int]:
    """Return the ports that hosting tries before it takes any, in order."""
    return [port for port in ports_to_try(DEFAULT_PORT) if port != _ANY_PORT]


def load_ahead() -> None:
    """Load what hosting needs, so that the first start is as quick as the next one. In any thread."""
    for name in _LOADED_AHEAD:
        importlib.import_module(name)


def _offer(server: "CollabServer", offer: Offer, tell: Callable[[str], object]) -> None:
    """Announce and open the door, on the server's own loop."""
    link = offer.link

    async def invitation(*, is_nearby: bool = False) -> str:
        token = await server.door_invite(offer.role, link.document_id, asks=offer.asks, is_nearby=is_nearby)
        return str(replace(link, token=token))

    server.open_door(invitation, nearby=partial(invitation, is_nearby=True) if offer.is_open else None, on_code=tell)
    if not offer.is_open:
        server.end_nearby_invite()
    server.change_door_invite(offer.role, link.document_id, asks=offer.asks)
    server.announce(offer.name, project=offer.project, document_id=link.document_id, fingerprint=link.fingerprint)


def _unbreakable() -> "Future[T]":
    """Return a future that who waits for it cannot cancel: the thread always may say its word."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future
