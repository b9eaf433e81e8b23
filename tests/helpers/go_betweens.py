"""What stands between a client and a server, each on a free port of the loopback: proxies, a reverse proxy, a portal.

The forward proxies pass every connection on to one port here, whatever was asked for, and note what that was: so a test
may use names that nobody can look up.
"""

import asyncio
import base64
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

_HOST = "127.0.0.1"
_CHUNK_BYTES = 65536

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Speak = Callable[["GoBetween", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[_Streams | None]]


@dataclass
class GoBetween:
    """One that runs: `url` for the environment, and `asked` for, as "host:port" or as a path.

    `heads`: what an HTTP proxy was told besides.
    """

    target: int
    scheme: str
    port: int = 0
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    open_ones: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Reset what passes through it."""
        for writer in self.open_ones:
            writer.transport.abort()
        self.open_ones.clear()

    @property
    def url(self) -> str:
        return f"{self.scheme}://{_HOST}:{self.port}"


@asynccontextmanager
async def http_proxy(target: int, *, answer: str = "200 OK", user: str = "", port: int = 0) -> AsyncIterator[GoBetween]:
    """A proxy for CONNECT; with another answer than 200 it refuses. `user`: "name:password" that it wants."""
    secret = f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}\r\n" if user else ""

    async def speak(self: GoBetween, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Streams | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split()[1])
        self.heads.append(head)
        said = answer if secret in head else "407 Proxy Authentication Required"
        upwards = await asyncio.open_connection(_HOST, self.target) if said.startswith("200") else None
        writer.write(f"HTTP/1.1 {said}\r\n\r\n".encode())
        return upwards

    async with _running(GoBetween(target, "http", port), speak) as running:
        yield running


@asynccontextmanager
async def socks5_proxy(target: int, *, user: str = "", port: int = 0) -> AsyncIterator[GoBetween]:
    """A proxy of RFC 1928 that looks names up itself. `user`: "name:password" that it wants (RFC 1929)."""

    async def speak(self: GoBetween, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Streams | None:
        _version, count = await reader.readexactly(2)
        if not await _is_let_in(await reader.readexactly(count), reader, writer):
            return None
        _version, _command, _zero, kind = await reader.readexactly(4)
        size = (await reader.readexactly(1))[0] if kind == 3 else 4
        host = await reader.readexactly(size)
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.asked.append(f"{host.decode() if kind == 3 else '.'.join(map(str, host))}:{port}")
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        return await asyncio.open_connection(_HOST, self.target)

    async def _is_let_in(offered: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if not user:
            writer.write(b"\x05\x00")
            return True
        writer.write(b"\x05\x02" if 2 in offered else b"\x05\xff")
        _version, size = await reader.readexactly(2)
        name = await reader.readexactly(size)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        is_right = b":".join((name, password)) == user.encode()
        writer.write(b"\x01\x00" if is_right else b"\x01\x01")
        return is_right

    async with _running(GoBetween(target, "socks5h", port), speak) as running:
        yield running


@asynccontextmanager
async def reverse_proxy(target: int, prefix: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[GoBetween]:
    """Takes a prefix off the path, ends TLS, and passes on; anything else is not found. `target` may change."""

    async def speak(self: GoBetween, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Streams | None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, rest = head.split(b" ", 2)
        self.asked.append(path.decode())
        if not path.startswith(f"{prefix}/".encode()):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return None
        try:
            upwards = await asyncio.open_connection(_HOST, self.target)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return None
        upwards[1].write(b" ".join((method, path[len(prefix) :], rest)))
        return upwards

    async with _running(GoBetween(target, "http"), speak, tls) as running:
        yield running


class Portal(Enum):
    """What the sign-in page of a network answers to whatever it is asked."""

    PAGE = "200 OK"
    REDIRECT = "302 Found\r\nLocation: http://portal.example/terms"
    HERE = "303 See Other\r\nLocation: /terms"
    SIGN_IN_FIRST = "511 Network Authentication Required"
    NOTHING = ""
    """It takes the connection, and says nothing."""


@asynccontextmanager
async def sends_on(to: str, status: str = "301 Moved Permanently") -> AsyncIterator[GoBetween]:
    """A web server that sends every guest on to the same path at another address, as web servers do for HTTPS."""

    async def speak(self: GoBetween, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Streams | None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.asked.append(path)
        writer.write(f"HTTP/1.1 {status}\r\nLocation: {to}{path}\r\nContent-Length: 0\r\n\r\n".encode())
        return None

    async with _running(GoBetween(0, "http"), speak) as running:
        yield running


@asynccontextmanager
async def captive_portal(
    portal: Portal = Portal.PAGE, *, tls: ssl.SSLContext | None = None, hangs_up: bool = True
) -> AsyncIterator[GoBetween]:
    """The sign-in page of a hotel's network, in the clear or with a certificate of its own."""
    page = b"<html>Please accept our terms</html>"
    answer = f"HTTP/1.1 {portal.value}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()

    async def speak(self: GoBetween, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Streams | None:
        if portal is not Portal.NOTHING:
            first = await reader.read(_CHUNK_BYTES)  # a hello of TLS has no end of a line
            self.asked.append(first.split()[1].decode() if first.startswith(b"GET ") else "")
            writer.write(answer + page)
        if portal is Portal.NOTHING or not hangs_up:
            await reader.read()
        return None

    async with _running(GoBetween(0, "http"), speak, tls) as running:
        yield running


@asynccontextmanager
async def _running(between: GoBetween, speak: _Speak, tls: ssl.SSLContext | None = None) -> AsyncIterator[GoBetween]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        between.open_ones.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            upwards = await speak(between, reader, writer)
            if upwards is not None:
                between.open_ones.add(upwards[1])
                await _pass_both_ways((reader, writer), upwards)
        close_once(writer)

    server = await asyncio.start_server(serve, _HOST, between.port, ssl=tls)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        between.cut()
        await server.wait_closed()
        await asyncio.sleep(0.01)


async def _pass_both_ways(one: _Streams, other: _Streams) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_pass(one[0], other[1]))
        group.create_task(_pass(other[0], one[1]))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
        close_once(writer)


def close_once(writer: asyncio.StreamWriter) -> None:
    """Close once: the second time asyncio of Python 3.11.2 forgets what it needs to abort a transport with TLS."""
    if not writer.is_closing():
        writer.close()
