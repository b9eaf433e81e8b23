"""Tries the steps of a connection one by one, and tells what came of each: the hands of the join doctor.

Each function makes an attempt of its own, with a time limit, and returns facts; it judges nothing, and raises nothing
about the network. No secret is sent before the certificate was the right one, and only `try_sign_in` sends one.
"""

import asyncio
import json
import socket
import ssl
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from texswarm_desktop.client.link import LinkClosedError
from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import profile_for
from texswarm_desktop.client.transport import system_proxy, websocket_transport
from texswarm_desktop.client.trouble import trouble_of
from texswarm_desktop.core.doctor import Answer, HttpFact, TlsAnswer, Trust
from texswarm_server import __version__
from texswarm_server.protocol.certificates import is_shown_by
from texswarm_server.protocol.codec import encode, fact_codec
from texswarm_server.protocol.errors import ErrorCode, LinkError, RemoteProtocolError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, Error
from texswarm_server.protocol.version import PROTOCOL_VERSION

_PATIENCE_S: Final = 4.0
_HTTP_PORT: Final = 80
_MOST_BYTES: Final = 16384
_MDNS: Final = ("224.0.0.251", 5353)
_MDNS_PATIENCE_S: Final = 1.0
#: A question of DNS for `_texswarm._tcp.local`, pointers, answered to whoever asked.
_MDNS_QUESTION: Final = (
    b"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_texswarm\x04_tcp\x05local\x00\x00\x0c\x80\x01"
)
_ANSWERS: Final[dict[Trouble, Answer]] = {Trouble.NOBODY: Answer.REFUSED, Trouble.NO_ANSWER: Answer.UNREACHABLE}
#: X509_V_ERR_… of OpenSSL.
_TRUST: Final[dict[int, Trust]] = {10: Trust.EXPIRED, 9: Trust.NOT_YET}


async def look_up(host: str, limit_s: float = _PATIENCE_S) -> tuple[str, ...] | None:
    """Return the addresses of a name, None when it is not known."""
    try:
        async with asyncio.timeout(limit_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def try_port(host: str, port: int, limit_s: float = _PATIENCE_S) -> tuple[Answer, int]:
    """Return what a TCP connection is answered with, and after how many milliseconds."""
    began_at = time.monotonic()
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Answer.SILENT, 0
    except OSError as error:
        return _ANSWERS.get(trouble_of(error), Answer.BROKEN_OFF), 0
    writer.transport.abort()
    return Answer.OPEN, round((time.monotonic() - began_at) * 1000)


async def try_tls(
    address: ServerAddress, fingerprint: str | None, limit_s: float = _PATIENCE_S
) -> tuple[TlsAnswer, Trust | None, str]:
    """Return whether there is TLS at an address, whether its certificate is the right one, and what OpenSSL says."""
    certificate = await _certificate(address, limit_s)
    if certificate is None:
        return TlsAnswer.NOT_TLS, None, ""
    if fingerprint:
        return TlsAnswer.DONE, Trust.PINNED if is_shown_by(certificate, fingerprint) else Trust.OTHER, ""
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(
                address.host, address.port, ssl=ssl.create_default_context(), server_hostname=address.host
            )
    except ssl.SSLCertVerificationError as error:
        return TlsAnswer.DONE, _TRUST.get(error.verify_code, Trust.UNTRUSTED), error.verify_message
    except OSError as error:
        return TlsAnswer.DONE, Trust.UNTRUSTED, str(error)
    writer.transport.abort()
    return TlsAnswer.DONE, Trust.TRUSTED, ""


async def _certificate(address: ServerAddress, limit_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=_any_certificate())
    except OSError:
        return None
    certificate: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return certificate


async def ask_http(address: ServerAddress, limit_s: float = _PATIENCE_S) -> HttpFact:
    """Return what a plain GET is answered with, whatever the certificate is."""
    ask = f"GET {address.prefix}/api/ping HTTP/1.1\r\nHost: {address.host}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=_any_certificate() if address.tls else None
            )
            try:
                writer.write(ask.encode())
                answer = await _read(reader)
            finally:
                writer.transport.abort()
    except OSError:
        return HttpFact(0)
    return http_fact(answer)


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < _MOST_BYTES and (more := await reader.read(_MOST_BYTES)):
        answer += more
    return answer


def http_fact(answer: bytes) -> HttpFact:
    """Read an answer of HTTP; anything else has the status 0."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not first.startswith("HTTP/") or len(words) < 2 or not words[1].isdecimal():
        return HttpFact(0)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    is_page = "html" in headers.get("content-type", "") or b"<html" in body[:2048].lower()
    told = _told_in(body)
    version, seen_as = told.get("server_version", ""), told.get("client_address", "")
    return HttpFact(int(words[1]), version, _seconds(headers.get("date", "")), is_page, _address_in(seen_as))


def _told_in(body: bytes) -> dict[str, str]:
    """Return the texts of a JSON object; nothing of what is none."""
    with suppress(ValueError, RecursionError):
        told: Any = json.loads(body)
        if isinstance(told, dict):
            return {name: value for name, value in told.items() if isinstance(value, str)}
    return {}


def _address_in(text: str) -> str:
    """Return what is an address; nothing for what is none, because strangers wrote it."""
    with suppress(ValueError):
        return str(ip_address(text))
    return ""


def _seconds(date: str) -> float | None:
    with suppress(ValueError):
        return parsedate_to_datetime(date).timestamp()
    return None


async def try_sign_in(link: InviteLink, user_id: str, name: str, limit_s: float = _PATIENCE_S) -> str | None:
    """Show the invitation of a link as this installation's user, and return the code of the refusal, None for none.

    The same user may show the same invitation again later: it is taken for a retry, and counts once. Raises LinkError.
    """
    order = Authentication(
        protocol=PROTOCOL_VERSION, token=link.token, user_id=user_id, display_name=name,
        client=f"texswarm-doctor/{__version__}",
    )  # fmt: skip
    try:
        async with (
            asyncio.timeout(limit_s),
            websocket_transport(link.fingerprint)(link.address, profile_for(link.address), time.monotonic) as wire,
        ):
            wire.send(encode(order))
            return _verdict(await wire.receive())
    except LinkClosedError as error:
        return error.reason or str(error.code)
    except TimeoutError as error:
        raise LinkError("no answer to the sign-in") from error


def _verdict(frame: str | bytes) -> str | None:
    try:
        fact = fact_codec.decode(frame) if isinstance(frame, str) else None
    except RemoteProtocolError:
        fact = None
    match fact:
        case AuthenticationResult(ok=True):
            return None
        case AuthenticationResult(code=code) if code:
            return code
        case Error(code=code) if code not in {ErrorCode.AUTH_SUCCESS, ErrorCode.AUTH_FAILED}:
            return code
        case _:
            return ErrorCode.PROTOCOL_UNSUPPORTED


async def ask_mdns(limit_s: float = _MDNS_PATIENCE_S) -> int | None:
    """Ask the local network who hosts, and return how many machines answered; None where asking is not possible."""
    loop = asyncio.get_running_loop()
    heard = _Heard()
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: heard, local_addr=("0.0.0.0", 0))  # noqa: S104
    except OSError:
        return None
    try:
        transport.sendto(_MDNS_QUESTION, _MDNS)
        await asyncio.sleep(limit_s)
    finally:
        transport.close()
    return None if heard.has_failed else len(heard.senders)


class _Heard(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.senders: set[str] = set()
        self.has_failed = False

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if b"_texswarm" in data:
            self.senders.add(str(addr[0]))

    def error_received(self, _exc: Exception) -> None:
        self.has_failed = True


def proxy_of(address: ServerAddress) -> tuple[str, int] | None:
    """Return host and port of the proxy that stands between, None for none."""
    parts = urlsplit(system_proxy(address) or "")
    return (parts.hostname, parts.port or _HTTP_PORT) if parts.hostname else None


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
