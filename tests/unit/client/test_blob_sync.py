"""What is decided about figures is done: on the link and the handle of now, and never after the link was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from texswarm_desktop.client.blob_sync import BlobSync
from texswarm_desktop.core.figure_travel import BlobTraffic, Kept
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.frames import BlobChunk, decode_frame
from texswarm_server.protocol.ids import BlobHash, Handle
from texswarm_server.protocol.messages import (
    BlobGap,
    BlobOffer,
    BlobRefusal,
    BlobStored,
    BlobsWanted,
    FetchBlob,
    OfferBlobs,
    Order,
)
from texswarm_server.protocol.version import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, OTHER = BlobRef(BlobHash("1" * 64), 5), BlobRef(BlobHash("2" * 64), 7)


class Link:
    limits = Limits()

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.frames: list[bytes] = []

    def send_order(self, order: Order, document_id: str) -> None:
        assert document_id == "paper"
        self.orders.append(order)

    def send_frame(self, frame: bytes) -> None:
        self.frames.append(frame)


class Port:
    def __init__(self, here: list[BlobRef], missing: dict[BlobRef, int]) -> None:
        self.here, self.missing = here, missing
        self.traffic: BlobTraffic | None = None
        self.reads: list[Callable[[bytes | None], None]] = []
        self.kept: list[tuple[bytes, Callable[[int, Kept], None]]] = []
        self.told: list[tuple[BlobRef, str | None]] = []
        self.alarms: list[Callable[[], None]] = []
        self.moves = 0

    def attached(self, traffic: BlobTraffic | None) -> None:
        self.traffic = traffic

    def limits_known(self, limits: Limits) -> None:
        assert limits == Link.limits

    def present(self) -> list[BlobRef]:
        return self.here

    def lacking(self) -> dict[BlobRef, int]:
        return self.missing

    def read(self, blob: BlobRef, offset: int, length: int, then: Callable[[bytes | None], None]) -> None:
        self.reads.append(then)

    def keep(self, blob: BlobRef, offset: int, data: bytes, then: Callable[[int, Kept], None]) -> None:
        self.kept.append((data, then))

    def refused(self, blob: BlobRef, code: str | None) -> None:
        self.told.append((blob, code))

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.alarms.append(call)

    def progressed(self) -> None:
        self.moves += 1


def started(
    here: list[BlobRef] | None = None, missing: dict[BlobRef, int] | None = None
) -> tuple[BlobSync, Port, Link]:
    port, link = Port(here or [], missing or {}), Link()
    sync = BlobSync(port, "paper", clock=lambda: 0.0)
    sync.start(link, Handle(3), can_write=True)
    return sync, port, link


def wanted(*gaps: BlobGap, refused: tuple[BlobRefusal, ...] = ()) -> BlobsWanted:
    return BlobsWanted(handle=3, wanted=list(gaps), refused=list(refused))


def test_what_is_here_is_offered_and_sent_as_it_is_read() -> None:
    sync, port, link = started([ONE])
    assert link.orders == [OfferBlobs(handle=3, blobs=[BlobOffer(hash=ONE.blob_hash, size=5)])]
    sync.hear(wanted(BlobGap(hash=ONE.blob_hash, offset=2)))
    port.reads[0](b"abc")
    assert decode_frame(link.frames[0]) == (3, BlobChunk(ONE.blob_hash, 5, 2, b"abc"))
    sync.hear(BlobStored(handle=3, hash=ONE.blob_hash))
    assert sync.is_settled


def test_what_is_lacking_is_fetched_and_kept() -> None:
    sync, port, link = started(missing={OTHER: 3})
    assert link.orders == [FetchBlob(handle=3, hash=OTHER.blob_hash, offset=3, length=4)]
    sync.receive(BlobChunk(OTHER.blob_hash, 7, 3, b"data"))
    data, then = port.kept[0]
    assert data == b"data"
    port.here, port.missing = [OTHER], {}
    then(7, Kept.WRITTEN)
    sync.files_changed()
    assert sync.is_settled


def test_what_was_read_after_the_link_was_lost_is_not_sent() -> None:
    sync, port, link = started([ONE])
    sync.hear(wanted(BlobGap(hash=ONE.blob_hash, offset=0)))
    sync.stop()
    port.reads[0](b"abcde")
    assert link.frames == []
    again = Link()
    sync.start(again, Handle(4), can_write=True)
    port.reads[0](b"abcde")
    assert again.frames == []
    assert [order.handle for order in again.orders if isinstance(order, OfferBlobs)] == [4]


def test_refusals_are_told_and_pauses_end() -> None:
    sync, port, link = started([ONE, OTHER])
    refusal = BlobRefusal(hash=ONE.blob_hash, code="limit_exceeded")
    sync.hear(wanted(BlobGap(hash=OTHER.blob_hash, offset=0), refused=(refusal,)))
    assert port.told == [(ONE, "limit_exceeded")]
    sync.refused(OTHER.blob_hash, "storage_unavailable")
    assert len(port.alarms) == 1
    sync.close()
    port.alarms[0]()
    assert port.traffic is None
    assert len(link.orders) == 1


def test_a_content_that_is_wrong_or_cannot_be_written_is_waited_for() -> None:
    for outcome in (Kept.WRONG, Kept.NOT_WRITTEN):
        sync, port, _link = started(missing={OTHER: 0})
        sync.receive(BlobChunk(OTHER.blob_hash, 7, 0, b"1234567"))
        port.kept[0][1](0, outcome)
        assert len(port.alarms) == 1
        assert not sync.is_settled


def test_what_cannot_be_read_is_waited_for_and_a_viewer_sends_nothing() -> None:
    sync, port, link = started([ONE])
    sync.hear(wanted(BlobGap(hash=ONE.blob_hash, offset=0)))
    port.reads[0](None)
    assert len(port.alarms) == 1
    sync.role_changed(can_write=False)
    sync.offer_refused("forbidden")
    port.alarms[0]()
    assert link.frames == []
    assert len(link.orders) == 1
