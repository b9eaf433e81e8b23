"""A project is there with what its replica has before its folder is looked at; what was done to that is brought in."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.helpers.run_async import until
from texswarm_desktop.services.folder_walk import FolderWalk, Walked
from texswarm_desktop.services.project import Project
from texswarm_server.protocol.errors import NotReadableError

LINES = "one\ntwo\nthree\n"


@pytest.fixture
def paper(tmp_path: Path, executor: ThreadPoolExecutor) -> Path:
    """A project that is closed, with one file."""

    async def make() -> None:
        async with await Project.create(tmp_path / "paper", "Paper", {"main.tex": LINES}, store_executor=executor):
            pass

    asyncio.run(make())
    return tmp_path / "paper"


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Notes each walk through a folder."""
    seen: list[object] = []
    walk = FolderWalk.walk

    def noted(self: FolderWalk, *args: object, **how: object) -> Walked:
        seen.append(self)
        return walk(self, *args, **how)

    monkeypatch.setattr(FolderWalk, "walk", noted)
    return seen


@asynccontextmanager
async def ahead(folder: Path, executor: ThreadPoolExecutor) -> AsyncIterator[Project]:
    async with await Project.open(folder, store_executor=executor, bit_by_bit=True, ahead=True) as project:
        yield project


def text_of(project: Project) -> str:
    main = project.document.main_file
    return str(project.document.text(main)) if main is not None else ""


def type_first(project: Project, words: str) -> None:
    project.document.text(project.document.main_file).replace_u16(0, 0, words)


def test_the_text_is_there_before_the_folder_is_looked_at(
    paper: Path, executor: ThreadPoolExecutor, walks: list[object]
) -> None:
    async def story() -> None:
        async with ahead(paper, executor) as project:
            assert (text_of(project), walks) == (LINES, [])
            await project.catch_up()
            assert walks

    asyncio.run(story())


def test_what_was_typed_meanwhile_and_what_another_program_wrote_are_both_there(
    paper: Path, executor: ThreadPoolExecutor
) -> None:
    async def story() -> None:
        (paper / "main.tex").write_text(LINES + "by another\n")
        (paper / "new.tex").write_text("new\n")
        async with ahead(paper, executor) as project:
            type_first(project, "typed ")
            await project.catch_up()
            assert text_of(project) == "typed " + LINES + "by another\n"
            await project.flush()
            assert (paper / "main.tex").read_text() == text_of(project)
            assert sorted(entry.path for entry in project.document.files.values()) == ["main.tex", "new.tex"]

    asyncio.run(story())


def test_closed_before_the_folder_was_looked_at_all_is_in_it(paper: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        (paper / "main.tex").write_text(LINES + "by another\n")
        async with ahead(paper, executor) as project:
            type_first(project, "typed ")
        assert (paper / "main.tex").read_text() == "typed " + LINES + "by another\n"

    asyncio.run(story())


def test_killed_before_the_folder_was_looked_at_nothing_is_lost_or_doubled(
    paper: Path, executor: ThreadPoolExecutor
) -> None:
    async def story() -> None:
        (paper / "main.tex").write_text(LINES + "by another\n")
        project = await Project.open(paper, store_executor=executor, bit_by_bit=True, ahead=True)
        type_first(project, "typed ")
        await project.kept()
        async with await Project.open(copy_of(paper), store_executor=executor) as again:
            assert text_of(again) == "typed " + LINES + "by another\n"
        await project.close()

    asyncio.run(story())


def copy_of(folder: Path) -> Path:
    """What a kill would have left: the lock is the process's own."""
    copy = folder.with_name("copy")
    for path in sorted(folder.rglob("*")):
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.name != "lock":
            target.write_bytes(path.read_bytes())
    return copy


def test_nothing_is_written_while_it_is_not_known_what_is_there(
    paper: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is tried to look, nor when it is closed; and what was typed is in the replica."""

    def closed(self: FolderWalk, *_args: object, **_how: object) -> Walked:
        raise NotReadableError("paper: closed")

    async def story() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(FolderWalk, "walk", closed)
            async with ahead(paper, executor) as project:
                type_first(project, "typed ")
                with pytest.raises(NotReadableError):
                    await project.catch_up()
                with pytest.raises(NotReadableError):
                    await project.flush()
        assert (paper / "main.tex").read_text() == LINES
        async with ahead(paper, executor) as project:
            assert text_of(project) == "typed " + LINES
            await project.catch_up()
            await until(lambda: (paper / "main.tex").read_text() == "typed " + LINES)

    asyncio.run(story())


def test_a_folder_without_a_replica_is_looked_at_first(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        (tmp_path / "main.tex").write_text(LINES)
        async with ahead(tmp_path, executor) as project:
            assert text_of(project) == LINES

    asyncio.run(story())
