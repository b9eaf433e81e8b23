"""A book of 119 files and 28 MB as a folder: opening it, and a line that others change in its biggest file."""

import asyncio
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.report import median, report
from tests.benchmarks.traces import data_folder
from tests.helpers.live_folder import text_at
from tests.helpers.run_async import until
from texswarm_desktop.services.project import Project

pytestmark = pytest.mark.benchmark
MERGED_WITHIN_MS = 300
LINES = 47_885
ROUNDS = 9


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The book, or, where it is not, one of its size."""
    folder = tmp_path / "book"
    folder.mkdir()
    archive = data_folder() / "stacks-project.tar.xz"
    if archive.exists():
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    else:
        for number in range(118):
            lines = (f"line {at} of chapter {number} of a book that was made up\n" for at in range(4_500))
            (folder / f"chapter{number}.tex").write_text("".join(lines))
        (folder / "algebra.tex").write_text("".join(f"line {at} of a long text\n" for at in range(LINES)))
    return next(path.parent for path in folder.rglob("algebra.tex"))


async def opened(book: Path, executor: ThreadPoolExecutor) -> tuple[Project, float]:
    started = time.perf_counter()
    project = await Project.open(book, store_executor=executor)
    return project, time.perf_counter() - started


def change_line(file: Path, at: int) -> float:
    """Save as editors do, by a new file and a rename; return when that was."""
    lines = file.read_text().splitlines(keepends=True)
    lines[at] = lines[at].rstrip("\n") + " and a remark\n"
    new = file.with_name(".algebra.tex.new")
    new.write_text("".join(lines))
    started = time.perf_counter()
    new.replace(file)
    return started


async def ms_until_merged(project: Project, file: Path, at: int) -> float:
    changes: list[Any] = []
    leave = text_at(project, "algebra.tex").subscribe(changes.extend)
    started = change_line(file, at)
    await until(lambda: changes)
    took_ms = (time.perf_counter() - started) * 1e3
    assert [(change.deleted_u8, change.inserted) for change in changes] == [(0, " and a remark")]
    leave()
    return took_ms


def test_a_line_changed_by_another_program_is_in_the_document_at_once(book: Path) -> None:
    async def story(executor: ThreadPoolExecutor) -> None:
        project, first_s = await opened(book, executor)
        await project.flush()
        took = [await ms_until_merged(project, book / "algebra.tex", 5_000 * (at + 1)) for at in range(ROUNDS)]
        await project.close()
        again, again_s = await opened(book, executor)
        await again.close()
        report("opening the folder of the book", first_s=first_s, again_s=again_s)
        report("a line changed on disk in algebra.tex", median_ms=median(took), most_ms=max(took))
        assert median(took) <= MERGED_WITHIN_MS

    with ThreadPoolExecutor(max_workers=2) as executor:
        asyncio.run(story(executor))
