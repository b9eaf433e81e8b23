"""Bytes that are nearly right, from a seed: good samples that were cut, mixed, turned over and stretched."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

#: Pieces that parsers of numbers, lengths, text, JSON and paths have stumbled over.
PIECES: Final = (
    b"\x00", b"\x7f", b"\x80", b"\xff", b"\xff" * 9, b"\x80" * 8 + b"\x01", b"\xff\xff\xff\xff\x0f", b"\xed\xa0\x80",
    b"\xff\xff\xff\x3f", b"\xf0\x9f\x98\x80", b"\xc3", b'"', b"\\", b"\\ud800", b"{", b"}", b"[" * 60, b"]", b":", b",",
    b"null", b"true", b"-1", b"1e999", b"9" * 30, b"0.1", b'{"a":', b"//", b"?", b"#", b"%00", b"%", b"&",
    b"=", b"@", b"[::1",
    b"..", b"\n", b"\r\n", b" ", b"\t", b"'", b"type", b"payload",
)  # fmt: skip


def mutations(chance: random.Random, samples: Sequence[bytes]) -> Iterator[bytes]:
    """Yield for ever; about one in thirty is a sample as it is, one in thirty nothing but chance."""
    while True:
        kind = chance.random()
        if kind < 0.03:
            yield chance.choice(samples)
        elif kind < 0.06:
            yield chance.randbytes(chance.randrange(60))
        else:
            yield _mutated(chance, samples)


def _mutated(chance: random.Random, samples: Sequence[bytes]) -> bytes:
    data = bytearray(chance.choice(samples))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(7)
        if kind == 0 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del data[at : at + chance.choice((1, 1, 2, 4, 1000))]
        elif kind == 3:
            data[at:at] = chance.choice(PIECES)
        elif kind == 4:
            piece = chance.choice(PIECES)
            data[at : at + len(piece)] = piece
        elif kind == 5:
            end = chance.randrange(at, min(at + 20, len(data)) + 1)
            data[at:at] = data[at:end] * chance.choice((1, 1, 2, 8))
        else:
            other = chance.choice(samples)
            data[at:] = other[chance.randrange(len(other) + 1) :]
    return bytes(data[:4096])
