"""What waits to be looked at is bounded by bytes, and nothing of it is lost or reordered."""

from __future__ import annotations

import asyncio

from websockets.frames import Frame, Opcode

from tests.helpers.run_async import runs_async, settle
from texswarm_server.net.inbox import Inbox


def inbox(most_bytes: int = 1000) -> tuple[Inbox, list[str]]:
    told: list[str] = []
    made = Inbox(most_bytes, pause=lambda: told.append("pause"), resume=lambda: told.append("resume"))
    return made, told


def frame(size: int, *, fin: bool = True, opcode: Opcode = Opcode.BINARY) -> Frame:
    return Frame(opcode, b"x" * size, fin=fin)


@runs_async
async def test_reading_stops_above_the_bytes_and_goes_on_when_little_is_left() -> None:
    box, told = inbox()
    for size in (400, 600, 1):
        box.put(frame(size))
    assert told == ["pause"]
    assert [len(await box.get()), len(await box.get())] == [400, 600]
    assert told == ["pause", "resume"]


@runs_async
async def test_one_large_message_is_taken_whole() -> None:
    box, told = inbox()
    box.put(frame(50_000))
    assert len(await box.get()) == 50_000
    assert told == ["pause", "resume"]


@runs_async
async def test_many_small_messages_are_too_much_as_well() -> None:
    box, told = inbox(10**9)
    for _ in range(300):
        box.put(frame(0))
    assert told == ["pause"]


@runs_async
async def test_a_message_in_parts_that_nobody_waited_for_is_counted_again() -> None:
    box, told = inbox()
    box.put(frame(900, fin=False))
    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(box.get())
        await settle()
        reader.cancel()
    box.put(frame(200, opcode=Opcode.CONT))
    assert told == ["pause"]
    assert len(await box.get()) == 1100
    assert told == ["pause", "resume"]


@runs_async
async def test_who_keeps_up_never_stops_however_much_it_was() -> None:
    box, told = inbox()
    for _ in range(50):
        box.put(frame(400))
        box.put(frame(400))
        await box.get()
        await box.get()
    assert told == []
