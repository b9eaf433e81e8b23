"""Tells other programs of this user, on this computer, how the folder stands that is open here.

On the loopback interface, on a free port: where it is, and the word by which its callers are known, stand in the
folder, where only this user can read them. What a process that was killed left there leads nowhere, or to somebody who
does not know the word.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from texswarm_desktop.core.holder_news import HolderNews, Knock
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.atomic_file import PRIVATE_MODE, write_atomically
from texswarm_server.protocol.errors import StorageError, TexSwarmError

_log: Final = logging.getLogger(__name__)
_FILE: Final = "channel.json"
LOOPBACK: Final = "127.0.0.1"
_KNOCK_LIMIT_BYTES: Final = 1024
_KNOCK_WITHIN_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.5
#: A project that is being closed may never answer whether it is at rest.
_END_WITHIN_S: Final = 2.0
_MOST_UNREAD_BYTES: Final = 256 * 1024


class Place(msgspec.Struct, frozen=True):
    """Where the program listens that has a folder open."""

    pid: int
    port: int
    word: str


def place_in(folder: Path) -> Place | None:
    """Return where the program listens, or last did, that has `folder` open. Blocks."""
    try:
        return msgspec.json.decode((folder / OWN_FOLDER / _FILE).read_bytes(), type=Place)
    except (OSError, msgspec.DecodeError, UnicodeError):
        return None


class FolderChannel:
    """Open only while the folder's lock is held here. `is_at_rest`: takes in and writes what there is, and says so.

    Invariant: after `stop` nobody is told anything, and after `close` none of its tasks runs.
    """

    def __init__(self, folder: Path, is_at_rest: Callable[[], Awaitable[bool]], *, executor: Executor) -> None:
        self._path = folder / OWN_FOLDER / _FILE
        self._is_at_rest = is_at_rest
        self._executor = executor
        self._word = secrets.token_hex(16)
        self._news: HolderNews | None = None
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._is_stopped = False
        self._callers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._told: set[asyncio.StreamWriter] = set()

    @property
    def _is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Listen from now on, unless it was stopped before. Where that cannot be, everything else goes on."""
        if self._is_stopped:
            return
        try:
            server = self._server = await self._new_server()
            place = Place(os.getpid(), server.sockets[0].getsockname()[1], self._word)
            await server.start_serving()
            write = partial(write_atomically, self._path, msgspec.json.encode(place), mode=PRIVATE_MODE)
            await asyncio.get_running_loop().run_in_executor(self._executor, write)
            if not self._is_open:  # closed meanwhile
                self._remove_place()
        except (OSError, StorageError) as error:
            _log.info("nobody can ask how %s stands: %s", self._path.parent, error)

    async def _new_server(self) -> asyncio.Server:
        """Nothing is waited for here: who were cancelled between making a socket and having it could not close it."""
        listening = socket.create_server((LOOPBACK, 0))
        return await asyncio.start_server(self._serve, sock=listening, limit=_KNOCK_LIMIT_BYTES, start_serving=False)

    def tell(self, news: HolderNews) -> None:
        """Tell all who listen, when it is something else than before."""
        if news != self._news:
            self._news = news
            self._changed.set()
            self._changed = asyncio.Event()
            for writer in tuple(self._told):
                _send(writer, news)

    def stop(self) -> None:
        """Listen no more, at once; may be called twice."""
        self._is_stopped = True
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._remove_place()
        self._changed.set()
        for writer in self._callers.values():
            writer.transport.abort()

    async def close(self) -> None:
        """Listen no more, and return when nobody is spoken with; may be called twice."""
        self.stop()
        if self._callers:
            _, late = await asyncio.wait(self._callers, timeout=_END_WITHIN_S)
            for task in late:
                task.cancel()

    def _remove_place(self) -> None:
        """Whoever took the folder after us may have written theirs already."""
        place = place_in(self._path.parent.parent)
        if place is not None and place.word == self._word:
            with suppress(OSError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers[task] = writer
        try:
            knock = await self._knock(reader)
            if knock is not None and self._server is not None:
                await self._tell_until_gone(reader, writer, asks_rest=knock.asks_rest)
        except ConnectionError:
            _log.debug("a caller is gone")
        finally:
            self._told.discard(writer)
            self._callers.pop(task, None)
            writer.close()

    async def _knock(self, reader: asyncio.StreamReader) -> Knock | None:
        try:
            async with asyncio.timeout(_KNOCK_WITHIN_S):
                knock = msgspec.json.decode(await reader.readline(), type=Knock)
        except (TimeoutError, ValueError, msgspec.DecodeError):
            return None
        return knock if secrets.compare_digest(knock.word.encode(), self._word.encode()) else None

    async def _tell_until_gone(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks_rest: bool
    ) -> None:
        if self._news is not None:
            _send(writer, self._news)
        self._told.add(writer)
        if asks_rest and await self._until_rest(reader) and self._news is not None:
            _send(writer, msgspec.structs.replace(self._news, is_at_rest=True))
        await reader.read()

    async def _until_rest(self, reader: asyncio.StreamReader) -> bool:
        """Ask again at whatever is new, and now and then; False when the caller is gone."""
        while self._server is not None and not reader.at_eof():
            changed = self._changed
            try:
                if await self._is_at_rest() and self._news is not None:
                    return True
            except TexSwarmError as error:
                _log.debug("not at rest: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_S):
                    await changed.wait()
        return False


def _send(writer: asyncio.StreamWriter, news: HolderNews) -> None:
    """Who does not read is not waited for."""
    if writer.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
        writer.transport.abort()
    elif not writer.is_closing():
        writer.write(msgspec.json.encode(news) + b"\n")
