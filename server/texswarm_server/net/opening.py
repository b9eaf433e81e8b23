"""The opening handshake as nearly every client asks for it; any other request is for websockets, which judges it.

Reading a request with care costs more than all that a client says until it has its document, and after a restart
everybody asks at once. So one look tells whether a request is whole and ordinary, and then its answer is known. See
RFC 6455, section 4.2.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

_MAX_BYTES: Final = 4096
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN: Final = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_COMMA: Final = rb"[\t ]*,[\t ]*"
_REQUEST: Final = re.compile(rb"GET ([!-~]+) HTTP/1\.1\r\n((?:%b:[\t -~]*\r\n){1,64})\r\n" % _TOKEN)
_OPTIONS: Final = re.compile(rb"%b(?:%b%b)*" % (_TOKEN, _COMMA, _TOKEN))
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})
_FORWARDED_FOR: Final = b"x-forwarded-for"
_ANSWER: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client asks for, with its query; who it comes from, by the proxies on its way; and what to answer."""

    path: str
    forwarded_for: tuple[str, ...]
    answer: bytes


def read_opening(data: bytes) -> Opening | None:
    """Return what the first bytes of a connection ask for, or None where they are not one ordinary request."""
    found = _REQUEST.fullmatch(data) if len(data) <= _MAX_BYTES else None
    if found is None:
        return None
    said: dict[bytes, bytes] = {}
    forwarded_for: list[str] = []
    for line in found[2].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b"\t ")
        if name == _FORWARDED_FOR:
            forwarded_for.append(value.decode())
        elif name in said or name in _BODY:
            return None
        else:
            said[name] = value
    key = said.get(b"sec-websocket-key", b"")
    if not _asks_for_a_websocket(said) or not _KEY.fullmatch(key):
        return None
    accept = b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
    return Opening(found[1].decode(), tuple(forwarded_for), _ANSWER % accept)


def _asks_for_a_websocket(said: dict[bytes, bytes]) -> bool:
    options = said.get(b"connection", b"").lower()
    return (
        said.get(b"upgrade", b"").lower() == b"websocket"
        and said.get(b"sec-websocket-version") == b"13"
        and _OPTIONS.fullmatch(options) is not None
        and any(option.strip(b"\t ") == b"upgrade" for option in options.split(b","))
    )
