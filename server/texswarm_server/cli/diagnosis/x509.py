"""What a certificate says of itself, as far as an operator is told. Pure.

Read from its DER form by hand (RFC 5280, section 4.1): Python's `ssl` shows the fields of a peer's certificate only.
Nothing is verified; damaged bytes raise ValueError and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

_SEQUENCE: Final = 0x30
_EXPLICIT_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_OCTETS: Final = 0x04
_SUBJECT_ALT_NAME: Final = bytes.fromhex("551d11")  # 2.5.29.17
_DNS_NAME: Final = 0x82
_IP_ADDRESS: Final = 0x87
_LONGEST_LENGTH: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Times in UTC; `names`: host names and addresses it is for; `is_self_signed`: issuer and subject are the same."""

    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    is_self_signed: bool


def read_certificate(der: bytes) -> Certificate:
    """Return what a certificate says; raises ValueError for what is none."""
    ((_, certificate),) = _expect(_elements(der), 1)
    to_be_signed = _expect(_elements(certificate), 3)[0][1]
    parts = [part for part in _elements(to_be_signed) if part[0] != _EXPLICIT_VERSION]
    _serial, _algorithm, issuer, validity, subject = _expect(parts, 5)[:5]
    begin, end = _expect(_elements(validity[1]), 2)
    return Certificate(
        not_before=_time(*begin),
        not_after=_time(*end),
        names=tuple(_names(parts)),
        is_self_signed=issuer == subject,
    )


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element that stands one after the other."""
    while data:
        if len(data) < 2:
            raise ValueError("ends inside an element")
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= _LONGEST_LENGTH:
                raise ValueError("length of a form that DER does not have")
            length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
        if start + length > len(data):
            raise ValueError("ends inside an element")
        yield tag, data[start : start + length]
        data = data[start + length :]


def _expect(elements: Iterator[tuple[int, bytes]] | list[tuple[int, bytes]], count: int) -> list[tuple[int, bytes]]:
    found = list(elements)
    if len(found) < count:
        raise ValueError("parts are missing")
    return found


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _names(parts: list[tuple[int, bytes]]) -> Iterator[str]:
    for tag, content in parts:
        if tag == _EXTENSIONS:
            for _, extensions in _elements(content):
                for _, extension in _elements(extensions):
                    fields = _expect(_elements(extension), 2)
                    if fields[0][1] == _SUBJECT_ALT_NAME and fields[-1][0] == _OCTETS:
                        yield from _general_names(fields[-1][1])


def _general_names(octets: bytes) -> Iterator[str]:
    for _, names in _elements(octets):
        for tag, content in _elements(names):
            if tag == _DNS_NAME:
                yield content.decode("ascii")
            elif tag == _IP_ADDRESS:
                yield str(ip_address(content))
