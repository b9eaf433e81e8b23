"""The integrity check finds what is wrong, names it, touches nothing, and works beside a server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.helpers.fake_time import FakeTime
from tests.helpers.run_async import runs_async
from tests.helpers.stored_documents import (
    PAPER,
    add_document,
    append_all,
    opened_store,
    spoil_page,
    typed_updates,
    upkeep_done,
)
from texswarm_server.protocol.errors import NotReadableError
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.sessions.records import OPEN_DOOR, User
from texswarm_server.storage.integrity import ProblemKind, check
from texswarm_server.storage.schema import open_database
from texswarm_server.storage.sqlite_records import transaction
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from pathlib import Path


async def fill(data: Path, *, letters: int = 20, compact_after: int = 2000) -> None:
    async with opened_store(data, compact_after=compact_after) as store:
        for name in (PAPER, DocumentId("other")):
            await add_document(store, name)
            await append_all(store, typed_updates(letters, text="word ")[1], name)


def change(data: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database_path(data))) as database:
        database.execute(statement, values)
        database.commit()


def found(data: Path) -> list[tuple[str, str | None]]:
    return [(problem.kind, problem.document_id) for problem in check(data).problems]


@runs_async
async def test_a_sound_database_has_no_problems_also_while_it_is_used(tmp_path: Path) -> None:
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, typed_updates(20)[1])
        heard: list[tuple[int, int]] = []
        report = check(tmp_path, on_progress=lambda done, total: heard.append((done, total)))
        await append_all(store, [b"\x00\x00"])

    assert (report.is_sound, report.problems) == (True, [])
    assert (report.documents, report.updates) == (1, 22)
    assert report.content_bytes > 100
    assert heard == [(0, 1), (1, 1)]


@runs_async
async def test_bytes_that_changed_are_found_in_log_and_snapshot(tmp_path: Path) -> None:
    await fill(tmp_path)
    change(tmp_path, "UPDATE updates SET data = x'00' || data WHERE document_id = ? AND number % 7 = 0", PAPER)
    snapshot = "INSERT INTO snapshots (document_id, through, crc, data) VALUES ('other', 0, 1, x'0000')"
    change(tmp_path, snapshot)

    assert set(found(tmp_path)) == {(ProblemKind.DOCUMENT_DAMAGED, PAPER), (ProblemKind.DOCUMENT_DAMAGED, "other")}
    assert any("snapshot" in problem.detail for problem in check(tmp_path).problems)


@runs_async
async def test_a_page_that_cannot_be_read_is_found_and_the_rest_looked_at(tmp_path: Path) -> None:
    await fill(tmp_path, letters=600)
    spoil_page(database_path(tmp_path), b"word ")
    report = check(tmp_path)
    kinds = {problem.kind for problem in report.problems}

    assert ProblemKind.STRUCTURE in kinds
    assert ProblemKind.DOCUMENT_DAMAGED in kinds
    assert report.documents == 2
    assert report.updates > 1000


@pytest.mark.parametrize("content", [b"junk" * 500, b"SQLite format 3\x00" + b"\x07" * 5000, b""])
def test_a_file_that_is_no_database_is_a_problem(tmp_path: Path, content: bytes) -> None:
    database_path(tmp_path).write_bytes(content)
    report = check(tmp_path)

    assert ProblemKind.STRUCTURE in {problem.kind for problem in report.problems}
    assert database_path(tmp_path).read_bytes() == content


@runs_async
async def test_rows_that_name_nothing_are_found(tmp_path: Path) -> None:
    await fill(tmp_path)
    change(tmp_path, "DELETE FROM users")
    change(tmp_path, "DELETE FROM documents WHERE document_id = ?", PAPER)
    report = check(tmp_path)

    assert {problem.kind for problem in report.problems} == {ProblemKind.REFERENCE}
    assert any(
        problem.detail.startswith("22 of updates") and problem.document_id == PAPER for problem in report.problems
    )
    assert any("users" in problem.detail for problem in report.problems)


@runs_async
async def test_an_update_that_does_harm_is_told_apart_from_damage(tmp_path: Path) -> None:
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, [*typed_updates(3)[1], b"not an update"])

    assert found(tmp_path) == [(ProblemKind.HARMFUL_UPDATE, PAPER)]


@runs_async
async def test_former_states_that_changed_are_found(tmp_path: Path) -> None:
    clock = FakeTime(wall=1000.0)
    async with opened_store(tmp_path, wall_clock=clock.wall_clock) as store:
        await add_document(store)
        for letters in (3, 4, 5):
            await append_all(store, typed_updates(letters)[1])
            store.rest(PAPER)
            await upkeep_done(store)
            clock.wall_now += 3600
    assert (check(tmp_path).versions, found(tmp_path)) == (3, [])
    change(tmp_path, "UPDATE versions SET data = data || x'00' WHERE version_id = 1")
    change(tmp_path, "UPDATE versions SET size = 1 WHERE version_id = 3")

    assert found(tmp_path) == [(ProblemKind.VERSION_DAMAGED, PAPER)] * 2
    assert [problem.detail.split(" ")[:2] for problem in check(tmp_path).problems] == [
        ["version", "1"],
        ["version", "3"],
    ]


def test_who_came_in_by_an_open_door_is_no_problem(tmp_path: Path) -> None:
    with closing(open_database(database_path(tmp_path))) as database, transaction(database) as records:
        records.put_user(User(user_id=UserId("bob")))
        records.put_registration(OPEN_DOOR, UserId("bob"))
    assert found(tmp_path) == []


@runs_async
async def test_a_document_of_which_nothing_can_be_read_is_found(tmp_path: Path) -> None:
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, [b"not an update", *typed_updates(3)[1]])

    assert found(tmp_path) == [(ProblemKind.DOCUMENT_UNREADABLE, PAPER)]


def test_no_database_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(NotReadableError):
        check(tmp_path)
