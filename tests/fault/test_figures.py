"""Figures of two people whose link is cut at any moment, while both change their folders: at rest they are the same."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.helpers.folder_listing import files_in
from tests.helpers.run_async import runs_async, until
from tests.helpers.tcp_proxy import TcpProxy
from tests.integration.services.test_figures import Peer, server_in, two_peers

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a.png", "b.pdf", "figures/a.png", "figures/c.jpg")


def act(random: Random, peer: Peer, number: int) -> None:
    """As other programs do: write, write again, rename, delete."""
    target = peer.folder / random.choice(NAMES)
    deed = random.choice(("write", "write", "write", "rename", "delete"))
    if deed == "write":
        data = f"{peer.folder.name} {number} ".encode() + random.randbytes(random.randrange(300_000))
        peer.put(target.relative_to(peer.folder).as_posix(), data)
    elif deed == "delete":
        target.unlink(missing_ok=True)
    elif target.exists():
        target.rename(peer.folder / f"renamed {number}.png")


@pytest.mark.parametrize("seed", range(3))
@runs_async
async def test_at_rest_both_folders_are_the_same_and_as_the_document_says(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    with ThreadPoolExecutor(2) as executor:
        async with (
            server_in(tmp_path) as server,
            TcpProxy(server.address.port) as cable,
            two_peers(tmp_path, server, executor, cable.port) as (ada, bob),
        ):
            for number in range(12):
                act(random, random.choice((ada, bob)), number)
                if random.random() < 0.3:
                    cable.cut(after_bytes=random.randrange(1, 400_000))
                await asyncio.sleep(random.choice((0.0, 0.05, 0.4)))
            cable.restore()
            ada.put("last.png", random.randbytes(1000))

            def is_at_rest() -> bool:
                settled = all(
                    peer.project.blobs.is_settled and not peer.project.unacknowledged() for peer in (ada, bob)
                )
                return settled and "last.png" in files_in(bob.folder)

            async def rests() -> None:
                await until(is_at_rest, "everything is everywhere")
                for peer in (ada, bob):
                    await peer.project.flush()

            for _ in range(3):  # what one flush brings in has to travel once more
                await rests()
            await until(lambda: files_in(ada.folder) == files_in(bob.folder), "both folders are the same")
            named = {entry.path: entry.blob for entry in ada.project.document.blob_files.values()}
            there = {path: len(data) for path, data in files_in(ada.folder).items() if path != "main.tex"}
            assert there == {path: blob.size for path, blob in named.items() if blob}
            assert not ada.project.file_problems
