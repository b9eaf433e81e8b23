"""What is said of data folders and databases in every state."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from texswarm_server.cli.diagnosis.finding import Finding, Level
from texswarm_server.cli.diagnosis.storage import check_storage, newest_record
from texswarm_server.storage.schema import open_database, prepare_folder
from texswarm_server.storage.store import database_path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    prepare_folder(tmp_path / "data")
    open_database(database_path(tmp_path / "data")).close()
    return tmp_path / "data"


def found(data: Path, mounts: str = "") -> dict[str, Finding]:
    table = data.parent / "mounts"
    table.write_text(mounts)
    return {finding.subject: finding for finding in check_storage(data, table)}


def test_a_sound_folder_is_fine(data: Path) -> None:
    findings = found(data)
    assert {name: each.level for name, each in findings.items()} == dict.fromkeys(("data", "disk", "database"), "fine")
    assert findings["database"].says.endswith("0 documents, 0 users")
    assert newest_record(data) is None


def test_a_folder_that_is_not_there_yet_is_a_note_and_is_not_made(tmp_path: Path) -> None:
    assert found(tmp_path / "new")["data"].level is Level.NOTE
    assert not (tmp_path / "new").exists()


def test_a_file_is_no_folder(data: Path) -> None:
    assert found(database_path(data))["data"].says.endswith("is not a folder")


def test_a_folder_that_others_look_into_is_a_warning(data: Path) -> None:
    data.chmod(0o755)
    assert found(data)["data"].remedy == f"chmod 700 {data}"


def test_a_network_file_system_is_a_problem(data: Path) -> None:
    disk = found(data, f"disk / ext4 rw 0 0\nserver:/x {data} nfs4 rw 0 0\n")["disk"]
    assert (disk.level, "nfs4" in disk.says) == (Level.PROBLEM, True)


def test_a_database_of_a_newer_program_is_a_problem(data: Path) -> None:
    with closing(sqlite3.connect(database_path(data))) as database:
        database.execute("PRAGMA user_version = 999")
    assert "newer program" in found(data)["database"].says


def test_a_damaged_database_is_a_problem(data: Path) -> None:
    content = bytearray(database_path(data).read_bytes())
    content[4096:12288] = bytes(8192)
    database_path(data).write_bytes(content)
    assert found(data)["database"].level is Level.PROBLEM


def test_what_is_no_database_is_a_problem(data: Path) -> None:
    database_path(data).write_text("not a database at all " * 100)
    assert found(data)["database"].level is Level.PROBLEM
