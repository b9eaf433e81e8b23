"""By what a server's certificate is recognised: the fingerprint that an invite link carries. Pure.

A fingerprint is the SHA-256, in hex, of the certificate's public key (its SubjectPublicKeyInfo, RFC 5280) or of the
whole certificate. A desktop that hosts names its key: the certificate is renewed with the same key, and who came by an
older link is never warned. A server with a certificate from elsewhere names both, each for itself, and its links hold
for as long as the operator keeps the key. The two cannot be taken for each other: a certificate with the bytes of
somebody's key is none.
"""

import hashlib
import hmac
import warnings
from collections.abc import Iterator


def same_fingerprint(text: str) -> str:
    """Return the one way of writing a fingerprint."""
    return text.replace(":", "").strip().lower()


def is_shown_by(certificate: bytes, fingerprint: str) -> bool:
    """Say whether `certificate`, in DER form, is the one meant by a fingerprint, or has the key that is meant."""
    wanted = same_fingerprint(fingerprint).encode()
    return any(hmac.compare_digest(one.encode(), wanted) for one in _fingerprints(certificate))


def certificate_fingerprint(certificate: bytes) -> str:
    """Return the fingerprint of a certificate in DER form."""
    return hashlib.sha256(certificate).hexdigest()


def key_fingerprint(certificate: bytes) -> str:
    """Return the fingerprint of the public key; raises ValueError for bytes that are no certificate in DER form."""
    from cryptography import x509  # noqa: PLC0415 - takes longer to load than a window without a server may
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    try:
        with warnings.catch_warnings(action="ignore"):
            key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise ValueError(f"no certificate that can be used: {error}") from error
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _fingerprints(certificate: bytes) -> Iterator[str]:
    yield certificate_fingerprint(certificate)
    try:
        yield key_fingerprint(certificate)
    except ValueError:
        return
