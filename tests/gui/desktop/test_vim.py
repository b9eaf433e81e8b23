"""Somebody writes in vim, in a folder that `texswarm sync` keeps, and somebody else in a window."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.at_a_window import invites, shares_at
from tests.helpers.live_desktops import Desks, runs_at_desks
from tests.helpers.run_async import until
from tests.helpers.sync_process import SyncProcess
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig

VIM = shutil.which("vim") or shutil.which("vim.tiny")

pytestmark = [
    pytest.mark.qt_log_ignore("This plugin does not support"),
    pytest.mark.skipif(VIM is None, reason="vim is not installed"),
]


async def vim(file: Path, *commands: str) -> None:
    """Open a file in vim, do what the commands say, and write it."""
    orders = [word for command in (*commands, "wq") for word in ("-c", command)]
    process = await asyncio.create_subprocess_exec(
        str(VIM), "-e", "-s", "-u", "NONE", "-i", "NONE", str(file), *orders,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip
    assert await process.wait() == 0


@pytest.mark.parametrize("saving", ["set backupcopy=no", "set backupcopy=yes", "set nowritebackup"])
@runs_at_desks
async def test_vim_and_a_window_write_in_one_paper(desks: Desks, saving: str) -> None:
    """Vim saves by a rename, or in place, as it is told; both are the writing of one person."""
    async with CollabServer(ServerConfig(data=desks.root / "server", port=0)) as server:
        ada = await desks.start_with("ada", "First line.\nLast line.\n")
        await shares_at(ada, str(server.address), await server.create_invite("owner"))
        file = desks.root / "bob" / "main.tex"
        async with SyncProcess(file.parent, await invites(ada)) as peer:
            await peer.until_saved()
            await until(file.exists)
            await vim(file, saving, "2s/Last/The last/", "normal ggoFrom vim.")
            await ada.until_text("From vim.\nThe last line.")
            ada.type("From the window. ")
            await until(lambda: "From the window." in file.read_text(encoding="utf-8"), "the words in the file")
            await vim(file, saving, "normal GoAgain from vim.")
            await ada.until_text("Again from vim.")
            assert ada.text == "From the window. First line.\nFrom vim.\nThe last line.\nAgain from vim.\n"
            await until(lambda: file.read_text(encoding="utf-8") == ada.text)
