"""Whole messages come out as payloads, everything else untouched, however the bytes were cut."""

import os
import random

import pytest
from websockets.frames import Frame, Opcode

from texswarm_server.net.frame_splitter import FrameSplitter

MAX_BYTES = 70_000


def frame(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


def split(*chunks: bytes) -> list[tuple[bytes, bytes | None]]:
    splitter = FrameSplitter()
    return [piece for chunk in chunks for piece in splitter.split(chunk, MAX_BYTES)]


@pytest.mark.parametrize("opcode", [Opcode.BINARY, Opcode.TEXT])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, MAX_BYTES])
def test_a_whole_message_comes_out_as_its_payload(size: int, opcode: Opcode) -> None:
    payload = os.urandom(size)
    sent = frame(opcode, payload)
    assert split(sent) == [(sent, payload)]


@pytest.mark.parametrize("seed", range(40))
def test_it_does_not_matter_where_the_bytes_are_cut(seed: int) -> None:
    chance = random.Random(seed)
    opcodes = [Opcode.BINARY, Opcode.TEXT, Opcode.CONT]
    frames = [
        frame(
            chance.choice(opcodes), chance.randbytes(chance.choice([0, 3, 125, 126, 70_000])), fin=chance.random() < 0.8
        )
        for _ in range(8)
    ]
    stream, chunks = b"".join(frames), []
    while stream:
        cut = chance.choice([1, 2, 5, 1000, 65_536])
        chunks.append(stream[:cut])
        stream = stream[cut:]
    assert [piece for piece, _payload in split(*chunks)] == frames


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.CLOSE, Opcode.CONT])
def test_other_frames_come_out_as_they_are(opcode: Opcode) -> None:
    sent = frame(opcode, b"abc")
    assert split(sent) == [(sent, None)]


@pytest.mark.parametrize("opcode", [Opcode.BINARY, Opcode.TEXT])
def test_part_of_a_message_is_not_taken_for_a_message(opcode: Opcode) -> None:
    sent = frame(opcode, b"abc", fin=False)
    assert split(sent) == [(sent, None)]


@pytest.mark.parametrize(
    "bad", [Frame(Opcode.BINARY, b"abc").serialize(mask=False), frame(Opcode.BINARY, b"a" * (MAX_BYTES + 1))]
)
def test_what_breaks_a_rule_is_passed_on_and_so_is_everything_after_it(bad: bytes) -> None:
    good = frame(Opcode.BINARY, b"abc")
    assert split(good + bad[:20], bad[20:], good) == [(good, b"abc"), *(
        (chunk, None) for chunk in (bad[:20], bad[20:], good) if chunk
    )]  # fmt: skip


def test_the_head_of_a_frame_that_is_too_large_is_passed_on_at_once() -> None:
    head = frame(Opcode.BINARY, b"a" * (MAX_BYTES + 1))[:14]
    assert split(head) == [(head, None)]
