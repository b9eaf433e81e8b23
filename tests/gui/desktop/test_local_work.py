"""A desktop alone: what it opens when it starts, what it does with folders that it cannot have."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.at_a_window import begins, opens_folder
from tests.helpers.live_desktops import Desks, runs_at_desks
from tests.helpers.presses import choose_from_menu, press_icon
from tests.helpers.run_async import settle, until
from texswarm_desktop.services.folder_walk import FolderWalk, Walked
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_server.protocol.errors import NotReadableError

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

HOLDER = """
import sys
from pathlib import Path
from texswarm_desktop.services.folder_lock import FolderLock
own = Path(sys.argv[1], ".texswarm")
own.mkdir(exist_ok=True)
lock = FolderLock(own / "lock")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def open_elsewhere(folder: Path) -> Iterator[None]:
    """Let another process hold the folder's lock."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield


@runs_at_desks
async def test_the_first_start_opens_a_small_paper(desks: Desks) -> None:
    ada = await desks.start("ada")
    assert ada.opened.view.title == "A First Paper"
    assert r"\documentclass" in ada.text
    assert ada.opened.project.folder.parent == desks.root / "profiles" / "ada" / "projects"


@runs_at_desks
async def test_a_later_start_opens_what_was_open_last(desks: Desks) -> None:
    ada = await desks.start_with("ada", "first ")
    ada.type("typed ")
    folder = ada.opened.project.folder
    await desks.end(ada)

    again = await desks.start("ada")
    assert (again.opened.project.folder, again.text) == (folder, "typed first ")


@runs_at_desks
async def test_a_later_start_without_the_folder_shows_the_first_page(desks: Desks) -> None:
    ada = await desks.start_with("ada", "gone")
    folder = ada.opened.project.folder
    await desks.end(ada)
    folder.rename(folder.with_name("elsewhere"))

    again = desks.begin("ada")
    await settle()
    assert (again.workspace.opened, again.notice) == (None, "")


@runs_at_desks
async def test_a_folder_opened_from_the_window_takes_the_place_of_the_project(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    before = ada.opened.project
    await opens_folder(ada, desks.folder("other", "two"))

    await ada.until_text("two")
    assert before.folder != ada.opened.project.folder
    assert [Path(known.path).name for known in ada.settings.settings.recent] == ["other", "of ada"]


@runs_at_desks
async def test_nothing_is_left_of_a_project_that_was_closed(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    for name in ("two", "three"):
        await opens_folder(ada, desks.folder(name, name))
        await ada.until_text(name)
    await until(lambda: len(ada.workspace.findChildren(OpenedProject)) == 1)
    assert ada.text == "three"


@runs_at_desks
async def test_the_open_folder_can_be_opened_again_under_any_of_its_names(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    before, link = ada.opened, desks.root / "link"
    link.symlink_to(ada.opened.project.folder)
    await opens_folder(ada, link)
    await settle()
    assert ada.opened is before


@runs_at_desks
async def test_a_new_project_begins_with_its_title(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    await begins(ada, "Of Mice & Men")
    await ada.until_text(r"\title{Of Mice \& Men}")
    assert ada.opened.project.folder.name == "Of Mice & Men"


@runs_at_desks
async def test_a_new_project_is_made_as_its_template_has_it(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    await begins(ada, "Of Mice & Men", "Thesis")
    await ada.until_text(r"\input{preamble}")
    assert "chapters/introduction.tex" in [entry.path for entry in ada.opened.project.document.files.values()]
    await ada.opened.project.flush()
    preamble = (ada.opened.project.folder / "preamble.tex").read_text()
    assert r"\newcommand{\thesistitle}{Of Mice \& Men}" in preamble
    assert r"\newcommand{\thesisauthor}{ada}" in preamble


@runs_at_desks
async def test_a_recent_folder_that_is_gone_is_told_and_opened_when_it_is_back(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    before, title = ada.opened.project.folder, ada.opened.view.title
    await choose_from_menu(ada.window, "Back to the start page")
    await until(lambda: ada.workspace.opened is None)
    before.rename(before.with_name("elsewhere"))
    await press_icon(ada.window, title)
    await ada.until_notice("Cannot be read")
    before.with_name("elsewhere").rename(before)
    await press_icon(ada.window, title)
    await ada.until_text("one")


@runs_at_desks
async def test_a_start_leaves_what_another_process_has_open_and_begins_on_the_first_page(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    folder = ada.opened.project.folder
    await desks.end(ada)
    with open_elsewhere(folder):
        again = desks.begin("ada")
        await until(again.window.isVisible)
        await settle()
        assert (again.workspace.opened, again.workspace.observed, again.notice) == (None, None, "")


@runs_at_desks
async def test_a_first_folder_that_cannot_be_read_leaves_a_window_that_works(desks: Desks) -> None:
    ada = desks.begin("ada", desks.root / "nowhere")
    await ada.until_notice("Cannot be read")
    await begins(ada, "Fresh")
    await ada.until_text(r"\title{Fresh}")
    assert ada.notice == ""


@runs_at_desks
async def test_broken_settings_are_told(desks: Desks) -> None:
    profile = desks.root / "profiles" / "ada"
    profile.mkdir(parents=True)
    (profile / "settings.json").write_text("nonsense")
    ada = await desks.start("ada")
    assert "Settings not readable" in ada.notice
    assert (profile / "settings.json.broken").read_text() == "nonsense"


@runs_at_desks
async def test_a_later_start_looks_at_the_folder_once_its_text_can_be_seen(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed until then, and what another program wrote since, are both in it."""
    ada = await desks.start_with("ada", "first ")
    folder = ada.opened.project.folder
    await desks.end(ada)
    (folder / "main.tex").write_text("first and by another ")
    with walks_held(monkeypatch) as (noted, may_look):
        again = desks.begin("ada")
        again.window.painted.connect(lambda: noted.append("painted"))
        await until(lambda: "walk" in noted, "a look at the folder")
        assert (noted[0], again.text) == ("painted", "first ")
        again.type("typed ")
        may_look.set()
        await again.until_text("typed first and by another ")
        assert again.notice == ""


@contextmanager
def walks_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], threading.Event]]:
    """Note each walk through a folder, and let none of them begin before the event."""
    noted, may_look = [], threading.Event()
    walk = FolderWalk.walk

    def waits(self: FolderWalk, *args: object, **how: object) -> Walked:
        noted.append("walk")
        may_look.wait()
        return walk(self, *args, **how)

    with monkeypatch.context() as patch:
        patch.setattr(FolderWalk, "walk", waits)
        try:
            yield noted, may_look
        finally:
            may_look.set()


@runs_at_desks
async def test_a_later_start_on_a_folder_that_cannot_be_read_says_so_on_the_first_page(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(self: FolderWalk, *_args: object, **_how: object) -> Walked:
        raise NotReadableError("paper: closed")

    ada = await desks.start_with("ada", "first ")
    await desks.end(ada)
    with monkeypatch.context() as patch:
        patch.setattr(FolderWalk, "walk", closed)
        again = desks.begin("ada")
        await again.until_notice("Cannot be read")
        assert (again.workspace.opened, again.window.page) == (None, None)
