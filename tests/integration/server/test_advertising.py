"""A server announces itself when it is told to, under one id whatever its address, and is gone when it ends."""

import time
from pathlib import Path

from tests.helpers.multicast import looking_for
from tests.helpers.run_async import runs_async, until
from tests.helpers.server_process import ServerProcess
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig

NAME = f"host of {time.time_ns()}"


@runs_async
async def test_a_server_is_announced_by_its_name_and_the_same_after_a_restart(tmp_path: Path) -> None:
    config = ServerConfig(data=tmp_path, port=0, advertise=NAME)
    seen = []
    with looking_for(NAME) as looking:
        for _ in range(2):
            async with CollabServer(config) as server:
                await until(lambda: looking.hosts)
                assert looking.hosts[0].addresses == (server.address,)
                seen.append(looking.hosts[0])
            await until(lambda: not looking.hosts)
    assert seen[0].key == seen[1].key


@runs_async
async def test_what_is_shared_is_announced_beside(tmp_path: Path) -> None:
    document_id = "7a7b9b0e-52c5-4d6f-8b2c-111111111111"
    with looking_for(NAME) as looking:
        async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server:
            server.announce(NAME, project="Paper", document_id=document_id, fingerprint="ab" * 32)
            await until(lambda: looking.hosts)
            (host,) = looking.hosts
    said = host.announcement
    assert (said.project, said.document_id, said.fingerprint, said.entry) == ("Paper", document_id, "ab" * 32, "code")


@runs_async
async def test_a_server_is_silent_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server:
        assert not server.is_announced


@runs_async
async def test_the_command_line_announces(tmp_path: Path) -> None:
    with looking_for(NAME) as looking:
        async with ServerProcess(tmp_path / "data", "--advertise", NAME) as process:
            await until(lambda: looking.hosts)
            assert looking.hosts[0].addresses[0].port == process.port
        await until(lambda: not looking.hosts)
