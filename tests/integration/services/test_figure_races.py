"""A figure that another program saves in the very moment in which it is replaced or deleted here stays."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.blob_cache import BlobCache
from texswarm_desktop.services.disk import SystemDisk
from texswarm_desktop.services.figure_folder import FigureFolder
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.errors import ChangedOnDiskError
from texswarm_server.protocol.ids import BlobHash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from texswarm_desktop.services.figure_record import FigureRecord

PATH = "plot.png"
OLD, NEW, THEIRS = b"\x89PNG old", b"\x89PNG new", b"\x89PNG of another program"


class BusyDisk(SystemDisk):
    """Another program is at work just before the steps named. `saves` is what it does each time."""

    def __init__(self) -> None:
        self.before: list[str] = []
        self.saves: Callable[[], None] = lambda: None
        self.can_exchange = True

    def _now(self, step: str) -> None:
        if self.before[:1] == [step]:
            self.before.pop(0)
            self.saves()

    def exchange(self, one: Path, other: Path) -> bool:
        self._now("exchange")
        return self.can_exchange and super().exchange(one, other)

    def put_beside(self, old: Path, new: Path) -> None:
        self._now("put_beside")
        super().put_beside(old, new)

    def rename(self, old: Path, new: Path) -> None:
        self._now("rename")
        super().rename(old, new)


class Scene:
    """A folder with a figure that is known, and a content that is to take its place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / OWN_FOLDER).mkdir()
        self.disk = BusyDisk()
        self.cache = BlobCache(root / OWN_FOLDER / "blobs")
        self.folder = FigureFolder(root, self.cache, self.disk)
        self.saves = 0
        self.disk.saves = self.save

    @property
    def target(self) -> Path:
        return self.root / PATH

    def save(self) -> None:
        """As an editor does: another file takes the name."""
        self.saves += 1
        other = self.root / "editor.tmp"
        other.write_bytes(THEIRS + b"!" * self.saves)
        other.replace(self.target)

    def known(self) -> FigureRecord:
        self.target.write_bytes(OLD)
        return self.folder.take_in(PATH, 1000)

    def content(self, data: bytes) -> BlobRef:
        source = self.root / "source.png"
        source.write_bytes(data)
        self.cache.take_in(source, 1000)
        source.unlink()
        return BlobRef(BlobHash(sha256(data).hexdigest()), len(data))

    def names(self) -> list[str]:
        return sorted(each.name for each in self.root.iterdir() if each.name != OWN_FOLDER)


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    return Scene(tmp_path)


def can_exchange(folder: Path) -> bool:
    one, other = folder / "one", folder / "other"
    one.touch()
    other.touch()
    try:
        return SystemDisk().exchange(one, other)
    finally:
        one.unlink()
        other.unlink()


def test_nobody_else_is_there(scene: Scene) -> None:
    known, new = scene.known(), scene.content(NEW)
    written = scene.folder.write(PATH, new, expected=known)
    assert scene.target.read_bytes() == NEW
    scene.folder.remove(PATH, expected=written)
    assert scene.names() == []


def test_a_system_that_lets_no_files_change_places_replaces_them_all_the_same(scene: Scene) -> None:
    scene.disk.can_exchange = False
    known, new = scene.known(), scene.content(NEW)
    scene.folder.write(PATH, new, expected=known)
    assert (scene.names(), scene.target.read_bytes()) == ([PATH], NEW)


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_saved_while_a_figure_is_replaced_stays(scene: Scene, times: int) -> None:
    if not can_exchange(scene.root):
        pytest.skip("files cannot change places on this disk")
    known, new = scene.known(), scene.content(NEW)
    scene.disk.before = ["exchange"] * times
    with pytest.raises(ChangedOnDiskError):
        scene.folder.write(PATH, new, expected=known)
    assert (scene.names(), scene.target.read_bytes()) == ([PATH], THEIRS + b"!" * times)


def test_what_is_saved_while_a_new_figure_is_put_there_stays(scene: Scene) -> None:
    new = scene.content(NEW)
    scene.disk.before = ["put_beside"]
    with pytest.raises(ChangedOnDiskError):
        scene.folder.write(PATH, new, expected=None)
    assert (scene.names(), scene.target.read_bytes()) == ([PATH], THEIRS + b"!")


@pytest.mark.parametrize("steps", [["rename"], ["rename", "put_beside"]])
def test_what_is_saved_while_a_figure_is_deleted_stays(scene: Scene, steps: list[str]) -> None:
    known = scene.known()
    scene.disk.before = list(steps)
    with pytest.raises(ChangedOnDiskError):
        scene.folder.remove(PATH, expected=known)
    assert (scene.names(), scene.target.read_bytes()) == ([PATH], THEIRS + b"!" * len(steps))


def test_one_that_somebody_else_deleted_is_gone(scene: Scene) -> None:
    known = scene.known()
    scene.disk.before, scene.disk.saves = ["rename"], scene.target.unlink
    scene.folder.remove(PATH, expected=known)
    assert scene.names() == []
