"""Figures of a folder without a window: `texswarm sync` takes them there and back, also over a kill in the middle."""

import signal
from pathlib import Path
from random import Random

from tests.helpers.run_async import runs_async, until
from tests.helpers.shared_folder import fill, running_server, shared
from tests.helpers.sync_process import SyncProcess, sync_once

DATA = Random(1).randbytes(12_000_000)


def bytes_of(folder: Path) -> int:
    """How much of contents has arrived at the server."""
    return sum(path.stat().st_size for path in (folder / "blobs").rglob("*") if path.is_file())


def put(folder: Path, path: str, data: bytes) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


@runs_async
async def test_once_means_that_the_figures_are_there_too(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "Hello"})
        put(tmp_path / "first", "figures/plot.png", DATA[:1_000_000])
        await sync_once(tmp_path / "first")
        await sync_once(tmp_path / "second", paper)
    assert (tmp_path / "second/figures/plot.png").read_bytes() == DATA[:1_000_000]


@runs_async
async def test_a_program_that_is_killed_while_it_sends_goes_on_where_it_was(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, {"main.tex": "Hello"})
        data = server.data
        async with SyncProcess(tmp_path / "first") as killed:
            await killed.until_saved()
            put(tmp_path / "first", "plot.png", DATA)
            await until(lambda: bytes_of(data) > 500_000)
            await killed.end(signal.SIGKILL)
        arrived = bytes_of(data)
        assert 0 < arrived <= len(DATA)
        await sync_once(tmp_path / "first")
        await sync_once(tmp_path / "second", paper)
    assert (tmp_path / "second/plot.png").read_bytes() == DATA
    for folder in ("first", "second"):
        assert not [path for path in (tmp_path / folder).rglob("*") if path.suffix == ".part" or "tmp-" in path.name]


@runs_async
async def test_of_a_figure_changed_by_two_who_come_one_after_the_other_both_are_kept(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "Hello"})
        put(tmp_path / "first", "plot.png", b"old")
        await sync_once(tmp_path / "first")
        await sync_once(tmp_path / "second", paper)
        put(tmp_path / "first", "plot.png", b"mine")
        put(tmp_path / "second", "plot.png", b"theirs")
        for folder in ("first", "second", "first", "second"):
            await sync_once(tmp_path / folder)
    assert files_in(tmp_path / "first") == files_in(tmp_path / "second")
    contents = {path: data for path, data in files_in(tmp_path / "first").items() if path != "main.tex"}
    assert contents.keys() == {"plot.png", "plot (2).png"}
    assert {*contents.values()} == {b"mine", b"theirs"}


@runs_async
async def test_nothing_is_called_saved_before_the_figure_is_stored(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, link):
        await shared(tmp_path, link, {"main.tex": "Hello"})
        async with SyncProcess(tmp_path / "first") as process:
            await process.until_saved()
            put(tmp_path / "first", "plot.png", DATA * 3)
            await process.until("status", text="Connected · saving…")
            await process.until_saved()
            assert bytes_of(server.data) == 3 * len(DATA)


@runs_async
async def test_a_figure_that_the_server_does_not_have_is_named_and_not_waited_for_without_end(tmp_path: Path) -> None:
    """Who sends it is gone; when they are back it arrives."""
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, {"main.tex": "Hello"})
        async with SyncProcess(tmp_path / "first") as killed:
            await killed.until_saved()
            put(tmp_path / "first", "plot.png", DATA * 3)
            await until(lambda: bytes_of(server.data) > 500_000)
            await killed.end(signal.SIGKILL)
        async with SyncProcess(tmp_path / "second", paper, "--once", "--patience", "0.3") as process:
            assert await process.ended() == 1
        assert process.wrong.keys() == {"plot.png"}
        assert process.events[-1]["code"] == "FigureMissingError"
        await sync_once(tmp_path / "first")
        assert (await sync_once(tmp_path / "second")).wrong == {}
    assert (tmp_path / "second/plot.png").read_bytes() == DATA * 3


@runs_async
async def test_what_a_signal_leaves_of_a_figure_is_told(tmp_path: Path) -> None:
    """There is as much time for it as for edits: all of it is stored then, or it is said that it is not."""
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, {"main.tex": "Hello"})
        async with SyncProcess(tmp_path / "first") as process:
            await process.until_saved()
            put(tmp_path / "first", "plot.png", DATA)
            await until(lambda: bytes_of(server.data) > 500_000)
            assert await process.end() == 0
        left = [(one["edits"], one["figures"]) for one in process.events if one["event"] == "left"]
        assert left in ([], [(0, 1)])
        async with SyncProcess(tmp_path / "second", paper, "--once", "--patience", "0.3") as second:
            assert await second.ended() == len(left)


async def two_papers(root: Path, link: str) -> tuple[str, Path]:
    """A shared paper with figures, and a folder of another origin with others; returns the link, and the folder."""
    put(root / "first", "same.png", b"same")
    put(root / "first", "plot.png", b"theirs")
    put(root / "first", "sub/new.png", b"new")
    paper = await shared(root, link, {"main.tex": "Hello"})
    await sync_once(root / "first")
    for path, data in {"same.png": b"same", "plot.png": b"mine", "sub/old.png": b"old", "other.pdf": b"made"}.items():
        put(root / "other", path, data)
    fill(root / "other", {"main.tex": "Mine", "other.tex": "is made of this"})
    return paper, root / "other"


THEIRS = {"main.tex": b"Hello", "same.png": b"same", "plot.png": b"theirs", "sub/new.png": b"new"}
MINE = {
    "main.tex": b"Mine", "other.tex": b"is made of this", "other.pdf": b"made",
    "same.png": b"same", "plot.png": b"mine", "sub/old.png": b"old",
}  # fmt: skip


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by path, without what is ours."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".texswarm" not in path.relative_to(folder).parts and path.name != "replica.db"
    }


@runs_async
async def test_a_dry_run_names_figures_too_and_changes_none(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper, other = await two_papers(tmp_path, link)
        process = await sync_once(other, paper, "--dry-run", "--take", "theirs")
    assert [(one["path"], one["change"]) for one in process.events if one.get("kind") == "figure"] == [
        ("plot.png", "changed"), ("same.png", "same"), ("sub/new.png", "only there"), ("sub/old.png", "only here"),
    ]  # fmt: skip
    assert files_in(other) == MINE
    assert not (other / ".texswarm").exists()


@runs_async
async def test_figures_give_way_to_theirs_and_are_kept_inside(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper, other = await two_papers(tmp_path, link)
        process = await sync_once(other, paper, "--take", "theirs")
        await sync_once(tmp_path / "first")
    (told,) = [event for event in process.events if event["event"] == "aside"]
    assert files_in(other) == files_in(tmp_path / "first") == THEIRS
    assert files_in(Path(told["folder"])) == MINE


@runs_async
async def test_both_are_kept_with_the_figures_of_each(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper, other = await two_papers(tmp_path, link)
        await sync_once(other, link)
        process = await sync_once(other, paper, "--keep-both")
        (told,) = [event for event in process.events if event["event"] == "aside"]
        assert files_in(other) == THEIRS
        assert files_in(Path(told["folder"])) == MINE
        await sync_once(tmp_path / "first")
    assert files_in(tmp_path / "first") == THEIRS


@runs_async
async def test_a_folder_with_figures_alone_is_not_mixed_into_a_document(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "Hello"})
        put(tmp_path / "other", "plot.png", b"mine")
        async with SyncProcess(tmp_path / "other", paper, "--once") as process:
            assert await process.ended() == 3
    assert files_in(tmp_path / "other") == {"plot.png": b"mine"}
