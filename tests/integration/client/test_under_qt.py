"""The same client in the window's loop, where every turn costs a Qt timer."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.fake_server import FakeServer
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import Live
from texswarm_desktop.client.timing import LAN

pytest.importorskip("qasync")

DOCUMENT = "11111111-1111-4111-8111-111111111111"
HASTY = replace(LAN, backoff_s=(0.0, 0.01), close_timeout_s=0.2)


async def edit_through_a_restart():
    async with FakeServer() as server:
        room = server.add_room(DOCUMENT, "lineage-a")
        replica, credentials = ModelReplica(DOCUMENT), FakeCredentials()
        replica.create("lineage-a")
        async with Connection(address=server.address, credentials=credentials, profile=HASTY) as connection:
            replica.sync = connection.add(replica)
            connection.connect()
            await until(lambda: isinstance(connection.state, Live))
            await server.stop()
            replica.replace(0, 0, "away ")
            await server.start()
            await until(lambda: isinstance(connection.state, Live) and not replica.unacknowledged())
            for number in range(200):
                replica.replace(0, 0, f"{number} ")
            assert len(asyncio.all_tasks()) < 20, "edits start no tasks"
            await until(lambda: not replica.unacknowledged())
        return str(room.document.text(room.document.file_at("main.tex"))) == replica.text


def test_the_client_runs_in_the_windows_loop(qapp):
    from texswarm_desktop.qtx.loop import loop_factory

    with asyncio.Runner(loop_factory=loop_factory(qapp)) as runner:
        assert runner.run(edit_through_a_restart())
