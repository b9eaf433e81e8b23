"""Waiting to be let in, over lost links and restarts of the server, by the client and the server as they are."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.run_async import runs_async, until
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.server_talk import admitted, let_in
from texswarm_desktop.client.states import Live
from texswarm_desktop.client.timing import LAN
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import LinkError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import AnswerKnock, CreateDocument, CreateInvite, KnockList, ListKnocks

PAPER = "22222222-2222-4222-8222-222222222222"
HASTY = msgspec.structs.replace(LAN, backoff_s=(0.0, 0.02, 0.05), close_timeout_s=0.2, probe_timeout_s=0.3)


@asynccontextmanager
async def connected(port, invite, *, credentials=None):
    credentials = credentials or FakeCredentials(invite=invite)
    async with Connection(
        address=ServerAddress("127.0.0.1", port), credentials=credentials, profile=HASTY
    ) as connection:
        connection.connect()
        await let_in(connection)
        yield connection


@asynccontextmanager
async def owner(server):
    async with connected(server.address.port, await server.create_invite("owner")) as ada:
        await ada.request(CreateDocument(title="Paper", document_id=PAPER))
        yield ada


async def knocks(ada):
    answer = await ada.request(ListKnocks(document_id=PAPER))
    assert isinstance(answer, KnockList)
    return answer.knocks


async def somebody(ada):
    """Ask until somebody waits; each time is a round trip."""
    while not (waiting := await knocks(ada)):
        pass
    return waiting


async def answer_when_somebody_knocks(ada, *, accept=True):
    waiting = await somebody(ada)
    await ada.request(AnswerKnock(document_id=PAPER, user_id=waiting[0].user_id, accept=accept))


async def asking_invite(ada):
    return (await ada.request(CreateInvite(document_id=PAPER, ask=True))).token


def link_of(token):
    return InviteLink(ServerAddress("127.0.0.1"), token, PAPER)


@runs_async
async def test_who_is_let_in_sees_the_document(tmp_path):
    async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server, owner(server) as ada:
        token, waited = await asking_invite(ada), []
        async with connected(server.address.port, token) as bob, asyncio.TaskGroup() as group:
            group.create_task(answer_when_somebody_knocks(ada))
            documents = await admitted(bob, link_of(token), lambda: waited.append(True))
        assert ([one.id for one in documents], waited) == ([PAPER], [True])


@runs_async
async def test_who_is_declined_hears_why(tmp_path):
    async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server, owner(server) as ada:
        token = await asking_invite(ada)
        async with connected(server.address.port, token) as bob, asyncio.TaskGroup() as group:
            group.create_task(answer_when_somebody_knocks(ada, accept=False))
            with pytest.raises(RejectedError, match="approval_declined"):
                await admitted(bob, link_of(token))


class Guest:
    """Somebody who follows a link and may have to wait."""

    def __init__(self, connection, token):
        self.connection, self._token = connection, token
        self._waits = asyncio.Event()

    async def comes_in(self):
        """Return the documents that are seen in the end, or the error."""
        try:
            return [one.id for one in await admitted(self.connection, link_of(self._token), self._waits.set)]
        except (LinkError, RejectedError) as error:
            return error

    async def until_waiting(self):
        await self._waits.wait()
        self._waits.clear()


@runs_async
async def test_an_answer_that_is_given_while_the_link_is_down_counts(tmp_path):
    async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server, owner(server) as ada:
        token = await asking_invite(ada)
        async with (
            TcpProxy(server.address.port) as cable,
            connected(cable.port, token) as connection,
            asyncio.TaskGroup() as group,
        ):
            bob = Guest(connection, token)
            coming = group.create_task(bob.comes_in())
            await bob.until_waiting()
            cable.refuse()
            await until(lambda: not isinstance(connection.state, Live))
            await answer_when_somebody_knocks(ada)
            cable.restore()
            assert await coming == [PAPER]


@runs_async
async def test_who_waits_knocks_again_at_a_server_that_was_restarted(tmp_path):
    config = ServerConfig(data=tmp_path, port=0)
    async with CollabServer(config) as server, owner(server) as ada:
        token, port = await asking_invite(ada), server.address.port
        async with connected(port, token) as connection, asyncio.TaskGroup() as group:
            bob = Guest(connection, token)
            coming = group.create_task(bob.comes_in())
            await bob.until_waiting()
            await server.stop()
            async with CollabServer(replace(config, port=port)):
                await bob.until_waiting()
                await until(lambda: isinstance(ada.state, Live))
                await answer_when_somebody_knocks(ada)
                assert await coming == [PAPER]


@runs_async
async def test_who_gives_up_waits_no_longer(tmp_path):
    async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server, owner(server) as ada:
        token = await asking_invite(ada)
        async with connected(server.address.port, token) as connection, asyncio.TaskGroup() as group:
            bob = Guest(connection, token)
            coming = group.create_task(bob.comes_in())
            await bob.until_waiting()
            connection.close()
            assert isinstance(await coming, LinkError)
        while await knocks(ada):
            pass  # asked again, a round trip each
