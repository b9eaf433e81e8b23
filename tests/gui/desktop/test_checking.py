"""Where a join fails, the connection is checked from here: by the menu, the status line's pop-up, or the notice."""

import socket
from contextlib import closing

import pytest
from PySide6.QtGui import QGuiApplication

from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.run_async import until
from texswarm_desktop.client.status import StatusAction
from texswarm_desktop.ui.dialogs.doctor_dialog import DoctorDialog
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


async def checked(desktop: LiveDesktop) -> DoctorDialog:
    """Ask for a check, and return its window when it has come to an end."""
    desktop.window.act(StatusAction.CHECK)
    dialog = desktop.window.findChild(DoctorDialog)
    assert dialog is not None
    await until(dialog.copy.isEnabled)
    return dialog


def put_away(dialog: DoctorDialog) -> None:
    dialog.accept()


@runs_at_desks
async def test_a_host_that_is_not_there(desks: Desks) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    ada = await desks.start_with("ada", "own")
    ada.window.meeting.join_requested.emit(f"texswarm://127.0.0.1:{port}/?token=secret", "")
    await ada.until_said("Reconnecting")
    dialog = await checked(ada)
    assert dialog.verdict == f"The machine answers, and nobody listens on port {port}."
    dialog.copy.click()
    assert "secret" not in QGuiApplication.clipboard().text()
    put_away(dialog)
    ada.window.cancel_requested.emit()
    await ada.until_said("Working locally")


@runs_at_desks
async def test_a_link_that_stands_is_as_it_should_be_and_costs_no_invitation(desks: Desks) -> None:
    async with CollabServer(ServerConfig(data=desks.root / "server", port=0)) as server:
        ada = await desks.start_with("ada", "paper")
        await ada.workspace.share_at(InviteLink(server.address, await server.create_invite("owner", uses=1)))
        await until(lambda: ada.is_live)
        dialog = await checked(ada)
        assert any(line.startswith("Server, fine") for line in dialog.lines)
        assert any("No invitation was tried" in line for line in dialog.lines)
        assert any(line.startswith("Firewall there") for line in dialog.lines)
        put_away(dialog)
        assert ada.is_live


@runs_at_desks
async def test_who_hosts_is_told_about_this_computer(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    ada.window.host_requested.emit()
    await ada.until_said("Hosting for 0 people")
    dialog = await checked(ada)
    assert dialog.windowTitle() == "Check this computer"
    assert any(line.startswith("Firewall here") for line in dialog.lines)
    put_away(dialog)
