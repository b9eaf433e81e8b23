"""The two parts of a split index of git."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.git_split_index import Link, joined, read_link

SHARED = [(f"{number:03}".encode(), number) for number in range(300)]
PLACES = st.sets(st.integers(0, len(SHARED) - 1))


def as_set(places: set[int]) -> bytes:
    """As EWAH: whole words of the same bits are counted, and others stand as they are."""
    words = [sum(1 << bit for bit in range(64) if at * 64 + bit in places) for at in range((len(SHARED) + 63) // 64)]
    made: list[int] = []
    while words:
        first = words[0] if words[0] in (0, 2**64 - 1) else None
        run = next((at for at, word in enumerate(words) if word != first), len(words))
        literals = next((at for at, word in enumerate(words[run:]) if word in (0, 2**64 - 1)), len(words) - run)
        made += [(1 if first else 0) | run << 1 | literals << 33, *words[run : run + literals]]
        del words[: run + literals]
    return struct.pack(f">II{len(made)}QI", len(SHARED), len(made), *made, 0)


@given(PLACES, PLACES)
def test_what_is_gone_goes_and_what_is_anew_is_there_instead(gone: set[int], anew: set[int]) -> None:
    link = Link("sharedindex.aa", as_set(gone) + as_set(anew))
    own = [(b"", -place) for place in sorted(anew)]
    found = joined(link, SHARED, [*own, (b"later", 1000)])
    expected = [(path, -place if place in anew else place) for path, place in SHARED if place not in gone]
    assert found == [*expected, (b"later", 1000)]


def test_the_other_part_is_named_among_the_extensions() -> None:
    def extension(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">4sI", kind, len(data)) + data

    tree, end = extension(b"TREE", b"anything"), b"\xbb" * 20
    named = extension(b"link", b"\xaa" * 20 + b"sets")
    assert read_link(tree + named + end, 0, 20) == Link(f"sharedindex.{'aa' * 20}", b"sets")
    assert read_link(tree + end, 0, 20) is None
    assert read_link(tree + extension(b"link", b"\0" * 20) + end, 0, 20) is None, "split, and all of it is here"


@given(st.binary())
def test_of_noise_nothing_is_made_that_is_larger_than_the_shared_part(noise: bytes) -> None:
    try:
        assert len(joined(Link("", noise), SHARED, [])) <= len(SHARED)
    except struct.error:
        return


def test_a_run_without_end_ends_with_the_shared_part() -> None:
    run = struct.pack(">IIQI", 0, 1, 1 | 0xFFFF_FFFF << 1, 0)
    assert joined(Link("", run + run), SHARED, []) == []


def test_what_is_cut_off_is_no_set() -> None:
    with pytest.raises(struct.error):
        joined(Link("", as_set({1})[:-5]), SHARED, [])
