"""Other programs that save in the very moment in which the mirror replaces, moves or deletes a file, on a real disk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from texswarm_desktop.services.disk import HeldFile, SystemDisk
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_server.protocol.errors import ChangedOnDiskError

if TYPE_CHECKING:
    from texswarm_desktop.services.disk_state import DiskState


class Intruded(SystemDisk):
    """Lets `intrude` happen right before the next step of a kind."""

    def __init__(self) -> None:
        self.before = ""
        self.intrude: Callable[[], object] = lambda: None

    def _let(self, step: str) -> None:
        if step == self.before:
            self.before = ""
            self.intrude()

    def put_beside(self, old: Path, new: Path) -> None:
        self._let("put_beside")
        super().put_beside(old, new)

    def exchange(self, one: Path, other: Path) -> bool:
        self._let("exchange")
        return super().exchange(one, other)

    def rename(self, old: Path, new: Path) -> None:
        self._let("rename")
        super().rename(old, new)

    def hold(self, path: Path) -> HeldFile:
        self._let("hold")
        return super().hold(path)


class Premises:
    """A folder with one file in it that the mirror knows."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.disk = Intruded()
        self.folder = ProjectFolder(root, self.disk)
        self.main = root / "main.tex"
        self.state: DiskState = self.folder.write("main.tex", b"old", expected=None)

    def save_by_rename(self) -> None:
        new = self.main.with_name(".new")
        new.write_bytes(b"theirs")
        new.replace(self.main)

    def left_over(self) -> list[str]:
        return sorted(path.name for path in self.main.parent.iterdir() if path.name.startswith("."))

    @property
    def late(self) -> list[bytes]:
        """What was written into files that are no more."""
        found = [replaced.look() for replaced in self.folder.replaced]
        return [file.text.encode() for file in found if file is not None and file.text is not None]


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Premises]:
    premises = Premises(tmp_path / "project")
    yield premises
    assert premises.left_over() == []
    for replaced in premises.folder.replaced:
        replaced.close()


@pytest.mark.parametrize("step", ["hold", "exchange"])
def test_a_save_in_the_moment_of_replacing_stays(premises: Premises, step: str) -> None:
    premises.disk.before, premises.disk.intrude = step, premises.save_by_rename
    with pytest.raises(ChangedOnDiskError):
        premises.folder.write("main.tex", b"ours", expected=premises.state)
    assert premises.main.read_bytes() == b"theirs"


@pytest.mark.parametrize("step", ["hold", "exchange"])
def test_a_save_in_place_in_the_moment_of_replacing_stays(premises: Premises, step: str) -> None:
    premises.disk.before, premises.disk.intrude = step, lambda: premises.main.write_bytes(b"theirs")
    with pytest.raises(ChangedOnDiskError):
        premises.folder.write("main.tex", b"ours", expected=premises.state)
    assert premises.main.read_bytes() == b"theirs"


def test_a_file_made_where_a_new_one_is_to_be_stays(premises: Premises) -> None:
    other = premises.main.with_name("other.tex")
    premises.disk.before, premises.disk.intrude = "put_beside", lambda: other.write_bytes(b"theirs")
    with pytest.raises(ChangedOnDiskError):
        premises.folder.write("other.tex", b"ours", expected=None)
    assert other.read_bytes() == b"theirs"


def test_a_file_made_where_another_is_to_be_moved_stays(premises: Premises) -> None:
    other = premises.main.with_name("other.tex")
    premises.disk.before, premises.disk.intrude = "put_beside", lambda: other.write_bytes(b"theirs")
    assert not premises.folder.move("main.tex", "other.tex", expected=premises.state)
    assert (premises.main.read_bytes(), other.read_bytes()) == (b"old", b"theirs")


def test_a_save_in_the_moment_of_deleting_stays(premises: Premises) -> None:
    premises.disk.before, premises.disk.intrude = "rename", premises.save_by_rename
    assert not premises.folder.remove("main.tex", expected=premises.state)
    assert premises.main.read_bytes() == b"theirs"


def test_what_is_written_into_a_replaced_file_is_found(premises: Premises) -> None:
    with premises.main.open("r+b") as program:
        premises.folder.write("main.tex", b"ours", expected=premises.state)
        assert premises.late == []
        program.write(b"old and new")
        program.flush()
        assert premises.late == [b"old and new"]
    assert premises.main.read_bytes() == b"ours"


def test_what_is_written_into_a_deleted_file_is_found(premises: Premises) -> None:
    with premises.main.open("r+b") as program:
        assert premises.folder.remove("main.tex", expected=premises.state)
        program.write(b"old and new")
        program.flush()
        assert premises.late == [b"old and new"]


def test_two_contents_of_one_size_in_one_tick_of_the_clock_are_told_apart(premises: Premises) -> None:
    for number in range(200):
        state = premises.folder.write("main.tex", f"ours {number:3}".encode(), expected=premises.state)
        premises.main.write_bytes(f"them {number:3}".encode())
        with pytest.raises(ChangedOnDiskError):
            premises.folder.write("main.tex", b"ours again", expected=state)
        found = premises.folder.read("main.tex")
        assert found is not None
        premises.state = found.state
