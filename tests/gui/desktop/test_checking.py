"""Where a join fails, the connection is checked from here: by the menu, the status line's pop-up, the notice, or the
dialog that asked whom to join; and it is the road that failed which is looked at.
"""

import socket
from contextlib import closing

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from tests.helpers.at_a_window import shares_at
from tests.helpers.coming_in import asks_to_join, joins, shares
from tests.helpers.fake_join import show
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import choose_from_menu, press, press_icon, press_named
from tests.helpers.run_async import until
from texswarm_desktop.client.status import StatusAction
from texswarm_desktop.core.nearby import Sighting, nearby_hosts
from texswarm_desktop.ui.dialogs.doctor_dialog import DoctorDialog
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.announcement import Announcement, Entry
from texswarm_server.protocol.invite_link import InviteLink

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


async def checked(desktop: LiveDesktop) -> DoctorDialog:
    """Ask for a check, and return its window when it has come to an end."""
    if desktop.window.page is None:  # where there is no menu
        desktop.window.act(StatusAction.CHECK)
    else:
        await choose_from_menu(desktop.window, "Check the connection…")
    return await examined(desktop)


async def examined(desktop: LiveDesktop) -> DoctorDialog:
    dialog = desktop.window.findChild(DoctorDialog)
    assert dialog is not None
    await until(dialog.copy.isEnabled)
    return dialog


async def put_away(dialog: DoctorDialog) -> None:
    await press(dialog.close_button)


def port_of_nobody() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


async def first_page(desks: Desks, name: str) -> LiveDesktop:
    desktop = desks.begin(name)
    desktop.settings.set_started()
    await until(lambda: desktop.window.isVisible() and desktop.window.start_page.isVisible(), "the first page")
    return desktop


async def join_dialog(desktop: LiveDesktop) -> JoinDialog:
    await until(lambda: desktop.window.findChild(JoinDialog) is not None, "the Join dialog")
    dialog = desktop.window.findChild(JoinDialog)
    assert isinstance(dialog, JoinDialog)
    return dialog


@runs_at_desks
async def test_a_host_that_is_not_there(desks: Desks) -> None:
    port = port_of_nobody()
    ada = await desks.start_with("ada", "own")
    await joins(ada, f"texswarm://127.0.0.1:{port}/?token=secret")
    await ada.until_said("Reconnecting")
    dialog = await checked(ada)
    assert dialog.verdict == f"The machine answers, and nobody listens on port {port}."
    await press(dialog.copy)
    assert "secret" not in QGuiApplication.clipboard().text()
    await put_away(dialog)
    await press_named(ada.window.status_bar, "Cancel")
    await ada.until_said("Working locally")


@runs_at_desks
async def test_a_link_that_stands_is_as_it_should_be_and_costs_no_invitation(desks: Desks) -> None:
    async with CollabServer(ServerConfig(data=desks.root / "server", port=0)) as server:
        ada = await desks.start_with("ada", "paper")
        await shares_at(ada, str(server.address), await server.create_invite("owner", uses=1))
        dialog = await checked(ada)
        assert any(line.startswith("Server, fine") for line in dialog.lines)
        assert any("No invitation was tried" in line for line in dialog.lines)
        assert any(line.startswith("Firewall there") for line in dialog.lines)
        await put_away(dialog)
        assert ada.is_live


@runs_at_desks
async def test_who_hosts_is_told_about_this_computer(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    await press_named(sheet, "Done")
    await ada.until_said("Hosting for 0 people")
    dialog = await checked(ada)
    assert dialog.windowTitle() == "Check this computer"
    assert any(line.startswith("Firewall here") for line in dialog.lines)
    await put_away(dialog)


@runs_at_desks
async def test_a_code_with_an_address_where_nobody_listens(desks: Desks) -> None:
    """The dialog stays below the check; what was tried is remembered when both are gone."""
    nobody_there = f"The machine answers, and nobody listens on port {(port := port_of_nobody())}."
    bob = await first_page(desks, "bob")
    await press_icon(bob.window, "Join")
    dialog = await join_dialog(bob)
    QTest.keyClicks(dialog.link, f"127.0.0.1:{port} 417 otter maple")
    await press_named(dialog, "Join")
    await press_named(dialog, "Check the connection…")
    check = await examined(bob)
    assert (check.windowTitle(), check.verdict) == ("Check the connection", nobody_there)
    await press(check.close_button)
    await until(lambda: bob.window.findChild(DoctorDialog) is None, "the check is put away")
    assert dialog.problem.isVisible()

    await press_named(dialog, "Check the connection…")
    await press_named(dialog, "Cancel")
    await until(lambda: not bob.window.findChildren(JoinDialog) and not bob.window.findChildren(DoctorDialog))
    assert (await checked(bob)).verdict == nobody_there


@runs_at_desks
async def test_a_host_of_the_list_that_is_gone_while_a_project_is_open_here(desks: Desks) -> None:
    ada, port = await desks.start_with("ada", "own"), port_of_nobody()
    gone = Announcement(instance="gone", name="Gone", project="Gone", entry=Entry.OPEN, fingerprint=None, tls=False)
    show(ada._join, *nearby_hosts([Sighting(gone, ("127.0.0.1",), port)]))
    dialog = await asks_to_join(ada)
    await press(dialog.list.rows[0])
    await press_named(dialog, "Join")
    await press_named(dialog, "Check the connection…")
    assert (await examined(ada)).verdict == f"The machine answers, and nobody listens on port {port}."
    await press_named(dialog, "Cancel")
    await until(lambda: not ada.window.findChildren(DoctorDialog))
    assert any(f"port {port}" in line for line in (await checked(ada)).lines)


@runs_at_desks
async def test_a_link_that_is_refused_while_a_project_of_another_server_is_open(desks: Desks) -> None:
    """The notice over the project leads to a check of the server that refused, not of the project's."""
    async with (
        CollabServer(ServerConfig(data=desks.root / "home", port=0)) as home,
        CollabServer(ServerConfig(data=desks.root / "other", port=0)) as other,
    ):
        ada = await desks.start_with("ada", "paper")
        await shares_at(ada, str(home.address), await home.create_invite("owner", uses=1))
        await joins(ada, str(InviteLink(other.address, "of-nobody")))
        await ada.until_notice("does not know this invitation")
        await press_named(ada.window.notices, "Check the connection…")
        dialog = await examined(ada)
        assert any(str(other.address) in line for line in dialog.lines)
        assert not any(str(home.address) in line for line in dialog.lines)
        await put_away(dialog)
        await until(lambda: not ada.window.findChildren(DoctorDialog))
        assert any(str(home.address) in line for line in (await checked(ada)).lines)
