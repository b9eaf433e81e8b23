"""Opens plain streams to a server, straight or through the system's proxy, for attempts that are no WebSocket.

What stands in the proxy's address to sign in there goes to the proxy and is told to nobody.
"""

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.invite_link import ServerAddress

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_PORTS: Final = {"http": 80, "https": 443}
_SOCKS: Final = frozenset({"socks4", "socks4a", "socks5", "socks5h"})
_PASSED_ON: Final = "2"  # RFC 9110: any answer of this class


class ProxyRefusedError(OSError):
    """A proxy does not pass on. `answer`: what it said, without what it sent along."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class ProxyWay:
    """The proxy that stands between. `scheme`: how it is spoken to; `user` and `password`: None for none."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return host and port, for people."""
        return f"{self.host}:{self.port}"


def proxy_way(text: str | None) -> ProxyWay | None:
    """Return a proxy as it is spoken to, None for none; raises SettingsError for one that cannot be read."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise SettingsError("no address of a proxy") from error
    if not parts.hostname or port is None or parts.scheme not in _SOCKS | _PORTS.keys():
        raise SettingsError("no address of a proxy")
    user, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    return ProxyWay(parts.scheme, parts.hostname, port, user, password)


async def open_way(address: ServerAddress, context: ssl.SSLContext | None, way: ProxyWay | None) -> Streams:
    """Return streams to a server, with TLS where a context is given; raises OSError, ProxyRefusedError from a proxy."""
    if way is None:
        return await asyncio.open_connection(
            address.host, address.port, ssl=context, server_hostname=address.host if context else None
        )
    open_through = _through_http if way.scheme in _PORTS else _through_socks
    reader, writer = await open_through(address, way)
    try:
        if context is not None:
            await writer.start_tls(context, server_hostname=address.host)
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


async def _through_http(address: ServerAddress, way: ProxyWay) -> Streams:
    """CONNECT of RFC 9110, 9.3.6."""
    context = ssl.create_default_context() if way.scheme == "https" else None
    reader, writer = await asyncio.open_connection(way.host, way.port, ssl=context)
    try:
        writer.write(_connect_request(address, way))
        refusal = _refusal(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        refusal = "no answer of HTTP"
    except BaseException:
        writer.transport.abort()
        raise
    if refusal is not None:
        writer.transport.abort()
        raise ProxyRefusedError(refusal)
    return reader, writer


def _refusal(head: bytes) -> str | None:
    """Return what a proxy answers that does not pass on, None where it does."""
    status = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")[2].strip()
    return None if status.startswith(_PASSED_ON) else status


def _connect_request(address: ServerAddress, way: ProxyWay) -> bytes:
    host = f"[{address.host}]" if ":" in address.host else address.host
    lines = [f"CONNECT {host}:{address.port} HTTP/1.1", f"Host: {host}:{address.port}"]
    if way.user is not None:
        secret = base64.b64encode(f"{way.user}:{way.password or ''}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {secret}")
    return "\r\n".join([*lines, "", ""]).encode()


async def _through_socks(address: ServerAddress, way: ProxyWay) -> Streams:
    try:
        from python_socks import ProxyError, ProxyType  # noqa: PLC0415 - comes with the desktop only
        from python_socks.async_.asyncio import Proxy  # noqa: PLC0415
    except ImportError as error:
        raise ProxyRefusedError(f"{way.scheme} needs the package python-socks") from error
    kind = ProxyType.SOCKS4 if way.scheme.startswith("socks4") else ProxyType.SOCKS5
    proxy = Proxy(kind, way.host, way.port, way.user, way.password, rdns=way.scheme in {"socks5h", "socks4a"})
    try:
        connected = await proxy.connect(address.host, address.port)
    except ProxyError as error:
        raise ProxyRefusedError(str(error)) from error
    return await asyncio.open_connection(sock=connected)
