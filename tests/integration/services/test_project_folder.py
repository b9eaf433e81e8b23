"""A folder on a real disk: nothing outside it, nothing through links, nothing half."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from texswarm_desktop.services.atomic_file import TEMPORARY_PREFIX, write_atomically
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_server.protocol.errors import (
    ChangedOnDiskError,
    FilePathError,
    NotReadableError,
    NotWritableError,
)

BAD_PATHS = [
    "../out.tex",
    "/out.tex",
    ".git/notes.txt",
    "latexmkrc",
    "run.sh",
    "a/../../out.tex",
    "link/x.tex",
    "link.tex",
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "x.tex").write_bytes(b"outside")
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root / "link.tex").symlink_to(outside / "x.tex")
    folder = ProjectFolder(root)
    yield folder
    for replaced in folder.replaced:
        replaced.close()


@pytest.mark.parametrize("path", BAD_PATHS)
def test_only_project_text_inside_the_folder_is_touched(folder: ProjectFolder, path: str) -> None:
    before = sorted(folder.root.parent.rglob("*"))
    with pytest.raises(FilePathError):
        folder.write(path, b"evil", expected=None)
    with pytest.raises(FilePathError):
        folder.read(path)
    assert sorted(folder.root.parent.rglob("*")) == before
    assert (folder.root.parent / "outside" / "x.tex").read_bytes() == b"outside"


def test_a_file_keeps_its_permissions_whatever_the_mask(folder: ProjectFolder) -> None:
    state = folder.write("main.tex", b"a", expected=None)
    target = folder.root / "main.tex"
    for mode in (0o666, 0o600, 0o755):
        target.chmod(mode)
        state = folder.write("main.tex", f"{mode}".encode(), expected=state)
        assert target.stat().st_mode & 0o777 == mode


def test_what_is_there_already_is_not_written_again(folder: ProjectFolder) -> None:
    state = folder.write("main.tex", b"a", expected=None)
    before = (folder.root / "main.tex").stat()
    assert folder.write("main.tex", b"a", expected=None) == state
    assert (folder.root / "main.tex").stat().st_ino == before.st_ino


def test_a_file_that_was_only_touched_is_no_change(folder: ProjectFolder) -> None:
    state = folder.write("main.tex", b"a", expected=None)
    os.utime(folder.root / "main.tex", (1, 1))
    folder.write("main.tex", b"b", expected=state)
    assert (folder.root / "main.tex").read_bytes() == b"b"


def test_another_programs_content_is_not_overwritten(folder: ProjectFolder) -> None:
    state = folder.write("main.tex", b"a", expected=None)
    (folder.root / "main.tex").write_bytes(b"theirs")
    for expected in (state, None):
        with pytest.raises(ChangedOnDiskError):
            folder.write("main.tex", b"ours", expected=expected)
    assert not folder.remove("main.tex", expected=state)
    assert (folder.root / "main.tex").read_bytes() == b"theirs"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = folder.write("main.tex", b"a", expected=None)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotWritableError):
        folder.write("main.tex", b"b", expected=state)
    assert (folder.root / "main.tex").read_bytes() == b"a"
    assert sorted(path.name for path in folder.root.iterdir()) == ["link", "link.tex", "main.tex"]


def test_a_folder_in_the_way_of_a_file_is_a_typed_error(folder: ProjectFolder) -> None:
    (folder.root / "main.tex").mkdir()
    with pytest.raises(FilePathError):
        folder.write("main.tex", b"a", expected=None)
    (folder.root / "a.tex").write_bytes(b"a")
    with pytest.raises(NotWritableError):
        folder.write("a.tex/b.tex", b"b", expected=None)


def test_leftovers_of_a_crash_are_removed(folder: ProjectFolder) -> None:
    write_atomically(folder.root / "main.tex", b"a")
    (folder.root / f"{TEMPORARY_PREFIX}1").write_bytes(b"half")
    folder.remove_leftovers()
    assert sorted(folder.scan()) == ["main.tex"]
    assert not list(folder.root.glob(f"{TEMPORARY_PREFIX}*"))


def test_a_folder_that_is_not_there_cannot_be_scanned(tmp_path: Path) -> None:
    with pytest.raises(NotReadableError):
        ProjectFolder(tmp_path / "nowhere").scan()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_one_file_that_cannot_be_read_is_not_taken_for_a_deleted_one(folder: ProjectFolder) -> None:
    (folder.root / "main.tex").write_bytes(b"a")
    (folder.root / "main.tex").chmod(0)
    with pytest.raises(NotReadableError):
        folder.scan()
