"""Every way an archive can try something has a refusal of its own, and what is taken stays inside."""

import stat
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.zip_check import (
    Accepted,
    Limits,
    Refusal,
    check_entries,
    normalised,
    without_root,
)
from texswarm_desktop.core.zip_directory import DEFLATED, ZipEntry

SMALL = Limits(entries=4, entry_bytes=1000, total_bytes=1500, ratio=10, ratio_from_bytes=100)


def entry(name: str | None, number: int = 0, **fields: object) -> ZipEntry:
    made = ZipEntry(
        name=name,
        raw_name=(name or "?").encode(errors="surrogatepass"),
        is_folder=bool(name and name.endswith("/")),
        is_encrypted=False,
        mode=0,
        method=DEFLATED,
        crc=0,
        packed_size=5,
        size=10 if not (name and name.endswith("/")) else 0,
        offset=number * 10_000,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def outcome(*entries: ZipEntry, limits: Limits = SMALL) -> tuple[list[str], list[Refusal]]:
    checked = check_entries([replace(one, offset=at * 10_000) for at, one in enumerate(entries)], limits)
    return [one.path for one in checked.accepted], [one.reason for one in checked.refused]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("main.tex", "main.tex"),
        ("./sections//a.tex", "sections/a.tex"),
        (r"sections\a.tex", "sections/a.tex"),
        ("figures/", "figures"),
        ("Übung 1.tex", "Übung 1.tex"),
        (".gitignore", ".gitignore"),
        ("a..b.tex", "a..b.tex"),
        ("Makefile", "Makefile"),
    ],
)
def test_an_ordinary_name_is_taken(name: str, path: str) -> None:
    assert outcome(entry(name)) == ([path], [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", Refusal.ABSOLUTE),
        (r"\\server\share\a.tex", Refusal.ABSOLUTE),
        ("C:/a.tex", Refusal.DRIVE),
        (r"c:\a.tex", Refusal.DRIVE),
        ("c:a.tex", Refusal.DRIVE),
        ("../a.tex", Refusal.OUTSIDE),
        ("a/../../b.tex", Refusal.OUTSIDE),
        (r"a\..\..\b.tex", Refusal.OUTSIDE),
        ("a/..", Refusal.OUTSIDE),
        (None, Refusal.NAME_UNREADABLE),
        ("a\0b.tex", Refusal.NAME_IMPOSSIBLE),
        ("a\nb.tex", Refusal.NAME_IMPOSSIBLE),
        ("a.tex:stream", Refusal.NAME_IMPOSSIBLE),
        ("a.tex.", Refusal.NAME_IMPOSSIBLE),
        ("a /b.tex", Refusal.NAME_IMPOSSIBLE),
        ("x" * 252 + ".tex", Refusal.NAME_IMPOSSIBLE),
        ("\u200b", Refusal.NAME_IMPOSSIBLE),
        (".git/config", Refusal.OBEYED),
        ("sub/.GIT/hooks/post-checkout", Refusal.OBEYED),
        ("git~1/config", Refusal.OBEYED),
        (".g\u200cit/config", Refusal.OBEYED),
        ("latexmkrc", Refusal.OBEYED),
        (".latexmkrc", Refusal.OBEYED),
        (".vscode/tasks.json", Refusal.OBEYED),
        ("run.desktop", Refusal.OBEYED),
        (".texswarm/replica.db", Refusal.OWN),
        (".TeXSwarm/project.json", Refusal.OWN),
        ("__MACOSX/._main.tex", Refusal.CLUTTER),
        ("figures/.DS_Store", Refusal.CLUTTER),
        ("._main.tex", Refusal.CLUTTER),
    ],
)
def test_a_name_that_is_not_taken_says_why(name: str | None, reason: Refusal) -> None:
    assert outcome(entry(name)) == ([], [reason])


@pytest.mark.parametrize("name", ["aux.tex", "CON", "a/nul.x", "a?.tex", "lpt1"])
def test_names_that_windows_keeps_are_refused_there_only(name: str) -> None:
    assert outcome(entry(name)) == ([name], [])
    assert outcome(entry(name), limits=replace(SMALL, for_windows=True)) == ([], [Refusal.NAME_IMPOSSIBLE])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"mode": stat.S_IFLNK | 0o777}, Refusal.LINK),
        ({"mode": stat.S_IFCHR | 0o666}, Refusal.SPECIAL),
        ({"mode": stat.S_IFBLK | 0o666}, Refusal.SPECIAL),
        ({"mode": stat.S_IFIFO | 0o666}, Refusal.SPECIAL),
        ({"mode": stat.S_IFSOCK | 0o666}, Refusal.SPECIAL),
        ({"is_encrypted": True}, Refusal.ENCRYPTED),
        ({"method": 12}, Refusal.METHOD),
        ({"method": 0, "packed_size": 9}, Refusal.DAMAGED),
        ({"size": 1001, "packed_size": 1000}, Refusal.TOO_LARGE),
        ({"size": 900, "packed_size": 80}, Refusal.BOMB),
        ({"size": 900, "packed_size": 0}, Refusal.BOMB),
    ],
)
def test_an_entry_that_is_no_plain_file_says_why(fields: dict[str, object], reason: Refusal) -> None:
    assert outcome(entry("a.tex", **fields)) == ([], [reason])


def test_a_file_that_packs_well_is_no_bomb_while_it_is_small() -> None:
    assert outcome(entry("a.tex", size=100, packed_size=1)) == (["a.tex"], [])


def test_files_that_are_small_alone_are_a_bomb_together() -> None:
    """What was taken stays, and one that packs as other files do is taken after them."""
    many = [entry(f"{at}.tex", size=60, packed_size=1) for at in range(3)]
    assert outcome(*many, entry("b.tex", size=60, packed_size=50)) == (["0.tex", "b.tex"], [Refusal.BOMB] * 2)


def test_sixty_entries_at_the_edge_of_what_counts_are_not_unpacked() -> None:
    edge = Limits().ratio_from_bytes
    taken, refused = outcome(*(entry(f"{at}.tex", size=edge, packed_size=9_000) for at in range(60)), limits=Limits())
    assert (taken, set(refused)) == (["0.tex"], {Refusal.BOMB})


def test_what_goes_beyond_the_whole_is_refused_and_smaller_ones_are_not() -> None:
    large = {"size": 900, "packed_size": 500}
    names = outcome(entry("a", **large), entry("b", **large), entry("c", size=600, packed_size=300))
    assert names == (["a", "c"], [Refusal.TOTAL_TOO_LARGE])


def test_no_more_entries_are_taken_than_the_limit() -> None:
    taken, refused = outcome(*(entry(f"{at}.tex") for at in range(6)))
    assert (len(taken), refused) == (4, [Refusal.TOO_MANY] * 2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.tex", "a.tex"),
        ("a.tex", "A.TEX"),
        ("é.tex", "e\u0301.tex"),
        ("straße", "STRASSE"),
        ("a", "a/b.tex"),
        ("a/b.tex", "A"),
        ("a", "a/"),
    ],
)
def test_two_names_that_may_be_one_are_told_apart_from_the_first(first: str, second: str) -> None:
    assert outcome(entry(first), entry(second)) == ([normalised(first)], [Refusal.DUPLICATE])


def test_a_folder_may_be_named_as_often_as_one_likes() -> None:
    assert outcome(entry("a/"), entry("a/b.tex"), entry("A/"), entry("a/c.tex"))[1] == []


def test_entries_that_share_their_bytes_are_damaged() -> None:
    entries = [entry("a"), replace(entry("b"), offset=4)]
    assert [one.reason for one in check_entries(entries, SMALL).refused] == [Refusal.DAMAGED]


def accepted(*names: str) -> list[Accepted]:
    return [Accepted(normalised(name), entry(name)) for name in names]


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("p/", "p/main.tex", "p/s/a.tex"), ["main.tex", "s/a.tex"]),
        (("p/main.tex", "main.tex"), ["p/main.tex", "main.tex"]),
        (("p/main.tex", "q/main.tex"), ["p/main.tex", "q/main.tex"]),
        (("main.tex",), ["main.tex"]),
        ((), []),
    ],
)
def test_the_one_folder_that_everything_is_in_is_a_wrapping(names: tuple[str, ...], left: list[str]) -> None:
    assert [one.path for one in without_root(accepted(*names))] == left


PARTS = st.sampled_from(
    ["..", ".", "", "a", "b", "C:", "\\", "/", ".git", "\0", "con", "é", "\ud800", "a ", "~", "nul"]
)
ANY_NAME = st.one_of(st.none(), st.text(max_size=12), st.lists(PARTS, max_size=6).map("/".join))


@given(st.lists(st.builds(entry, ANY_NAME, mode=st.integers(0, 0xFFFF), size=st.integers(0, 2000)), max_size=8))
def test_whatever_is_taken_is_below_the_folder_and_there_once(entries: list[ZipEntry]) -> None:
    checked = check_entries(entries, SMALL)
    paths = [one.path for one in checked.accepted if not one.entry.is_folder]
    assert len({path.casefold() for path in paths}) == len(paths)
    for path in paths:
        assert not PurePosixPath(path).is_absolute()
        assert not PureWindowsPath(path).drive
        assert not PureWindowsPath(path).root
        assert ".." not in PureWindowsPath(path).parts
        assert not {"\0", "\\", ":"} & set(path)
