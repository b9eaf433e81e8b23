"""One folder, opened by two processes: the window that has it comes to the front; beside anything else one reads."""

import asyncio
import sys
from pathlib import Path

import pytest
from PySide6.QtTest import QTest

from tests.gui.desktop.test_local_work import open_elsewhere
from tests.helpers.at_a_window import opens_folder
from tests.helpers.desktop_process import ROOT, DesktopProcess
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import press_named
from tests.helpers.run_async import until
from tests.helpers.sync_process import SyncProcess
from texswarm_desktop.services.library import Library
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.protocol.invite_link import InviteLink

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def a_window(desks: Desks, folder: Path) -> DesktopProcess:
    """A desktop in a process of its own, on a folder."""
    return DesktopProcess(desks.root / "profiles" / "first", str(folder))


@runs_at_desks
async def test_a_second_start_brings_the_first_window_up_and_says_so(desks: Desks) -> None:
    folder = desks.folder("paper", "one")
    async with a_window(desks, folder) as first:
        await first.until("ready", bool)
        await first.do("minimise")
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "texswarm_desktop", "--profile-dir", str(desks.root / "second"), str(folder),
            stderr=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        said = (await second.communicate())[1].decode()
        assert (second.returncode, said.count("is open in another window")) == (0, 1), said
        await first.until("is_seen", bool)


async def opens_folder_of_another(ada: LiveDesktop, folder: Path) -> None:
    """Where the other window does not answer soon, on a busy machine, it is only looked at here: she tries again."""
    hers = ada.opened.project.folder
    for _ in range(3):
        await opens_folder(ada, folder)
        await until(lambda: "attached" in ada.window.notices.keys or ada.workspace.observed is not None)
        if "attached" in ada.window.notices.keys:
            return
        await ada.workspace.open(hers)


@runs_at_desks
async def test_a_folder_another_window_has_is_shown_there_and_the_project_here_stays(desks: Desks) -> None:
    ada, folder = await desks.start_with("ada", "hers"), desks.folder("paper", "one")
    async with a_window(desks, folder) as first:
        await first.until("ready", bool)
        await first.do("minimise")
        await opens_folder_of_another(ada, folder)
        assert str(folder) in ada.window.notices.text_of("attached")
        await first.until("is_seen", bool)
    assert ada.text == "hers"


@runs_at_desks
async def test_beside_a_peer_without_a_window_one_reads_what_it_writes_until_it_ends(desks: Desks) -> None:
    folder, other = desks.folder("paper", "one\n"), desks.root / "bob"
    async with CollabServer(ServerConfig(data=desks.root / "server", port=0)) as server:
        link = str(InviteLink(server.address, await server.create_invite("owner")))
        async with SyncProcess(folder, link) as peer:
            paper = (await peer.until("link"))["link"]
            ada = await desks.start("ada", folder)
            assert ada.says == f"Reading only · open in texswarm sync (process {peer.pid})"
            assert ada.editor is not None
            assert ada.editor.isReadOnly()
            async with SyncProcess(other, paper) as colleague:
                await until((other / "main.tex").exists)
                (other / "main.tex").write_text("one\nfrom afar\n", encoding="utf-8")
                await ada.until_text("one\nfrom afar\n")
                await colleague.until_saved()
            QTest.keyClicks(ada.editor, "x")
            assert "reading" in ada.window.notices.keys
            await press_named(ada.window.status_bar, "Try again")
            await ada.until_notice(f"texswarm sync (process {peer.pid}")
        await until(lambda: ada.workspace.opened is not None)  # by itself
        assert ada.editor is not None
        assert not ada.editor.isReadOnly()
        ada.type("Ada was here. ")
        await until(lambda: (folder / "main.tex").read_text(encoding="utf-8") == "Ada was here. one\nfrom afar\n")


async def observing(desks: Desks, folder: Path) -> LiveDesktop:
    ada = desks.begin("ada", folder)
    await until(lambda: ada.workspace.observed is not None)
    return ada


@runs_at_desks
async def test_files_that_come_go_and_are_replaced_are_followed(desks: Desks) -> None:
    folder = desks.folder("paper", "one")
    with open_elsewhere(folder):
        ada = await observing(desks, folder)
        (folder / "new.tex").write_text("new")
        (folder / "figure.png").write_bytes(b"\x89PNG")
        document = ada.workspace.observed.view.project.document
        await until(lambda: {entry.path for entry in document.files.values()} == {"main.tex", "new.tex", "figure.png"})
        tab = ada.workspace.observed.view.current
        (folder / "next").write_text("one more")
        (folder / "next").replace(folder / "main.tex")
        await ada.until_text("one more")
        (folder / "new.tex").unlink()
        (folder / "figure.png").unlink()
        await until(lambda: [entry.path for entry in document.files.values()] == ["main.tex"])
        assert ada.workspace.observed.view.current == tab
        assert sorted(path.name for path in (folder / ".texswarm").iterdir()) == ["lock"]


@runs_at_desks
async def test_what_was_written_until_the_other_one_ended_is_there_and_the_same_files_are_open(desks: Desks) -> None:
    folder = desks.folder("paper", "one")
    (folder / "more.tex").write_text("more")
    with open_elsewhere(folder):
        ada = await observing(desks, folder)
        assert ada.workspace.observed is not None
        view = ada.workspace.observed.view
        await until(lambda: view.project.document.file_at("more.tex") is not None)
        view.open_file(view.project.document.file_at("more.tex"))
        (folder / "more.tex").write_text("more, written at the end")
        assert ada.workspace.opened is None
    await until(lambda: ada.workspace.opened is not None)
    await ada.until_text("more, written at the end")
    assert (ada.workspace.observed, ada.says) == (None, "Working locally")
    assert ada.opened.view.path_of(ada.opened.view.open_files[-1]) == "more.tex"


@runs_at_desks
async def test_what_is_only_read_is_not_hosted_and_can_be_left(desks: Desks) -> None:
    folder = desks.folder("paper", "one")
    with open_elsewhere(folder):
        ada = await observing(desks, folder)
        await press_named(ada.window, "Share")
        await ada.until_notice("has this project open")
        await opens_folder(ada, desks.folder("other", "two"))
        await ada.until_text("two")
        assert (ada.workspace.observed, ada.says) == (None, "Working locally")


@runs_at_desks
async def test_a_folder_that_takes_no_writing_is_read(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_library: Library, folder: Path, **_how: object) -> None:
        raise NotWritableError(str(folder))

    monkeypatch.setattr(Library, "open", refuse)
    ada = await observing(desks, desks.folder("paper", "one"))
    await ada.until_text("one")
    assert ada.says == "Reading only · folder not writable"
    assert not (desks.root / "papers" / "paper" / ".texswarm").exists()
