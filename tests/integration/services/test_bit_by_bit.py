"""A folder with much in it is a project at once: one file first, the others while somebody writes already."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.killed_writer import typed_by
from tests.helpers.run_async import until
from tests.integration.services.test_killed_process import type_until_killed
from texswarm_desktop.services.project import Project

COUNT = 24


def chapter(number: int) -> str:
    return f"Chapter {number} é\n" + "".join(f"{f'All {number} work {line}. ' * 500}\n" for line in range(12))


def book(folder: Path) -> dict[str, str]:
    """Nearly three megabytes of chapters, and the file that names them."""
    texts = {"main.tex": "before\n"} | {f"part/{number:02}.tex": chapter(number) for number in range(COUNT)}
    (folder / "part").mkdir()
    for path, text in texts.items():
        (folder / path).write_bytes(text.encode())
    return texts


def in_document(project: Project) -> dict[str, str]:
    document = project.document
    return {entry.path: str(document.text(file_id)) for file_id, entry in document.files.items()}


def on_disk(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in folder.rglob("*.tex")}


async def opened(folder: Path, executor: ThreadPoolExecutor) -> Project:
    return await Project.open(folder, store_executor=executor, bit_by_bit=True)


async def reopened(folder: Path, executor: ThreadPoolExecutor) -> dict[str, str]:
    async with await opened(folder, executor) as project:
        await project.flush()
        return in_document(project)


def test_it_begins_with_the_main_file_and_ends_with_all(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        texts = book(tmp_path)
        async with await opened(tmp_path, executor) as project:
            assert list(in_document(project)) == ["main.tex"]
            project.document.text(project.document.main_file).replace_u16(0, 0, "Typed at once. ")
            await project.flush()
            texts["main.tex"] = "Typed at once. before\n"
            assert in_document(project) == on_disk(tmp_path) == texts

    asyncio.run(story())


def test_a_folder_with_little_in_it_is_there_whole(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        for name in ("main.tex", "other.tex"):
            (tmp_path / name).write_text(name)
        async with await opened(tmp_path, executor) as project:
            assert sorted(in_document(project)) == ["main.tex", "other.tex"]

    asyncio.run(story())


def test_closed_in_the_middle_it_goes_on_the_next_time(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        texts = book(tmp_path)
        async with await opened(tmp_path, executor) as project:
            await until(lambda: len(project.document.files) > 2)
        assert len(project.document.files) < len(texts)
        assert await reopened(tmp_path, executor) == on_disk(tmp_path) == texts

    asyncio.run(story())


def test_others_may_write_in_the_folder_meanwhile(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        texts = book(tmp_path)
        async with await opened(tmp_path, executor) as project:
            project.document.add_file("part/23.tex", "made here\n")
            (tmp_path / "part/22.tex").write_bytes((chapter(22) + "more\n").encode())
            (tmp_path / "part/21.tex").unlink()
            await project.taken_in()
            await project.flush()
            found = in_document(project)
            assert sorted(found["part/23.tex"].splitlines()) == sorted([*chapter(23).splitlines(), "made here"])
            del texts["part/21.tex"], texts["part/23.tex"], found["part/23.tex"]
            assert found == texts | {"part/22.tex": chapter(22) + "more\n"}

    asyncio.run(story())


@pytest.mark.parametrize("seed", range(4))
def test_killed_in_the_middle_nothing_typed_is_lost_and_no_file_is_there_twice(
    tmp_path: Path, executor: ThreadPoolExecutor, seed: int
) -> None:
    texts = book(tmp_path)
    kept = type_until_killed(tmp_path, seed, random.Random(seed).randrange(1, 12))
    found = asyncio.run(reopened(tmp_path, executor))
    more = len(found["main.tex"]) - len(texts["main.tex"])
    assert more >= kept
    assert found == on_disk(tmp_path) == texts | {"main.tex": "before\n" + typed_by(seed, more)}
