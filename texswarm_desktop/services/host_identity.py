"""What a desktop shows that it is the same host as before: a key, made once, and a certificate of it for TLS.

The key is the identity; links carry its fingerprint (`protocol.certificates`). The certificate is made anew with the
same key when it comes near its end or when the machine has other addresses, which nobody notices who insists on the
key. Both lie in the profile folder. Everything here blocks, and windows of one profile may do it at the same time.
"""

import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import TYPE_CHECKING, Final

from texswarm_desktop.services.atomic_file import PRIVATE_MODE, write_atomically
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_server.process_lock import ProcessLock
from texswarm_server.protocol.certificates import key_fingerprint
from texswarm_server.protocol.errors import NotReadableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, GeneralName

_log: Final = logging.getLogger(__name__)
_FOLDER_MODE: Final = 0o700
_VALID_FOR: Final = timedelta(days=365)
#: A certificate is renewed when it has less than this before it; a clock that is late by a day does no harm.
_RENEWED_BEFORE: Final = timedelta(days=60)
_BEGINS_BEFORE: Final = timedelta(days=1)
_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")


class HostIdentity:
    """The key and the certificate in one folder. Invariant: once made, the key is not replaced while it can be read."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._now = now

    @property
    def certificate_file(self) -> Path:
        """The certificate, in PEM form."""
        return self._folder / "certificate.pem"

    @property
    def key_file(self) -> Path:
        """The private key, in PEM form, for this user's eyes only."""
        return self._folder / "key.pem"

    def fingerprint(self) -> str:
        """Return what links to this host carry; makes the identity if there is none yet. Raises StorageError."""
        return self.prepare()

    def kept_fingerprint(self) -> str | None:
        """Return the fingerprint of the identity that is here; None where there is none, and none is made."""
        with suppress(OSError, ValueError):
            return key_fingerprint(PEM_cert_to_DER_cert(self.certificate_file.read_text(encoding="ascii")))
        return None

    def prepare(self, addresses: Iterable[str] = ()) -> str:
        """See to it that there is a certificate which is good for a while; return the fingerprint of its key.

        `addresses`: under which others reach this host; without any, the certificate's own stay. Raises StorageError.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
            with ProcessLock(self._folder / "identity.lock", waits=True):
                return self._prepare(tuple(addresses))
        except OSError as error:
            raise not_writable(self._folder, error) from error

    def _prepare(self, addresses: tuple[str, ...]) -> str:
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - only who hosts pays for it

        key = self._kept_key() or self._new_key()
        certificate = self._kept_certificate()
        wanted = {*_ALWAYS, *_host_names(), *addresses}
        if certificate is None or not self._is_good(certificate, key, wanted if addresses else set()):
            certificate = _signed(key, wanted, self._now())
            write_atomically(self.certificate_file, certificate.public_bytes(Encoding.PEM))
            _log.info("a certificate was made, good until %s", certificate.not_valid_after_utc)
        return key_fingerprint(certificate.public_bytes(Encoding.DER))

    def _kept_key(self) -> "EllipticCurvePrivateKey | None":
        """Return the key; one that is damaged is set aside, because then there is no identity to keep."""
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        try:
            data = self.key_file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotReadableError(f"{self.key_file}: {error.strerror}") from error
        with suppress(OSError):
            self.key_file.chmod(PRIVATE_MODE)
        with suppress(ValueError, TypeError):
            key = load_pem_private_key(data, password=None)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return key
        aside = self.key_file.with_suffix(".damaged")
        os.replace(self.key_file, aside)  # noqa: PTH105 - what it returns is not needed
        _log.info("the host's key cannot be read; it was set aside as %s", aside)
        return None

    def _new_key(self) -> "EllipticCurvePrivateKey":
        from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        write_atomically(self.key_file, pem, mode=PRIVATE_MODE)
        return key

    def _kept_certificate(self) -> "Certificate | None":
        from cryptography import x509  # noqa: PLC0415

        with suppress(OSError, ValueError):
            return x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        return None

    def _is_good(self, certificate: "Certificate", key: "EllipticCurvePrivateKey", names: set[str]) -> bool:
        now = self._now()
        is_in_time = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _RENEWED_BEFORE
        return is_in_time and certificate.public_key() == key.public_key() and names <= _names_in(certificate)


def _host_names() -> list[str]:
    """Return how this machine is called, alone and as its neighbours find it."""
    name = socket.gethostname().rstrip(".")
    is_name = bool(name) and name.isascii() and name.replace("-", "").replace(".", "").isalnum()
    return [name, name if name.endswith(".local") else f"{name.partition('.')[0]}.local"] if is_name else []


def _signed(key: "EllipticCurvePrivateKey", names: set[str], now: datetime) -> "Certificate":
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TeXSwarm host")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _BEGINS_BEFORE)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> "GeneralName":
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return x509.DNSName(name)


def _names_in(certificate: "Certificate") -> set[str]:
    from cryptography import x509  # noqa: PLC0415

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return set()
    addresses = {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    return addresses | set(names.get_values_for_type(x509.DNSName))
