"""What would change, file by file."""

from texswarm_desktop.core.file_differences import Change, FileDifference, differences


def test_files_are_told_apart_by_what_is_in_them() -> None:
    here = {"same.tex": "a\n", "mine.tex": "a\nb\n", "main.tex": "one\ntwo\nthree\n"}
    there = {"same.tex": "a\n", "theirs.tex": "a", "main.tex": "one\n2\nthree\nfour\n"}
    assert differences(here, there) == [
        FileDifference("main.tex", Change.CHANGED, added=2, removed=1),
        FileDifference("mine.tex", Change.ONLY_HERE, removed=2),
        FileDifference("same.tex", Change.SAME),
        FileDifference("theirs.tex", Change.ONLY_THERE, added=1),
    ]


def test_a_change_inside_a_line_is_a_line_for_a_line() -> None:
    (one,) = differences({"a.tex": "The cat sat.\n"}, {"a.tex": "The dog sat.\n"})
    assert (one.added, one.removed) == (1, 1)


def test_only_taking_away_adds_nothing() -> None:
    (one,) = differences({"a.tex": "one\ntwo\n"}, {"a.tex": "one\n"})
    assert (one.added, one.removed) == (0, 1)
