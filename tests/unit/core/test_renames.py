"""Which new file is one that is gone."""

from texswarm_desktop.core.renames import Mirrored, Seen, likeness, renamed

LINES = "one\ntwo\nthree\nfour\n"


def gone(path: str, text: str = LINES, inode: int | None = 1) -> Mirrored:
    return Mirrored(path, text, text.encode(), inode)


def new(text: str | None = LINES, inode: int | None = 2) -> Seen:
    return Seen((text or "binary").encode(), inode, text)


def test_the_same_content_is_the_same_file_whatever_its_name() -> None:
    assert renamed({"1": gone("a")}, {"b": new(), "c": new("else")}) == {"1": "b"}
    assert renamed({"1": gone("a", inode=None)}, {"b": new(inode=None)}) == {"1": "b"}


def test_of_equals_the_one_in_the_same_place_is_the_same() -> None:
    files = {"1": gone("a", inode=1), "2": gone("b", inode=2)}
    assert renamed(files, {"x": new(inode=2), "y": new(inode=1)}) == {"1": "y", "2": "x"}


def test_a_changed_file_is_known_by_its_lines() -> None:
    assert renamed({"1": gone("a")}, {"b": new(LINES + "five\n"), "c": new("one\ntwo\n")}) == {"1": "b"}
    assert renamed({"1": gone("a")}, {"c": new("one\ntwo\n", inode=1)}) == {"1": "c"}
    assert renamed({"1": gone("a")}, {"c": new("one\ntwo\n")}) == {}


def test_a_place_on_the_disk_alone_proves_nothing() -> None:
    assert renamed({"1": gone("a")}, {"b": new("something else", inode=1)}) == {}
    assert renamed({"1": gone("a")}, {"b": new(None, inode=1)}) == {}
    assert renamed({"1": gone("a", "", None)}, {"b": new("x", inode=None)}) == {}


def test_what_was_in_a_file_before_proves_less_than_what_was_in_it_last() -> None:
    """Seed 90005 of the simulated mirror: git wrote the first version where it had been once."""
    last = LINES + "five\nsix\n"
    file = Mirrored("a", last, last.encode(), None, former=(LINES + "0\n",))
    moved, checked_out = new(last + "seven\n"), new(LINES + "0\n")
    assert renamed({"1": file}, {"b": moved, "c": checked_out}) == {"1": "b"}
    assert renamed({"1": file}, {"c": checked_out}) == {"1": "c"}


def test_what_holds_all_of_a_file_is_that_file_however_much_was_added() -> None:
    """Seed 600235 of the simulated mirror: git wrote an older version where it had been before."""
    grown, older = new(LINES + "5\n6\n"), new("one\ntwo\nthree\n0\n")
    assert renamed({"1": gone("a", inode=None)}, {"b": older, "c": grown}) == {"1": "c"}


def test_a_place_that_another_file_got_does_not_outweigh_what_is_in_the_right_one() -> None:
    """Seed 981760 of the simulated mirror: a save by a new file had made the place free, and git got it."""
    saved, older = new(LINES + "five\n", inode=7), new("one\ntwo\nthree\n", inode=1)
    assert renamed({"1": gone("a")}, {"b": older, "c": saved}) == {"1": "c"}
    assert renamed({"1": gone("a")}, {"b": new(LINES + "5\n6\n", inode=1), "c": saved}) == {"1": "b"}


def test_a_file_is_given_away_once() -> None:
    assert renamed({"1": gone("a"), "2": gone("b")}, {"c": new()}) == {"1": "c"}


def test_more_text_than_can_be_compared_is_known_by_its_content_only() -> None:
    much = "x\n" * 5_000_000
    assert renamed({"1": gone("a", much), "2": gone("b")}, {"c": new(much + "y"), "d": new()}) == {"2": "d"}


def test_likeness_counts_lines() -> None:
    assert likeness(LINES, LINES) == 1
    assert likeness(LINES, "one\ntwo\n\n\n") == 0.5
    assert likeness("", "") == 0


def test_a_file_in_which_somebody_wrote_nearly_as_much_again_and_moved_it_is_that_file() -> None:
    old = "".join(f"line {number} of the notes\n" for number in range(4))
    new = old.replace("line 2 ", "one more\nline 2 ") + "two more\nthree more\n"
    assert renamed({"f": Mirrored("a.tex", old, b"old")}, {"b.tex": Seen(b"new", None, new)}) == {"f": "b.tex"}
    less = new.replace("line 1 of the notes\n", "")
    assert renamed({"f": Mirrored("a.tex", old, b"old")}, {"b.tex": Seen(b"new", None, less)}) == {}
