"""Going down in good order: nobody new comes in, everybody in is told one after the other, and all is stored."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.helpers.certificates import certificate
from tests.helpers.plain_http import get
from tests.helpers.run_async import runs_async, until
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import signed_in_client
from texswarm_server.protocol.invite_link import parse_invite_link

if TYPE_CHECKING:
    from pathlib import Path

LONG_S = 1000.0

needs_signals = pytest.mark.skipif(os.name == "nt", reason="an interrupt ends the server there, without draining")


@runs_async
async def test_who_was_not_told_yet_goes_on_writing_and_nobody_new_comes_in(premises) -> None:
    hurry = asyncio.Event()
    async with (
        premises.running() as place,
        asyncio.TaskGroup() as tasks,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_client(place.url, place.host_invite) as bob,
    ):
        mine, theirs = await ada.create_and_open("Hello"), await bob.create_and_open("Hello")
        draining = tasks.create_task(place.server.drain(LONG_S, hurry))
        await until(lambda: {ada.close_code, bob.close_code} == {1012, None})
        left = mine if ada.close_code is None else theirs
        await left.write(", still here")
        await left.acknowledged_all()
        ready, alive = await get(place.url, "/readyz"), await get(place.url, "/healthz")
        assert (ready.status, alive.status) == (503, 200)
        with pytest.raises(InvalidStatus) as refused:
            await connect(place.url)
        assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (503, "1")
        assert not draining.done()
        hurry.set()
        await draining
        await place.server.stop()
        assert await left.client.closed() == 1012


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "tls"])
def test_who_comes_in_the_moment_it_stops_is_not_left_with_an_open_socket(
    premises, tmp_path: Path, turns: int, *, has_tls: bool
) -> None:
    files = dict(zip(("tls_cert", "tls_key"), certificate(tmp_path)[:2], strict=True)) if has_tls else {}

    async def story() -> socket.socket:
        async with premises.running(**files) as place:
            newcomer = socket.create_connection((place.server.address.host, place.server.address.port))
            for _ in range(turns):
                await asyncio.sleep(0)
        return newcomer

    with asyncio.run(story()) as newcomer:
        gc.collect()  # what was left open would warn here, and warnings are errors
        newcomer.settimeout(10)
        with suppress(ConnectionResetError):
            while newcomer.recv(1024):
                pass


@runs_async
async def test_everybody_is_told_in_an_order_of_chance(premises) -> None:
    async with premises.running() as place:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(signed_in_client(place.url, place.host_invite)) for _ in range(8)
            ]
            order: list[int] = []
            for number, peer in enumerate(place.server._peers):
                peer.shut = lambda code, reason="", number=number, shut=peer.shut: (  # type: ignore[method-assign]
                    order.append(number),
                    shut(code, reason),
                )
            await place.server.drain(0.05)
            await place.server.stop()
            assert {await client.closed() for client in clients} == {1012}
        assert list(dict.fromkeys(order)) != sorted(set(order))


@needs_signals
@runs_async
async def test_a_process_that_is_asked_to_end_tells_its_clients_and_leaves_with_0(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        token = parse_invite_link(await server.invite(url)).token
        async with signed_in_client(url, token) as ada, signed_in_client(url, token) as bob:
            opened = await ada.create_and_open("Hello")
            await opened.write(", unacknowledged")
            assert await server.stop() == 0
            assert {await ada.closed(), await bob.closed()} == {1012}
        await server.start()
        async with signed_in_client(url, ada.welcome.refresh_token, user_id=None) as again:
            await (await again.open(opened.facts.document_id)).shows(", unacknowledged")


@needs_signals
@runs_async
async def test_a_second_signal_hurries_the_process(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        token = parse_invite_link(await server.invite(url)).token
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(signed_in_client(url, token)) for _ in range(3)]
            server.send(signal.SIGHUP)
            server.send(signal.SIGTERM)
            await until(lambda: sum(client.close_code == 1012 for client in clients) == 1)
            assert await server.stop() == 0
            assert {await client.closed() for client in clients} == {1012}
