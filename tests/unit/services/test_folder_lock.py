"""What whoever comes second is told of whoever was first."""

import os
from pathlib import Path

import pytest

from texswarm_desktop.services.folder_lock import FolderLock, holder_of, program_name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["/usr/bin/texswarm", "sync", "paper"], "texswarm sync"),
        (["/usr/lib/texswarm_desktop/__main__.py", "sync"], "texswarm sync"),
        (["/usr/bin/texswarm", "paper"], "texswarm"),
        ([r"texswarm.exe"], "texswarm"),
        (["/opt/other.py"], "other"),
        ([], ""),
    ],
)
def test_a_program_goes_by_the_name_that_people_start_it_by(command: list[str], name: str) -> None:
    assert program_name(command) == name


def test_whether_a_lock_holder_of_is_seen_without_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder_of(path) is None
    assert not path.exists()
    lock = FolderLock(path)
    held = holder_of(path)
    assert held is not None
    assert held.pid == os.getpid()
    lock.release()
    assert holder_of(path) is None
