"""What git noted of the files that it wrote."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.git_index import IndexEntry, read_index


def index(*names: bytes, version: int = 2) -> bytes:
    data = struct.pack(">4sII", b"DIRC", version, len(names))
    for number, name in enumerate(names):
        flags = min(len(name), 0xFFF) | (0x4000 if version == 3 else 0)
        entry = struct.pack(">IIIIIIIIII20sH", 1, 2, 30 + number, 400, 5, 60, 7, 8, 9, 1000, b"\xaa" * 20, flags)
        entry += (b"\0\0" if version == 3 else b"") + name
        data += entry + b"\0" * (8 - len(entry) % 8)
    return data + b"\xbb" * 20


@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda data: data.hex().encode()), unique=True), st.just(2))
def test_every_entry_is_read(names: list[bytes], version: int) -> None:
    found = read_index(index(*names, version=version))
    assert found == {name.decode(): IndexEntry(60, 1000, 30 + at, 400) for at, name in enumerate(names)}


def test_longer_flags_are_passed_over() -> None:
    assert [*read_index(index(b"main.tex", b"s/one.tex", version=3))] == ["main.tex", "s/one.tex"]


@given(st.binary())
def test_of_what_is_no_index_nothing_is_known(data: bytes) -> None:
    assert read_index(data) == {}
    assert read_index(index(b"main.tex", version=4)) == {}
    assert read_index(index(b"main.tex")[:60]) == {}


def test_a_file_is_as_git_wrote_it_where_nothing_of_it_is_another() -> None:
    entry = IndexEntry(60, 1000, 30, 400)
    assert entry.is_of(60, 1000, 30_000_000_400)
    assert entry.is_of(60 + 2**32, 1000, 30_000_000_400)
    assert not entry.is_of(61, 1000, 30_000_000_400)
    assert not entry.is_of(60, 1001, 30_000_000_400)
    assert not entry.is_of(60, 1000, 30_000_000_401)
    assert IndexEntry(60, 1000, 30, 0).is_of(60, 1000, 30_000_000_400)
