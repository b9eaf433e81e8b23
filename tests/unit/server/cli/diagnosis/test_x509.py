"""What certificates say is read rightly, and nothing but ValueError comes out of damaged ones."""

import datetime as dt
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.cli.diagnosis.x509 import read_certificate

x509: Any = pytest.importorskip("cryptography.x509")
BEGIN = dt.datetime(2049, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
END = dt.datetime(2050, 6, 1, tzinfo=dt.UTC)


def a_certificate(*names: object, issuer: str = "me") -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject, issuer_name = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in ("me", issuer))
    made = x509.CertificateBuilder(issuer_name, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(BEGIN).not_valid_after(END)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    der: bytes = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return der


def test_times_names_and_issuer_are_read() -> None:
    names = (x509.DNSName("lab.example"), x509.IPAddress(ip_address("::1")), x509.RFC822Name("a@b.example"))
    found = read_certificate(a_certificate(*names, issuer="another"))

    assert (found.not_before, found.not_after) == (BEGIN, END)
    assert found.names == ("lab.example", "::1")
    assert not found.is_self_signed


def test_one_that_signed_itself_for_nobody_is_told() -> None:
    found = read_certificate(a_certificate())
    assert found.is_self_signed
    assert found.names == ()


@given(st.data())
def test_damaged_ones_raise_value_errors_only(data: st.DataObject) -> None:
    der = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    del der[data.draw(st.integers(0, len(der))) :]
    try:
        read_certificate(bytes(der))
    except ValueError:
        return


@given(st.binary(max_size=200))
def test_any_bytes_raise_value_errors_only(der: bytes) -> None:
    try:
        read_certificate(der)
    except ValueError:
        return
    pytest.fail("these bytes are no certificate")


WHOLE = a_certificate(x509.DNSName("lab.example"))
