"""What travels next: little at a time, from where it broke off, and everything in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.client.blob_transfer import (
    BlobEffect,
    BlobTransfer,
    FetchChunk,
    KeepChunk,
    Offer,
    ReadChunk,
    Report,
    Wake,
)
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.ids import BlobHash
from texswarm_server.protocol.version import Limits

LIMITS = Limits()
KB = 1024


def blob(size: int = 100 * KB, name: str = "a") -> BlobRef:
    return BlobRef(BlobHash(name * 64), size)


def up(*here: BlobRef, lacking: dict[BlobRef, int] | None = None, can_write: bool = True) -> BlobTransfer:
    transfer = BlobTransfer(LIMITS)
    transfer.files_changed(here, lacking or {}, 0.0)
    return transfer


def opened(transfer: BlobTransfer, *, can_write: bool = True) -> list[BlobEffect]:
    return transfer.link_up(LIMITS, 0.0, can_write=can_write)


def sending(of: BlobRef, offset: int = 0) -> tuple[BlobTransfer, list[BlobEffect]]:
    """A transfer whose offer of one content was answered."""
    transfer = up(of)
    assert opened(transfer) == [Offer((of,))]
    return transfer, transfer.wanted({of.blob_hash: offset}, {}, 0.0)


def test_without_a_link_nothing_travels() -> None:
    transfer = up(blob())
    assert transfer.files_changed([blob()], {blob(name="b"): 0}, 0.0) == []
    assert not transfer.is_settled


def test_what_the_server_has_is_not_sent() -> None:
    transfer = up(blob(), blob(name="b"))
    assert opened(transfer) == [Offer((blob(), blob(name="b")))]
    assert transfer.wanted({}, {}, 0.0) == []
    assert transfer.is_settled


def test_what_is_here_is_unsent_until_the_server_has_stored_it() -> None:
    transfer, _ = sending(blob())
    assert transfer.unsent == 1
    transfer.received(blob().blob_hash, 100 * KB, 0.5)
    assert transfer.unsent == 1, "it has arrived, and is not stored"
    transfer.stored(blob().blob_hash, 0.6)
    assert transfer.unsent == 0


def test_what_is_unsent_when_the_link_is_lost_stays_so() -> None:
    transfer, _ = sending(blob())
    transfer.link_lost()
    assert transfer.unsent == 1
    opened(transfer)
    assert transfer.unsent == 1
    transfer.wanted({}, {}, 1.0)
    transfer.link_lost()
    assert transfer.unsent == 0


def test_what_the_server_refuses_is_waited_for_by_nobody() -> None:
    transfer = up(blob(), blob(name="b"))
    opened(transfer)
    transfer.wanted({blob().blob_hash: 0}, {blob(name="b").blob_hash: "limit_exceeded"}, 0.0)
    assert transfer.unsent == 1
    transfer.refused(blob().blob_hash, "limit_exceeded", 1.0)
    assert transfer.unsent == 0


def test_a_viewer_has_nothing_to_send() -> None:
    transfer = up(blob())
    opened(transfer, can_write=False)
    assert transfer.unsent == 0


def test_a_few_chunks_are_on_their_way_and_the_next_one_waits_for_an_answer() -> None:
    transfer, first = sending(blob())
    assert first == [ReadChunk(blob(), 0, 32 * KB), ReadChunk(blob(), 32 * KB, 32 * KB)]
    assert transfer.wake(1.0) == []
    assert transfer.received(blob().blob_hash, 32 * KB, 0.5)[0] == ReadChunk(blob(), 64 * KB, 36 * KB)


def test_an_upload_goes_on_from_where_the_server_has_it() -> None:
    _transfer, first = sending(blob(), 90 * KB)
    assert first == [ReadChunk(blob(), 90 * KB, 10 * KB)]


def test_chunks_grow_while_answers_are_quick_and_shrink_when_they_are_slow() -> None:
    transfer, _ = sending(blob(50 * KB * KB))
    at, sizes, now = 0, [], 0.0
    for took_s in [0.01] * 20 + [0.01, 0.9] * 10:
        now += took_s
        at += transfer._up.flying[0][1]
        effects = transfer.received(blob().blob_hash, at, now)
        sizes += [each.length for each in effects if isinstance(each, ReadChunk)]
    assert max(sizes) == LIMITS.max_blob_chunk_bytes
    assert sizes[-1] < 32 * KB


def test_small_files_go_first_and_several_are_on_their_way() -> None:
    files = [blob(10 * KB * KB, "a"), blob(5, "b"), blob(7, "c"), blob(6, "d")]
    transfer = up(*files)
    opened(transfer)
    effects = transfer.wanted({each.blob_hash: 0 for each in files}, {}, 0.0)
    assert [each.blob.size for each in effects if isinstance(each, ReadChunk)][:3] == [5, 6, 7]


def test_a_viewer_offers_nothing_and_fetches() -> None:
    transfer = up(blob(), lacking={blob(50, "b"): 20})
    assert opened(transfer, can_write=False) == [FetchChunk(blob(50, "b"), 20, 30)]


def test_who_becomes_an_editor_offers_and_who_becomes_a_viewer_stops() -> None:
    transfer = up(blob())
    opened(transfer, can_write=False)
    assert transfer.role_changed(0.0, can_write=True) == [Offer((blob(),))]
    transfer.wanted({blob().blob_hash: 0}, {}, 0.0)
    assert transfer.role_changed(0.0, can_write=False) == []
    assert transfer.received(blob().blob_hash, 32 * KB, 0.0) == []


def test_what_is_refused_for_good_is_reported_and_not_offered_again() -> None:
    transfer = up(blob())
    opened(transfer)
    assert transfer.wanted({}, {blob().blob_hash: "limit_exceeded"}, 0.0) == [Report(blob(), "limit_exceeded")]
    assert transfer.files_changed([blob()], {}, 1.0) == []
    assert transfer.is_settled


def test_a_full_disk_at_the_server_is_waited_for() -> None:
    transfer, _ = sending(blob())
    effects = transfer.refused(blob().blob_hash, "storage_unavailable", 1.0)
    assert [type(each) for each in effects] == [Wake]
    assert not transfer.is_settled
    assert transfer.wake(1.5) == []
    assert transfer.wake(1.0 + effects[0].delay_s) == [Offer((blob(),))]


def test_a_content_that_comes_out_wrong_is_tried_again_and_then_reported() -> None:
    transfer, _ = sending(blob(10))
    now, reports = 0.0, []
    for _ in range(6):
        effects = transfer.refused(blob(10).blob_hash, "blob_invalid", now)
        reports += [each for each in effects if isinstance(each, Report)]
        now += 100.0
        transfer.wake(now)
        transfer.wanted({blob(10).blob_hash: 0}, {}, now)
    assert reports == [Report(blob(10), "blob_invalid")]


def test_what_the_server_lacks_is_waited_for_and_fetched_when_somebody_has_sent_it() -> None:
    transfer = up(lacking={blob(10): 0})
    assert opened(transfer) == [FetchChunk(blob(10), 0, 10)]
    assert transfer.refused(blob(10).blob_hash, "not_found", 0.0) == []
    assert transfer.is_settled, "there is nothing to wait for but another person"
    assert transfer.stored(blob(10).blob_hash, 0.0) == [FetchChunk(blob(10), 0, 10)]


def test_a_full_disk_here_is_waited_for_and_the_rest_is_asked_for() -> None:
    transfer = up(lacking={blob(10): 0})
    opened(transfer)
    assert transfer.arrived(blob(10), 0, b"x" * 10, 0.0) == [KeepChunk(blob(10), 0, b"x" * 10)]
    (wake,) = transfer.not_kept(blob(10), 4, 0.0, is_wrong=False)
    assert isinstance(wake, Wake)
    assert transfer.wake(wake.delay_s) == [FetchChunk(blob(10), 4, 6)]


def test_chunks_that_are_being_written_are_not_asked_for_again() -> None:
    size = 40 * KB
    transfer = up(lacking={blob(size): 0})
    assert [each.length for each in opened(transfer) if isinstance(each, FetchChunk)] == [32 * KB, 8 * KB]
    transfer.arrived(blob(size), 0, bytes(32 * KB), 0.0)
    transfer.arrived(blob(size), 32 * KB, bytes(8 * KB), 0.0)
    assert transfer.kept(blob(size), 32 * KB, 0.0) == []
    assert transfer.kept(blob(size), size, 0.0) == []


def test_what_was_written_less_of_than_came_is_asked_for_again() -> None:
    transfer = up(lacking={blob(10): 0})
    opened(transfer)
    transfer.arrived(blob(10), 0, b"x" * 10, 0.0)
    assert transfer.kept(blob(10), 4, 0.0) == [FetchChunk(blob(10), 4, 6)]


def test_a_server_that_sends_more_or_less_than_was_asked_for_is_not_believed_for_ever() -> None:
    for wrong in (b"x" * 11, b""):
        transfer = up(lacking={blob(10): 0})
        effects, asked = opened(transfer), 0
        while any(isinstance(each, FetchChunk) for each in effects):
            asked += 1
            assert asked < 10
            effects = transfer.arrived(blob(10), 0, wrong, 0.0)
            assert not any(isinstance(each, KeepChunk) for each in effects)
        assert [type(each) for each in effects] == [Wake]


def test_a_chunk_that_nobody_asked_for_is_passed_over() -> None:
    transfer = up(lacking={blob(10): 0})
    opened(transfer)
    assert transfer.arrived(blob(10, "b"), 0, b"x", 0.0) == []
    assert transfer.arrived(BlobRef(blob().blob_hash, 11), 0, b"x", 0.0) == []


@pytest.mark.parametrize("code", ["forbidden", "document_read_only"])
def test_a_refusal_of_writing_ends_all_sending(code: str) -> None:
    transfer, _ = sending(blob())
    assert transfer.refused(blob().blob_hash, code, 0.0) == []
    assert transfer.files_changed([blob(), blob(name="b")], {}, 0.0) == []


def test_a_server_that_knows_no_offers_is_not_asked_for_ever() -> None:
    transfer = up(blob())
    opened(transfer)
    assert transfer.offer_refused("unknown_message", 0.0) == []
    assert transfer.files_changed([blob()], {}, 0.0) == []


def test_progress_counts_bytes_from_when_it_began() -> None:
    transfer, _ = sending(blob(), 4 * KB)
    transfer.received(blob().blob_hash, 36 * KB, 1.0)
    progress = transfer.sending
    assert progress is not None
    assert (progress.done_bytes, progress.total_bytes, progress.files, progress.since) == (32 * KB, 96 * KB, 1, 0.0)
    transfer.stored(blob().blob_hash, 2.0)
    assert transfer.sending is None


@dataclass
class Side:
    """One person: the contents here, whole and in part, and the machine."""

    named: list[BlobRef]
    whole: set[BlobRef]
    parts: dict[BlobRef, int] = field(default_factory=dict)
    transfer: BlobTransfer = field(default_factory=lambda: BlobTransfer(LIMITS))
    queue: list[tuple[str, Any]] = field(default_factory=list)

    def look(self, now: float) -> list[BlobEffect]:
        here = [each for each in self.named if each in self.whole]
        return self.transfer.files_changed(
            here, {each: self.parts.get(each, 0) for each in self.named if each not in self.whole}, now
        )


class World:
    """A server and two people; messages of one link keep their order, links are cut at any moment."""

    def __init__(self, seed: int, sizes: list[int]) -> None:
        self.random = Random(seed)
        blobs = [BlobRef(BlobHash(f"{number:064x}"), size) for number, size in enumerate(sizes)]
        halves = [{each for each in blobs if self.random.random() < 0.6} for _ in range(2)]
        halves[1] |= set(blobs) - halves[0]
        self.sides = [Side(blobs, half) for half in halves]
        self.server: dict[BlobRef, int] = dict.fromkeys(blobs, 0)
        self.stored: set[BlobRef] = set()
        self.now = 0.0
        self.sent = 0

    def by_hash(self, blob_hash: BlobHash) -> BlobRef:
        return next(each for each in self.server if each.blob_hash == blob_hash)

    def connect(self, side: Side) -> None:
        side.queue.clear()
        self.do(side, side.transfer.link_lost())
        self.do(side, side.look(self.now))
        self.do(side, side.transfer.link_up(LIMITS, self.now, can_write=True))

    def do(self, side: Side, effects: list[BlobEffect]) -> None:
        for effect in effects:
            match effect:
                case Offer(blobs):
                    gaps = {each.blob_hash: self.server[each] for each in blobs if each not in self.stored}
                    side.queue.append(("wanted", gaps))
                case ReadChunk(of, offset, length):
                    side.queue.append(("chunk", (of, offset, length)))
                case FetchChunk(of, offset, length):
                    side.queue.append(("fetch", (of, offset, length)))
                case KeepChunk(of, offset, data):
                    self.keep(side, of, offset, data)

    def keep(self, side: Side, of: BlobRef, offset: int, data: bytes) -> None:
        have = side.parts.get(of, 0)
        if self.random.random() < 0.05:  # the disk here refuses
            self.do(side, side.transfer.not_kept(of, have, self.now, is_wrong=False))
            return
        side.parts[of] = max(have, offset + len(data)) if offset <= have else have
        self.do(side, side.transfer.kept(of, side.parts[of], self.now))
        if side.parts[of] == of.size:
            side.whole.add(of)
            self.do(side, side.look(self.now))

    def step(self) -> None:
        self.now += self.random.choice([0.001, 0.01, 3.0])
        side = self.random.choice(self.sides)
        if self.random.random() < 0.03:
            self.connect(side)
        self.do(side, side.transfer.wake(self.now))
        if side.queue:
            self.deliver(side, *side.queue.pop(0))

    def deliver(self, side: Side, kind: str, what: Any) -> None:
        if kind == "wanted":
            self.do(side, side.transfer.wanted(what, {}, self.now))
            return
        of, offset, length = what
        if kind == "fetch":
            if of in self.stored:
                self.do(side, side.transfer.arrived(of, offset, bytes(length), self.now))
            else:
                self.do(side, side.transfer.refused(of.blob_hash, "not_found", self.now))
            return
        self.sent += length
        if self.random.random() < 0.03:  # the disk there refuses
            self.do(side, side.transfer.refused(of.blob_hash, "storage_unavailable", self.now))
            return
        if offset <= self.server[of] < offset + length or not of.size:
            self.server[of] = offset + length
        if self.server[of] == of.size:
            self.stored.add(of)
            for each in self.sides:
                self.do(each, each.transfer.stored(of.blob_hash, self.now))
        else:
            self.do(side, side.transfer.received(of.blob_hash, self.server[of], self.now))

    @property
    def is_over(self) -> bool:
        return all(side.whole == set(side.named) for side in self.sides) and len(self.stored) == len(self.server)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 600_000), min_size=1, max_size=5))
def test_over_drops_and_full_disks_everything_arrives(seed: int, sizes: list[int]) -> None:
    world = World(seed, sizes)
    for side in world.sides:
        world.connect(side)
    for _ in range(20_000):
        world.step()
        if world.is_over:
            return
    raise AssertionError("not everything arrived")
