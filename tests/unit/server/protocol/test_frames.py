"""Binary frames: what is written is read again, and whatever bytes come in, only frame_invalid comes out."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.errors import RemoteProtocolError
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    BlobChunk,
    FrameBody,
    Reader,
    SyncStep1,
    SyncStep2,
    Update,
    decode_body,
    decode_frame,
    encode_body,
    encode_frame,
    write_varuint,
)
from texswarm_server.protocol.ids import BlobHash, Handle


def refusal(decode: Callable[[bytes], object], frame: bytes) -> str | None:
    try:
        decode(frame)
    except RemoteProtocolError as error:
        return error.code
    return None


NUMBERS = st.integers(0, 2**63 - 1)
BODIES = st.binary(max_size=300).flatmap(
    lambda data: st.sampled_from([SyncStep1(data), SyncStep2(data), Update(data), Awareness(data)])
) | NUMBERS.map(Acknowledged)
CHUNKS = st.builds(
    BlobChunk,
    st.binary(min_size=32, max_size=32).map(lambda digest: BlobHash(digest.hex())),
    NUMBERS,
    NUMBERS,
    st.binary(max_size=300),
)


@given(NUMBERS, BODIES | CHUNKS)
def test_a_frame_is_read_as_it_was_written(handle: int, body: FrameBody) -> None:
    assert decode_frame(encode_frame(Handle(handle), body)) == (handle, body)


@given(BODIES)
def test_a_message_without_handle_is_what_other_yjs_programs_send(body: FrameBody) -> None:
    assert decode_body(encode_body(body)) == body


@given(st.binary(max_size=60))
def test_any_bytes_are_a_frame_or_invalid(frame: bytes) -> None:
    for decode in (decode_frame, decode_body):
        assert refusal(decode, frame) in {None, "frame_invalid"}


@given(NUMBERS, BODIES | CHUNKS, st.data())
def test_a_frame_cut_anywhere_or_followed_by_more_is_invalid(handle: int, body: FrameBody, data: st.DataObject) -> None:
    frame = encode_frame(Handle(handle), body)
    cut = data.draw(st.integers(0, len(frame) - 1))
    for broken in (frame[:cut], frame + b"\x00"):
        with pytest.raises(RemoteProtocolError):
            decode_frame(broken)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x01",
        b"\x01\x07",  # a message type nobody has
        b"\x01\x00\x05\x00",  # a sync step nobody has
        b"\x01\x00\x02\xff\xff\xff\xff\x0f",  # four gigabytes announced, none sent
        b"\xff" * 20,  # a number without end
    ],
)
def test_what_is_no_frame_is_invalid(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="frame_invalid"):
        decode_frame(frame)


def test_the_wire_of_yjs_knows_no_blobs() -> None:
    with pytest.raises(RemoteProtocolError, match="frame_invalid"):
        decode_body(encode_body(BlobChunk(BlobHash("0a" * 32), 3, 0, b"abc")))


def test_a_hash_has_32_bytes() -> None:
    frame = encode_frame(Handle(1), BlobChunk(BlobHash("0a" * 31), 3, 0, b"abc"))
    with pytest.raises(RemoteProtocolError, match="frame_invalid"):
        decode_frame(frame)


@given(NUMBERS)
def test_numbers_are_written_as_lib0_reads_them(number: int) -> None:
    written = write_varuint(number)

    assert Reader(written).varuint() == number
    assert all(byte & 0x80 for byte in written[:-1])
    assert written[-1] < 0x80


def test_what_stands_after_a_message_of_yjs_is_passed_over_and_after_a_frame_is_refused() -> None:
    body = Update(b"abc")
    assert decode_body(encode_body(body) + b"more") == body
    with pytest.raises(RemoteProtocolError, match="frame_invalid"):
        decode_frame(encode_frame(Handle(1), body) + b"more")
