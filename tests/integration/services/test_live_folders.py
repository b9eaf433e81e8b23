"""Folders of an open project: empty ones, new ones, renamed and deleted ones."""

import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from tests.helpers.folder_listing import folders_in
from tests.helpers.live_folder import opened, texts_of, type_at_end
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.services.project import Project


@asynccontextmanager
async def two(
    tmp_path: Path, executor: ThreadPoolExecutor, files: dict[str, str]
) -> AsyncIterator[tuple[Project, ...]]:
    """Two folders of one project, each of which hears at once what happens to the other."""

    class Wire:
        def __init__(self, other: Project) -> None:
            self.other = other

        def local_update(self, update: bytes, row: int) -> None:
            self.other.shared.apply_remote(update)

        def presence_changed(self) -> None:
            pass

    async with opened(tmp_path / "one", executor, files) as one:
        make = Project.create_replica(tmp_path / "two", one.document_id, one.lineage, store_executor=executor)
        async with await make as other:
            other.shared.apply_remote(one.shared.update_since(b"\0"))
            one.shared.attach(Wire(other))
            other.shared.attach(Wire(one))
            await until(lambda: texts_of(other) == texts_of(one))
            yield one, other


@runs_async
async def test_empty_folders_travel_and_go(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with two(tmp_path, executor, {"main.tex": "m"}):
        (tmp_path / "one" / "a" / "b").mkdir(parents=True)
        await until((tmp_path / "two" / "a" / "b").is_dir)
        (tmp_path / "two" / "a" / "b").rmdir()
        await until(lambda: not (tmp_path / "one" / "a" / "b").exists())


@runs_async
async def test_a_deleted_folder_of_empty_folders_goes_as_a_whole(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with two(tmp_path, executor, {"main.tex": "m"}) as (one, _):
        (tmp_path / "one" / "a" / "b" / "c").mkdir(parents=True)
        await until((tmp_path / "two" / "a" / "b" / "c").is_dir)
        shutil.rmtree(tmp_path / "two" / "a")
        await until(lambda: not (tmp_path / "one" / "a").exists())
        assert not one.document.folders
        assert not (tmp_path / "two" / "a").exists()


@runs_async
async def test_a_folder_that_files_are_taken_out_of_stays_where_it_stayed(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with two(tmp_path, executor, {"main.tex": "m", "s/a.tex": "a", "t/b.tex": "b"}) as (one, other):
        (tmp_path / "one" / "s" / "a.tex").unlink()
        await until(lambda: not (tmp_path / "two" / "s" / "a.tex").exists() and "s" in other.document.folders)
        await other.flush()
        assert "s" in folders_in(tmp_path / "two")
        one.document.remove_file(one.document.file_at("t/b.tex"))
        await until(lambda: folders_in(tmp_path / "one") == folders_in(tmp_path / "two") == {"s"})


@runs_async
async def test_a_renamed_folder_takes_its_files_along(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    files = {"main.tex": "m", **{f"s/{name}.tex": f"text of {name}\n" for name in "abc"}}
    async with two(tmp_path, executor, files) as (one, other):
        ids = {one.document.file_at(f"s/{name}.tex") for name in "abc"}
        (tmp_path / "one" / "s").rename(tmp_path / "one" / "chapters")
        await until(lambda: {other.document.file_at(f"chapters/{name}.tex") for name in "abc"} == ids)
        await until(lambda: folders_in(tmp_path / "two") == {"chapters"})
        assert not one.document.folders


@runs_async
async def test_a_deleted_folder_is_deleted_unless_somebody_writes_in_it(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with two(tmp_path, executor, {"main.tex": "m", "s/a.tex": "a\n", "t/b.tex": "b\n"}) as (one, other):
        shutil.rmtree(tmp_path / "one" / "s")
        await until(lambda: folders_in(tmp_path / "two") == {"t"})
        shutil.rmtree(tmp_path / "one" / "t")
        type_at_end(other, "t/b.tex", "typed meanwhile\n")
        await until((tmp_path / "one" / "t" / "b.tex").is_file)
        assert texts_of(one)["t/b.tex"] == "b\ntyped meanwhile\n"


@runs_async
async def test_what_happened_to_folders_while_it_was_closed_counts(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m"}) as project:
        (tmp_path / "kept").mkdir()
        (tmp_path / "gone").mkdir()
        await until(lambda: project.document.folders == {"kept", "gone"})
    (tmp_path / "gone").rmdir()
    (tmp_path / "new").mkdir()
    async with opened(tmp_path, executor) as project:
        await until(lambda: project.document.folders == {"kept", "new"})
        project.document.remove_folder("kept")
        await until(lambda: folders_in(tmp_path) == {"new"})


@runs_async
async def test_what_is_in_a_folder_keeps_it_and_what_is_ignored_is_not_told(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", ".gitignore": "out/\n"}) as project:
        (tmp_path / "out").mkdir()
        (tmp_path / "s").mkdir()
        await until(lambda: project.document.folders == {"s"})
        (tmp_path / "s" / "x.o").write_bytes(b"mine")
        project.document.remove_folder("s")
        await project.flush()
        assert (tmp_path / "s" / "x.o").read_bytes() == b"mine"
        assert project.document.folders == set()
