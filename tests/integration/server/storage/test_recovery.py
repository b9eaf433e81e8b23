"""A database whose pages, head or end are gone: what can be read is read into another one, and nothing is touched."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.stored_documents import (
    ADA,
    PAGE_BYTES,
    PAPER,
    add_document,
    append_all,
    opened_store,
    spoil_page,
    text_of,
    typed_updates,
)
from texswarm_server.cli.program import main
from texswarm_server.protocol.errors import CorruptSnapshotError, NotReadableError, NotWritableError, StorageError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.sessions.audit import AuditAction
from texswarm_server.storage import recovery
from texswarm_server.storage.damage import find_damage, note_suspicion
from texswarm_server.storage.folder_lock import FolderLock
from texswarm_server.storage.recovery import accept_recovered, database_in_use, recovered_path
from texswarm_server.storage.sqlite_store import SqliteStore
from texswarm_server.storage.store import database_path
from texswarm_server.storage.write_ahead_log import wal_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LETTERS = 400


async def fill(data: Path) -> Path:
    """Two documents in a database that was closed well; return where it lies."""
    async with opened_store(data) as store:
        for name in (PAPER, DocumentId("other")):
            await add_document(store, name)
            await append_all(store, typed_updates(LETTERS, text="word ")[1], name)
    return database_path(data)


async def words_left(data: Path, document_id: DocumentId = PAPER) -> int:
    """Open what is damaged; return how many words of a document are shown, of LETTERS."""
    async with opened_store(data) as store:
        assert store.damage
        loaded = await store.load(document_id)
        assert await store.run(lambda records: records.find_user(ADA)) is not None
        assert await store.run(lambda records: records.role_of(ADA, PAPER)) == "owner"
    assert loaded is not None
    assert set(text_of(loaded.updates).split()) <= {"word"}
    return len(text_of(loaded.updates).split())


def without_first_bytes(content: bytes) -> bytes:
    return b"\xff" * 100 + content[100:]


def without_first_page(content: bytes) -> bytes:
    return b"\x00" * PAGE_BYTES + content[PAGE_BYTES:]


def with_another_table_of_contents(content: bytes) -> bytes:
    return content[:100] + b"\x0d" + b"\x77" * (PAGE_BYTES - 101) + content[PAGE_BYTES:]


@pytest.mark.parametrize("harm", [without_first_bytes, without_first_page, with_another_table_of_contents])
@pytest.mark.expects_log
@runs_async
async def test_without_its_head_everything_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[bytes], bytes]
) -> None:
    path = await fill(tmp_path)
    path.write_bytes(harmed := harm(path.read_bytes()))

    assert await words_left(tmp_path) == LETTERS
    assert await words_left(tmp_path, DocumentId("other")) == LETTERS
    assert path.read_bytes() == harmed
    assert "is served read-only" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_of_a_file_that_was_cut_short_the_rest_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = await fill(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 5 * PAGE_BYTES - 1000])

    assert LETTERS // 2 < await words_left(tmp_path) <= LETTERS
    assert "is damaged" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_damage_that_was_met_while_serving_is_looked_for_at_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        marker = database.execute("SELECT data FROM updates WHERE number = ?", (LETTERS * 3 // 4,)).fetchone()[0]
    spoil_page(path, marker)
    assert find_damage(path) == ""
    note_suspicion(path)

    assert LETTERS // 2 < await words_left(tmp_path) < LETTERS
    assert "cannot be read" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_what_is_written_into_the_recovered_database_stays_until_the_damaged_one_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)
    sound = path.read_bytes()
    path.write_bytes(without_first_page(sound))
    async with opened_store(tmp_path) as store:
        await store.run(lambda records: records.put_setting("signed in", "yes"))
    async with opened_store(tmp_path) as store:
        assert await store.run(lambda records: records.find_setting("signed in")) == "yes"
    path.write_bytes(without_first_page(sound) + bytes(PAGE_BYTES))
    async with opened_store(tmp_path) as store:
        assert await store.run(lambda records: records.find_setting("signed in")) is None
    path.write_bytes(sound)
    async with opened_store(tmp_path) as store:
        assert store.damage == ""
    assert caplog.text.count("is damaged") == 3


@pytest.mark.expects_log
@runs_async
async def test_the_recovered_database_takes_the_place_of_the_damaged_one_when_it_is_told_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)
    with pytest.raises(NotReadableError):
        accept_recovered(tmp_path, actor="operator", now=5.0)
    path.write_bytes(harmed := without_first_page(path.read_bytes()))
    await words_left(tmp_path)
    aside = accept_recovered(tmp_path, actor="operator", now=5.0)
    async with opened_store(tmp_path) as store:
        assert store.damage == ""
        await append_all(store, [b"\x00\x00"])
        loaded = await store.load(PAPER)
        (entry,) = await store.run(lambda records: records.audit())
    with closing(sqlite3.connect(path)) as database:
        numbers = [row[0] for row in database.execute("SELECT number FROM updates ORDER BY number")]

    assert loaded is not None
    assert text_of(loaded.updates) == "word " * LETTERS
    assert numbers == list(range(1, 2 * (LETTERS + 2) + 2))
    assert (entry.action, entry.at) == (AuditAction.RECOVERY_ACCEPTED, 5.0)
    assert aside.read_bytes() == harmed
    assert not recovered_path(path).exists()
    assert "is damaged" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_while_a_server_runs_nothing_recovered_takes_a_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)
    path.write_bytes(harmed := without_first_page(path.read_bytes()))
    async with opened_store(tmp_path):
        pass
    lock = FolderLock(tmp_path)
    with pytest.raises(NotWritableError, match="another server"):
        accept_recovered(tmp_path, actor="operator", now=5.0)
    lock.release()
    assert path.read_bytes() == harmed
    assert database_in_use(tmp_path) == recovered_path(path)
    assert "is damaged" in caplog.text


class PowerCutError(Exception):
    """Stands for the end of everything at one moment."""


@pytest.mark.parametrize("moment", ["_write_last_words", "shared_memory_path", "sync_folder"])
@pytest.mark.expects_log
@runs_async
async def test_a_power_cut_while_it_takes_its_place_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = await fill(tmp_path)
    path.write_bytes(without_first_page(path.read_bytes()))
    wal_path(path).write_bytes(b"of the damaged one")
    async with opened_store(tmp_path) as store:
        await store.run(lambda records: records.put_setting("signed in", "yes"))

    def cut(*_values: object) -> None:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(recovery, moment, cut)
        with pytest.raises(PowerCutError):
            accept_recovered(tmp_path, actor="operator", now=5.0)
    async with opened_store(tmp_path) as store:
        assert await store.run(lambda records: records.find_setting("signed in")) == "yes"
    if database_in_use(tmp_path) != path:
        accept_recovered(tmp_path, actor="operator", now=5.0)
    async with opened_store(tmp_path) as store:
        assert store.damage == ""
        assert await store.run(lambda records: records.find_setting("signed in")) == "yes"
    assert "is damaged" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_operators_see_and_accept_what_was_recovered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await fill(tmp_path)
    data = ["--data", str(tmp_path)]
    assert main(["accept-recovered", *data]) == 1
    assert "there is no recovered database" in capsys.readouterr().err
    path.write_bytes(without_first_page(path.read_bytes()))
    async with opened_store(tmp_path):
        pass
    assert main(["users", "list", "--json", *data]) == 0
    assert [user["user_id"] for user in json.loads(capsys.readouterr().out)] == [ADA]
    assert main(["check", *data]) == 1
    assert "`accept-recovered`" in capsys.readouterr().out
    assert main(["accept-recovered", *data]) == 0
    assert "is what was recovered now: 2 documents, 1 user. The damaged one is" in capsys.readouterr().out
    assert main(["check", *data]) == 0
    assert main(["audit", *data]) == 0
    assert "took its place" in capsys.readouterr().out
    assert "is damaged" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_what_holds_nothing_of_ours_is_refused_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await fill(tmp_path)
    for content in (b"junk" * 5000, random.Random(1).randbytes(20_000)):
        path.write_bytes(content)
        with pytest.raises(CorruptSnapshotError):
            SqliteStore(tmp_path)
        assert path.read_bytes() == content
    assert sorted(each.name for each in tmp_path.iterdir()) == ["texswarm.db", "texswarm.layout.json"]  # noqa: ASYNC240
    assert "is served read-only" not in caplog.text


@pytest.mark.expects_log
@pytest.mark.parametrize("seed", range(8))
@runs_async
async def test_pages_spoiled_at_random_never_bring_words_that_nobody_wrote(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    path, chance = await fill(tmp_path), random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(0, len(content) // PAGE_BYTES) * PAGE_BYTES + chance.choice((0, 7, 2000))
        content[at : at + 300] = chance.randbytes(300)
    path.write_bytes(content)
    note_suspicion(path)
    try:
        async with opened_store(tmp_path) as store:
            is_damaged, loaded = bool(store.damage), await store.load(PAPER)
    except StorageError:
        is_damaged, loaded = True, None
    assert loaded is None or set(text_of(loaded.updates).split()) <= {"word"}
    assert not is_damaged or path.read_bytes() == content
    assert is_damaged or "damaged" not in caplog.text
