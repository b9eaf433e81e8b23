"""A computer that slept and a program that stood still: whole desktops, the system's word, and real signals."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.helpers.desktop_process import DesktopProcess
from tests.helpers.message_bus import Logind, message_bus
from tests.helpers.patience import felt_time
from tests.helpers.run_async import runs_async
from tests.helpers.server_process import ServerProcess

SAVED: Final = "Connected · all changes saved"
#: A probe takes a second, and a link of which nobody tells is found after six; each with what a busy machine adds.
MOST_OF_UNTOLD: Final = 0.75


@asynccontextmanager
async def at_work(
    folder: Path, *options: str, **environment: str
) -> AsyncIterator[tuple[ServerProcess, DesktopProcess]]:
    """A desktop whose document is on a server, all saved."""
    async with ServerProcess(folder / "server" / "data", *options) as server:
        link = await server.invite(f"ws://127.0.0.1:{server.port}")
        async with DesktopProcess(folder / "ada", environment=environment) as ada:
            await ada.until("ready", bool)
            await ada.do("share", link=link)
            await ada.until("status", lambda status: status["text"] == SAVED)
            yield server, ada


@runs_async
async def test_a_link_that_died_in_sleep_is_found_when_the_system_says_that_it_woke(
    tmp_path: Path, record_property
) -> None:
    with message_bus(tmp_path) as bus, Logind(bus) as logind:
        async with at_work(tmp_path, DBUS_SYSTEM_BUS_ADDRESS=bus) as (server, ada):
            server.send(signal.SIGSTOP)
            untold_s = await lost_after(ada)
            server.send(signal.SIGCONT)
            await ada.until("status", lambda status: status["text"] == SAVED)
            logind.prepare_for_sleep(is_going=True)
            server.send(signal.SIGSTOP)
            logind.prepare_for_sleep(is_going=False)
            told_s = await lost_after(ada)
            server.send(signal.SIGCONT)
            status = await ada.until("status", lambda status: status["text"] == SAVED)
    record_property("found after, s", f"{told_s:.2f} ({untold_s:.2f} where nobody told)")
    assert told_s < MOST_OF_UNTOLD * untold_s
    assert status["dialogs"] == []


async def lost_after(desktop: DesktopProcess) -> float:
    """Return how many seconds it takes until the window shows that the link is lost."""
    with felt_time() as felt:
        await desktop.until("status", lambda status: status["text"].startswith("Reconnecting"))
    return felt.seconds


@runs_async
async def test_a_desktop_that_was_suspended_for_longer_than_its_link_lives_goes_on(tmp_path: Path) -> None:
    patience = ("--heartbeat", "1", "--dead-after", "2")
    async with at_work(tmp_path, *patience) as (server, ada):
        document = (await ada.do("status"))["document"]
        link = await server.invite(f"ws://127.0.0.1:{server.port}", document=document, role="editor")
        async with DesktopProcess(tmp_path / "bob", link) as bob:
            await bob.until("ready", bool)
            await ada.do("type", text="ada, before. ")
            await bob.until("text", lambda text: "ada, before. " in text)
            ada.send(signal.SIGSTOP)
            await bob.until("status", is_missed)
            await bob.do("type", text="bob, meanwhile. ")
            ada.send(signal.SIGCONT)
            await ada.do("type", text="ada, again. ")
            await asyncio.gather(
                ada.until("text", lambda text: "bob, meanwhile. " in text),
                bob.until("text", lambda text: "ada, again. " in text),
            )
            status = await ada.until("status", lambda status: status["text"] == SAVED)
            assert await ada.do("text") == await bob.do("text")
            told = await bob.until("status", lambda status: {how for _, how in status["participants"]} == {"here"})
    assert (status["dialogs"], status["unacknowledged"], len(told["participants"])) == ([], 0, 2)


def is_missed(status: dict[str, Any]) -> bool:
    """Somebody is shown as reconnecting."""
    return "reconnecting" in {how for _, how in status["participants"]}
