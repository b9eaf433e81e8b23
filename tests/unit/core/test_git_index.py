"""What git noted of the files that it wrote."""

import os
import struct
from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.git_index import SHA1_BYTES, SHA256_BYTES, IndexEntry, read_index

KINDS = st.tuples(st.sampled_from([2, 3, 4]), st.sampled_from([SHA1_BYTES, SHA256_BYTES]))
#: Any bytes that can stand in the name of a file.
NAMES = st.lists(st.binary(min_size=1, max_size=40).map(lambda data: data.replace(b"\0", b"/")), unique=True)


def index(*names: bytes, version: int = 2, name_bytes: int = SHA1_BYTES) -> bytes:
    data = struct.pack(">4sII", b"DIRC", version, len(names))
    for number, (before, name) in enumerate(pairwise([b"", *names])):
        flags = min(len(name), 0xFFF) | (0x4000 if version == 3 else 0)
        entry = struct.pack(">10I", 1, 2, 30 + number, 400, 5, 60, 7, 8, 9, 1000) + b"\xaa" * name_bytes
        entry += struct.pack(">H", flags) + (b"\0\0" if version == 3 else b"")
        if version == 4:
            same = len([*takewhile(lambda pair: pair[0] == pair[1], zip(before, name, strict=False))])
            data += entry + number_of(len(before) - same) + name[same:] + b"\0"
        else:
            entry += name
            data += entry + b"\0" * (8 - len(entry) % 8)
    return data + b"\xbb" * name_bytes


def number_of(value: int) -> bytes:
    """As git's varint.c writes it."""
    data = [value & 0x7F]
    while value := value >> 7:
        value -= 1
        data.insert(0, 0x80 | (value & 0x7F))
    return bytes(data)


@given(NAMES, KINDS)
def test_every_entry_is_read(names: list[bytes], kind: tuple[int, int]) -> None:
    version, name_bytes = kind
    found = read_index(index(*names, version=version, name_bytes=name_bytes), name_bytes)
    name = "aa" * name_bytes
    expected = {os.fsdecode(path): IndexEntry(60, 1000, 30 + at, 400, name) for at, path in enumerate(names)}
    assert found == expected


@pytest.mark.parametrize("length", [127, 128, 129, 16_511, 16_512, 70_000])
def test_a_long_path_may_be_given_up_for_a_short_one(length: int) -> None:
    names = [b"a" * length, b"b"]
    assert [*read_index(index(*names, version=4))] == [name.decode() for name in names]


@given(st.binary(), KINDS, st.data())
def test_of_what_is_no_index_nothing_is_known(noise: bytes, kind: tuple[int, int], data: st.DataObject) -> None:
    version, name_bytes = kind
    whole = index(b"main.tex", b"main/one.tex", version=version, name_bytes=name_bytes)
    assert read_index(noise, name_bytes) == {}
    assert read_index(whole[: data.draw(st.integers(0, len(whole) - name_bytes - 1))][:-8], name_bytes) == {}
    read_index(whole[: data.draw(st.integers(0, len(whole)))] + noise, name_bytes)  # whatever it says, it ends
    assert read_index(index(b"main.tex", version=5)) == {}


def test_a_path_that_gives_up_more_than_there_was_is_none() -> None:
    whole = bytearray(index(b"abc", b"abd", version=4))
    at = whole.index(b"\x01d\0")
    whole[at] = 9
    assert read_index(bytes(whole)) == {}
    assert read_index(bytes(whole[:at]) + b"\xff" * 3000) == {}


def test_a_file_is_as_git_wrote_it_where_nothing_of_it_is_another() -> None:
    entry = IndexEntry(60, 1000, 30, 400)
    assert entry.is_of(60, 1000, 30_000_000_400)
    assert entry.is_of(60 + 2**32, 1000, 30_000_000_400)
    assert not entry.is_of(61, 1000, 30_000_000_400)
    assert not entry.is_of(60, 1001, 30_000_000_400)
    assert not entry.is_of(60, 1000, 30_000_000_401)
    assert IndexEntry(60, 1000, 30, 0).is_of(60, 1000, 30_000_000_400)
    assert IndexEntry(0, 1000, 30, 400).is_of(60, 1000, 30_000_000_400), "git on Windows knows no inodes"
