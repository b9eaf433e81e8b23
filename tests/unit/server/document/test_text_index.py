"""Positions agree in three units, whatever the text and whatever was edited."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document.text_index import TextIndex, len_u8, len_u16
from texswarm_server.protocol.errors import PositionError

TEXTS = st.text(st.sampled_from("ab\n\\{é€😀"), max_size=40).map(lambda text: text * 97)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 3000), st.text(st.sampled_from("x\né😀"), max_size=5)), max_size=12
)


@given(TEXTS, st.floats(0, 1))
def test_every_unit_names_the_same_place(text: str, where: float) -> None:
    index, cp = TextIndex(text), round(where * len(text))
    before = text[:cp]

    assert index.u8_from_cp(cp) == len_u8(before)
    assert index.u16_from_u8(len_u8(before)) == len_u16(before)
    assert index.u8_from_u16(len_u16(before)) == len_u8(before)
    assert index.cp_from_u16(len_u16(before)) == cp


@given(TEXTS, EDITS)
def test_edits_keep_text_and_totals_right(text: str, edits: list[tuple[float, int, str]]) -> None:
    index = TextIndex(text)
    for where, length, new in edits:
        start = round(where * len(text))
        end = min(len(text), start + length)
        index.replace_u16(len_u16(text[:start]), len_u16(text[:end]), new)
        text = text[:start] + new + text[end:]

    assert str(index) == text
    assert (index.total_u8, index.total_u16, index.total_cp) == (len_u8(text), len_u16(text), len(text))


@given(TEXTS, st.floats(0, 1), st.floats(0, 1))
def test_a_slice_is_the_text_between(text: str, one: float, other: float) -> None:
    start, end = sorted((round(one * len(text)), round(other * len(text))))

    assert TextIndex(text).slice_u16(len_u16(text[:start]), len_u16(text[:end])) == text[start:end]


@pytest.mark.parametrize("position", [-1, 3, 8])
def test_a_position_inside_a_character_or_outside_is_refused(position: int) -> None:
    with pytest.raises(PositionError):
        TextIndex("aé😀").u16_from_u8(position if position != 3 else 2)


def test_half_a_surrogate_pair_is_not_a_place() -> None:
    with pytest.raises(PositionError):
        TextIndex("😀").u8_from_u16(1)


def test_a_refused_edit_changes_nothing() -> None:
    index = TextIndex("aé😀z")
    with pytest.raises(PositionError):
        index.replace_u16(3, 5, "x")

    assert str(index) == "aé😀z"


def test_a_conversion_does_not_walk_the_document() -> None:
    """The cursor stays where the last edit was: the next one beside it visits no other piece."""
    index = TextIndex("é" * 1_000_000)
    index.replace_u16(900_000, 900_000, "x")
    visited: list[int] = []
    original = index._back
    index._back = lambda: (visited.append(1), original())[1]  # type: ignore[method-assign]

    index.replace_u16(900_001, 900_001, "y")

    assert not visited
