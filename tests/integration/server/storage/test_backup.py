"""Backups: of one moment, while others write; whole, private and durable, or not there at all."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async, until
from tests.helpers.small_disk import small_disk
from tests.helpers.stored_documents import (
    PAPER,
    add_document,
    append_all,
    opened_store,
    spoil_page,
    text_of,
    typed_updates,
)
from texswarm_server.protocol.errors import CorruptSnapshotError, NotReadableError, NotWritableError
from texswarm_server.storage.backup import backup
from texswarm_server.storage.store import DATABASE_NAME, database_path

if TYPE_CHECKING:
    from pathlib import Path

#: So many updates at a time are stored at once; fewer wait a moment for others, in which a backup may be made.
_WRITERS = 40


async def fill(data: Path, letters: int = 20) -> None:
    _document, updates = typed_updates(letters, text="word ")
    async with opened_store(data) as store:
        await add_document(store)
        await append_all(store, updates)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@runs_async
async def test_a_folder_with_a_backup_in_it_is_what_was_backed_up(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    (tmp_path / "new").mkdir()
    done = backup(tmp_path / "data", tmp_path / "new" / DATABASE_NAME)
    async with opened_store(tmp_path / "new") as store:
        loaded = await store.load(PAPER)

    assert loaded is not None
    assert text_of(loaded.updates) == "word " * 20
    assert (done.documents, done.path) == (1, tmp_path / "new" / DATABASE_NAME)


@runs_async
async def test_it_shows_one_moment_and_the_writer_goes_on_meanwhile(tmp_path: Path) -> None:
    target, durable, seen = tmp_path / "copy.db", [0], list[int]()
    async with opened_store(tmp_path / "data", compact_after=10**9) as store:
        await add_document(store)
        await append_all(store, [bytes([number % 256]) * 9000 for number in range(2000)])
        is_done = asyncio.Event()

        def count() -> None:
            durable[0] += 1
            if not is_done.is_set():
                store.append(PAPER, b"more" * 1000, count)

        count()
        at_start = durable[0]
        for _ in range(_WRITERS - 1):
            store.append(PAPER, b"more" * 1000, count)
        copying = asyncio.get_running_loop().run_in_executor(
            None, lambda: backup(tmp_path / "data", target, on_progress=lambda _done, _all: seen.append(durable[0]))
        )
        await copying
        is_done.set()
        await until(lambda: store.backlog_bytes == 0)
    with closing(sqlite3.connect(target)) as copy:
        numbers = [row[0] for row in copy.execute("SELECT number FROM updates ORDER BY number")]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 2000 + at_start - 1
    assert len(set(seen)) > 1, "nothing was written while the backup was made"


@runs_async
async def test_it_is_one_private_file_and_replaces_an_older_one(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    target = tmp_path / "backups" / "copy.db"
    target.parent.mkdir()
    first = backup(tmp_path / "data", target)
    async with opened_store(tmp_path / "data") as store:
        await append_all(store, [b"x" * 100_000])
    second = backup(tmp_path / "data", target)

    assert second.size_bytes > first.size_bytes
    assert names_in(target.parent) == [target.name]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@runs_async
async def test_nothing_is_replaced_that_is_no_backup(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    thesis = tmp_path / "thesis.tex"
    thesis.write_text("years of work")
    for target in (thesis, tmp_path, database_path(tmp_path / "data")):
        with pytest.raises(NotWritableError):
            backup(tmp_path / "data", target)
    with pytest.raises(NotReadableError):
        backup(tmp_path, tmp_path / "copy.db")

    assert thesis.read_text() == "years of work"
    assert names_in(tmp_path) == ["data", "thesis.tex"]


@runs_async
async def test_a_damaged_database_does_not_take_the_place_of_an_older_backup(tmp_path: Path) -> None:
    await fill(tmp_path / "data", letters=400)
    target = tmp_path / "copy.db"
    backup(tmp_path / "data", target)
    before = target.read_bytes()
    spoil_page(database_path(tmp_path / "data"), b"word ")
    with pytest.raises(CorruptSnapshotError):
        backup(tmp_path / "data", target)

    assert target.read_bytes() == before
    assert names_in(tmp_path) == ["copy.db", "data"]


@runs_async
async def test_on_a_full_disk_nothing_is_left_behind(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    with small_disk(tmp_path) as disk:
        disk.fill()
        with pytest.raises(NotWritableError):
            backup(tmp_path / "data", disk.root / "copy.db")
        assert names_in(disk.root) == [".ballast"]


@runs_async
async def test_what_a_killed_server_left_is_copied_and_not_touched(tmp_path: Path) -> None:
    """Only the log beside the database has the last changes; reading them must not move them."""
    async with opened_store(tmp_path / "data") as store:
        await add_document(store)
        await append_all(store, [b"one", b"two"])
        shutil.copytree(tmp_path / "data", tmp_path / "killed", ignore=shutil.ignore_patterns("*-shm"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "killed").iterdir()}
    backup(tmp_path / "killed", tmp_path / "copy.db")
    after = {name: (tmp_path / "killed" / name).read_bytes() for name in before}
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        kept = [row[0] for row in copy.execute("SELECT data FROM updates ORDER BY number")]

    assert before == after
    assert len(before[DATABASE_NAME + "-wal"]) > 0
    assert kept == [b"one", b"two"]
