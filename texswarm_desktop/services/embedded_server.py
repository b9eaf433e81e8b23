"""The session server inside the desktop: a thread of its own with a loop of its own.

On the window's loop a stalled window would stall every guest. Only start, address and stop cross the threads; the
desktop itself speaks to it through the socket, like everybody else. This is the only file that imports the server.
"""

import asyncio
import errno
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.lan_addresses import lan_addresses
from texswarm_server.config import ServerConfig as HostConfig
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import HostError, RejectedError, StorageError, TexSwarmError
from texswarm_server.protocol.invite_link import ServerAddress

__all__ = ["EmbeddedServer", "HostConfig", "HostStarted"]

if TYPE_CHECKING:
    from texswarm_server.app import CollabServer

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)
_STOP_LIMIT_S: Final = 5.0
_INVITE_TTL_S: Final = 60.0
_ANY_PORT: Final = 0
_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class HostStarted:
    """A running server: `address` for this desktop, `public_address` for the others, and the way in as its owner.

    `fingerprint`: what the server is recognised by; None where it speaks without TLS.
    """

    address: ServerAddress
    public_address: ServerAddress
    owner_invite: str
    fingerprint: str | None = None


class EmbeddedServer:
    """One run of the server. `start` once; `stop` as often as you like, it returns when the thread has ended.

    With an `identity` it speaks TLS and shows its certificate.
    """

    def __init__(
        self,
        config: HostConfig,
        *,
        identity: HostIdentity | None = None,
        list_addresses: Callable[[], list[str]] = lan_addresses,
    ) -> None:
        self._config = config
        self._identity = identity
        self._fingerprint: str | None = None
        self._list_addresses = list_addresses
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._is_stopping = False
        self._ended: Future[None] = _unbreakable()
        self._document_id: str | None = None

    async def start(self, document_id: str | None = None) -> HostStarted:
        """Return when it accepts connections; on another port when the wanted one is taken. Raises HostError.

        `document_id`: the document the host will share, so that the host is its owner also with a new sign-in.
        """
        self._document_id = document_id
        ready: Future[HostStarted] = _unbreakable()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="embedded-server")
        self._thread.start()
        try:
            return await asyncio.wrap_future(ready)
        except BaseException:
            await self.stop()
            raise

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
            if not ready.done():
                ready.set_exception(HostError("the embedded server did not start"))
            self._ended.set_result(None)

    async def _serve(self, ready: "Future[HostStarted]") -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._is_stopping:  # it was said before there was a loop to say it to
            self._stop.set()
        server = await self._started()
        try:
            ready.set_result(await self._describe(server))
            await self._stop.wait()
        finally:
            try:
                await server.stop(CloseCode.SESSION_ENDED, time_limit_s=_STOP_LIMIT_S)
            except StorageError:
                _log.exception("the embedded server could not store everything")

    async def _started(self) -> "CollabServer":
        from texswarm_server.app import CollabServer  # noqa: PLC0415 - a quarter of a second, for those who host

        if self._identity is not None:
            self._fingerprint = self._identity.prepare(self._list_addresses())
            files = self._identity.certificate_file, self._identity.key_file
            self._config = replace(self._config, tls_cert=files[0], tls_key=files[1])
        server = CollabServer(self._config)
        try:
            await server.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or self._config.port == _ANY_PORT:
                raise
            server = CollabServer(replace(self._config, port=_ANY_PORT))
            await server.start()
        return server

    async def _describe(self, server: "CollabServer") -> HostStarted:
        invite = await self._owner_invite(server)
        bound = server.address
        is_everywhere = self._config.host in _EVERYWHERE
        local = replace(bound, host="127.0.0.1") if is_everywhere else bound
        public = replace(bound, host=self._list_addresses()[0]) if is_everywhere else bound
        return HostStarted(local, public, invite, self._fingerprint)

    async def _owner_invite(self, server: "CollabServer") -> str:
        """Return the way in as owner: of the document that is here from an earlier time, else of a new one."""
        if self._document_id is not None:
            try:
                return await server.create_invite("owner", self._document_id, ttl_s=_INVITE_TTL_S, uses=1)
            except RejectedError as error:
                _log.info("%s is new here: %s", self._document_id, error.code)
        return await server.create_invite("owner", ttl_s=_INVITE_TTL_S, uses=1)


def _unbreakable() -> "Future[T]":
    """Return a future that who waits for it cannot cancel: the thread always may say its word."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future
