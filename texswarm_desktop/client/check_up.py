"""Tries the steps of a connection one by one, and tells what came of each: the hands of the join doctor.

Each function makes an attempt of its own, with a time limit, and returns facts; it judges nothing, and raises nothing
about the network. No secret is sent before the certificate was the right one, and only `try_sign_in` sends one.
"""

import asyncio
import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Final

from texswarm_desktop.client.link import FindProxy, Link, LinkClosedError
from texswarm_desktop.client.proxy_way import ProxyRefusedError, ProxyWay, open_way
from texswarm_desktop.client.states import StopCode, Trouble
from texswarm_desktop.client.timing import profile_for
from texswarm_desktop.client.transport import proxy_of_environment, websocket_transport
from texswarm_desktop.client.trouble import trouble_of
from texswarm_desktop.core.doctor import Answer, HttpFact, InterfaceFact, OtherSide, TlsAnswer, Trust
from texswarm_desktop.core.host_addresses import HostAddress, InterfaceAddress, Reach, reachable
from texswarm_desktop.core.one_line import one_line
from texswarm_server import __version__
from texswarm_server.protocol.certificates import is_shown_by
from texswarm_server.protocol.codec import encode, fact_codec
from texswarm_server.protocol.errors import ErrorCode, LinkError, RemoteProtocolError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    DescribeServer,
    Error,
    InterfaceInfo,
    Message,
    ServerDescribed,
)
from texswarm_server.protocol.version import PROTOCOL_VERSION

#: Answered by a server of ours with what it is.
PING_PATH: Final = "/api/ping"
_PATIENCE_S: Final = 4.0
_DISCARD_PORT: Final = 9
_MOST_ANSWER_CHARS: Final = 80
_TELLS_WITHIN_S: Final = 2.0
_REQUEST: Final = 1
_MOST_INTERFACES: Final = 64
_MOST_NAME_CHARS: Final = 40
_MOST_BYTES: Final = 16384
_STATUS: Final = re.compile("[0-9]{3}")
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


async def try_proxy(address: ServerAddress, way: ProxyWay, limit_s: float = _PATIENCE_S) -> str | None:
    """Return what a proxy says that does not pass on to an address, None for one that does."""
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await open_way(address, None, way)
    except ProxyRefusedError as error:
        return one_line(error.answer, _MOST_ANSWER_CHARS)
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return one_line(str(error), _MOST_ANSWER_CHARS)
    writer.transport.abort()
    return None


def source_of(address: str) -> str | None:
    """Return the address of this machine from which it would speak to another; None where there is no way."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Nothing is sent: connecting a datagram socket only asks the routing table.
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((address, _DISCARD_PORT))
        return str(probe.getsockname()[0])
    return None


async def try_tls(
    address: ServerAddress, fingerprint: str | None, limit_s: float = _PATIENCE_S, *, way: ProxyWay | None = None
) -> tuple[TlsAnswer, Trust | None, str]:
    """Return whether there is TLS at an address, whether its certificate is the right one, and what OpenSSL says."""
    certificate = await _certificate(address, limit_s, way)
    if certificate is None:
        return TlsAnswer.NOT_TLS, None, ""
    if fingerprint:
        return TlsAnswer.DONE, Trust.PINNED if is_shown_by(certificate, fingerprint) else Trust.OTHER, ""
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await open_way(address, ssl.create_default_context(), way)
    except ssl.SSLCertVerificationError as error:
        return TlsAnswer.DONE, _TRUST.get(error.verify_code, Trust.UNTRUSTED), error.verify_message
    except OSError as error:
        return TlsAnswer.DONE, Trust.UNTRUSTED, str(error)
    writer.transport.abort()
    return TlsAnswer.DONE, Trust.TRUSTED, ""


async def _certificate(address: ServerAddress, limit_s: float, way: ProxyWay | None) -> bytes | None:
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await open_way(address, _any_certificate(), way)
    except OSError:
        return None
    certificate: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return certificate


async def ask_http(address: ServerAddress, limit_s: float = _PATIENCE_S, *, way: ProxyWay | None = None) -> HttpFact:
    """Return what a plain GET is answered with, whatever the certificate is.

    What came until the time was up counts: not everybody who answers hangs up as asked.
    """
    ask = f"GET {address.prefix}{PING_PATH} HTTP/1.1\r\nHost: {address.host}\r\nConnection: close\r\n\r\n"
    answer = bytearray()
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await open_way(address, _any_certificate() if address.tls else None, way)
            try:
                writer.write(ask.encode())
                await _read(reader, answer)
            finally:
                writer.transport.abort()
    except TimeoutError:
        if not answer:
            return HttpFact(0, is_mute=True)
    except OSError:
        if not answer:
            return HttpFact(0)
    return http_fact(bytes(answer))


async def _read(reader: asyncio.StreamReader, into: bytearray) -> None:
    while len(into) < _MOST_BYTES and (more := await reader.read(_MOST_BYTES)):
        into += more


def http_fact(answer: bytes) -> HttpFact:
    """Read an answer of HTTP; anything else has the status 0."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not first.startswith("HTTP/") or len(words) < 2 or not _STATUS.fullmatch(words[1]):
        return HttpFact(0)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    is_page = "html" in headers.get("content-type", "") or b"<html" in body[:2048].lower()
    told = _told_in(body)
    return HttpFact(
        int(words[1]),
        _text(told.get("server_version")),
        _seconds(headers.get("date", "")),
        is_page,
        _address_in(_text(told.get("client_address"))),
        _protocols(told.get("oldest_protocol"), told.get("protocol")),
        location=headers.get("location", ""),
    )


def _told_in(body: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for what is none."""
    with suppress(ValueError, RecursionError):
        told: Any = json.loads(body)
        if isinstance(told, dict):
            return told
    return {}


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _protocols(oldest: object, newest: object) -> tuple[int, int] | None:
    """Return the first and the last version that a server speaks; None where it does not say, or says no such thing."""
    if type(newest) is not int or newest < 1:  # a bool is no version
        return None
    return (oldest if type(oldest) is int and 1 <= oldest <= newest else newest), newest


def _address_in(text: str) -> str:
    """Return what is an address; nothing for what is none, because strangers wrote it."""
    with suppress(ValueError):
        return str(ip_address(text))
    return ""


def _seconds(date: str) -> float | None:
    with suppress(ValueError, OverflowError):
        return parsedate_to_datetime(date).timestamp()
    return None


@dataclass(frozen=True, slots=True)
class SignInTried:
    """What came of a sign-in. `code`: of the refusal, None for none; `other_side`: what the server said of itself."""

    code: str | None
    other_side: OtherSide | None = None


async def try_sign_in(
    link: InviteLink,
    user_id: str,
    name: str,
    limit_s: float = _PATIENCE_S,
    find_proxy: FindProxy = proxy_of_environment,
) -> SignInTried:
    """Show the invitation of a link as this installation's user, and return what came of it.

    The same user may show the same invitation again later: it is taken for a retry, and counts once. Raises LinkError.
    """
    order = Authentication(
        protocol=PROTOCOL_VERSION, token=link.token, user_id=user_id, display_name=name,
        client=f"texswarm-doctor/{__version__}",
    )  # fmt: skip
    open_link = websocket_transport(link.fingerprint, find_proxy)
    try:
        async with (
            asyncio.timeout(limit_s),
            open_link(link.address, profile_for(link.address), time.monotonic) as wire,
        ):
            wire.send(encode(order))
            code = _verdict(await wire.receive())
            return SignInTried(code, None if code is not None else await _other_side(wire))
    except LinkClosedError as error:
        return SignInTried(error.reason or str(error.code))
    except TimeoutError as error:
        raise LinkError("no answer to the sign-in") from error


async def _other_side(wire: Link) -> OtherSide | None:
    """Return what the server says of its own side; None where it does not, or not soon, or breaks off."""
    with suppress(LinkError, RemoteProtocolError, TimeoutError):
        async with asyncio.timeout(_TELLS_WITHIN_S):
            wire.send(encode(DescribeServer(request=_REQUEST)))
            while True:
                fact = _fact_in(await wire.receive())
                if isinstance(fact, ServerDescribed):
                    return other_side_in(fact)
                if isinstance(fact, Error):  # an older server does not know the question
                    return None
    return None


def other_side_in(fact: ServerDescribed) -> OtherSide:
    """Return what a server told of its own side, without what makes no sense: anybody may be at the other end."""
    inside = {each.address: each for each in fact.interfaces[:_MOST_INTERFACES]}
    sayable = reachable(InterfaceAddress(_short(each.name), each.address) for each in inside.values())
    return OtherSide(
        port=fact.port,
        seen_as=_address_in(fact.client_address),
        firewall=_short(fact.firewall or ""),
        is_announced=fact.announced,
        interfaces=tuple(
            InterfaceFact(one.interface, one.address, _prefix(inside, one), one.reach is Reach.VPN) for one in sayable
        ),
    )


def _prefix(told: Mapping[str, InterfaceInfo], one: HostAddress) -> int:
    longest = ip_address(one.address).max_prefixlen
    prefix = told[one.address].prefix if one.address in told else longest
    return prefix if 0 <= prefix <= longest else longest


def _short(text: str) -> str:
    return one_line(text, _MOST_NAME_CHARS)


def _fact_in(frame: str | bytes) -> Message | None:
    """Return what a server said, None where it is no text; raises RemoteProtocolError."""
    return fact_codec.decode(frame) if isinstance(frame, str) else None


def _verdict(frame: str | bytes) -> str | None:
    try:
        fact = _fact_in(frame)
    except RemoteProtocolError:
        fact = None
    match fact:
        case AuthenticationResult(ok=True):
            return None
        case AuthenticationResult(code=code) if code:
            return code
        case Error(code=ErrorCode.AUTH_SUCCESS | ErrorCode.AUTH_FAILED):
            return StopCode.SERVER_TOO_OLD
        case Error(code=code):
            return code
        case _:
            return ErrorCode.PROTOCOL_UNSUPPORTED


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
