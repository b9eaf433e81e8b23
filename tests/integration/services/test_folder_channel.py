"""The channel by which a program tells others about the folder it has open: it ends whenever it is told to."""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.run_async import runs_async
from texswarm_desktop.services.folder_channel import LOOPBACK, FolderChannel, place_in


def channel_of(folder: Path, executor: Executor) -> FolderChannel:
    async def at_rest() -> bool:
        return True

    (folder / ".texswarm").mkdir()
    return FolderChannel(folder, at_rest, executor=executor)


async def begun(channel: FolderChannel, turns: int) -> asyncio.Task[None]:
    """Let a channel begin to listen, for so many turns of the loop."""
    opening = asyncio.get_running_loop().create_task(channel.open())
    for _ in range(turns):
        await asyncio.sleep(0)
    return opening


@pytest.mark.parametrize("turns", range(6))
@runs_async
async def test_who_is_cancelled_while_it_begins_to_listen_leaves_no_socket(tmp_path: Path, turns: int) -> None:
    """Who is cancelled between making a socket and having it could not close it."""
    with ThreadPoolExecutor(1) as executor:
        channel = channel_of(tmp_path, executor)
        opening = await begun(channel, turns)
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await opening
        channel.stop()
    await channel.close()


@pytest.mark.parametrize("turns", range(6))
@runs_async
async def test_who_is_stopped_while_it_begins_to_listen_does_not(tmp_path: Path, turns: int) -> None:
    with ThreadPoolExecutor(1) as executor:
        channel = channel_of(tmp_path, executor)
        opening = await begun(channel, turns)
        channel.stop()
        await opening
        await channel.close()
    assert place_in(tmp_path) is None


@runs_async
async def test_who_listens_can_be_reached_until_it_is_stopped(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        channel = channel_of(tmp_path, executor)
        await channel.open()
        place = place_in(tmp_path)
        assert place is not None
        _, writer = await asyncio.open_connection(LOOPBACK, place.port)
        writer.close()
        channel.stop()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(LOOPBACK, place.port)
        await channel.close()
