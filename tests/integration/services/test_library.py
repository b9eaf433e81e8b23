"""The library on a real disk: where projects are made, and which folder holds which document."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from texswarm_desktop.services.library import Library
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_server.protocol.errors import NotWritableError


@pytest.fixture
def library(tmp_path: Path, executor: ThreadPoolExecutor) -> Library:
    settings = SettingsStore(tmp_path / "profile")
    return Library(tmp_path / "projects", settings=settings, executor=executor, wall_clock=lambda: 7.0)


def test_projects_of_one_title_get_folders_of_their_own(library: Library, tmp_path: Path) -> None:
    async def story() -> list[str]:
        names = []
        for _ in range(2):
            async with await library.create("On: Swarms", {"main.tex": "x"}) as project:
                names.append(project.folder.name)
        return names

    assert asyncio.run(story()) == ["On Swarms", "On Swarms 2"]


def test_a_document_that_is_here_is_not_fetched_into_a_second_folder(library: Library) -> None:
    async def story() -> tuple[Path, Path, Path]:
        async with await library.replica("doc", "history", "Ours") as first:
            pass
        async with await library.replica("doc", "history", "Renamed since") as again:
            pass
        async with await library.replica("doc", "another history", "Ours") as other:
            return first.folder, again.folder, other.folder

    first, again, other = asyncio.run(story())
    assert (first.name, again, other.name) == ("Ours", first, "Ours 2")


def test_a_replica_in_a_folder_elsewhere_is_found_by_the_recent_list(
    library: Library, executor: ThreadPoolExecutor, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    async def story() -> Path:
        async with await library.open(elsewhere) as project:
            library.remember(project)
            identity = project.document_id, project.lineage or ""
        async with await library.replica(*identity, "T") as again:
            return again.folder

    assert asyncio.run(story()) == elsewhere


def test_the_first_paper_is_one_that_can_be_read(library: Library) -> None:
    async def story() -> None:
        async with await library.create_welcome() as project:
            main = project.document.main_file
            assert main is not None
            assert "\\documentclass" in str(project.document.text(main))

    asyncio.run(story())


def test_a_projects_folder_that_cannot_be_made_is_a_typed_error(library: Library, tmp_path: Path) -> None:
    (tmp_path / "projects").write_bytes(b"a file in the way")
    with pytest.raises(NotWritableError):
        asyncio.run(library.create("T", {}))
