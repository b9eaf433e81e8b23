"""kill -9 in the middle of work: sessions resume, and what was acknowledged is there."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async, settle
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import Opened, signed_in_client, wire_client
from texswarm_server.protocol.frames import SyncStep2
from texswarm_server.protocol.invite_link import parse_invite_link

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("TEXSWARM_KILL_ROUNDS", "4"))


class Diary:
    """What one writer typed and which part of it the server acknowledged, over all connections."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.typed = 0
        self.durable = 0

    async def write(self, opened: Opened) -> None:
        await opened.write(f"<{self.name}{self.typed}>")
        self.typed += 1

    def note(self, opened: Opened, before: int) -> None:
        """`before`: words typed before this connection; they travel in its first message, the answer to the sync."""
        if opened.acknowledged:
            self.durable = before + opened.acknowledged - 1

    def words(self, count: int) -> list[str]:
        return [f"<{self.name}{number}>" for number in range(count)]


@pytest.mark.timeout(600)
@runs_async
async def test_what_was_acknowledged_survives_and_sessions_resume(tmp_path: Path) -> None:
    chance = random.Random(ROUNDS)
    diary = Diary("w")
    async with ServerProcess(tmp_path / "data") as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        invite = parse_invite_link(await server.invite(url))
        async with signed_in_client(url, invite.token) as first:
            opened = await first.create_and_open("start")
            welcome, replicas, facts = first.welcome, first.replicas, opened.facts
        for _ in range(ROUNDS):
            async with wire_client(url) as client:
                client.replicas = replicas
                again = await client.sign_in(
                    welcome.access_token, user_id=welcome.user_id, session_id=welcome.session_id
                )
                assert (again.resumed, again.session_id) == (True, welcome.session_id)
                welcome = again
                opened = await client.open(facts.document_id, lineage=facts.lineage)
                before = diary.typed
                await opened.answered()
                for _ in range(chance.randrange(1, 60)):
                    await diary.write(opened)
                    await settle(chance.randrange(4))
                await server.kill()
                diary.note(opened, before)
            await server.start()
            async with signed_in_client(url, welcome.access_token, user_id=None) as reader:
                seen = (await reader.open(facts.document_id)).text()
                assert [word for word in diary.words(diary.durable) if seen.count(word) != 1] == []
        async with signed_in_client(url, welcome.access_token, user_id=None) as client:
            client.replicas = replicas
            opened = await client.open(facts.document_id)
            await opened.send(SyncStep2(opened.replica.update_since()))
            await opened.acknowledged_all()
            assert opened.text() == "start" + "".join(diary.words(diary.typed))
    assert diary.durable > 0
