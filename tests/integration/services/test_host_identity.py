"""The key and certificate of a desktop that hosts: made once, kept, renewed, and the same host all the while."""

import os
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_server.protocol.errors import NotReadableError, NotWritableError

TODAY = datetime(2026, 5, 4, 12, tzinfo=UTC)


def identity(folder: Path, after: timedelta = timedelta()) -> HostIdentity:
    return HostIdentity(folder / "id", now=lambda: TODAY + after)


def shown(host: HostIdentity) -> x509.Certificate:
    return x509.load_pem_x509_certificate(host.certificate_file.read_bytes())


def names(host: HostIdentity) -> x509.SubjectAlternativeName:
    return shown(host).extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_what_is_kept_can_be_asked_for_and_is_not_made_by_that(tmp_path: Path) -> None:
    identity = HostIdentity(tmp_path / "host")
    assert identity.kept_fingerprint() is None
    assert not (tmp_path / "host").exists()
    assert identity.fingerprint() == identity.kept_fingerprint()


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first = identity(tmp_path).fingerprint()
    before = identity(tmp_path).certificate_file.read_bytes()
    assert (identity(tmp_path).fingerprint(), len(first)) == (first, 64)
    assert identity(tmp_path).certificate_file.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_this_user_may_read_the_key_whoever_has_loosened_that(tmp_path: Path) -> None:
    host = identity(tmp_path)
    host.prepare()
    assert stat.S_IMODE(host.key_file.stat().st_mode) == 0o600
    host.key_file.chmod(0o644)
    host.prepare()
    assert stat.S_IMODE(host.key_file.stat().st_mode) == 0o600


def test_it_can_be_served_and_is_for_this_machines_names_and_addresses(tmp_path: Path) -> None:
    host = identity(tmp_path)
    host.prepare(["192.168.7.5", "fd00::5", "fe80::1%eth0"])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(host.certificate_file, host.key_file)
    addresses = set(names(host).get_values_for_type(x509.IPAddress))
    assert {ip_address(text) for text in ("127.0.0.1", "::1", "192.168.7.5", "fd00::5")} <= addresses
    assert "localhost" in names(host).get_values_for_type(x509.DNSName)


def test_other_addresses_make_another_certificate_of_the_same_key(tmp_path: Path) -> None:
    first = identity(tmp_path).prepare(["192.168.7.5"])
    serial = shown(identity(tmp_path)).serial_number
    assert identity(tmp_path).prepare(["10.0.0.9"]) == first
    assert shown(identity(tmp_path)).serial_number != serial
    assert ip_address("10.0.0.9") in names(identity(tmp_path)).get_values_for_type(x509.IPAddress)


def test_an_address_that_went_away_changes_nothing(tmp_path: Path) -> None:
    identity(tmp_path).prepare(["192.168.7.5", "10.0.0.9"])
    serial = shown(identity(tmp_path)).serial_number
    identity(tmp_path).prepare(["10.0.0.9"])
    assert shown(identity(tmp_path)).serial_number == serial


@pytest.mark.parametrize(("days", "is_renewed"), [(100, False), (304, False), (306, True), (400, True), (-2, True)])
def test_it_is_renewed_before_it_ends_and_stays_the_same_host(tmp_path: Path, days: int, is_renewed: bool) -> None:
    first = identity(tmp_path).prepare()
    serial = shown(identity(tmp_path)).serial_number
    later = identity(tmp_path, timedelta(days=days))
    assert later.prepare() == first
    assert (shown(later).serial_number != serial) == is_renewed
    assert shown(later).not_valid_after_utc > TODAY + timedelta(days=days + 59)


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None])
def test_a_certificate_that_is_lost_is_made_again_by_the_same_key(tmp_path: Path, damage: bytes | None) -> None:
    host = identity(tmp_path)
    first = host.prepare()
    host.certificate_file.unlink()
    if damage is not None:
        host.certificate_file.write_bytes(damage)
    assert host.prepare() == first
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(host.certificate_file, host.key_file)


def test_a_damaged_key_is_set_aside_and_the_host_is_another_one(tmp_path: Path) -> None:
    host = identity(tmp_path)
    first = host.prepare()
    host.key_file.write_bytes(b"-----BEGIN NOTHING-----")
    assert host.prepare() != first
    assert host.key_file.with_suffix(".damaged").read_bytes() == b"-----BEGIN NOTHING-----"
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(host.certificate_file, host.key_file)


def test_a_folder_that_cannot_be_used_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "id").write_bytes(b"a file in the way")
    with pytest.raises(NotWritableError):
        identity(tmp_path).prepare()


def test_a_key_that_may_not_be_read_is_not_replaced(tmp_path: Path) -> None:
    host = identity(tmp_path)
    host.prepare()
    host.key_file.unlink()
    host.key_file.mkdir()  # stands for a file that cannot be read, also by root
    with pytest.raises(NotReadableError):
        host.prepare()
    assert host.key_file.is_dir()


def test_windows_that_begin_to_host_at_the_same_moment_are_one_host(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(identity(tmp_path).prepare())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (4, 1)
