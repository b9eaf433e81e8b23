"""A database of an older program is brought up to date in one step, and one of a newer program is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import wire_client
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import CorruptSnapshotError
from texswarm_server.protocol.messages import DocumentList, ListDocuments
from texswarm_server.storage import migrations, schema
from texswarm_server.storage.migrations import MIGRATIONS, SCHEMA_VERSION
from texswarm_server.storage.schema import open_database
from texswarm_server.storage.store import database_path

#: Written by the program when its schema had version 1: Ada owns a document, Bob views it.
VERSION_1 = Path(__file__).parents[3] / "golden" / "server_database_1.sql"
WRITTEN_AT = 1_795_534_088.0
REFRESH_TOKEN = "txr_judgUFFVw7OK_hN_uFjMK1q0PQ0b_vx-"
ADA = "11111111-1111-4111-8111-111111111111"
DOCUMENT = "24c0ed54-d5f6-45aa-a95a-88a00b497f36"


def old_database(data: Path, version: int = 1) -> Path:
    """Write the database of version 1, and bring it up to the version of a program that came later."""
    data.mkdir(parents=True)
    with closing(sqlite3.connect(database_path(data))) as database:
        database.executescript(VERSION_1.read_text("utf-8"))
        for step in MIGRATIONS[1:version]:
            database.executescript(step)
        database.execute(f"PRAGMA user_version = {version}")
    return database_path(data)


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [*database.iterdump(), str(database.execute("PRAGMA user_version").fetchone())]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
@runs_async
async def test_a_server_goes_on_with_a_database_of_every_older_version(tmp_path: Path, version: int) -> None:
    path = old_database(tmp_path / "data", version)
    config = ServerConfig(data=path.parent, port=0)
    async with CollabServer(config, wall_clock=lambda: WRITTEN_AT) as server, wire_client(server.address.url) as ada:
        welcome = await ada.sign_in(REFRESH_TOKEN)
        listed = await ada.ask(ListDocuments(), DocumentList)
        opened = await ada.open(DOCUMENT)

        assert (welcome.user_id, welcome.can_create) == (ADA, True)
        assert [(each.title, each.role) for each in listed.documents] == [("An old paper", "owner")]
        assert opened.text() == "written with version 1"
    assert content(path)[-1] == str((SCHEMA_VERSION,))


def test_an_old_database_becomes_what_a_new_one_is(tmp_path: Path) -> None:
    def tables(path: Path) -> set[tuple[str, ...]]:
        with closing(open_database(path)) as database:
            names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {
                (name, *map(str, column[1:]))
                for name in names
                for column in database.execute(f"PRAGMA table_info({name})")
            }

    assert tables(old_database(tmp_path / "old")) == tables(tmp_path / "new.db")


def test_a_step_that_fails_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_database(tmp_path / "data")
    with closing(open_database(path)):
        before = content(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE half (x);\nCREATE TABLE half (x);\n"))
    for module in (migrations, schema):
        monkeypatch.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)

    with pytest.raises(Exception, match="half"):
        open_database(path)

    assert content(path) == before


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, -1])
def test_a_database_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / "some.db"
    open_database(path).close()
    _execute(path, f"PRAGMA user_version = {version}")
    before = content(path)

    with pytest.raises(CorruptSnapshotError, match=f"version {version}, this program knows {SCHEMA_VERSION}"):
        open_database(path)

    assert content(path) == before


def _execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()
