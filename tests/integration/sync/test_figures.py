"""Figures of a folder without a window: `texswarm sync` takes them there and back, also over a kill in the middle."""

import signal
from pathlib import Path
from random import Random

from tests.helpers.run_async import runs_async, until
from tests.helpers.shared_folder import running_server, shared
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
