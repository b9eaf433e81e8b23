"""What is said of certificates that cannot, or soon cannot, be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.certificates import certificate
from texswarm_server.cli.diagnosis.certificates import check_certificate
from texswarm_server.cli.diagnosis.finding import Level
from texswarm_server.config import ServerConfig

if TYPE_CHECKING:
    from pathlib import Path

    from texswarm_server.cli.diagnosis.finding import Finding

pytest.importorskip("cryptography")


def checked(folder: Path, cert: Any, key: Any, now: datetime | None = None) -> list[Finding]:
    return check_certificate(ServerConfig(data=folder, tls_cert=cert, tls_key=key), now or datetime.now(UTC))


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [(0, Level.WARNING, "expires in 0 days"), (2, Level.PROBLEM, "expired on"), (-3, Level.PROBLEM, "valid from")],
)
def test_the_time_it_is_good_for_is_looked_at(tmp_path: Path, days: int, level: Level, words: str) -> None:
    cert, key, _ = certificate(tmp_path)
    finding = checked(tmp_path, cert, key, datetime.now(UTC) + timedelta(days=days))[0]
    assert (finding.level, words in finding.says) == (level, True)
    assert finding.remedy


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    cert, key, _ = certificate(tmp_path)
    _, other_key, _ = certificate(tmp_path / "other")
    says = [
        checked(tmp_path, cert, other_key)[0].says,
        checked(tmp_path, key, key)[0].says,
        checked(tmp_path, tmp_path / "none", key)[0].says,
    ]
    assert f"{other_key} is not the key of {cert}" in says[0]
    assert "is no certificate in PEM form" in says[1]
    assert "does not exist" in says[2]


def test_a_key_that_everybody_reads_is_a_warning(tmp_path: Path) -> None:
    cert, key, _ = certificate(tmp_path)
    key.chmod(0o644)
    assert any(each.remedy == f"chmod o-rwx {key}" for each in checked(tmp_path, cert, key))


def test_without_a_certificate_nothing_is_said(tmp_path: Path) -> None:
    assert checked(tmp_path, None, None) == []
