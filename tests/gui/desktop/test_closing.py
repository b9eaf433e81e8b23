"""The end of a desktop: nothing that was typed is lost, nothing is left running, whatever is going on."""

import asyncio
from contextlib import suppress

import pytest

from tests.helpers.at_a_window import opens_folder
from tests.helpers.coming_in import hosts
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import press_named
from tests.helpers.run_async import until
from tests.helpers.small_disk import SmallDisk, small_disk
from texswarm_desktop.services.project import Project
from texswarm_server.protocol.errors import NotWritableError

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def fail_to_close_once(monkeypatch: pytest.MonkeyPatch) -> None:
    close = Project.close

    async def fail(project: Project, *, discard: bool = False) -> None:
        monkeypatch.setattr(Project, "close", close)
        raise NotWritableError("full")

    monkeypatch.setattr(Project, "close", fail)


async def refuse() -> None:
    raise NotWritableError("full")


async def start_on(desks: Desks, disk: SmallDisk) -> LiveDesktop:
    folder = disk.root / "paper"
    folder.mkdir()
    (folder / "main.tex").write_text("paper")
    return await desks.start("ada", folder)


@runs_at_desks
async def test_what_was_typed_just_before_the_window_is_closed_is_in_the_folder(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    ada.type("last words ")
    folder = ada.opened.project.folder
    await desks.end(ada)
    assert (folder / "main.tex").read_text() == "last words paper"


@runs_at_desks
async def test_a_full_disk_brings_the_window_back_until_there_is_room(desks: Desks) -> None:
    with small_disk(desks.root) as disk:
        ada = await start_on(desks, disk)
        async with asyncio.TaskGroup() as group:
            end = group.create_task(ada.until_closed())
            disk.fill()
            ada.type("typed on a full disk ")
            ada.window.close()
            await until(lambda: ada.window.isVisible() and "The disk is full" in ada.notice)
            assert (end.done(), ada.text) == (False, "typed on a full disk paper")
            disk.make_room()
            ada.window.close()
            await until(end.done, "the desktop that was closed once more has let go")
        assert (disk.root / "paper" / "main.tex").read_text() == "typed on a full disk paper"
        await desks.end(ada)


@runs_at_desks
async def test_a_full_disk_keeps_the_project_on_the_desk_when_another_is_wanted(desks: Desks) -> None:
    with small_disk(desks.root) as disk:
        ada = await start_on(desks, disk)
        disk.fill()
        ada.type("typed on a full disk ")
        await opens_folder(ada, desks.folder("other", "two"))
        await ada.until_notice("The disk is full")
        assert ada.text == "typed on a full disk paper"
        disk.make_room()
        await opens_folder(ada, desks.root / "papers" / "other")
        await desks.end(ada)


@runs_at_desks
async def test_hosting_goes_on_when_the_project_cannot_be_stored(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await desks.start_with("ada", "paper")
    await hosts(ada)
    monkeypatch.setattr(ada.opened.project, "kept", refuse)
    with pytest.raises(NotWritableError):
        await ada.workspace.close()
    monkeypatch.undo()
    await ada.until_said("Hosting for 0 people")


@runs_at_desks
async def test_a_project_that_fails_at_the_very_end_is_put_on_the_desk_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await desks.start_with("ada", "paper")
    fail_to_close_once(monkeypatch)
    with pytest.raises(NotWritableError):
        await ada.workspace.close()
    ada.type("more ")
    assert ada.text == "more paper"


@runs_at_desks
async def test_a_desktop_that_ends_by_a_mistake_of_ours_leaves_no_server_and_no_lock(desks: Desks) -> None:
    with suppress(ZeroDivisionError):
        async with desks.lend(await desks.start_with("ada", "paper")) as ada:
            ada.type("typed ")
            await hosts(ada)
            raise ZeroDivisionError
    again = await desks.start("ada")
    assert again.text == "typed paper"


@runs_at_desks
async def test_a_window_can_be_closed_while_its_server_starts(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    await press_named(ada.window, "Share")
    await desks.end(ada)
    assert (ada.workspace.hosting, ada.workspace.opened) == (None, None)


@runs_at_desks
async def test_a_window_can_be_closed_while_it_opens_its_first_project(desks: Desks) -> None:
    ada = desks.begin("ada")
    await asyncio.sleep(0)
    await desks.end(ada)
    assert ada.workspace.opened is None
