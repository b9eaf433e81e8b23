"""A WebSocket as the driver wants it: frames out without waiting, frames in one by one, typed errors, a sign of life.

The only module of the desktop that imports websockets. Pings are the driver's business, because a dead link must be
found at once even when writing hangs, and because each time-out object would leave a timer behind under Qt.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from texswarm_desktop.client.link import (
    FindProxy,
    LinkClosedError,
    NoLinkError,
    TransportFactory,
    WrongCertificateError,
)
from texswarm_desktop.client.pairing import OpenCertified
from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import LinkProfile, is_near
from texswarm_desktop.client.trouble import trouble_of
from texswarm_desktop.core.redirect import may_follow, sent_on_to
from texswarm_server.protocol.certificates import is_shown_by
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, LinkLostError
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.version import Limits

#: A peer that sends more in one frame than a whole document may hold is not one of ours.
_MAX_INCOMING_BYTES: Final = Limits().max_document_bytes
_RESTART_S: Final = 1.0
#: A web server sends on once, for HTTPS, and perhaps once more, for another prefix.
_MOST_SENT_ON: Final = 4
_PORT: Final = re.compile(r":[^\]:]*$")
_SOCKS_PORT: Final = 1080
#: How a reverse proxy says that the server behind it is away.
_SERVER_IS_AWAY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

logger = logging.getLogger(__name__)


class _AttentiveConnection(ClientConnection):
    """Notes when bytes came in, whatever they were: under a large download pongs are late, but the link is alive.

    Also notes how long the answer to the last ping took.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock: Callable[[], float] = self.loop.time
        self.heard_at = self.clock()
        self.round_trip_s: float | None = None
        self._pinged_at: float | None = None

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.clock()
        super().data_received(data)

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if self._pinged_at is not None and isinstance(event, Frame) and event.opcode is Opcode.PONG:
            self.round_trip_s, self._pinged_at = self.clock() - self._pinged_at, None

    def ping_without_waiting(self) -> None:
        """Send a ping, if the connection is open."""
        if self.protocol.state.name == "OPEN":
            self._pinged_at = self.clock()
            self.protocol.send_ping(b"")
            self.send_data()


class WebSocketLink:
    """A Link over websockets."""

    def __init__(self, websocket: _AttentiveConnection) -> None:
        self._websocket = websocket
        self.is_for_good = True

    @property
    def heard_at(self) -> float:
        """When the last bytes came in."""
        return self._websocket.heard_at

    @property
    def unsent_bytes(self) -> int:
        """How much lies in the socket's buffer on our side of the system."""
        return self._websocket.transport.get_write_buffer_size()

    @property
    def round_trip_s(self) -> float | None:
        """How long the last ping and its answer took."""
        return self._websocket.round_trip_s

    @property
    def certificate(self) -> bytes | None:
        """What the server showed, in DER form; None without TLS."""
        tls = self._websocket.transport.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(binary_form=True)

    def send(self, frame: str | bytes) -> None:
        """Write a frame without waiting: `broadcast` to one is the public call that does so."""
        broadcast([self._websocket], frame)

    def ping(self) -> None:
        """Send a ping; its answer shows as `heard_at`."""
        self._websocket.ping_without_waiting()

    async def receive(self) -> str | bytes:
        """Return the next frame."""
        try:
            frame = await self._websocket.recv()
        except ConnectionClosed as error:
            raise _lost(error) from error
        return frame


async def proxy_of_environment(address: ServerAddress) -> str | None:
    """Return the proxy that the environment names, or what Python reads of a system's settings."""
    return system_proxy(address)


def websocket_transport(
    fingerprint: str | None = None, find_proxy: FindProxy = proxy_of_environment
) -> TransportFactory:
    """Return what opens WebSocket links. `fingerprint`: of the certificate that a TLS server must show, or of its key.

    With a fingerprint the certificate needs no authority: the invite link vouches for it.
    """
    return _transport(fingerprint, find_proxy, takes_any=False)


def door_transport(fingerprint: str | None = None, find_proxy: FindProxy = proxy_of_environment) -> OpenCertified:
    """Return what opens links to a server's door, at which nobody shows a secret before the other end is known.

    Without a fingerprint any certificate is taken: who it is shows the key exchange, or is for the user to compare.
    """
    return _transport(fingerprint, find_proxy, takes_any=True)


def _transport(fingerprint: str | None, find_proxy: FindProxy, *, takes_any: bool) -> OpenCertified:
    is_pinned = takes_any or bool(fingerprint)

    @asynccontextmanager
    async def open_link(
        address: ServerAddress, profile: LinkProfile, clock: Callable[[], float]
    ) -> AsyncIterator[WebSocketLink]:
        where, websocket = await _connect(address, profile, find_proxy, is_pinned=is_pinned)
        websocket.clock = clock
        websocket.heard_at = clock()
        link = WebSocketLink(websocket)
        try:
            if fingerprint and where.tls:
                _check_certificate(link, fingerprint)
            yield link
        finally:
            code = CloseCode.NORMAL if link.is_for_good else CloseCode.COMING_BACK
            await _close(websocket, code, profile.close_timeout_s)

    return open_link


def has_environment_proxies() -> bool:
    """Say whether somebody set proxies for programs started like this one, which wins over settings of the desktop."""
    return bool(getproxies_environment().keys() - {"no"})


def system_proxy(address: ServerAddress) -> str | None:
    """Return the proxy that the system wants to stand between, None for what is near and for what it exempts."""
    if is_near(address) or proxy_bypass(f"{address.host}:{address.port}"):
        return None
    proxy = get_proxy(parse_uri(address.url)) or getproxies().get("all")
    return in_full(proxy) if proxy else None


def in_full(proxy: str) -> str:
    """Return a proxy with what people leave out and other programs fill in; one that cannot be read as it is."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError:
        return proxy
    user, at, host = parts.netloc.rpartition("@")
    if at and ":" not in user:
        user += ":"
    if parts.scheme.startswith("socks") and not _PORT.search(host):
        host += f":{_SOCKS_PORT}"
    scheme = "socks5h" if parts.scheme == "socks" else parts.scheme
    return parts._replace(scheme=scheme, netloc=f"{user}{at}{host}").geturl()


class _SentOnError(Exception):
    """The server, or whatever answers in its place, sends its guests on; `target` is where to follow it to."""

    def __init__(self, target: ServerAddress) -> None:
        super().__init__(str(target))
        self.target = target


class _Connect(connect):
    """Leaves it to us where to be sent: a portal sends everybody somewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect as the answer it is."""
        return exc


async def _connect(
    address: ServerAddress, profile: LinkProfile, find_proxy: FindProxy, *, is_pinned: bool
) -> tuple[ServerAddress, _AttentiveConnection]:
    """Return a connection and where it leads, which may be where the server sent us on to."""
    for _ in range(_MOST_SENT_ON):
        try:
            return address, await _connect_to(address, profile, await find_proxy(address), is_pinned=is_pinned)
        except _SentOnError as error:
            logger.info("%s sends us on to %s", address, error.target)
            address = error.target
    raise NoLinkError(Trouble.NOT_OURS, f"{address}: sends us on and on")


async def _connect_to(
    address: ServerAddress, profile: LinkProfile, proxy: str | None, *, is_pinned: bool
) -> _AttentiveConnection:
    tls: dict[str, Any] = {"ssl": _pinned_context()} if is_pinned and address.tls else {}
    try:
        websocket = await _Connect(
            address.url,
            compression=None,
            proxy=proxy,
            ping_interval=None,
            open_timeout=None,
            close_timeout=profile.close_timeout_s,
            max_size=_MAX_INCOMING_BYTES,
            create_connection=_AttentiveConnection,
            **tls,
        )
    except InvalidStatus as error:
        raise _refused(error.response, address) from error
    except (OSError, WebSocketException, TimeoutError, ValueError, ImportError) as error:
        trouble = _trouble(error, has_proxy=proxy is not None, has_tls=address.tls)
        raise NoLinkError(trouble, f"{address}: {str(error) or type(error).__name__}") from error
    assert isinstance(websocket, _AttentiveConnection)
    return websocket


def _refused(response: Response, address: ServerAddress) -> Exception:
    target = sent_on_to(address, address.path, response.status_code, response.headers.get("Location", ""))
    if target is not None and may_follow(address, target):
        return _SentOnError(target)
    return _not_now(response, address)


def _trouble(error: Exception, *, has_proxy: bool, has_tls: bool) -> Trouble:  # noqa: PLR0911 - a table
    match error:
        case ProxyError():
            return Trouble.PROXY_SIGN_IN if _is_about_sign_in(error) else Trouble.PROXY
        case InvalidProxy() | ImportError():
            return Trouble.PROXY
        case OSError() | ValueError() if has_proxy and not isinstance(error, ssl.SSLError):
            return Trouble.PROXY
        case ConnectionResetError() | ConnectionAbortedError() if has_tls:
            return Trouble.RESET_AT_HELLO
        case InvalidMessage() if isinstance(error.__cause__, EOFError):  # it ended before anything was said
            return Trouble.ENDED if has_tls else Trouble.MUTE_AT_HELLO
        case InvalidHandshake() | InvalidURI():
            return Trouble.NOT_OURS
        case _:
            return trouble_of(error)


def _is_about_sign_in(error: ProxyError) -> bool:
    """Whether a proxy wants a name and a password; for what SOCKS says to that there is no type."""
    if isinstance(error, InvalidProxyStatus):
        return error.response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
    return "authentication" in str(error.__cause__).lower()


def _not_now(response: Response, address: ServerAddress) -> LinkLostError | NoLinkError:
    """Tell a server that is full from one that is just restarting, which asks for a second at most."""
    with suppress(ValueError):
        retry_after_s = float(response.headers.get("Retry-After", "nothing"))
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and retry_after_s > _RESTART_S:
            return LinkClosedError(CloseCode.TRY_AGAIN_LATER, ErrorCode.OVER_CAPACITY, retry_after_s=retry_after_s)
    trouble = Trouble.NOBODY if response.status_code in _SERVER_IS_AWAY else Trouble.NOT_OURS
    return NoLinkError(trouble, f"{address}: answered {response.status_code}")


async def _close(websocket: _AttentiveConnection, code: CloseCode, limit_s: float) -> None:
    """Say that this is the end, if that goes quickly.

    `close()` alone may hang for as long as TCP likes: before its own time limit it waits until the buffer is written,
    which on a half-open link is never.
    """
    try:
        async with asyncio.timeout(limit_s):
            await websocket.close(code)
    except TimeoutError:
        logger.debug("closing took too long")
    finally:
        websocket.transport.abort()
    await websocket.wait_closed()


def _lost(error: ConnectionClosed) -> LinkLostError:
    close = error.rcvd or error.sent
    if close is None:
        return LinkLostError(str(error.__cause__ or error))
    return LinkClosedError(int(close.code), close.reason)


def _pinned_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _check_certificate(link: WebSocketLink, fingerprint: str) -> None:
    """Nothing secret was sent before this: the handshake carries no credentials."""
    if not is_shown_by(link.certificate or b"", fingerprint):
        raise WrongCertificateError("the server shows another certificate than the invite link promised")
