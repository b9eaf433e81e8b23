"""Orders and their answers."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.fake_time import FakeTime
from tests.helpers.link_pair import LinkPairs
from tests.helpers.run_async import runs_async, settle
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.timing import LAN, REMOTE
from texswarm_server.protocol.codec import order_codec
from texswarm_server.protocol.errors import LinkLostError, RejectedError
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult, DocumentList, Error, ListDocuments


def connection_over(links, **changes):
    time = FakeTime()
    return Connection(
        address=ServerAddress("127.0.0.1"),
        credentials=FakeCredentials(),
        transport=links,
        clock=time.clock,
        wall_clock=time.wall_clock,
        call_later=time.call_later,
        **changes,
    )


@asynccontextmanager
async def signed_in(links):
    async with connection_over(links) as connection:
        connection.connect()
        await settle()
        links.last.deliver(AuthenticationResult(ok=True, user_id="u", session_id="s"))
        await settle()
        yield connection


@asynccontextmanager
async def asking(connection, count):
    """Orders on their way, as futures; gathered so that nothing is left."""
    async with asyncio.TaskGroup() as group:
        yield [group.create_task(outcome(connection)) for _ in range(count)]


async def outcome(connection):
    try:
        return await connection.request(ListDocuments())
    except (RejectedError, LinkLostError) as error:
        return error


@runs_async
async def test_answers_find_their_orders_in_any_turn():
    links = LinkPairs()
    async with signed_in(links) as connection:
        async with asking(connection, 2) as (first, second):
            await settle()
            numbers = [order_codec.decode(frame).request for frame in links.last.sent[1:]]
            links.last.deliver(DocumentList(request=numbers[1], documents=[]))
            links.last.deliver(Error(request=numbers[0], code="forbidden", message="no"))
        assert first.result().code == "forbidden"
        assert second.result() == DocumentList(request=numbers[1], documents=[])


@runs_async
async def test_a_lost_link_ends_every_wait():
    links = LinkPairs()
    async with signed_in(links) as connection:
        async with asking(connection, 3) as tasks:
            await settle()
            links.last.lose()
        assert {type(task.result()) for task in tasks} == {LinkLostError}


@runs_async
async def test_closing_ends_every_wait():
    async with signed_in(LinkPairs()) as connection:
        async with asking(connection, 1) as tasks:
            await settle()
            connection.close()
        assert isinstance(tasks[0].result(), LinkLostError)


@runs_async
async def test_an_answer_nobody_waits_for_any_more_is_passed_over():
    links = LinkPairs()
    async with signed_in(links) as connection:
        async with asking(connection, 1) as tasks:
            await settle()
            tasks[0].cancel()
        links.last.deliver(DocumentList(request=1, documents=[]))
        await settle()


@runs_async
async def test_without_a_link_an_order_fails_at_once():
    async with connection_over(LinkPairs()) as connection:
        with pytest.raises(LinkLostError):
            await connection.request(ListDocuments())


def test_the_profile_follows_the_address_unless_given():
    assert connection_over(LinkPairs()).profile is LAN
    assert connection_over(LinkPairs(), profile=REMOTE).profile is REMOTE


@runs_async
async def test_a_connection_may_be_closed_twice_and_after_its_end():
    async with connection_over(LinkPairs()) as connection:
        connection.close()
        connection.close()
    connection.close()
    connection.connect()
    connection.retry_now()
