"""The desktop's client and the server with a real nginx in between, configured as the operator's manual says."""

import asyncio
import hashlib
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.helpers.certificates import certificate
from tests.helpers.doctor_visit import codes, examined, problems
from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import Live, Trouble, Waiting
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_desktop.core.doctor import Code, Step
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link
from texswarm_server.protocol.messages import CreateDocument

MANUAL = Path(__file__).parents[3] / "server" / "OPERATING.md"
DOCUMENT = "22222222-2222-4222-8222-222222222222"
LINEAGE = "33333333-3333-4333-8333-333333333333"
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert}; ssl_certificate_key {key};
{locations}
    }}
}}
"""


def locations(target: int) -> str:
    """Return what the manual says to write for nginx, with the port of a server of the test's own."""
    blocks = re.findall(r"```nginx\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    assert "127.0.0.1:8091" in blocks[0]
    return str(blocks[0]).replace("127.0.0.1:8091", f"127.0.0.1:{target}")


@asynccontextmanager
async def nginx(folder: Path, target: int) -> AsyncIterator[tuple[int, str]]:
    """Yield the port on which nginx speaks TLS, and the fingerprint of its certificate."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        pytest.skip("not installed: nginx")
    cert, key, der = certificate(folder)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    names = {"folder": folder, "port": port, "cert": cert, "key": key, "locations": locations(target)}
    config.write_text(CONFIG.format(**names), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(program, "-p", str(folder), "-e", "stderr", "-c", str(config))
    try:
        await until(lambda: answers(port) or process.returncode is not None, "nginx listens")
        assert process.returncode is None
        yield port, hashlib.sha256(der).hexdigest()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        getattr(process, "_transport").close()  # noqa: B009 - asyncio leaves it to the garbage collector


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[tuple[CollabServer, InviteLink]]:
    """A server that trusts its proxy, and the link to it through nginx."""
    config = ServerConfig(data=folder / "data", port=0, trusted_proxies=("127.0.0.1",))
    async with CollabServer(config) as server, nginx(folder, server.address.port) as (port, fingerprint):
        token = await server.create_invite("owner")
        yield server, parse_invite_link(f"texswarm://127.0.0.1:{port}/texswarm/?token={token}&tls=1&fp={fingerprint}")


@asynccontextmanager
async def connecting(link: InviteLink) -> AsyncIterator[Connection]:
    connection = Connection(
        address=link.address,
        credentials=FakeCredentials(invite=link.token),
        profile=msgspec.structs.replace(LAN, backoff_s=(0.0, 0.05)),
        transport=websocket_transport(link.fingerprint),
    )
    async with connection:
        connection.connect()
        yield connection


@runs_async
async def test_two_write_over_wss_behind_a_path_prefix(tmp_path: Path) -> None:
    mine, theirs = ModelReplica(DOCUMENT), ModelReplica(DOCUMENT)
    mine.create(LINEAGE)
    async with stage(tmp_path) as (server, link), connecting(link) as ada:
        await until(lambda: isinstance(ada.state, Live))
        await ada.request(CreateDocument(title="Paper", document_id=DOCUMENT, lineage=LINEAGE))
        mine.sync = ada.add(mine)
        mine.replace(0, 0, "a long text " * 20_000)
        await until(lambda: mine.lineage and not mine.unacknowledged())
        async with connecting(replace(link, token=await server.create_invite("editor", DOCUMENT))) as bob:
            theirs.sync = bob.add(theirs)
            await until(lambda: theirs.text == mine.text)
            theirs.replace(0, 1, "A")
            await until(lambda: mine.text.startswith("A long text "))


@runs_async
async def test_a_server_that_is_away_behind_nginx_is_waited_for(tmp_path: Path) -> None:
    async with nginx(tmp_path, 1) as (port, fingerprint):
        link = parse_invite_link(f"texswarm://127.0.0.1:{port}/texswarm/?tls=1&fp={fingerprint}")
        async with connecting(link) as connection:
            await until(lambda: isinstance(connection.state, Waiting) and connection.state.trouble is Trouble.NOBODY)
        assert problems(await examined(str(link))) == {Code.SERVER_AWAY}


@runs_async
async def test_the_doctor_sees_the_server_and_who_came_through_nginx(tmp_path: Path) -> None:
    async with stage(tmp_path) as (_server, link):
        found = await examined(str(link))
        other = await examined(str(link).replace("/texswarm/", "/elsewhere/"))
    assert problems(found) == set()
    assert {Code.TLS_PINNED, Code.SERVER_OURS, Code.PROTOCOL_SPOKEN, Code.SIGN_IN_FINE} <= codes(found)
    assert (found[Step.SEEN].code, found[Step.SEEN].data["address"]) == (Code.SEEN_AS_HERE, "127.0.0.1")
    assert problems(other) == {Code.SERVER_PORTAL}, "nginx has a page for what it does not know"
