"""Archives on a real disk: what is taken arrives whole, what is refused does not, and nothing is written elsewhere."""

import os
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from texswarm_desktop.core.zip_check import Limits, Refusal
from texswarm_desktop.services.unzip import PROJECT_COMMENT, unzip
from texswarm_server.protocol.errors import (
    ArchiveError,
    FolderTakenError,
    NothingToImportError,
    NotReadableError,
    NotWritableError,
    TexSwarmError,
)

WHOLE = {"main.tex": b"\\documentclass{article}", "figures/a b.png": bytes(range(256)) * 900, "empty.tex": b""}


def write(path: Path, files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.comment = comment
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_was_packed_arrives(tmp_path: Path, method: int) -> None:
    checked = unzip(write(tmp_path / "a.zip", WHOLE, method=method), tmp_path / "in" / "paper")
    assert tree(tmp_path / "in" / "paper") == WHOLE
    assert checked.refused == ()
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["paper"]


def test_an_empty_folder_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "paper").mkdir()
    unzip(write(tmp_path / "a.zip", WHOLE), tmp_path / "paper")
    assert tree(tmp_path / "paper") == WHOLE


def test_the_rest_of_a_hostile_archive_arrives(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("../evil.tex", "x")
        made.writestr("/evil.tex", "x")
        link = zipfile.ZipInfo("link.tex")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("link.tex/under.tex", "x")
        made.writestr("main.tex", "fine")
    checked = unzip(archive, tmp_path / "deep" / "paper")
    assert [one.reason for one in checked.refused] == [Refusal.OUTSIDE, Refusal.ABSOLUTE, Refusal.LINK]
    assert tree(tmp_path) == {
        "a.zip": archive.read_bytes(),
        "deep/paper/main.tex": b"fine",
        "deep/paper/link.tex/under.tex": b"x",
    }


def test_a_name_in_an_old_code_page_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    archive = bytearray(write(tmp_path / "a.zip", {"main.tex": b"1", "cafX.tex": b"2"}).read_bytes())
    archive[:] = archive.replace(b"cafX", b"caf\xe9")
    directory = archive.rfind(b"PK\x01\x02")
    archive[directory + 8 : directory + 10] = struct.pack("<H", 1 << 11)  # says that it is UTF-8
    (tmp_path / "a.zip").write_bytes(archive)
    checked = unzip(tmp_path / "a.zip", tmp_path / "paper")
    assert [(one.name, one.reason) for one in checked.refused] == [(r"caf\xe9.tex", Refusal.NAME_UNREADABLE)]
    assert tree(tmp_path / "paper") == {"main.tex": b"1"}


def test_a_damaged_entry_is_left_out(tmp_path: Path) -> None:
    archive = bytearray(write(tmp_path / "a.zip", {"a.tex": b"A" * 99, "b.tex": b"B"}, method=0).read_bytes())
    archive[archive.index(b"AAAA")] = ord("x")
    (tmp_path / "a.zip").write_bytes(archive)
    checked = unzip(tmp_path / "a.zip", tmp_path / "paper")
    assert [(one.name, one.reason) for one in checked.refused] == [("a.tex", Refusal.DAMAGED)]
    assert tree(tmp_path / "paper") == {"b.tex": b"B"}


def test_an_entry_that_unpacks_to_more_than_it_says_is_cut_off(tmp_path: Path) -> None:
    archive = bytearray(write(tmp_path / "a.zip", {"bomb.tex": b"0" * 9_000_000, "b.tex": b"B"}).read_bytes())
    directory = archive.find(b"PK\x01\x02")
    archive[directory + 24 : directory + 28] = struct.pack("<I", 9_000)
    (tmp_path / "a.zip").write_bytes(archive)
    assert [one.reason for one in unzip(tmp_path / "a.zip", tmp_path / "paper").refused] == [Refusal.DAMAGED]
    assert tree(tmp_path / "paper") == {"b.tex": b"B"}


def test_a_bomb_is_not_even_begun(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.zip", {"bomb.tex": b"0" * 12_000_000, "b.tex": b"B"})
    assert [one.reason for one in unzip(archive, tmp_path / "paper").refused] == [Refusal.BOMB]


def test_the_wrapping_of_a_forge_is_taken_off_and_a_project_of_ours_is_left_as_it_is(tmp_path: Path) -> None:
    files = {"paper-main/main.tex": b"x", "paper-main/s/a.tex": b"y"}
    unzip(write(tmp_path / "a.zip", files), tmp_path / "a")
    assert tree(tmp_path / "a") == {"main.tex": b"x", "s/a.tex": b"y"}
    unzip(write(tmp_path / "b.zip", files, comment=PROJECT_COMMENT), tmp_path / "b")
    assert tree(tmp_path / "b") == files


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", ArchiveError), (b"no archive at all", ArchiveError), (None, NotReadableError)],
)
def test_what_is_no_archive_is_a_typed_error(tmp_path: Path, content: bytes | None, error: type[TexSwarmError]) -> None:
    if content is not None:
        (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(error):
        unzip(tmp_path / "a.zip", tmp_path / "paper")
    assert not (tmp_path / "paper").exists()


def test_an_archive_of_which_nothing_is_taken_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingToImportError):
        unzip(write(tmp_path / "a.zip", {"../a.tex": b"x"}), tmp_path / "paper")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "mine.tex").write_bytes(b"mine")
    with pytest.raises(FolderTakenError):
        unzip(write(tmp_path / "a.zip", WHOLE), tmp_path / "paper")
    assert tree(tmp_path / "paper") == {"mine.tex": b"mine"}


def test_who_gives_up_half_way_leaves_nothing(tmp_path: Path) -> None:
    def give_up(done: int, _all: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unzip(write(tmp_path / "a.zip", WHOLE), tmp_path / "paper", progress=give_up)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_what_a_killed_process_left_long_ago_is_removed_and_work_that_goes_on_is_not(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", WHOLE)
    for name in ("old", "fresh"):
        (tmp_path / f".texswarm-tmp-{name}" / "sub").mkdir(parents=True)
    os.utime(tmp_path / ".texswarm-tmp-old", (1_000_000_000, 1_000_000_000))
    unzip(tmp_path / "x.zip", tmp_path / "paper")
    assert {path.name for path in tmp_path.iterdir()} == {"x.zip", "paper", ".texswarm-tmp-fresh"}


@pytest.mark.skipif(os.name != "posix", reason="a folder is made read-only with its mode")
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(0o500)
    with pytest.raises(NotWritableError):
        unzip(write(tmp_path / "a.zip", WHOLE), tmp_path / "locked" / "paper")


NAMES = st.one_of(
    st.lists(st.sampled_from(["..", ".", "", "a", "b", "C:", "\\", ".git", "é", "a.tex"]), min_size=1, max_size=5)
    .map("/".join)
    .filter(bool),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12),
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_archives_never_write_outside_and_end_well(data: st.DataObject) -> None:
    files = data.draw(st.dictionaries(NAMES, st.binary(max_size=60), max_size=6))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        archive = bytearray(write(root / "a.zip", files).read_bytes())
        for _ in range(data.draw(st.integers(0, 6))):
            archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
        (root / "a.zip").write_bytes(archive)
        try:
            unzip(root / "a.zip", root / "deep" / "paper", limits=Limits(total_bytes=10_000))
        except (ArchiveError, NothingToImportError):
            assert not (root / "deep" / "paper").exists()
        assert {path.name for path in root.iterdir()} <= {"a.zip", "deep"}
        assert {path.name for path in (root / "deep").iterdir()} <= {"paper"} if (root / "deep").exists() else True
        assert not any(path.is_symlink() for path in root.rglob("*"))
