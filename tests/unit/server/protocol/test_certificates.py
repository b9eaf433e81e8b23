"""A certificate is recognised by its own fingerprint or by its key's."""

import hashlib
from pathlib import Path

import pytest

from tests.helpers.certificates import certificate
from texswarm_server.protocol.certificates import is_shown_by, key_fingerprint

x509 = pytest.importorskip("cryptography.x509")


@pytest.fixture(scope="module")
def der(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return certificate(tmp_path_factory.mktemp("tls"))[2]


def key_hash(der: bytes) -> str:
    """As `openssl pkey -pubin -outform der | sha256sum` says it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = x509.load_der_x509_certificate(der).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def test_the_key_of_a_certificate_is_found(der: bytes) -> None:
    assert key_fingerprint(der) == key_hash(der)


def test_it_is_recognised_by_its_own_fingerprint_and_by_its_keys_however_they_are_written(der: bytes) -> None:
    whole, key = hashlib.sha256(der).hexdigest(), key_hash(der)
    with_colons = ":".join(whole[at : at + 2] for at in range(0, len(whole), 2)).upper()
    assert [is_shown_by(der, one) for one in (whole, key, with_colons, key.upper())] == [True] * 4


def test_somebody_elses_certificate_is_recognised_by_neither(tmp_path: Path, der: bytes) -> None:
    other = certificate(tmp_path)[2]
    assert [is_shown_by(other, one) for one in (key_hash(der), hashlib.sha256(der).hexdigest())] == [False, False]


@pytest.mark.parametrize("fingerprint", ["", "00" * 32, "é", "sha256"])
def test_no_other_fingerprint_will_do(der: bytes, fingerprint: str) -> None:
    assert not is_shown_by(der, fingerprint)


def test_bytes_that_are_no_certificate_have_no_key(der: bytes) -> None:
    for broken in (b"", b"\x30", der[:40], der[:-1], b"\x30\x80", b"\x30\x02\x30\x00", b"\x30\x84\xff\xff\xff\xff"):
        with pytest.raises(ValueError, match="no certificate"):
            key_fingerprint(broken)
        assert not is_shown_by(broken, "00" * 32)
