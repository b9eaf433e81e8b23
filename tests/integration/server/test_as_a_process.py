"""The server as an operator runs it, on the loop it has there: slow readers, sockets, limits of the system."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.helpers.plain_http import get
from tests.helpers.run_async import runs_async
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import signed_in_client
from texswarm_server.protocol.invite_link import parse_invite_link

if TYPE_CHECKING:
    from pathlib import Path

LARGE = 200_000


async def number(url: str, name: str) -> float:
    """A number without labels at `/metrics`."""
    text = (await get(url, "/metrics")).body.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return next(sample.value for sample in samples if sample.name == f"texswarm_{name}")


@runs_async
async def test_a_slow_reader_is_held_and_catches_up_on_this_loop_as_well(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        token = parse_invite_link(await server.invite(url)).token
        async with signed_in_client(url, token) as ada:
            mine = await ada.create_and_open("start")
            async with signed_in_client(url, ada.welcome.access_token, user_id=None) as slow:
                theirs = await slow.open(mine.facts.document_id)
                slow.connection.transport.pause_reading()
                while not await number(url, "connections_held"):
                    await mine.write("x" * LARGE)
                    await mine.acknowledged_all()
                level = await number(url, "outbox_bytes")
                for _ in range(20):
                    await mine.write("y" * LARGE)
                await mine.acknowledged_all()
                assert await number(url, "outbox_bytes") < level + LARGE
                await mine.write("the end")
                slow.connection.transport.resume_reading()
                await theirs.shows("the end")
                assert theirs.text() == mine.text()


LOOK_AT_NO_DELAY = """if True:
    import asyncio, socket, sys
    from texswarm_server.event_loop import new_event_loop

    async def main():
        loop = asyncio.get_running_loop()
        found = loop.create_future()

        class Look(asyncio.Protocol):
            def connection_made(self, transport):
                raw = transport.get_extra_info("socket")
                found.set_result(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.abort()

        server = await loop.create_server(Look, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        print(await found)
        writer.close()
        server.close()

    with asyncio.Runner(loop_factory=new_event_loop if sys.argv[1] == "ours" else None) as runner:
        runner.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "ours"])
def test_small_messages_leave_at_once(loop: str) -> None:
    """Either loop switches off the delay that gathers small packets."""
    command = [sys.executable, "-c", LOOK_AT_NO_DELAY, loop]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert int(answer.stdout) != 0
