"""A figure that another program saves in the moment in which it is replaced or deleted here, or afterwards, stays."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.live_folder import fill
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.blob_cache import BlobCache
from texswarm_desktop.services.disk import SystemDisk
from texswarm_desktop.services.figure_folder import FigureFolder
from texswarm_desktop.services.project import Project
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.errors import ChangedOnDiskError
from texswarm_server.protocol.ids import BlobHash
from texswarm_server.protocol.version import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor

    from texswarm_desktop.services.figure_record import FigureRecord
    from texswarm_server.document.project_document import FileId

PATH, COPY = "plot.png", "plot (2).png"
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
    scene = Scene(tmp_path)
    yield scene
    for figure in scene.folder.replaced:
        figure.held.close()


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


def test_a_figure_that_gets_another_name_stays_the_file_that_others_may_have_open(scene: Scene) -> None:
    known, before = scene.known(), scene.target.stat()
    moved = scene.folder.move(known, "in/moved.png")
    assert (moved.path, moved.stamp) == ("in/moved.png", known.stamp)
    assert (scene.root / "in" / "moved.png").stat().st_ino == before.st_ino


def test_a_figure_that_another_program_moved_meanwhile_is_not_there_a_second_time(scene: Scene) -> None:
    known = scene.known()
    scene.target.rename(scene.root / "elsewhere.png")
    with pytest.raises(ChangedOnDiskError):
        scene.folder.move(known, "moved.png")
    assert scene.names() == ["elsewhere.png"]


def test_a_figure_does_not_move_to_where_another_is(scene: Scene) -> None:
    known = scene.known()
    (scene.root / "moved.png").write_bytes(THEIRS)
    with pytest.raises(ChangedOnDiskError):
        scene.folder.move(known, "moved.png")
    assert (scene.root / "moved.png").read_bytes() == THEIRS


def test_a_figure_that_is_gone_before_it_is_read_has_changed(scene: Scene) -> None:
    with pytest.raises(ChangedOnDiskError):
        scene.folder.take_in("gone.png", 1000)


@runs_async
async def test_a_figure_that_is_renamed_on_disk_and_in_the_window_is_one_while_others_are_moved(
    tmp_path: Path, executor: Executor
) -> None:
    folder = tmp_path / "paper"
    async with await drawn(folder, executor) as project:
        (folder / "other.png").write_bytes(NEW)
        await until(lambda: project.document.file_at("other.png") is not None)
        file_id = project.document.file_at(PATH)
        assert file_id is not None
        (folder / PATH).rename(folder / "here.png")
        project.document.rename_file(file_id, "there.png")
        await asyncio.sleep(0.2)  # the one counts as gone while the other does not yet
        (folder / "other.png").rename(folder / "moved.png")
        await until(lambda: project.document.file_at("moved.png") is not None)
        await project.flush()
        assert sorted(figures(folder).values()) == sorted([OLD, NEW])


# ── written in place, by a program that opened the file before ──────────────────────────────────────────


class Writer:
    """A program that opened a figure, and saves in place later."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b")

    def save(self, data: bytes) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


async def drawn(folder: Path, executor: Executor) -> Project:
    """Return a project with a figure that is known."""
    fill(folder, {"main.tex": "Hello"})
    (folder / PATH).write_bytes(OLD)
    project = await Project.open(folder, store_executor=executor)
    await until(lambda: project.document.file_at(PATH) is not None)
    return project


@asynccontextmanager
async def opened_before(folder: Path, executor: Executor) -> AsyncIterator[tuple[Project, FileId, Writer]]:
    async with await drawn(folder, executor) as project:
        file_id = project.document.file_at(PATH)
        assert file_id is not None
        writer = Writer(folder / PATH)
        try:
            yield project, file_id, writer
        finally:
            writer.close()


def blob_of(project: Project, data: bytes) -> BlobRef:
    """Return a content that has arrived."""
    blob = BlobRef(BlobHash(sha256(data).hexdigest()), len(data))
    project.blobs.keep(blob, 0, data, lambda _received, _kept: None)
    return blob


def figures(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.glob("*.png")}


async def until_replaced(folder: Path) -> None:
    await until(lambda: figures(folder) == {PATH: NEW}, "another content is there")


@runs_async
async def test_what_is_written_late_into_a_replaced_figure_is_kept_beside(tmp_path: Path, executor: Executor) -> None:
    folder = tmp_path / "paper"
    async with opened_before(folder, executor) as (project, file_id, writer):
        project.document.set_blob(file_id, blob_of(project, NEW))
        await until_replaced(folder)
        writer.save(THEIRS)
        await until(lambda: figures(folder) == {PATH: NEW, COPY: THEIRS}, "both are there")
        writer.save(THEIRS + b" and more")
        await until(lambda: figures(folder) == {PATH: NEW, COPY: THEIRS + b" and more"}, "and what is written later")


@runs_async
async def test_what_is_written_late_into_a_deleted_figure_brings_it_back(tmp_path: Path, executor: Executor) -> None:
    folder = tmp_path / "paper"
    async with opened_before(folder, executor) as (project, file_id, writer):
        project.document.remove_file(file_id)
        await until(lambda: not (folder / PATH).exists())
        writer.save(THEIRS)
        await until(lambda: figures(folder) == {PATH: THEIRS}, "it is there again")
        assert project.document.file_at(PATH) == file_id


@runs_async
async def test_what_is_written_late_into_a_renamed_figure_is_in_it(tmp_path: Path, executor: Executor) -> None:
    folder = tmp_path / "paper"
    async with opened_before(folder, executor) as (project, file_id, writer):
        project.document.rename_file(file_id, "moved.png")
        await until(lambda: not (folder / PATH).exists())
        writer.save(THEIRS)
        await until(lambda: figures(folder) == {"moved.png": THEIRS}, "it is under the new name")


@runs_async
async def test_what_is_written_late_and_is_too_large_to_be_shared_is_kept_in_this_folder(
    tmp_path: Path, executor: Executor
) -> None:
    folder, large = tmp_path / "paper", THEIRS * 10
    async with opened_before(folder, executor) as (project, file_id, writer):
        project.blobs.limits_known(Limits(max_blob_bytes=len(large) - 1))
        (folder / COPY).write_bytes(OLD * 2)
        await until(lambda: project.document.file_at(COPY) is not None)
        project.document.set_blob(file_id, blob_of(project, NEW))
        await until(lambda: figures(folder) == {PATH: NEW, COPY: OLD * 2}, "another content is there")
        writer.save(large)
        free = "plot (3).png"
        await until(lambda: figures(folder) == {PATH: NEW, COPY: OLD * 2, free: large}, "all of them are there")
        await until(lambda: free in project.file_problems, "it is told")
        assert project.document.file_at(free) is None


@runs_async
async def test_of_two_figures_that_change_places_what_is_written_late_goes_where_it_was_meant(
    tmp_path: Path, executor: Executor
) -> None:
    folder = tmp_path / "paper"
    async with opened_before(folder, executor) as (project, file_id, writer):
        (folder / "other.png").write_bytes(NEW)
        await until(lambda: project.document.file_at("other.png") is not None)
        other_id = project.document.file_at("other.png")
        assert other_id is not None
        project.document.rename_file(file_id, "aside.png")
        project.document.rename_file(other_id, PATH)
        project.document.rename_file(file_id, "other.png")
        await until(lambda: figures(folder) == {"other.png": OLD, PATH: NEW})
        writer.save(THEIRS)
        await until(lambda: figures(folder) == {"other.png": THEIRS, PATH: NEW}, "it is in the one that was open")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what is open by /proc")
@runs_async
async def test_a_replaced_figure_is_let_go_of_after_a_while(tmp_path: Path, executor: Executor) -> None:
    def held() -> list[str]:
        return [one for one in map(_link_of, Path("/proc/self/fd").iterdir()) if "(deleted)" in one and "paper" in one]

    folder = tmp_path / "paper"
    async with await drawn(folder, executor) as project:
        file_id = project.document.file_at(PATH)
        assert file_id is not None
        project.document.set_blob(file_id, blob_of(project, NEW))
        await until(lambda: held() != [], "it is replaced, and its name is gone, which is a moment later")
        await until(lambda: held() == [], "nothing is open any more")


def _link_of(path: Path) -> str:
    with suppress(OSError):
        return str(path.readlink())
    return ""
