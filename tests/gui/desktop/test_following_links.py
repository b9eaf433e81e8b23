"""A link that somebody follows elsewhere: the desktop that runs shows it, and the system knows whom to ask."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.coming_in import shares
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import press_named
from tests.helpers.run_async import until
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

_FIRST_START = """
import asyncio, sys
from pathlib import Path
from texswarm_desktop.app import run

async def leaves_once_it_is_there(desktop):
    while not Path(sys.argv[1]).exists():
        await asyncio.sleep(0.02)
    desktop.window.close()

sys.exit(run(target=None, profile_dir=None, companion=leaves_once_it_is_there, host_address="127.0.0.1"))
"""


async def follows(desks: Desks, name: str, link: str) -> int:
    """Start the program a second time, as the system does for a link, and return its exit status."""
    command = [sys.executable, "-m", "texswarm_desktop", "--profile-dir", str(desks.root / "profiles" / name), link]
    return (await asyncio.to_thread(subprocess.run, command, timeout=60, check=False)).returncode


async def shown(desktop: LiveDesktop, link: str) -> JoinDialog:
    """Return the one Join dialog once it is filled with a link."""
    await until(lambda: [one.link.text() for one in desktop.window.findChildren(JoinDialog)] == [link], "the link")
    (dialog,) = desktop.window.findChildren(JoinDialog)
    return dialog


@runs_at_desks
async def test_a_second_start_fills_the_join_dialog_of_the_one_that_runs_and_join_leads_there(desks: Desks) -> None:
    ada, bob = await desks.start_with("ada", "hello"), await desks.start_with("bob", "own")
    link = (await shares(ada)).link.text()
    await until(bob.doorbell.links._server.isListening, "bob takes links")
    bob.window.showMinimized()
    assert await follows(desks, "bob", link) == 0
    dialog = await shown(bob, link)
    assert (bob.window.isMinimized(), bob.text) == (False, "own")
    await press_named(dialog, "Join")
    await bob.until_text("hello")


@runs_at_desks
async def test_a_link_that_starts_the_program_leads_nowhere_before_somebody_says_so(desks: Desks) -> None:
    ada = await desks.start_with("ada", "hello")
    link = (await shares(ada)).link.text()
    bob = desks.begin("bob", link, asks=True)
    dialog = await shown(bob, link)
    assert (bob.status.is_local, bob.window.page) == (True, None)
    await press_named(dialog, "Join")
    await bob.until_text("hello")


@runs_at_desks
async def test_the_link_that_was_followed_last_is_the_one_that_is_asked_about(desks: Desks) -> None:
    bob = await desks.start_with("bob", "own")
    await until(bob.doorbell.links._server.isListening, "bob takes links")
    for host in ("first", "second"):
        link = f"texswarm://{host}:8091/?token=abc"
        assert await follows(desks, "bob", link) == 0
        dialog = await shown(bob, link)
    dialog.reject()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep it elsewhere than in a folder of the user's")
def test_the_first_start_registers_the_links(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "xdg-mime").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (programs / "xdg-mime").chmod(0o755)
    folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("DATA", "CONFIG", "STATE", "CACHE")}
    environ = {"HOME": str(tmp_path), "PATH": f"{programs}{os.pathsep}{os.defpath}", **folders}
    entry = tmp_path / "DATA" / "applications" / "texswarm.desktop"
    subprocess.run([sys.executable, "-c", _FIRST_START, str(entry)], env=os.environ | environ, timeout=60, check=True)
    assert "MimeType=x-scheme-handler/texswarm;" in entry.read_text()
    assert (tmp_path / "asked").read_text() == "default texswarm.desktop x-scheme-handler/texswarm\n"
