"""One message to many: straight where nothing waits, by the outbox elsewhere, in the right order, never half."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from texswarm_server.net.audience import Audience
from texswarm_server.net.outbox import Outbox
from texswarm_server.net.prepared_frame import Traffic
from texswarm_server.protocol.frames import Update, encode_frame
from texswarm_server.protocol.ids import Handle

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAFFIC = Traffic(Handle(1), encode_frame(Handle(1), Update(b"an update")))


class FakeConnection:
    """A connection over a pipe: what does not go straight into it is in `waiting`."""

    def __init__(self, direct: int) -> None:
        self.direct = direct
        self.is_open = True
        self.waiting: list[bytes] = []

    @property
    def buffered_bytes(self) -> int:
        return sum(map(len, self.waiting))

    def write(self, frame: bytes) -> None:
        self.waiting.append(frame)


class FakePeer:
    takes_frames = True

    def __init__(self, connection: FakeConnection) -> None:
        self.connection = connection
        self.outbox = Outbox(connection, hold_above_bytes=1000)


class OtherWire:
    takes_frames = False
    connection = outbox = None

    def __init__(self) -> None:
        self.heard: list[Traffic] = []

    def deliver(self, traffic: Traffic) -> None:
        self.heard.append(traffic)

    deliver_presence = deliver


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def fill(writer: int) -> int:
    """Leave no room in a pipe; return how many bytes lie in it."""
    count = 0
    while True:
        try:
            count += os.write(writer, b"x" * 4096)
        except BlockingIOError:
            return count


def audience_of(*peers: Any) -> Audience:
    return Audience(peers)


def test_a_frame_goes_straight_to_whom_nothing_waits_for() -> None:
    with pipe() as (reader, writer):
        peer = FakePeer(FakeConnection(writer))
        audience_of(peer).deliver(TRAFFIC)

        assert os.read(reader, 4096) == TRAFFIC.frame
        assert not peer.connection.waiting


def test_a_frame_waits_behind_what_waits_already() -> None:
    peer = FakePeer(FakeConnection(-1))
    audience_of(peer).deliver(TRAFFIC)

    assert peer.connection.waiting == [TRAFFIC.frame]


def test_a_full_socket_is_left_to_the_transport_with_the_whole_frame() -> None:
    with pipe() as (_reader, writer):
        fill(writer)
        peer = FakePeer(FakeConnection(writer))
        audience_of(peer).deliver(TRAFFIC)

        assert peer.connection.waiting == [TRAFFIC.frame]
        assert peer.connection.direct == -1


def test_half_a_frame_is_followed_by_the_other_half_also_where_it_might_have_been_dropped() -> None:
    large = Traffic(Handle(1), encode_frame(Handle(1), Update(b"y" * 200_000)))
    for deliver in (Audience.deliver, Audience.deliver_presence):
        with pipe() as (reader, writer):
            peer = FakePeer(FakeConnection(writer))
            peer.outbox.congested()
            deliver(audience_of(peer), large)
            written = os.read(reader, 1_000_000)

            assert 0 < len(written) < len(large.frame)
            assert written + b"".join(peer.connection.waiting) == large.frame


def test_presence_is_dropped_for_who_reads_too_slowly_and_documents_are_not() -> None:
    peer = FakePeer(FakeConnection(-1))
    peer.outbox.congested()
    audience_of(peer).deliver_presence(TRAFFIC)
    assert not peer.connection.waiting
    audience_of(peer).deliver(TRAFFIC)
    assert peer.connection.waiting == [TRAFFIC.frame]


def test_who_is_left_out_hears_nothing_and_other_wires_hear_it_in_their_way() -> None:
    sender, reader, browser, other = (
        FakePeer(FakeConnection(-1)),
        FakePeer(FakeConnection(-1)),
        OtherWire(),
        OtherWire(),
    )
    audience = audience_of(sender, reader, browser, other)
    audience.deliver(TRAFFIC, (sender, other))
    audience.deliver_presence(TRAFFIC, (sender, other))

    assert audience.size == 4
    assert (sender.connection.waiting, other.heard) == ([], [])
    assert reader.connection.waiting == [TRAFFIC.frame] * 2
    assert browser.heard == [TRAFFIC] * 2
