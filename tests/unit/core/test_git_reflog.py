"""When git put other files in place."""

from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.git_reflog import times_of_writing

ZERO, ONE = b"0" * 40, b"1" * 40


def line(what: str, at: int = 1_700_000_000, who: str = "A B <a@b.invalid>") -> bytes:
    return b"%s %s %s %d +0100\t%s\n" % (ZERO, ONE, who.encode(), at, what.encode())


WRITES = [
    "checkout: moving from main to other",
    "reset: moving to HEAD~1",
    "pull: Fast-forward",
    "pull --rebase origin main (start): checkout 1111",
    "merge other: Merge made by the 'ort' strategy.",
    "rebase (start): checkout main",
    "rebase -i (pick): a line",
    "rebase (finish): returning to refs/heads/main",
    "cherry-pick: a line",
    "revert: Revert a line",
    "am: a line",
    "clone: from https://host.invalid/paper.git",
    "push",
]
TAKES = [
    "commit: checkout: moving from main to other",
    "commit (initial): one",
    "commit (amend): one",
    "commit (merge): one",
    "commit (cherry-pick): one",
    "rebase (continue): one",
    "pull --rebase (continue): one",
    "branch: Created from HEAD",
    "",
]


def test_what_writes_files_is_told_from_what_takes_them() -> None:
    assert all(times_of_writing(line(what)) == [1_700_000_000] for what in WRITES)
    assert all(times_of_writing(line(what)) == [] for what in TAKES)


def test_all_steps_are_found_also_where_the_log_begins_in_the_middle_of_a_line() -> None:
    log = line(TAKES[0], 1)[7:] + line(WRITES[0], 2) + line(TAKES[1], 3) + line(WRITES[1], 4, "C <x> 9 +0000 <y@z>")
    assert times_of_writing(log) == [2, 4]


@given(st.binary())
def test_of_what_is_no_log_nothing_is_known(data: bytes) -> None:
    assert times_of_writing(data.replace(b"\t", b"")) == []
