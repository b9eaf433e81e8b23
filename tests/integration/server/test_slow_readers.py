"""A reader that stops reading: it delays nobody, memory stays bounded, and afterwards it has everything."""

from __future__ import annotations

from tests.helpers.run_async import runs_async, settle, until
from tests.helpers.wire_client import WireClient, signed_in_again, signed_in_client
from texswarm_server.net.peer import HOLD_ABOVE_BYTES, Peer
from texswarm_server.protocol.frames import Awareness, SyncStep1, Update
from texswarm_server.protocol.messages import OpenDocument, Participants

LARGE = 200_000
BUFFERS_OF_THE_SYSTEM = 8 * 1024 * 1024


def peer_of(place, client: WireClient) -> Peer:
    """The server's end of a client's connection."""
    session_id = client.welcome.session_id
    return next(peer for peer in place.server._peers if peer.session_id == session_id)


def stop_reading(client: WireClient) -> None:
    client.connection.transport.pause_reading()


def go_on_reading(client: WireClient) -> None:
    client.connection.transport.resume_reading()


async def until_held(place, client: WireClient, writer) -> Peer:
    """Write until the server holds a client that does not read; return the server's end."""
    peer = peer_of(place, client)
    while not peer.outbox.is_held:
        await writer.write("x" * LARGE)
        await writer.acknowledged_all()
    return peer


@runs_async
async def test_a_slow_reader_delays_nobody_and_catches_up_in_one_update(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as slow,
        signed_in_again(place.url, ada) as quick,
    ):
        mine = await ada.create_and_open("start")
        theirs = await slow.open(mine.facts.document_id)
        others = await quick.open(mine.facts.document_id)
        stop_reading(slow)
        peer = await until_held(place, slow, mine)
        level = peer.connection.buffered_bytes
        for number in range(30):
            await mine.write(f"[{number}]" + "y" * LARGE)
        await mine.write("the end")
        await others.shows("the end")
        assert peer.connection.buffered_bytes < level + 10_000
        assert level < HOLD_ABOVE_BYTES + 10 * LARGE

        go_on_reading(slow)
        await theirs.shows("the end")

        assert theirs.text() == mine.text() == others.text()
        updates = [body for _handle, body in slow.frames if isinstance(body, Update)]
        assert len(updates[-1].update) > 30 * LARGE
        assert not peer.outbox.is_held


@runs_async
async def test_a_held_reader_hears_afterwards_where_everybody_is_and_who_came(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as slow,
    ):
        mine = await ada.create_and_open("start")
        theirs = await slow.open(mine.facts.document_id)
        stop_reading(slow)
        await until_held(place, slow, mine)
        for clock in range(1, 50):
            await mine.publish({"caret": clock}, clock=clock)
        async with signed_in_again(place.url, ada) as late:
            await late.open(mine.facts.document_id)
            go_on_reading(slow)
            await slow.until(lambda: (theirs.presence.get(mine.replica.client_id) or {}).get("caret") == 49)
            await slow.until(
                lambda: any(isinstance(fact, Participants) and len(fact.participants) == 3 for fact in slow.facts)
            )
        assert len([body for _handle, body in slow.frames if isinstance(body, Awareness)]) < 20


@runs_async
async def test_what_somebody_opens_while_held_is_held_as_well(premises) -> None:
    """The order was on its way when the connection was held, as one that waits for a document to be loaded is."""
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as slow,
    ):
        mine = await ada.create_and_open("start")
        theirs = await slow.open(mine.facts.document_id)
        stop_reading(slow)
        peer = await until_held(place, slow, mine)
        await place.server._dispatcher.order(peer, OpenDocument(document_id=mine.facts.document_id))
        level = peer.connection.buffered_bytes
        for _ in range(5):
            await mine.write("y" * LARGE)
            await mine.acknowledged_all()
        assert peer.connection.buffered_bytes < level + 10_000

        go_on_reading(slow)
        await slow.until(lambda: theirs.text() == mine.text())


@runs_async
async def test_who_asks_for_much_and_reads_nothing_is_not_answered_without_end(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as greedy,
    ):
        mine = await ada.create_and_open("z" * 3_000_000)
        theirs = await greedy.open(mine.facts.document_id)
        peer = peer_of(place, greedy)
        stop_reading(greedy)
        for _ in range(60):
            await theirs.send(SyncStep1(b"\x00"))
        await mine.write("still quick")
        await mine.acknowledged_all()
        await until(lambda: peer.outbox.is_held)
        await settle()

        assert peer.connection.buffered_bytes < HOLD_ABOVE_BYTES + 2 * 3_000_000
        go_on_reading(greedy)
        await theirs.shows("still quick")


@runs_async
async def test_who_reads_nothing_for_too_long_is_closed(premises) -> None:
    async with (
        premises.running(dead_after_s=0.1, heartbeat_s=60.0) as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as dead,
    ):
        mine = await ada.create_and_open("start")
        await dead.open(mine.facts.document_id)
        stop_reading(dead)
        peer = peer_of(place, dead)
        while not (peer.outbox.is_held or peer.is_closed):
            await mine.write("x" * LARGE)
            await mine.acknowledged_all()
        await until(lambda: peer.is_closed)
        go_on_reading(dead)
        assert await dead.closed() in {1013, 1006}
        await mine.write("goes on")
        await mine.acknowledged_all()


@runs_async
async def test_who_makes_us_answer_pings_and_reads_none_is_cut_off(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_again(place.url, ada) as noisy,
    ):
        mine = await ada.create_and_open("start")
        await noisy.open(mine.facts.document_id)
        stop_reading(noisy)
        peer = await until_held(place, noisy, mine)
        ping = b"\x89\xfd\x00\x00\x00\x00" + b"p" * 125
        while not peer.is_closed:
            noisy.connection.transport.write(ping * 100)
            await settle()
        assert peer.connection.buffered_bytes < BUFFERS_OF_THE_SYSTEM
        go_on_reading(noisy)
