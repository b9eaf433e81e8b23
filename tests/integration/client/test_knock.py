"""Knocking at doors on the loopback: who is there, who will be, and who never is."""

import asyncio
import gc
import socket
from contextlib import closing, suppress

import pytest

from tests.helpers.run_async import runs_async, settle
from texswarm_desktop.client.knock import tcp_knock
from texswarm_desktop.client.link import NoLinkError
from texswarm_desktop.client.states import Trouble
from texswarm_server.protocol.invite_link import ServerAddress

EVERY_S = 0.01


def closed_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


@runs_async
async def test_the_address_that_answers_is_named_and_nothing_is_left_open():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        nobody = ServerAddress("127.0.0.1", closed_port())
        somebody = ServerAddress("127.0.0.1", listener.getsockname()[1])
        assert await tcp_knock([nobody, somebody], every_s=EVERY_S, is_patient=False) == somebody


@runs_async
async def test_where_nobody_listens_the_impatient_go_at_once():
    with pytest.raises(NoLinkError) as caught:
        await tcp_knock([ServerAddress("127.0.0.1", closed_port())], every_s=1000, is_patient=False)
    assert caught.value.trouble is Trouble.NOBODY


@runs_async
async def test_a_name_nobody_knows_is_told():
    with pytest.raises(NoLinkError) as caught:
        await tcp_knock([ServerAddress("no-such-host.invalid", 1)], every_s=1000, is_patient=False)
    assert caught.value.trouble is Trouble.NAME_UNKNOWN


@runs_async
async def test_the_patient_wait_until_somebody_listens():
    port = closed_port()
    async with asyncio.TaskGroup() as group:
        knocking = group.create_task(tcp_knock([ServerAddress("127.0.0.1", port)], every_s=EVERY_S, is_patient=True))
        await asyncio.sleep(0)
        assert not knocking.done()
        with closing(socket.create_server(("127.0.0.1", port))):
            assert (await knocking).port == port


@runs_async
async def test_who_is_called_back_leaves_nothing():
    async with asyncio.TaskGroup() as group:
        knocking = group.create_task(
            tcp_knock([ServerAddress("127.0.0.1", closed_port())], every_s=EVERY_S, is_patient=True)
        )
        await asyncio.sleep(EVERY_S)
        knocking.cancel()
    assert knocking.cancelled()


@runs_async
async def test_who_is_called_back_while_the_answer_comes_leaves_none_that_nobody_asks_for():
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context["message"]))

    async def ask() -> None:
        with suppress(NoLinkError):
            await tcp_knock([ServerAddress("127.0.0.1", closed_port())], every_s=1000, is_patient=False)

    for turns in range(12):
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(ask())
            await settle(turns)
            asking.cancel()
        del asking, group
        gc.collect()
    assert complaints == []
