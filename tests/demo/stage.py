"""The stage of the demonstration: three desktops, each with a home of its own, and a cable for each of the peers.

All traffic stays on this machine's loopback. Whoever leaves the stage takes every process along.
"""

import os
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.demo.cast import Author
from tests.helpers.desktop_process import DesktopProcess
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.core.settings import Settings, encode_settings
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link

SIZE: Final = (1280, 800)


class Seat:
    """One author's place: a home folder, the program in it, and in the case of a peer the cable to the host."""

    def __init__(self, author: Author, home: Path, link: str | None = None, cable: TcpProxy | None = None) -> None:
        self.author, self.cable = author, cable
        papers = home / "Papers"
        profile = home / author.key
        profile.mkdir(parents=True)
        settings = Settings(name=author.name, color=author.color, theme=author.theme, projects_folder=str(papers))
        (profile / "settings.json").write_bytes(encode_settings(settings))
        self.desktop = DesktopProcess(profile, link, platform=_platform(), environment={"HOME": str(home)})

    async def do(self, name: str, /, **details: Any) -> Any:
        """Give the desktop one order."""
        return await self.desktop.do(name, **details)

    async def grab(self, folder: Path, moment: str) -> Path:
        """Take a picture of the window, with the keyboard in it."""
        path = folder / f"{moment}-{self.author.key}.png"
        await self.do("focus")
        await self.do("grab", path=str(path))
        return path


class Stage:
    """Brings people in, one program and one cable each, and all of them out again."""

    def __init__(self, homes: Path) -> None:
        self._homes = homes
        self._stack = AsyncExitStack()
        self.seats: list[Seat] = []

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def host(self, author: Author) -> tuple[Seat, InviteLink]:
        """Start the program of somebody who opens the first paper and hosts it; returns the link to pass on."""
        seat = await self._enter(Seat(author, self._homes / author.key))
        await seat.desktop.until("ready", bool)
        return seat, parse_invite_link((await seat.do("host"))["link"])

    async def peer(self, author: Author, link: InviteLink) -> Seat:
        """Start the program of somebody who follows a link, over a cable of their own."""
        cable = await self._stack.enter_async_context(TcpProxy(link.address.port, link.address.host))
        own_link = replace(link, address=replace(link.address, host="127.0.0.1", port=cable.port))
        return await self._enter(Seat(author, self._homes / author.key, str(own_link), cable))

    async def _enter(self, seat: Seat) -> Seat:
        await self._stack.enter_async_context(seat.desktop)
        self.seats.append(seat)
        await seat.do("size", width=SIZE[0], height=SIZE[1])
        return seat


def _platform() -> str | None:
    return "xcb" if sys.platform == "linux" and os.environ.get("DISPLAY") else None
