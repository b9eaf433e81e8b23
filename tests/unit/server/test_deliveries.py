"""What rooms want written reaches the connections their members have now, and is counted by them."""

from __future__ import annotations

from typing import Any

from texswarm_server.deliveries import Deliveries
from texswarm_server.net.prepared_frame import Traffic, text_frame
from texswarm_server.net.statistics import DocumentStatistics
from texswarm_server.protocol.frames import FrameBody, Update, encode_frame
from texswarm_server.protocol.ids import Handle, SessionId
from texswarm_server.protocol.messages import Fact, SignedOut
from texswarm_server.rooms.effects import Broadcast, SendDocument, SendPresence, Tell

HANDLE = Handle(1)
ADA, BOB, EVE = SessionId("ada"), SessionId("bob"), SessionId("eve")


class FakePeer:
    """A connection that remembers what was given to it."""

    takes_frames = False
    connection = outbox = None

    def __init__(self) -> None:
        self.document: list[Traffic] = []
        self.presence: list[Traffic] = []
        self.frames: list[bytes] = []

    def deliver(self, traffic: Traffic) -> None:
        self.document.append(traffic)

    def deliver_presence(self, traffic: Traffic) -> None:
        self.presence.append(traffic)

    def relay(self, _fact: Fact, frame: bytes) -> None:
        self.frames.append(frame)


class Place:
    """Ada and Bob are connected, Eve is not."""

    def __init__(self) -> None:
        self.statistics = DocumentStatistics()
        self.deliveries: Any = Deliveries(self.statistics)
        self.ada, self.bob = FakePeer(), FakePeer()
        self.deliveries.arrive(ADA, self.ada)
        self.deliveries.arrive(BOB, self.bob)


def said(text: bytes) -> bytes:
    body: FrameBody = Update(text)
    return encode_frame(HANDLE, body)


def test_what_is_sent_reaches_those_who_are_connected_and_is_counted_for_them_only() -> None:
    place, payload = Place(), said(b"abc")
    place.deliveries.send_document(HANDLE, SendDocument((ADA, EVE), payload))
    place.deliveries.send_presence(HANDLE, SendPresence((ADA, BOB, EVE), payload))

    assert [len(each) for each in (place.ada.document, place.bob.document)] == [1, 0]
    assert [len(each) for each in (place.ada.presence, place.bob.presence)] == [1, 1]
    assert (place.statistics.deliveries, place.statistics.delivered_bytes) == (1, len(payload))
    assert place.statistics.presence_deliveries == 2


def test_a_broadcast_leaves_some_out_and_counts_the_others() -> None:
    place, everybody, payload = Place(), (ADA, BOB, EVE), said(b"abc")
    place.deliveries.broadcast(HANDLE, Broadcast(everybody, payload, (ADA, EVE)))
    place.deliveries.broadcast(HANDLE, Broadcast(everybody, payload, may_be_dropped=True))

    assert [len(each) for each in (place.ada.document, place.bob.document)] == [0, 1]
    assert [len(each) for each in (place.ada.presence, place.bob.presence)] == [1, 1]
    assert (place.statistics.deliveries, place.statistics.presence_deliveries) == (1, 2)


def test_an_audience_is_found_anew_when_a_connection_comes_or_goes_and_when_the_members_are_others() -> None:
    place, everybody, eve = Place(), (ADA, BOB, EVE), FakePeer()
    place.deliveries.broadcast(HANDLE, Broadcast(everybody, said(b"1")))
    place.deliveries.arrive(EVE, eve)
    place.deliveries.broadcast(HANDLE, Broadcast(everybody, said(b"2")))
    place.deliveries.lose(ADA)
    place.deliveries.broadcast(HANDLE, Broadcast(everybody, said(b"3")))
    place.deliveries.broadcast(HANDLE, Broadcast((EVE,), said(b"4")))

    assert [len(each.document) for each in (place.ada, place.bob, eve)] == [2, 3, 3]


def test_a_handle_that_is_forgotten_has_no_audience() -> None:
    place, everybody = Place(), (ADA, BOB)
    for _ in range(2):
        place.deliveries.broadcast(HANDLE, Broadcast(everybody, said(b"1"), may_be_dropped=True))
        place.deliveries.broadcast(HANDLE, Broadcast(everybody, said(b"2")))
        assert len(place.deliveries._audiences) == 2
    place.deliveries.forget(HANDLE)

    assert not place.deliveries._audiences


def test_a_large_answer_is_put_into_a_frame_once_for_newcomers_until_the_next_tick() -> None:
    place, large = Place(), said(b"x" * 20_000)
    for session_id in (ADA, BOB):
        place.deliveries.send_document(HANDLE, SendDocument((session_id,), large))
    place.deliveries.tick()
    place.deliveries.send_document(HANDLE, SendDocument((ADA,), large))

    assert place.ada.document[0] is place.bob.document[0]
    assert place.ada.document[1] is not place.ada.document[0]


def test_a_fact_is_relayed_as_a_frame_made_for_all() -> None:
    place = Place()
    place.deliveries.tell(Tell((ADA, BOB, EVE), SignedOut()))

    assert place.ada.frames == place.bob.frames == [text_frame(SignedOut())]
    assert place.ada.frames[0] is place.bob.frames[0]


def test_a_session_is_reached_by_its_latest_connection_only() -> None:
    place, newer = Place(), FakePeer()
    place.deliveries.arrive(ADA, newer)

    assert place.deliveries.reaches(ADA, newer)
    assert not place.deliveries.reaches(ADA, place.ada)
    assert not place.deliveries.reaches(EVE, newer)
    assert place.deliveries.connected((ADA, EVE, BOB)) == [newer, place.bob]
