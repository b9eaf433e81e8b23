"""A disk that is full for a server's database: SQLite may not add a page, and says what it says on a full disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from texswarm_server.storage.sqlite_store import SqliteStore

_MANY_PAGES = 2**30


@asynccontextmanager
async def small_disk(store: SqliteStore) -> AsyncIterator[None]:
    """Let the disk of `store` be full inside the block."""
    await _limit(store, 1)  # SQLite takes the present size when that is more
    try:
        yield
    finally:
        await _limit(store, _MANY_PAGES)


async def _limit(store: SqliteStore, pages: int) -> None:
    await store.run(lambda records: records._db.execute(f"PRAGMA max_page_count = {pages}"))  # type: ignore[attr-defined]
