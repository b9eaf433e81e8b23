"""Certificates that were trusted: kept over restarts, bounded, and never a reason to fail."""

from pathlib import Path

import pytest

from texswarm_desktop.services.known_hosts import KnownHosts


def test_what_was_trusted_is_known_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "profile" / "known-hosts.json"
    KnownHosts(file).remember("ada", "aa")
    KnownHosts(file).remember("bob", "bb")
    KnownHosts(file).remember("ada", "cc")
    assert dict(KnownHosts(file).fingerprints) == {"bob": "bb", "ada": "cc"}


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'{"ada": 1}', b"\xff\xfe"])
def test_of_a_damaged_file_nothing_is_believed(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "known-hosts.json"
    file.write_bytes(damage)
    assert dict(KnownHosts(file).fingerprints) == {}


def test_who_was_trusted_longest_ago_is_forgotten_first(tmp_path: Path) -> None:
    known = KnownHosts(tmp_path / "known-hosts.json")
    for number in range(501):
        known._loaded()[f"host {number}"] = "aa"
    known.remember("one more", "bb")
    assert len(known.fingerprints) == 500
    assert ("host 0" in known.fingerprints, "one more" in known.fingerprints) == (False, True)


def test_a_disk_that_refuses_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("a file stands where the folder should be")
    known = KnownHosts(tmp_path / "profile" / "known-hosts.json")
    known.remember("ada", "aa")
    assert dict(known.fingerprints) == {"ada": "aa"}
