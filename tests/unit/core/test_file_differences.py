"""What would change, file by file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.file_differences import Change, FileDifference, FileSet, differences


def test_files_are_told_apart_by_what_is_in_them() -> None:
    here = {"same.tex": "a\n", "mine.tex": "a\nb\n", "main.tex": "one\ntwo\nthree\n"}
    there = {"same.tex": "a\n", "theirs.tex": "a", "main.tex": "one\n2\nthree\nfour\n"}
    assert differences(FileSet(here), FileSet(there)) == [
        FileDifference("main.tex", Change.CHANGED, added=2, removed=1),
        FileDifference("mine.tex", Change.ONLY_HERE, removed=2),
        FileDifference("same.tex", Change.SAME),
        FileDifference("theirs.tex", Change.ONLY_THERE, added=1),
    ]


def test_a_change_inside_a_line_is_a_line_for_a_line() -> None:
    (one,) = differences(FileSet({"a.tex": "The cat sat.\n"}), FileSet({"a.tex": "The dog sat.\n"}))
    assert (one.added, one.removed) == (1, 1)


@pytest.mark.parametrize(
    ("here", "there", "counts"),
    [
        ("ada one\ntwo\n", "ada one by ada\ntwo\n", (1, 1)),
        ("one\ntwo by bob\nthree\n", "one by ada\ntwo\nthree\n", (2, 2)),
        ("one\nthree\n", "one\ntwo\nthree\n", (1, 0)),
        ("one\ntwo", "one\ntwo\n", (1, 1)),
        ("", "one\n", (1, 0)),
    ],
)
def test_whole_lines_are_counted(here: str, there: str, counts: tuple[int, int]) -> None:
    for one, other, expected in ((here, there, counts), (there, here, counts[::-1])):
        (found,) = differences(FileSet({"a.tex": one}), FileSet({"a.tex": other}))
        assert (found.added, found.removed) == expected


@given(
    st.lists(st.sampled_from(["a\n", "b\n", "a b\n", "\n"])), st.lists(st.sampled_from(["a\n", "b\n", "a b\n", "\n"]))
)
def test_what_is_added_less_what_is_removed_is_how_much_longer_it_gets(here: list[str], there: list[str]) -> None:
    (found,) = differences(FileSet({"a.tex": "".join(here)}), FileSet({"a.tex": "".join(there)}))
    assert found.added - found.removed == len(there) - len(here)
    assert found.added <= len(there)
    assert found.removed <= len(here)


def test_only_taking_away_adds_nothing() -> None:
    (one,) = differences(FileSet({"a.tex": "one\ntwo\n"}), FileSet({"a.tex": "one\n"}))
    assert (one.added, one.removed) == (0, 1)


def test_figures_are_told_apart_by_their_hashes() -> None:
    here = FileSet({"b.tex": ""}, {"a.png": "1", "c.png": "2", "d.png": "3"})
    there = FileSet({}, {"a.png": "1", "c.png": "4", "e.png": "3"})
    assert [(one.path, one.change, one.is_figure) for one in differences(here, there)] == [
        ("a.png", Change.SAME, True),
        ("b.tex", Change.ONLY_HERE, False),
        ("c.png", Change.CHANGED, True),
        ("d.png", Change.ONLY_HERE, True),
        ("e.png", Change.ONLY_THERE, True),
    ]
