"""What was stored last lies in SQLite's log: harm done to it is seen, and nobody begins anew where something was."""

from __future__ import annotations

import os
import random
import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.stored_documents import (
    PAGE_BYTES,
    PAPER,
    add_document,
    opened_store,
    text_of,
    typed_updates,
)
from texswarm_server.cli.program import main
from texswarm_server.protocol.errors import CorruptSnapshotError
from texswarm_server.storage import write_ahead_log
from texswarm_server.storage.damage import find_damage, find_loss, layout_path
from texswarm_server.storage.store import database_path
from texswarm_server.storage.write_ahead_log import lost_changes, shared_memory_path, wal_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from texswarm_server.storage.sqlite_store import SqliteStore

WORDS = 60
FRAME_BYTES = 24 + PAGE_BYTES


async def killed(root: Path) -> Path:
    """Return the folder of a server that was killed after it had stored WORDS words, nearly all in the log."""
    async with opened_store(root / "before") as store:
        await add_document(store)
        await store_one_by_one(store, typed_updates(WORDS, text="word ")[1])
        shutil.copytree(root / "before", root / "data")
    return root / "data"


async def store_one_by_one(store: SqliteStore, updates: list[bytes]) -> None:
    """Make a transaction of each: a job waits for nobody, and what was appended before it goes with it."""
    for update in updates:
        store.append(PAPER, update, lambda: None)
        await store.run(lambda _records: None)


async def words_shown(data: Path) -> int:
    async with opened_store(data) as store:
        assert store.damage
        loaded = await store.load(PAPER)
    assert loaded is not None
    assert set(text_of(loaded.updates).split()) <= {"word"}
    return len(text_of(loaded.updates).split())


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def in_frame(number: int, at: int = 24 + 2000) -> int:
    return 32 + (number - 1) * FRAME_BYTES + at


def cut_in_half(path: Path) -> None:
    os.truncate(wal_path(path), wal_path(path).stat().st_size // 2)


def flip_a_page(path: Path) -> None:
    flip(wal_path(path), in_frame(20))


def flip_a_page_without_index(path: Path) -> None:
    flip_a_page(path)
    shared_memory_path(path).unlink()


def flip_the_last_page(path: Path) -> None:
    frames = (wal_path(path).stat().st_size - 32) // FRAME_BYTES
    flip(wal_path(path), in_frame(frames))


def flip_a_page_number(path: Path) -> None:
    flip(wal_path(path), in_frame(20, 0))


def flip_salts(path: Path) -> None:
    flip(wal_path(path), in_frame(20, 9))


def flip_the_head(path: Path) -> None:
    flip(wal_path(path), 17)


def remove_the_database(path: Path) -> None:
    path.unlink()


def empty_the_database(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize(
    ("harm", "least"),
    [
        (cut_in_half, 10),
        (flip_a_page, WORDS - 2),
        (flip_a_page_without_index, WORDS - 2),
        (flip_the_last_page, WORDS - 2),
        (flip_a_page_number, WORDS - 2),
        (flip_salts, WORDS - 2),
        (flip_the_head, WORDS),
        (remove_the_database, WORDS),
        (empty_the_database, WORDS),
    ],
)
@pytest.mark.expects_log
@runs_async
async def test_harm_to_what_was_stored_last_is_told_and_the_rest_is_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None], least: int
) -> None:
    data = await killed(tmp_path)
    harm(database_path(data))
    log = wal_path(database_path(data)).read_bytes()

    shown = await words_shown(data)
    assert least <= shown <= WORDS
    assert "is served read-only" in caplog.text
    assert wal_path(database_path(data)).read_bytes() == log


@pytest.mark.expects_log
@runs_async
async def test_what_was_found_is_found_again_although_sqlite_forgets_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data = await killed(tmp_path)
    cut_in_half(database_path(data))

    for command in (["users", "list"], ["invite"], ["backup", str(tmp_path / "copy.db")]):
        assert main([*command, "--data", str(data)]) == 1
        error = capsys.readouterr().err
        assert "pages in the log of the last changes are lost" in error
        assert error.count("\n") == 1
    assert main(["check", "--data", str(data)]) == 1
    assert "pages in the log of the last changes are lost" in capsys.readouterr().out
    assert 10 <= await words_shown(data) < WORDS
    assert "are lost" in caplog.text
    assert main(["users", "list", "--data", str(data)]) == 0


@pytest.mark.parametrize("end", [0, 40, PAGE_BYTES, FRAME_BYTES])
@runs_async
async def test_a_transaction_that_a_power_cut_ended_is_no_harm(tmp_path: Path, end: int) -> None:
    data = await killed(tmp_path)
    log = wal_path(database_path(data))
    shared_memory_path(database_path(data)).unlink()
    last = log.read_bytes()[-FRAME_BYTES:]
    log.write_bytes(log.read_bytes() + (last[:24] + bytes(PAGE_BYTES))[:end])

    assert find_damage(database_path(data)) == ""
    async with opened_store(data) as store:
        loaded = await store.load(PAPER)
    assert loaded is not None
    assert len(text_of(loaded.updates).split()) == WORDS


@runs_async
async def test_nothing_is_said_of_a_database_that_is_written_into(tmp_path: Path) -> None:
    """The log is moved into the database and begins anew meanwhile, again and again."""
    path, found, is_over = database_path(tmp_path), list[str](), threading.Event()

    def look() -> None:
        while not is_over.is_set():
            found.append(lost_changes(path))

    async with opened_store(tmp_path) as store:
        await add_document(store)
        await store.run(lambda _records: store._db.execute("PRAGMA wal_autocheckpoint = 5"))
        looking = threading.Thread(target=look)
        looking.start()
        try:
            await store_one_by_one(store, typed_updates(300)[1])
        finally:
            is_over.set()
            looking.join()
    assert set(found) == {""}


@runs_async
async def test_what_is_gone_at_the_second_look_was_somebody_who_writes(tmp_path: Path, monkeypatch) -> None:
    path, take = database_path(tmp_path), write_ahead_log._taken_by_sqlite
    answers: list[int | None] = []

    def taken(path: Path, log: Any) -> int | None:
        answers.append(take(path, log) if answers else 1)
        return answers[-1]

    async with opened_store(tmp_path) as store:
        await add_document(store)
        await store_one_by_one(store, typed_updates(5)[1])
        counted = write_ahead_log._read_index(path)
        assert counted is not None
        monkeypatch.setattr(write_ahead_log, "_read_index", lambda _path: replace(counted, frames=1))
        monkeypatch.setattr(write_ahead_log, "_taken_by_sqlite", taken)
        monkeypatch.setattr(write_ahead_log, "_whole_index", lambda _path: counted)
        assert lost_changes(path) == ""
        assert len(answers) == 2, "it was looked at again"
        monkeypatch.setattr(write_ahead_log, "_taken_by_sqlite", lambda _path, _log: 1)
        assert "is damaged before" in lost_changes(path)


@pytest.mark.parametrize("harm", [remove_the_database, empty_the_database])
@runs_async
async def test_nobody_begins_anew_where_there_was_a_database(
    tmp_path: Path, harm: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened_store(tmp_path) as store:
        await add_document(store)
    path = database_path(tmp_path)
    harm(path)
    with pytest.raises(CorruptSnapshotError, match="nothing is left of it"):
        async with opened_store(tmp_path):
            pass
    assert main(["invite", "--data", str(tmp_path)]) == 1
    assert "is damaged: the file is" in capsys.readouterr().err
    assert path.exists() == (harm is empty_the_database)

    layout_path(path).unlink()
    async with opened_store(tmp_path) as store:
        assert store.damage == ""


@runs_async
async def test_a_log_that_was_cut_anywhere_is_whole_or_told(tmp_path: Path) -> None:
    data = await killed(tmp_path)
    chance = random.Random(7)
    size = wal_path(database_path(data)).stat().st_size
    for number in range(15):
        copy = shutil.copytree(data, tmp_path / f"copy{number}")
        os.truncate(wal_path(database_path(copy)), chance.randrange(size))
        assert find_loss(database_path(copy)) != ""
        assert find_loss(database_path(copy)) != ""
