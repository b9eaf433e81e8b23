"""The certificate: can it be used, until when, for whom, and who may read its key."""

import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from texswarm_server.cli.diagnosis.finding import Finding, fine, note, problem, warning
from texswarm_server.cli.diagnosis.x509 import Certificate, read_certificate
from texswarm_server.config import ServerConfig

_SUBJECT: Final = "certificate"
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_SOON: Final = timedelta(days=21)
_RELOAD: Final = "then send the server SIGHUP (systemctl reload texswarm-server)"


def check_certificate(config: ServerConfig, now: datetime) -> list[Finding]:
    """Return what is to be said of the TLS files; nothing without them."""
    cert, key = config.tls_cert, config.tls_key
    if cert is None or key is None:
        return []
    unreadable = [_unreadable(path) for path in (cert, key)]
    if any(unreadable):
        return [finding for finding in unreadable if finding]
    try:
        chain = _read_chain(cert)
    except ValueError as error:
        return [
            problem(_SUBJECT, f"{cert} is no certificate in PEM form: {error}", "give the PEM file (fullchain.pem)")
        ]
    return [*_check_pair(cert, key), *_check_times(cert, chain[0], now), *_check_chain(cert, chain), *_check_key(key)]


def _unreadable(path: Path) -> Finding | None:
    try:
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return problem(_SUBJECT, f"{path} does not exist", "correct tls_cert and tls_key, or make the files")
    except OSError as error:
        says = f"cannot read {path}: {error.strerror}"
        return problem(_SUBJECT, says, f"let the server's user read it: chgrp texswarm {path} && chmod g+r {path}")


def _read_chain(path: Path) -> list[Certificate]:
    """Return the certificates of a PEM file; raises ValueError."""
    pieces = path.read_text("ascii", errors="replace").split(_BEGIN)[1:]
    if not pieces:
        raise ValueError(f"no line {_BEGIN!r}")
    return [read_certificate(ssl.PEM_cert_to_DER_cert(_BEGIN + piece[: piece.index(_END)] + _END)) for piece in pieces]


def _check_pair(cert: Path, key: Path) -> list[Finding]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            says = f"{key} is not the key of {cert}"
            return [problem(_SUBJECT, says, "give both files of one certificate (privkey.pem, fullchain.pem)")]
        return [problem(_SUBJECT, f"{cert} and {key} cannot be used: {error.reason or error}", "make them anew")]
    except ValueError:
        remedy = f"remove it: openssl pkey -in {key} -out {key}.plain; nobody can type it when the server starts"
        return [problem(_SUBJECT, f"{key} has a pass phrase", remedy)]
    return []


def _no_password() -> str:
    raise ValueError("a pass phrase")


def _check_times(cert: Path, leaf: Certificate, now: datetime) -> list[Finding]:
    until = f"{leaf.not_after:%Y-%m-%d %H:%M} UTC"
    renew = f"renew it (certbot renew), {_RELOAD}"
    if now >= leaf.not_after:
        return [problem(_SUBJECT, f"{cert} expired on {until}", renew)]
    if now < leaf.not_before:
        says = f"{cert} is valid from {leaf.not_before:%Y-%m-%d %H:%M} UTC only; it is {now:%Y-%m-%d %H:%M} UTC here"
        return [problem(_SUBJECT, says, "set the clock (timedatectl set-ntp true), or wait")]
    names = ", ".join(leaf.names) or "nobody in particular"
    if leaf.not_after - now < _SOON:
        days = (leaf.not_after - now).days
        return [warning(_SUBJECT, f"{cert} for {names} expires in {days} days, on {until}", renew)]
    return [fine(_SUBJECT, f"{cert} for {names}, until {until}")]


def _check_chain(cert: Path, chain: list[Certificate]) -> list[Finding]:
    if chain[0].is_self_signed:
        says = "it is signed by itself: programs other than the desktop will not trust it"
        return [
            note(_SUBJECT, says, "give invitation links made with `texswarm-server invite`: they carry its fingerprint")
        ]
    if len(chain) == 1:
        says = f"{cert} holds one certificate and not those between it and its authority"
        return [warning(_SUBJECT, says, "give the whole chain (fullchain.pem rather than cert.pem)")]
    return []


def _check_key(key: Path) -> list[Finding]:
    if os.name == "posix" and stat.S_IMODE(key.stat().st_mode) & stat.S_IROTH:
        return [warning(_SUBJECT, f"everybody on this machine can read the key {key}", f"chmod o-rwx {key}")]
    return []


def utc_now() -> datetime:
    """Return the time of the clock."""
    return datetime.now(UTC)
