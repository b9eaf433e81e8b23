"""Following the audit log: every entry once and in order, and nothing asked where nothing was written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.records import records_in_memory
from tests.helpers.run_async import runs_async
from texswarm_server.audit_feed import AuditFeed
from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.sessions.audit import OPERATOR, AuditAction, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from texswarm_server.sessions.records import Records


class CountingStore:
    """Runs jobs at once on records in memory. `version` is what a look at the log tells."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.version = self.jobs = 0
        self.error: NotWritableError | None = None

    def audit_version(self) -> int:
        return self.version

    def run(self, job: Callable[[Records], Any]) -> asyncio.Future[Any]:
        self.jobs += 1
        future = asyncio.get_running_loop().create_future()
        if self.error:
            future.set_exception(self.error)
        else:
            future.set_result(job(self.records))
        return future

    def write(self, user_id: str, action: AuditAction = AuditAction.USER_REMOVED) -> None:
        self.version += 1
        entry = AuditEntry(at=0.0, action=action, actor=OPERATOR, user_id=user_id)
        self.records.put_audit(entry)


@pytest.fixture
def store() -> Any:
    with records_in_memory() as records:
        yield CountingStore(records)


@runs_async
async def test_a_server_where_nothing_happens_asks_for_nothing(store: CountingStore) -> None:
    heard: list[str] = []
    feed = AuditFeed(store, lambda entry: heard.append(entry.user_id))
    await feed.start()
    before = store.jobs
    for _ in range(50):
        feed._look()
        await asyncio.sleep(0)
    assert store.jobs == before
    store.write("bob")
    for _ in range(3):
        feed._look()
        await asyncio.sleep(0)
    assert (heard, store.jobs) == (["bob"], before + 1)
    feed.stop()


@runs_async
async def test_what_could_not_be_read_is_asked_for_again(store: CountingStore) -> None:
    heard: list[str] = []
    feed = AuditFeed(store, lambda entry: heard.append(entry.user_id))
    await feed.start()
    store.write("bob")
    store.error = NotWritableError("disk full")
    for _ in range(3):
        feed._look()
        await asyncio.sleep(0)
    store.error = None
    feed._look()
    await asyncio.sleep(0)
    assert heard == ["bob"]
    feed.stop()


@runs_async
async def test_it_says_how_far_it_has_followed_after_acting(store: CountingStore) -> None:
    happened: list[object] = []
    feed = AuditFeed(store, lambda entry: happened.append(entry.user_id))
    feed.on_followed = happened.append
    store.write("before")
    await feed.start()
    store.write("bob")
    for _ in range(2):
        await feed.follow()
        await asyncio.sleep(0)
    assert happened == [1, "bob", 2]
    feed.stop()


@runs_async
async def test_sign_ins_of_which_nothing_follows_are_no_news_for_others(store: CountingStore) -> None:
    """The lock's file was written four times a second while people came."""
    followed: list[int] = []
    feed = AuditFeed(store, lambda _entry: None)
    feed.on_followed = followed.append
    await feed.start()
    for action in (AuditAction.SIGNED_IN, AuditAction.USER_REMOVED, AuditAction.SIGNED_IN):
        store.write("bob", action)
        feed._look()
        await asyncio.sleep(0)
    feed.stop()
    assert followed == [0, 2]
