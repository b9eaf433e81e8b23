"""One message to many: straight where nothing waits, by the outbox elsewhere, in the right order, never half."""

from __future__ import annotations

import os
import select
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from texswarm_server.net.audience import Audience
from texswarm_server.net.line import Line
from texswarm_server.net.outbox import Outbox
from texswarm_server.net.prepared_frame import Traffic
from texswarm_server.protocol.frames import Update, encode_frame
from texswarm_server.protocol.ids import Handle

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAFFIC = Traffic(Handle(1), encode_frame(Handle(1), Update(b"an update")))


class FakeListener:
    turnouts = 0


class FakeConnection:
    """A connection over a pair of sockets: what does not go straight into it is in `waiting`."""

    def __init__(self, direct: Line | None, siblings: FakeListener | None = None) -> None:
        self.siblings = siblings or FakeListener()
        self._direct = direct
        self.is_open = True
        self.waiting: list[bytes] = []

    @property
    def direct(self) -> Line | None:
        return self._direct

    @direct.setter
    def direct(self, line: Line | None) -> None:
        self._direct = line
        self.siblings.turnouts += 1

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
def pipe() -> Iterator[tuple[int, Line]]:
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        yield reader.fileno(), Line(writer.family, writer.type, writer.proto, writer.fileno())


def fill(line: Line) -> int:
    """Leave no room in a socket; return how many bytes lie in it."""
    count = 0
    while True:
        try:
            count += line.send(b"x" * 4096)
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
    peer = FakePeer(FakeConnection(None))
    audience_of(peer).deliver(TRAFFIC)

    assert peer.connection.waiting == [TRAFFIC.frame]


def test_a_full_socket_is_left_to_the_transport_with_the_whole_frame() -> None:
    with pipe() as (_reader, writer):
        fill(writer)
        peer = FakePeer(FakeConnection(writer))
        audience_of(peer).deliver(TRAFFIC)

        assert peer.connection.waiting == [TRAFFIC.frame]
        assert peer.connection.direct is None


def test_half_a_frame_is_followed_by_the_other_half_also_where_it_might_have_been_dropped() -> None:
    large = Traffic(Handle(1), encode_frame(Handle(1), Update(b"y" * 2_000_000)))
    for deliver in (Audience.deliver, Audience.deliver_presence):
        with pipe() as (reader, writer):
            peer = FakePeer(FakeConnection(writer))
            peer.outbox.congested()
            deliver(audience_of(peer), large)
            written = os.read(reader, 2_000_000)

            assert 0 < len(written) < len(large.frame)
            assert written + b"".join(peer.connection.waiting) == large.frame


def test_presence_is_dropped_for_who_reads_too_slowly_and_documents_are_not() -> None:
    peer = FakePeer(FakeConnection(None))
    peer.outbox.congested()
    audience_of(peer).deliver_presence(TRAFFIC)
    assert not peer.connection.waiting
    audience_of(peer).deliver(TRAFFIC)
    assert peer.connection.waiting == [TRAFFIC.frame]


def test_who_isleft_out_hears_nothing_and_other_wires_hear_it_in_their_way() -> None:
    sender, reader, browser, other = (
        FakePeer(FakeConnection(None)),
        FakePeer(FakeConnection(None)),
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


def test_one_that_is_full_in_the_middle_keeps_nobody_from_hearing() -> None:
    with pipe() as (first_end, first), pipe() as (_full_end, full), pipe() as (last_end, last):
        fill(full)
        peers = [FakePeer(FakeConnection(line)) for line in (first, full, last)]
        audience = audience_of(*peers)
        audience.deliver(TRAFFIC)
        audience.deliver(TRAFFIC)

        assert [os.read(end, 4096) for end in (first_end, last_end)] == [TRAFFIC.frame * 2] * 2
        assert [each.connection.waiting for each in peers] == [[], [TRAFFIC.frame] * 2, []]


def test_what_isleft_out_isleft_out_by_who_it_is_and_not_by_its_place() -> None:
    with pipe() as (first_end, first), pipe() as (left_out, sender), pipe() as (last_end, last):
        listener = FakeListener()
        peers = [FakePeer(FakeConnection(line, listener)) for line in (first, sender, last)]
        audience_of(*peers).deliver(TRAFFIC, (peers[1],))

        assert [os.read(end, 4096) for end in (first_end, last_end)] == [TRAFFIC.frame] * 2
        assert select.select([left_out], [], [], 0)[0] == []


def test_a_connection_that_turns_out_is_never_written_to_straight_again_until_it_turns_back() -> None:
    listener = FakeListener()
    with pipe() as (reader, writer), pipe() as (other_end, other):
        peer, neighbour = FakePeer(FakeConnection(writer, listener)), FakePeer(FakeConnection(other, listener))
        audience = audience_of(peer, neighbour)
        audience.deliver(TRAFFIC)
        peer.connection.direct = None
        audience.deliver(TRAFFIC)
        assert (os.read(reader, 4096), peer.connection.waiting) == (TRAFFIC.frame, [TRAFFIC.frame])

        peer.connection.direct = writer
        audience.deliver(TRAFFIC)
        assert (os.read(reader, 4096), peer.connection.waiting) == (TRAFFIC.frame, [TRAFFIC.frame])
        assert os.read(other_end, 4096) == TRAFFIC.frame * 3
