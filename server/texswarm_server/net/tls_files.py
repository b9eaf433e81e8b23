"""The certificate and key of a server, as they lie on the disk."""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from texswarm_server.protocol.certificates import certificate_fingerprint, key_fingerprint
from texswarm_server.protocol.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """What a server shows: the certificate in DER form, its fingerprint and that of the key in it.

    `key` is None for a key of a kind that is not known here; then only the certificate tells who this is.
    """

    der: bytes
    fingerprint: str
    key: str | None

    @property
    def lasting(self) -> str:
        """What the server is recognised by for as long as can be."""
        return self.key or self.fingerprint


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return what speaks TLS with these files, None without; raises SettingsError when they cannot be used."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"cannot use the certificate {certificate}: {error}") from error
    return context


def first_certificate(file: Path | None) -> ShownCertificate | None:
    """Return the first certificate in a PEM file; None without TLS."""
    if file is None:
        return None
    end = "-----END CERTIFICATE-----"
    text = file.read_text("ascii", errors="replace")
    der = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN") : text.index(end)] + end)
    key = None
    with suppress(ValueError):
        key = key_fingerprint(der)
    return ShownCertificate(der, certificate_fingerprint(der), key)
