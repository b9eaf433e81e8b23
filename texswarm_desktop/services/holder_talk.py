"""Listens to the program that has a folder open: `services.folder_channel` is the other end."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from texswarm_desktop.core.holder_news import HolderNews, Knock
from texswarm_desktop.services.folder_channel import LOOPBACK, place_in

_CONNECT_WITHIN_S: Final = 5.0
_LINE_LIMIT_BYTES: Final = 1024 * 1024


async def news_of_holder(folder: Path, *, asks_rest: bool, executor: Executor) -> AsyncGenerator[HolderNews, None]:
    """Yield what the program says that has `folder` open, until it ends; nothing where it says nothing.

    `asks_rest`: it is also asked to say when everything is at rest, counted from now.
    """
    place = await asyncio.get_running_loop().run_in_executor(executor, place_in, folder)
    if place is None:
        return
    try:
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, place.port, limit=_LINE_LIMIT_BYTES)
    except (OSError, TimeoutError):
        return
    try:
        writer.write(msgspec.json.encode(Knock(place.word, asks_rest)) + b"\n")
        with suppress(ConnectionError, ValueError, msgspec.DecodeError):
            while line := await reader.readline():
                yield msgspec.json.decode(line, type=HolderNews)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
