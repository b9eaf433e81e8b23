"""Of a table in the order of its key all is found but what lay on broken pages, and nothing that was taken out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.run_async import runs_async
from tests.helpers.stored_documents import ADA, PAGE_BYTES, PAPER, add_document, opened_store
from texswarm_server.protocol.ids import UserId
from texswarm_server.storage.damage import note_suspicion
from texswarm_server.storage.keyed_pages import keyed_rows
from texswarm_server.storage.leaf_pages import MalformedPageError
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from pathlib import Path

    from texswarm_server.sessions.records import Records

PEOPLE = 2000
WORDS = "a text that is longer than a page of the smallest size, " * 40


def user(number: int) -> UserId:
    return UserId(f"user-{number:05}")


def database_of(rows: int, page_bytes: int = 512) -> tuple[bytes, int]:
    """Return a database with one table in the order of its key, some of whose rows are long, and its first page."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute(f"PRAGMA page_size = {page_bytes}")
        database.execute("CREATE TABLE t (a INTEGER, b TEXT, c, PRIMARY KEY (b)) WITHOUT ROWID")
        values = [(number, f"key-{number:04}", WORDS[: number % 7 * 300]) for number in range(rows)]
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", values)
        root = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 't'").fetchone()[0]
        return database.serialize(), int(root)


def rows_in(content: bytes, root: int) -> list[tuple[object, ...]]:
    return sorted(keyed_rows(BytesIO(content), root, lambda types: len(types) == 3), key=str)


@pytest.mark.parametrize("page_bytes", [512, 4096, 65536])
def test_rows_are_read_as_they_were_written(page_bytes: int) -> None:
    rows = [(f"key-{number:04}", number, WORDS[: number % 7 * 300]) for number in range(300)]
    assert rows_in(*database_of(300, page_bytes)) == rows


CONTENT, ROOT = database_of(120)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.binary(min_size=1, max_size=40)), max_size=5))
def test_whatever_a_broken_file_says_that_comes_to_an_end(changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(CONTENT)
    for at, piece in changes:
        content[at : at + len(piece)] = piece
    try:
        found = rows_in(bytes(content), ROOT)
    except MalformedPageError:
        return
    assert len(found) <= len(content)


def leaves_of(path: Path, table: str) -> list[int]:
    """Return the pages under the first one of a table, in the order of the keys on them."""
    with closing(sqlite3.connect(path)) as database:
        root = int(database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])
    page = path.read_bytes()[(root - 1) * PAGE_BYTES : root * PAGE_BYTES]
    assert page[0] == 0x02
    cells = [int.from_bytes(page[12 + 2 * cell : 14 + 2 * cell], "big") for cell in range(int.from_bytes(page[3:5]))]
    return [int.from_bytes(page[at : at + 4]) for at in cells]


def spoil(path: Path, *pages: int) -> None:
    with path.open("rb+") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_BYTES)
            file.write(b"\xee" * PAGE_BYTES)
    note_suspicion(path)


@pytest.mark.expects_log
@runs_async
async def test_between_two_broken_pages_every_role_and_account_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def furnish(records: Records) -> None:
        for number in range(PEOPLE):
            records.put_role(user(number), PAPER, "editor")
        for number in range(0, PEOPLE, 2):
            records.remove_role(user(number), PAPER)

    async with opened_store(tmp_path) as store:
        await add_document(store)
        await store.run(furnish)
    path = database_path(tmp_path)
    leaves = leaves_of(path, "roles")
    assert len(leaves) > 8
    spoil(path, leaves[1], leaves[-2])
    async with opened_store(tmp_path) as store:
        assert store.damage
        members = await store.run(
            lambda records: {
                number: records.role_of(user(number), PAPER)
                for number in range(PEOPLE)
                if records.role_of(user(number), PAPER)
            }
        )
        assert await store.run(lambda records: records.role_of(ADA, PAPER)) == "owner"
    assert not any(number % 2 == 0 for number in members), "who was taken out is in again"
    assert len(members) > PEOPLE / 2 * (1 - 3 / len(leaves))
    assert "parts of the table roles" in caplog.text
