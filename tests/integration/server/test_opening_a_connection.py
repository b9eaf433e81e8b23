"""However its request arrives, a client gets its connection, or is told why not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from websockets.frames import Frame, Opcode

from tests.helpers.run_async import runs_async
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.messages import Authentication

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPTED = b"HTTP/1.1 101 "


@asynccontextmanager
async def line_to(place) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = place.server.address
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


def hello(place) -> bytes:
    order = Authentication(protocol=2, token=place.host_invite, request=1)
    return Frame(Opcode.TEXT, encode(order).encode()).serialize(mask=True)


@pytest.mark.parametrize("cut", [None, 1, 40, len(REQUEST) - 1])
@runs_async
async def test_a_request_may_come_in_pieces(premises, cut) -> None:
    async with premises.running() as place, line_to(place) as (reader, writer):
        for piece in (REQUEST[:cut], REQUEST[cut:] if cut else b""):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02 if cut else 0)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ACCEPTED)
        writer.write(hello(place))
        assert b"AuthenticationResult" in await reader.readuntil(b"}}")


@runs_async
async def test_a_first_message_may_come_with_the_request(premises) -> None:
    async with premises.running() as place, line_to(place) as (reader, writer):
        writer.write(REQUEST + hello(place))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ACCEPTED)
        assert b"AuthenticationResult" in await reader.readuntil(b"}}")


@runs_async
async def test_where_there_is_no_room_the_answer_says_so_and_the_connection_ends(premises) -> None:
    async with premises.running(max_unauthenticated=1) as place, line_to(place) as (first, one):
        one.write(REQUEST)
        assert (await first.readuntil(b"\r\n\r\n")).startswith(ACCEPTED)
        async with line_to(place) as (second, other):
            other.write(REQUEST)
            answer = await second.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 2\r\n" in answer
        assert b"over_capacity" in answer


@runs_async
async def test_who_leaves_before_asking_leaves_nothing_behind(premises) -> None:
    async with premises.running() as place:
        async with line_to(place):
            pass
        async with line_to(place) as (_reader, writer):
            writer.write(REQUEST[:30])
            await writer.drain()
        async with line_to(place) as (reader, writer):
            writer.write(REQUEST)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(ACCEPTED)
