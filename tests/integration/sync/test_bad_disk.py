"""A peer whose disk is full or read-only says so; it goes on where that can pass, and nothing is lost."""

import asyncio
from pathlib import Path

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
                assert "Cannot write to the folder" in told["sentence"]
                disk.make_room()
                await until(lambda: texts_in(second) == texts_in(tmp_path / "first"))
                await two.until("problem", sentence=None)
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


async def remount(root: Path, how: str) -> None:
    process = await asyncio.create_subprocess_exec("mount", "-o", f"remount,{how}", str(root))
    assert await process.wait() == 0
