"""By what a server's certificate is recognised: the fingerprint that an invite link carries. Pure.

A fingerprint is the SHA-256, in hex, of the certificate's public key (its SubjectPublicKeyInfo, RFC 5280) or of the
whole certificate. A desktop that hosts names its key: the certificate is renewed with the same key, and who came by an
older link is never warned. A server with a certificate from elsewhere names the certificate, because the key may go
with the next one. The two cannot be taken for each other: a certificate with the bytes of somebody's key is none.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

_EXPLICIT_VERSION: Final = 0xA0
_LONGEST_LENGTH: Final = 4
#: Before the key in a certificate without its version: serial number, algorithm, issuer, validity, subject.
_KEY_AT: Final = 5


def is_shown_by(certificate: bytes, fingerprint: str) -> bool:
    """Say whether `certificate`, in DER form, is the one meant by a fingerprint, or has the key that is meant."""
    wanted = fingerprint.replace(":", "").lower().encode()
    return any(hmac.compare_digest(one.encode(), wanted) for one in _fingerprints(certificate))


def key_fingerprint(certificate: bytes) -> str:
    """Return the fingerprint of the public key; raises ValueError for bytes that are no certificate in DER form."""
    _, whole, _ = _first(certificate)
    _, to_be_signed, _ = _first(whole)
    parts = [raw for tag, _, raw in _elements(to_be_signed) if tag != _EXPLICIT_VERSION]
    if len(parts) <= _KEY_AT:
        raise ValueError("no certificate: parts are missing")
    return hashlib.sha256(parts[_KEY_AT]).hexdigest()


def _fingerprints(certificate: bytes) -> Iterator[str]:
    yield hashlib.sha256(certificate).hexdigest()
    try:
        yield key_fingerprint(certificate)
    except ValueError:
        return


def _elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield tag, content and all bytes of each element that stands one after the other."""
    while data:
        found = _first(data)
        yield found
        data = data[len(found[2]) :]


def _first(data: bytes) -> tuple[int, bytes, bytes]:
    if len(data) < 2:
        raise ValueError("no certificate: ends inside an element")
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= _LONGEST_LENGTH:
            raise ValueError("no certificate: a length of a form that DER does not have")
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if start + length > len(data):
        raise ValueError("no certificate: ends inside an element")
    return tag, data[start : start + length], data[: start + length]
