"""What may be uploaded, and how much of it at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document.blob_ref import BlobRef, UploadKey
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.frames import BlobChunk
from texswarm_server.protocol.ids import BlobHash, DocumentId, SessionId
from texswarm_server.protocol.version import Limits
from texswarm_server.rooms.blob_uploads import MOST_CHUNKS, BlobUploads

LIMITS = Limits(max_blob_bytes=100, max_document_blob_bytes=150, max_blob_chunk_bytes=10)
ME = SessionId("me")


def key(size: int = 30, name: str = "a", sender: str = "ada", document: str = "d") -> UploadKey:
    return UploadKey(DocumentId(document), sender, BlobRef(BlobHash(name * 64), size))


def chunk(of: UploadKey, offset: int = 0, length: int = 10) -> BlobChunk:
    return BlobChunk(of.blob.blob_hash, of.blob.size, offset, b"x" * length)


def fresh(**unfinished: int) -> BlobUploads:
    return BlobUploads(LIMITS, {key(): received for received in unfinished.values()}, 0.0)


def take(uploads: BlobUploads, of: UploadKey, part: BlobChunk, stored: int = 0, who: SessionId = ME) -> None:
    uploads.take(who, of, part, stored_bytes=stored, now=1.0)


def refused(uploads: BlobUploads, of: UploadKey, part: BlobChunk, stored: int = 0) -> str:
    with pytest.raises(RejectedError) as refusal:
        take(uploads, of, part, stored)
    return refusal.value.code


def test_what_came_before_a_restart_is_not_wanted_again() -> None:
    assert fresh(received=20).offset(key()) == 20
    assert fresh().offset(key()) == 0


def test_chunks_follow_each_other_before_the_first_is_on_the_disk() -> None:
    uploads = fresh()
    take(uploads, key(), chunk(key()))
    take(uploads, key(), chunk(key(), 10))
    uploads.written(ME, key(), chunk(key()), 10)
    assert uploads.offset(key()) == 10


@pytest.mark.parametrize(("offset", "length"), [(25, 10), (30, 10), (0, 0), (20, 10)])
def test_bytes_outside_or_ahead_of_what_has_come_are_refused(offset: int, length: int) -> None:
    assert refused(fresh(), key(), chunk(key(), offset, length)) == ErrorCode.BLOB_INVALID


def test_a_chunk_that_came_already_does_no_harm() -> None:
    uploads = fresh(received=20)
    take(uploads, key(), chunk(key(), 0))
    uploads.written(ME, key(), chunk(key(), 0), 20)
    assert uploads.offset(key()) == 20


def test_a_chunk_that_is_too_large_is_refused() -> None:
    assert refused(fresh(), key(), chunk(key(), 0, 11)) == ErrorCode.LIMIT_EXCEEDED


def test_chunks_that_are_sent_without_waiting_are_refused_at_some_point() -> None:
    uploads = fresh()
    for number in range(MOST_CHUNKS):
        take(uploads, key(100), chunk(key(100), number * 10))
    assert refused(uploads, key(100), chunk(key(100), MOST_CHUNKS * 10)) == ErrorCode.LIMIT_EXCEEDED
    take(uploads, key(100), chunk(key(100), 0), who=SessionId("another"))


def test_a_blob_may_have_its_size_and_a_document_its_quota() -> None:
    uploads = fresh()
    assert uploads.refusal(key(100), 50) is None
    assert uploads.refusal(key(101), 0) == ErrorCode.LIMIT_EXCEEDED
    assert uploads.refusal(key(100), 51) == ErrorCode.LIMIT_EXCEEDED


def test_what_is_arriving_counts_for_the_quota_of_its_document() -> None:
    uploads = fresh()
    take(uploads, key(100), chunk(key(100)))
    assert refused(uploads, key(60, "b"), chunk(key(60, "b"))) == ErrorCode.LIMIT_EXCEEDED
    take(uploads, key(60, "b", document="e"), chunk(key(60, "b")))
    uploads.ended(key(100))
    assert uploads.refusal(key(60, "b"), 0) is None


def test_an_upload_that_failed_can_go_on() -> None:
    uploads = fresh()
    take(uploads, key(), chunk(key()))
    uploads.written(ME, key(), chunk(key()), None)
    assert uploads.offset(key()) == 0
    take(uploads, key(), chunk(key()))


def test_what_nobody_adds_to_is_overdue_unless_it_is_being_written() -> None:
    uploads = fresh(received=20)
    assert uploads.overdue(0.5) == [key()]
    take(uploads, key(), chunk(key(), 20))
    assert uploads.overdue(2.0) == []
    uploads.written(ME, key(), chunk(key(), 20), 30)
    assert uploads.overdue(0.5) == []
    assert uploads.overdue(2.0) == [key()]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=60))
def test_a_document_never_holds_more_than_its_quota(steps: list[tuple[str, int, bool]]) -> None:
    uploads, stored = fresh(), 0
    for name, number, is_ending in steps:
        of = key(30 + ord(name) % 7 * 10, name)
        if is_ending:
            stored += of.blob.size if uploads.offset(of) else 0
            uploads.ended(of)
            continue
        part = chunk(of, number * 10)
        try:
            take(uploads, of, part, stored)
        except RejectedError:
            continue
        uploads.written(ME, of, part, max(uploads.offset(of), part.end))
        arriving = sum(key.blob.size for key in uploads.overdue(9.0))
        assert stored + arriving <= LIMITS.max_document_blob_bytes
