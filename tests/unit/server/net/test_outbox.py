"""The outbox of a slow reader: presence goes first, then documents are held, and memory stays bounded."""

import asyncio

from tests.helpers.run_async import runs_async, settle
from texswarm_server.net.outbox import Outbox

HOLD_ABOVE = 1000


class FakeWriter:
    """A write buffer that the test drains; the first mark is at 100 bytes."""

    def __init__(self) -> None:
        self.is_open = True
        self.buffered_bytes = 0
        self.written: list[bytes] = []
        self.outbox: Outbox | None = None

    def write(self, frame: bytes) -> None:
        self.written.append(frame)
        self.buffered_bytes += len(frame)
        if self.buffered_bytes > 100 and self.outbox:
            self.outbox.congested()

    def drain(self, to: int = 0) -> None:
        self.buffered_bytes = to
        if not to and self.outbox:
            self.outbox.relieved()


def box() -> tuple[Outbox, FakeWriter, list[str]]:
    writer, told = FakeWriter(), list[str]()
    outbox = writer.outbox = Outbox(writer, hold_above_bytes=HOLD_ABOVE)
    outbox.on_held = lambda: told.append("held")
    outbox.on_relieved = lambda: told.append("relieved")
    outbox.on_presence_missed = lambda: told.append("presence missed")
    return outbox, writer, told


def test_a_reader_that_keeps_up_gets_everything() -> None:
    outbox, writer, told = box()
    outbox.write(b"x" * 90)
    outbox.write_presence(b"p")

    assert (len(writer.written), told) == (2, [])


def test_presence_is_dropped_first_and_told_again_later() -> None:
    outbox, writer, told = box()
    outbox.write(b"x" * 101)
    outbox.write_presence(b"p")
    outbox.write(b"d")
    assert writer.written == [b"x" * 101, b"d"]
    writer.drain()

    assert told == ["presence missed"]


def test_over_the_second_mark_the_reader_is_held_until_all_is_taken() -> None:
    outbox, writer, told = box()
    outbox.write(b"x" * 600)
    assert not outbox.is_held
    outbox.write(b"x" * 600)
    outbox.write(b"x" * 600)
    assert (outbox.is_held, told) == (True, ["held"])
    writer.drain(to=50)
    assert outbox.is_held
    writer.drain()

    assert (outbox.is_held, told) == (False, ["held", "relieved"])


def test_nothing_is_written_to_a_connection_that_is_over() -> None:
    outbox, writer, _told = box()
    writer.is_open = False
    outbox.write(b"x")
    outbox.write_presence(b"p")

    assert writer.written == []


def test_a_reader_that_takes_nothing_between_two_looks_is_stalled() -> None:
    outbox, writer, _told = box()
    assert not outbox.is_stalled()
    outbox.write(b"x" * 500)
    assert not outbox.is_stalled()
    writer.buffered_bytes = 400
    assert not outbox.is_stalled()
    assert outbox.is_stalled()
    writer.drain()

    assert not outbox.is_stalled()


def test_letting_go_wakes_who_waits_and_says_nothing() -> None:
    outbox, _writer, told = box()
    outbox.write(b"x" * 2000)
    outbox.let_go()

    assert (outbox.is_held, told) == (False, ["held"])


@runs_async
async def test_who_waits_goes_on_waiting_where_the_relief_is_over_at_once() -> None:
    outbox, writer, _told = box()
    outbox.on_presence_missed = lambda: outbox.write(b"p" * 1001)
    outbox.write(b"x" * 1001)
    outbox.write_presence(b"p")
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(outbox.wait_relieved(), name="reader")
        await settle()
        writer.drain()
        await settle()
        assert outbox.is_held
        assert not waiting.done()
        outbox.let_go()


def test_what_is_written_together_leaves_in_one_piece_and_in_order() -> None:
    outbox, writer, _told = box()
    with outbox.together():
        outbox.write(b"opened")
        outbox.write_presence(b"presence")
        assert writer.written == []
    outbox.write(b"later")
    with outbox.together():
        pass

    assert writer.written == [b"openedpresence", b"later"]


def test_large_frames_that_are_written_together_are_not_copied() -> None:
    outbox, writer, _told = box()
    large = b"x" * 20_000
    with outbox.together():
        outbox.write(b"opened")
        outbox.write(large)

    assert writer.written == [b"opened", large]
    assert writer.written[1] is large


def test_what_is_written_together_can_hold_its_reader() -> None:
    outbox, writer, told = box()
    with outbox.together():
        outbox.write(b"x" * (HOLD_ABOVE + 1))
        assert not outbox.is_held

    assert (outbox.is_held, told, len(writer.written)) == (True, ["held"], 1)
