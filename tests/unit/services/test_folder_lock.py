"""What whoever comes second is told of whoever was first."""

import pytest

from texswarm_desktop.services.folder_lock import program_name


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
