"""Where a reader is stays at what is read, whatever others put in or take out."""

import pytest

from texswarm_desktop.ui.editor.reading_place import ReadingPlace
from texswarm_server.document.file_text import TextChange


def put_in(at: int, text: str) -> TextChange:
    return TextChange(at, 0, at, 0, text)


def taken_out(at: int, count: int) -> TextChange:
    return TextChange(at, count, at, count, "")


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (put_in(0, "abc"), ReadingPlace(23, 23, 13, 2)),
        (put_in(15, "abc"), ReadingPlace(23, 23, 10, 2)),
        (put_in(30, "abc"), ReadingPlace(20, 20, 10, 2)),
        (taken_out(5, 10), ReadingPlace(10, 10, 5, 2)),
    ],
)
def test_caret_and_view_move_with_what_is_around_them(change: TextChange, moved: ReadingPlace) -> None:
    assert ReadingPlace(20, 20, 10, 2).moved([change]) == moved


def test_a_caret_stays_before_what_somebody_puts_in_at_it_or_not_as_a_caret_does_everywhere() -> None:
    place = ReadingPlace(20, 20, 0, 0).moved([put_in(20, "abc")])

    assert place.anchor == place.position


@pytest.mark.parametrize("is_backwards", [False, True])
def test_what_is_put_in_at_an_edge_does_not_become_selected_and_inside_it_does(is_backwards: bool) -> None:
    anchor, position = (20, 10) if is_backwards else (10, 20)
    place = ReadingPlace(anchor, position, 0, 0)
    at_the_edges = place.moved([put_in(20, "xx"), put_in(10, "yy")])
    inside = place.moved([put_in(15, "zz")])

    assert sorted((at_the_edges.anchor, at_the_edges.position)) == [12, 22]
    assert sorted((inside.anchor, inside.position)) == [10, 22]
    assert (at_the_edges.anchor > at_the_edges.position) is is_backwards


def test_a_selection_that_was_taken_out_is_a_caret_where_it_was() -> None:
    assert ReadingPlace(10, 20, 0, 0).moved([taken_out(5, 30)]) == ReadingPlace(5, 5, 0, 0)
