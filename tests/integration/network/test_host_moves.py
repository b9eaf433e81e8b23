"""Two whole desktops on machines of their own: the host is killed, comes back elsewhere, and is found there."""

import re
import time
from itertools import groupby
from pathlib import Path

from tests.helpers.desktop_process import DesktopProcess
from tests.helpers.lab_desk import visit
from tests.helpers.network_lab import NetworkLab, needs_network_lab
from tests.helpers.run_async import runs_async
from texswarm_desktop.client.timing import LAN


async def said_by(desktop: DesktopProcess) -> list[str]:
    """What the status line said, each sentence once; numbers are of the moment."""
    lines = [re.sub(r"\d+", "N", f"{tone} {text}") for _, text, tone in await desktop.do("history")]
    return [line for line, _ in groupby(lines)]


@needs_network_lab
@runs_async
async def test_a_guest_finds_a_killed_host_at_its_new_address_and_nothing_typed_is_lost(
    tmp_path: Path, record_property
) -> None:
    with NetworkLab() as lab:
        async with visit(lab, tmp_path) as here:
            bobs, adas, bob, ada = here.bobs, here.adas, here.bob, here.ada
            assert bobs.address in here.link or f"[{bobs.address6}]" in here.link
            await ada.do("type", text="first ")
            await bob.until("text", lambda text: "first" in text)
            await bob.do("store")
            before = len(await said_by(ada))
            await bob.kill()
            bobs.renumber(77)
            await ada.do("type", text="ada, alone. ")
            await ada.until("status", lambda status: "waiting" in status["text"])
            await bob.start()
            await bob.until("ready", bool)
            await bob.do("type", text="bob, alone. ")
            await bob.do("host")
            await ada.until("text", lambda text: "bob, alone. " in text)
            await bob.until("text", lambda text: "ada, alone. " in text)
            await ada.until("status", lambda status: status["text"].endswith("all changes saved"))
            assert await ada.do("text") == await bob.do("text")
            peers = adas.run("ss", "-Htn", "state", "established")
            assert bobs.address in peers or bobs.address6 in peers
            participants = (await bob.do("status"))["participants"]
            assert [state for _, state in participants] == ["here", "here"], "the guest is the one of before"
            status = await ada.do("status")
            assert (status["dialogs"], status["unacknowledged"]) == ([], 0)
            told = (await said_by(ada))[before:]
            record_property("told", told)
    assert [line for line in told if line.startswith("bad")] == []
    for said in ("busy Reconnecting", "busy Signing in again…", "busy Catching up…"):
        assert any(line.startswith(said) and line.endswith("waiting") for line in told), (said, told)
    assert told[-1] == "good Connected · all changes saved"


@needs_network_lab
@runs_async
async def test_a_guest_follows_a_host_that_gets_another_address_and_goes_on(tmp_path: Path, record_property) -> None:
    """Whole programs: the host's announces its other address, and the guest's hears it."""
    with NetworkLab() as lab:
        async with visit(lab, tmp_path) as here:
            bobs, adas, bob, ada = here.bobs, here.adas, here.bob, here.ada
            bobs.renumber(77)
            moved_at = time.monotonic()
            await ada.do("type", text="on ")
            await bob.until("text", lambda text: "on " in text)
            record_property("followed after, s", round(took_s := time.monotonic() - moved_at, 3))
            assert took_s < LAN.dead_after_s - LAN.ping_every_s, "before the heartbeat could have found it"
            status = await ada.until("status", lambda status: status["text"].endswith("all changes saved"))
            assert status["dialogs"] == []
            peers = adas.run("ss", "-Htn", "state", "established")
            assert bobs.address in peers or bobs.address6 in peers
