"""`texswarm sync` on the folder that a window has open: it is attached to the window, and takes over when that ends."""

import json
import os

import pytest

from tests.gui.desktop.test_one_folder_twice import a_window
from tests.gui.desktop.test_servers import owner_link, server_in, shared
from tests.helpers.at_a_window import opens_folder
from tests.helpers.live_desktops import Desks, runs_at_desks
from tests.helpers.run_async import until
from tests.helpers.sync_process import SyncProcess

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@runs_at_desks
async def test_once_ends_when_the_window_has_sent_what_is_in_the_folder(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server, "One.\n")
        folder = ada.opened.project.folder
        (folder / "new.tex").write_text("Written a moment ago.\n")
        async with SyncProcess(folder, None, "--once") as peer:
            assert (await peer.until("attached"))["pid"] == os.getpid()
            assert await peer.ended() == 0, (peer.events, peer.said)
        assert ada.opened.project.document.file_at("new.tex") is not None
        assert ada.opened.project.unacknowledged() == 0
        async with SyncProcess(folder) as peer:
            await peer.until("status", text="Connected · all changes saved")


@runs_at_desks
async def test_beside_a_window_without_a_server_once_does_not_say_that_all_is_well(desks: Desks) -> None:
    ada = await desks.start_with("ada", "One.\n")
    async with SyncProcess(ada.opened.project.folder, None, "--once") as peer:
        assert await peer.ended() == 1
    assert peer.events[-1]["code"] == "ProjectInUseError"


@runs_at_desks
async def test_what_a_killed_window_left_is_taken_up(desks: Desks) -> None:
    folder = desks.folder("paper", "One.\n")
    async with server_in(desks.root) as server, a_window(desks, folder) as window:
        await window.until("ready", bool)
        async with SyncProcess(folder, str(await owner_link(server))) as peer:
            await peer.until("attached", program="desktop_child")
            await peer.until("status", text="Working locally")
            await window.kill()
            await peer.until("attached", pid=None)
            await peer.until("link")
            await peer.until_saved()


@runs_at_desks
async def test_a_window_that_goes_to_another_project_lets_go_of_the_channel(desks: Desks) -> None:
    ada = await desks.start_with("ada", "One.\n")
    first = ada.opened.project.folder / ".texswarm/channel.json"
    await until(first.exists)
    assert json.loads(first.read_text())["pid"] == os.getpid()
    assert first.stat().st_mode & 0o077 == 0
    await opens_folder(ada, desks.folder("other", "Two.\n"))
    await until(lambda: not first.exists() and (desks.root / "papers/other/.texswarm/channel.json").exists())


@runs_at_desks
async def test_what_is_in_the_way_of_a_file_of_the_window_is_passed_on(desks: Desks) -> None:
    ada = await desks.start_with("ada", "One.\n")
    folder = ada.opened.project.folder
    async with SyncProcess(folder) as peer:
        await peer.until("attached")
        (folder / "run.py").write_text("pass\n")
        await peer.until("file_problem", path="run.py", is_note=True)
        (folder / "run.py").unlink()
        await peer.until("file_problem", path="run.py", sentence=None)
