"""What a certificate says of itself, as far as an operator is told. Nothing is verified."""

import warnings
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Times in UTC; `names`: host names and addresses it is for; `is_self_signed`: issuer and subject are the same."""

    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    is_self_signed: bool


def read_certificate(der: bytes) -> Certificate:
    """Return what a certificate says; raises ValueError for what is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return _read(x509.load_der_x509_certificate(der))
    except (
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        UnsupportedAlgorithm,
        TypeError,
    ) as error:
        raise ValueError(str(error)) from error


def _read(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=_names(certificate),
        is_self_signed=certificate.issuer == certificate.subject,
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = extension.value
    return (
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )
