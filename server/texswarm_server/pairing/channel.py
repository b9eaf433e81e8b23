"""What an exchange is bound to: the certificate of the connection it goes over, as each side sees it.

A man in the middle has to show the guest a certificate of his own; then both sides mean different channels, and derive
different keys. Without TLS both mean the same, and only the code protects the exchange.
"""

from hashlib import sha256
from typing import Final

from texswarm_server.protocol.certificates import certificate_fingerprint

PLAIN: Final = b"plain"


def channel_of(certificate: bytes | None) -> bytes:
    """Return the channel of a connection on which this certificate, in DER form, was shown; None without TLS."""
    return PLAIN if certificate is None else b"certificate " + sha256(certificate).digest()


def seen_as(certificate: bytes | None) -> str:
    """Return what a guest says of the certificate it sees: its fingerprint, nothing without TLS.

    It proves nothing, and is said so that a host can tell a proxy in between from a guest who has a wrong code.
    """
    return "" if certificate is None else certificate_fingerprint(certificate)
