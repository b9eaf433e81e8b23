"""A peer whose disk is full or read-only says so; it goes on where that can pass, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.helpers.plain_user import as_plain_user
from tests.helpers.run_async import runs_async, until
from tests.helpers.shared_folder import fill, running_server, shared
from tests.helpers.small_disk import small_disk
from tests.helpers.sync_process import SyncProcess, texts_in


@runs_async
async def test_a_full_disk_is_told_and_what_came_meanwhile_is_written_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path, 2048) as disk:
        async with running_server(tmp_path) as (_, link):
            paper = await shared(tmp_path, link, {"main.tex": "Before.\n"})
            second = disk.root / "second"
            async with (
                SyncProcess(tmp_path / "first") as one,
                SyncProcess(second, paper, profile=tmp_path / "profile") as two,
            ):
                await one.until_saved()
                await two.until_saved()
                await until(lambda: texts_in(second) == {"main.tex": "Before.\n"})
                disk.fill()
                fill(tmp_path / "first", {"main.tex": "Before.\nWhile it was full.\n", "new.tex": "x" * 5000})
                told = await two.until("problem")
                assert "The disk is full" in told["sentence"]
                while two.wrong.keys() != {"", "main.tex", "new.tex"}:
                    assert "The disk is full" in (await two.until("file_problem"))["sentence"]
                disk.make_room()
                await until(lambda: texts_in(second) == texts_in(tmp_path / "first"))
                await two.until_all_well()
        assert texts_in(second)["main.tex"] == "Before.\nWhile it was full.\n"


@runs_async
async def test_a_folder_that_cannot_be_written_is_told_at_once_and_stays_as_it_is(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        fill(disk.root / "paper", {"main.tex": "Read only.\n"})
        await remount(disk.root, "ro")
        async with SyncProcess(disk.root / "paper", "texswarm://127.0.0.1:9/", profile=tmp_path / "profile") as peer:
            assert await peer.ended() == 1
        assert "Cannot write to the folder" in peer.events[-1]["sentence"]
        assert texts_in(disk.root / "paper") == {"main.tex": "Read only.\n"}


@runs_async
async def test_what_is_in_a_folder_that_turns_read_only_is_told_file_by_file_and_written_later(tmp_path: Path) -> None:
    """Everything else goes on meanwhile, in both directions."""
    texts = {"main.tex": "m\n", "part/a.tex": "a\n", "part/b.tex": "b\n"}
    async with two_peers(tmp_path, texts) as (one, two):
        (two.folder / "part").chmod(0o555)
        (one.folder / "part" / "b.tex").unlink()
        fill(one.folder, {"main.tex": "m\nmore\n", "part/a.tex": "a\nmore\n", "part/new.tex": "n\n"})
        while not two.wrong.keys() >= {"part/a.tex", "part/b.tex", "part/new.tex"}:
            assert "read-only" in (await two.until("file_problem"))["sentence"]
        await until(lambda: texts_in(two.folder)["main.tex"] == "m\nmore\n")
        fill(two.folder, {"here.tex": "from here\n"})
        await until(lambda: "here.tex" in texts_in(one.folder))
        (two.folder / "part").chmod(0o755)
        await until(lambda: texts_in(two.folder) == texts_in(one.folder))
        await two.until_all_well()


@runs_async
async def test_a_folder_that_cannot_be_looked_into_is_told_and_hinders_nothing_else(tmp_path: Path) -> None:
    """What is in it is not taken for deleted."""
    texts = {"main.tex": "m\n", "part/a.tex": "a\n"}
    async with two_peers(tmp_path, texts) as (one, two):
        (two.folder / "part").chmod(0)
        assert "Cannot be read now" in (await two.until("file_problem", path="part"))["sentence"]
        fill(two.folder, {"main.tex": "m\nfrom here\n"})
        await until(lambda: texts_in(one.folder)["main.tex"] == "m\nfrom here\n")
        assert (one.folder / "part" / "a.tex").exists()
        fill(one.folder, {"part/a.tex": "a\nmore\n"})
        await two.until("file_problem", path="part/a.tex")
        (two.folder / "part").chmod(0o755)
        await until(lambda: texts_in(two.folder) == texts_in(one.folder))
        await two.until_all_well()


@runs_async
async def test_a_project_folder_without_any_permission_is_back_when_it_has_them(tmp_path: Path) -> None:
    async with two_peers(tmp_path, {"main.tex": "m\n"}) as (one, two):
        two.folder.chmod(0)
        assert "Cannot be read now" in (await two.until("problem"))["sentence"]
        fill(one.folder, {"main.tex": "m\nmore\n"})
        await two.until("file_problem", path="main.tex")
        two.folder.chmod(0o755)
        await until(lambda: texts_in(two.folder) == texts_in(one.folder))
        await two.until_all_well()
        assert "Traceback" not in two.said


@runs_async
async def test_a_figure_that_is_too_large_is_told_until_it_is_taken_away(tmp_path: Path) -> None:
    async with two_peers(tmp_path, {"main.tex": "m\n"}) as (_, two):
        with (two.folder / "scan.pdf").open("wb") as file:
            file.truncate(60 * 1024 * 1024)
        assert "Too large" in (await two.until("file_problem", path="scan.pdf"))["sentence"]
        (two.folder / "scan.pdf").unlink()
        await two.until_all_well()
        assert "problem" not in {event["event"] for event in two.events}, "the disk is well"


@asynccontextmanager
async def two_peers(root: Path, texts: dict[str, str]) -> AsyncIterator[tuple[SyncProcess, SyncProcess]]:
    """Two that have `texts`; permissions bind the second one."""
    bound = as_plain_user()
    async with running_server(root) as (_, link):
        paper = await shared(root, link, texts)
        async with SyncProcess(root / "first") as one, SyncProcess(root / "second", paper, inside=bound) as two:
            await one.until_saved()
            await two.until_saved()
            await until(lambda: texts_in(root / "second") == texts)
            yield one, two


async def remount(root: Path, how: str) -> None:
    process = await asyncio.create_subprocess_exec("mount", "-o", f"remount,{how}", str(root))
    assert await process.wait() == 0
