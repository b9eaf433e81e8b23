"""`texswarm sync` in a network that wants a sign-in first, and behind a system's proxy, as a program of its own."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.go_betweens import captive_portal, socks5_proxy
from tests.helpers.run_async import runs_async
from tests.helpers.shared_folder import fill, running_server, shared
from tests.helpers.sync_process import SyncProcess, texts_in
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_server.protocol.invite_link import parse_invite_link

PAPER = {"main.tex": "Hello.\n"}


@runs_async
async def test_it_says_that_a_sign_in_page_answers_and_goes_on_when_the_server_does(tmp_path: Path) -> None:
    first = tmp_path / "first"
    async with (
        running_server(tmp_path) as (server, link),
        captive_portal() as hotel,
        TcpProxy(server.port) as cable,
    ):
        mine = parse_invite_link(link)
        paper = await shared(tmp_path, str(replace(mine, address=replace(mine.address, port=cable.port))), PAPER)
        cable.target_port = hotel.port
        async with SyncProcess(tmp_path / "second", paper) as process:
            waits = await process.until("status", state="waiting")
            assert waits["text"].startswith("Something else answers · trying again in")
            cable.target_port = server.port
            await process.until_saved()
            cable.target_port = hotel.port
            cable.cut()
            fill(tmp_path / "second", {"new.tex": "Written meanwhile.\n"})
            await process.until("status", state="waiting")
            cable.target_port = server.port
            await process.until_saved()
        async with SyncProcess(first, None, "--once") as again:
            assert await again.ended() == 0
    assert texts_in(first) == PAPER | {"new.tex": "Written meanwhile.\n"}
    assert [each for each in process.events if each["event"] == "problem"] == []


@runs_async
async def test_it_goes_through_the_proxy_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    async with running_server(tmp_path) as (server, link), AsyncExitStack() as running:
        proxy = await running.enter_async_context(socks5_proxy(server.port, user="ada:secret"))
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", "//ada:other@"))
        mine = parse_invite_link(link)
        far = str(replace(mine, address=replace(mine.address, host="swarm.example.org")))
        async with SyncProcess(fill(tmp_path / "first", PAPER), far) as process:
            waits = await process.until("status", state="waiting")
            assert waits["text"].startswith("The proxy wants a sign-in · trying again in")
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", "//ada:secret@"))
        async with SyncProcess(tmp_path / "first", far) as process:
            await process.until_saved()
            await running.aclose()
            await process.until("status", state="waiting")
            async with socks5_proxy(server.port, user="ada:secret", port=proxy.port):
                await process.until_saved()
    assert set(proxy.asked) == {f"swarm.example.org:{mine.address.port}"}
