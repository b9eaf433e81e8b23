"""What would change, file by file."""

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
