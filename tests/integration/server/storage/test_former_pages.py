"""What pages of a damaged database once were, in its log and on free pages: only what people wrote is taken of it."""

from __future__ import annotations

import shutil
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
    root_of,
    text_of,
    typed_updates,
    write_noise,
)
from texswarm_server.sessions.records import Records, Removal
from texswarm_server.storage.store import database_path
from texswarm_server.storage.write_ahead_log import wal_path

if TYPE_CHECKING:
    from pathlib import Path

    from texswarm_server.storage.sqlite_store import SqliteStore

WORDS = 40


async def store_words(store: SqliteStore) -> None:
    """Make a transaction of each word, so that the log holds the page with them as it was after each."""
    await add_document(store)
    for update in typed_updates(WORDS, text="word ")[1]:
        await append_all(store, [update])


async def words_shown(data: Path) -> int:
    async with opened_store(data) as store:
        assert store.damage
        loaded = await store.load(PAPER)
    return 0 if loaded is None else text_of(loaded.updates).split().count("word")


async def killed(root: Path) -> Path:
    """Return the folder of a server that was killed when the log had just begun anew; its old pages lie there still."""
    async with opened_store(root / "before") as store:
        await store_words(store)
        await store.run(lambda records: records.put_role(ADA, PAPER, "owner"))
        with closing(sqlite3.connect(database_path(root / "before"))) as database:
            database.execute("PRAGMA wal_checkpoint(FULL)")

        def remove(records: Records) -> None:
            records.remove_role(ADA, PAPER)
            records.put_removal(Removal(user_id=ADA, document_id=PAPER, removed_at=1.0, is_ban=False))

        await store.run(remove)
        shutil.copytree(root / "before", root / "data")
    return root / "data"


@pytest.mark.expects_log
@runs_async
async def test_words_on_a_broken_page_are_found_in_the_log_and_a_role_that_was_taken_away_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = await killed(tmp_path)
    path = database_path(data)
    write_noise(path, root_of(tmp_path / "before" / path.name, "updates"))
    assert wal_path(path).stat().st_size > WORDS * PAGE_BYTES
    assert await words_shown(data) == WORDS
    async with opened_store(data) as store:
        assert await store.run(lambda records: records.role_of(ADA, PAPER)) is None
    assert "rows lay on pages" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_a_row_that_is_not_what_was_written_is_mended_by_an_intact_copy_of_the_same_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened_store(tmp_path) as store:
        await store_words(store)
    path = database_path(tmp_path)
    page = root_of(path, "updates")
    content = bytearray(path.read_bytes())
    begin = (page - 1) * PAGE_BYTES
    content += content[begin : begin + PAGE_BYTES]  # what is left where the page was before it was moved
    at = content.rindex(b"word ", begin, begin + PAGE_BYTES)
    content[at] ^= 0x01
    path.write_bytes(content)
    write_noise(path, root_of(path, "grants_of_user"))
    assert await words_shown(tmp_path) == WORDS
    assert "1 rows lay on pages" in caplog.text
