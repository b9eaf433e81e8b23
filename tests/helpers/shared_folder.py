"""A folder on a real server, shared with whoever has the link: what tests of `texswarm sync` begin with."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.helpers.server_process import ServerProcess
from tests.helpers.sync_process import sync_once


def fill(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write texts by path, as an editor does that saves in place."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


async def operate(server: ServerProcess, *command: str) -> None:
    """Run an operator's command beside the server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "texswarm_server", *command, "--data", str(server.data),
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0, command


@asynccontextmanager
async def running_server(root: Path) -> AsyncIterator[tuple[ServerProcess, str]]:
    """A server, and a link that lets in whoever has it and lets them make documents."""
    async with ServerProcess(root / "data") as server:
        yield server, await server.invite(f"ws://127.0.0.1:{server.port}")


async def shared(root: Path, link: str, texts: Mapping[str, str]) -> str:
    """Put `root/first` on the server and return the link to its document."""
    process = await sync_once(fill(root / "first", texts), link)
    (told,) = [event for event in process.events if event["event"] == "link"]
    return str(told["link"])
