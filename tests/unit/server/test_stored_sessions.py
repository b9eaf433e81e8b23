"""A session that is over is forgotten for good, also where the disk refuses it at first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async, settle
from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.sessions.registry import Session
from texswarm_server.stored_sessions import StoredSessions

if TYPE_CHECKING:
    from collections.abc import Callable

ADA = Session(SessionId("s1"), UserId("ada"), "g")


class Notes:
    """A store with one kind of work, and as many refusals as are set; `removed`: what it was asked to forget."""

    def __init__(self) -> None:
        self.refusals = 0
        self.removed: list[list[SessionId]] = []

    def run(self, job: Callable[[Any], None]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        job(self)
        if self.refusals:
            self.refusals -= 1
            future.set_exception(NotWritableError("full"))
        else:
            future.set_result(None)
        return future

    def remove_sessions(self, session_ids: list[SessionId]) -> None:
        self.removed.append(session_ids)


@pytest.mark.expects_log
@runs_async
async def test_what_the_disk_refused_is_asked_for_again_until_it_is_done(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    sessions = StoredSessions(notes)  # type: ignore[arg-type]
    notes.refusals = 2
    sessions.forget([ADA])
    for _ in range(4):
        await settle()
        sessions.try_again()
    assert notes.removed == [["s1"]] * 3
    assert caplog.text.count("not stored") == 1
