"""The certificate and key of a server, as they lie on the disk."""

import ssl
from pathlib import Path

from texswarm_server.protocol.errors import SettingsError


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


def first_certificate(file: Path | None) -> bytes | None:
    """Return the first certificate in a PEM file, in DER form; None without TLS."""
    if file is None:
        return None
    end = "-----END CERTIFICATE-----"
    text = file.read_text("ascii", errors="replace")
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN") : text.index(end)] + end)
