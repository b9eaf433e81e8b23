"""At most one thing lies on the desk of a window, and it leaves only when it is stored."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.helpers.run_async import until
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.desk import Desk
from texswarm_desktop.viewmodels.observed_project import ObservedProject
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.people import Person
from texswarm_server.protocol.errors import NotWritableError

if TYPE_CHECKING:
    from texswarm_desktop.viewmodels.sharing import Sharing

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class NothingShared:
    """Stands for the sharing from this computer: there is none."""

    hosting = None

    async def end(self) -> None:
        pass


class Bench:
    """A desk over real folders; writes down what it tells."""

    def __init__(self, tmp_path: Path, executor: ThreadPoolExecutor, scope: TaskScope) -> None:
        self.told: list[str] = []
        self.windows: set[Path] = set()
        self.links = 0
        self._road = asyncio.Lock()
        self.status = ConnectionView(clock=time.monotonic)
        self.executor = executor
        self.desk = Desk(
            library=Library(tmp_path, settings=SettingsStore(tmp_path / "profile"), executor=executor),
            status=self.status,
            sharing=cast("Sharing", NothingShared()),
            me=lambda: Person("me", "Me", "#123456"),
            road=self.road,
            link_again=self._link_again,
            bring_up=lambda folder: folder in self.windows,
            until_seen=self._until_seen,
            scope=scope,
        )
        self.desk.opened_changed.connect(lambda one: self._tell("opened", one))
        self.desk.observed_changed.connect(lambda one: self._tell("observed", one))
        self.desk.attached.connect(lambda folder: self.told.append(f"attached {Path(folder).name}"))
        self.desk.closing.connect(lambda: self.told.append("closing"))

    def _tell(self, what: str, one: OpenedProject | ObservedProject) -> None:
        folder = one.project.folder if isinstance(one, OpenedProject) else one.folder
        self.told.append(f"{what} {folder.name}")

    async def _until_seen(self) -> None:
        pass

    async def _link_again(self) -> None:
        self.links += 1

    @asynccontextmanager
    async def road(self) -> AsyncIterator[None]:
        async with self._road:
            yield


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    return folder_with_a_text(tmp_path / "paper")


def folder_with_a_text(folder: Path) -> Path:
    folder.mkdir()
    (folder / "main.tex").write_text("words\n")
    return folder


@pytest.fixture
def on_a_bench(run_in_qt: Run, tmp_path: Path) -> Callable[[Callable[[Bench], Coroutine[Any, Any, None]]], None]:
    """Run a story with a bench, and clear the desk after it."""

    async def run(story: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
        with ThreadPoolExecutor(2) as executor:
            async with TaskScope("test") as scope:
                bench = Bench(tmp_path, executor, scope)
                await story(bench)
                await bench.desk.leave()
                assert (bench.desk.opened, bench.desk.observed) == (None, None)
            bench.status.close()
            bench.desk.deleteLater()

    return lambda story: run_in_qt(run(story))


OnABench = Callable[[Callable[[Bench], Coroutine[Any, Any, None]]], None]


def test_a_folder_is_opened_once_and_another_one_takes_its_place(
    on_a_bench: OnABench, paper: Path, tmp_path: Path
) -> None:
    other = folder_with_a_text(tmp_path / "other")

    async def story(bench: Bench) -> None:
        assert await bench.desk.open(paper)
        assert await bench.desk.open(paper / ".." / "paper")
        assert await bench.desk.open(other)
        assert bench.told == ["opened paper", "closing", "opened other"]
        assert bench.links == 2

    on_a_bench(story)


def test_a_project_that_another_window_shows_is_shown_there(on_a_bench: OnABench, paper: Path) -> None:
    async def story(bench: Bench) -> None:
        async with await Project.open(paper, store_executor=bench.executor):
            bench.windows.add(paper)
            assert not await bench.desk.open(paper)
        assert bench.told == ["attached paper"]

    on_a_bench(story)


def test_a_project_that_another_program_has_is_looked_at_and_opened_once_that_is_gone(
    on_a_bench: OnABench, paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("texswarm_desktop.viewmodels.desk._FREE_PAUSE_S", 0.01)
    monkeypatch.setattr("texswarm_desktop.viewmodels.desk._BRING_UP_PAUSE_S", 0.0)

    async def story(bench: Bench) -> None:
        async with await Project.open(paper, store_executor=bench.executor):
            assert await bench.desk.open(paper)
            assert (bench.desk.opened, bench.told) == (None, ["observed paper"])
            with pytest.raises(Exception, match="paper"):
                bench.desk.require_opened()
        await until(lambda: bench.desk.opened is not None)
        assert bench.desk.observed is None
        await until(lambda: bench.links == 1)
        assert bench.told == ["observed paper", "closing", "opened paper"]

    on_a_bench(story)


def test_what_cannot_be_stored_stays_on_the_desk(
    on_a_bench: OnABench, paper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = folder_with_a_text(tmp_path / "other")

    async def refused(_self: Project) -> None:
        raise NotWritableError("full")

    async def story(bench: Bench) -> None:
        await bench.desk.open(paper)
        opened = bench.desk.opened
        with monkeypatch.context() as patch:
            patch.setattr(Project, "kept", refused)
            with pytest.raises(NotWritableError):
                await bench.desk.open(other)
        assert bench.desk.opened is opened
        assert bench.told == ["opened paper"]
        async with await Project.open(other, store_executor=bench.executor):
            pass  # the one that found no room was closed

    on_a_bench(story)
