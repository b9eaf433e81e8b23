"""A whole desktop in a network that wants a sign-in first: a status, its pop-up, its check, and nothing else."""

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from tests.helpers.at_a_window import connects, shares_at
from tests.helpers.coming_in import joins
from tests.helpers.go_betweens import Portal, captive_portal
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import choose_from_menu, press, press_named
from tests.helpers.run_async import until
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.client.events import RetryCause
from texswarm_desktop.client.status import StatusAction
from texswarm_desktop.ui.dialogs.doctor_dialog import DoctorDialog
from texswarm_desktop.ui.link_popover import LinkPopover
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints|raise\\(\\)|grabbing the keyboard")


def assert_calm(desktop: LiveDesktop) -> None:
    """No dialog, no notice, and the text can be written on."""
    assert [each for each in desktop.window.findChildren(QDialog) if each.isVisible()] == []
    assert QApplication.activeModalWidget() is None
    assert desktop.notice == ""
    desktop.type("on ")
    assert "on " in desktop.text


async def what_is_wrong(desktop: LiveDesktop) -> str:
    await press(desktop.window.status_bar.details)
    popover = desktop.window.findChild(LinkPopover)
    assert popover is not None
    assert popover.details is not None
    assert popover.details.actions[0] is StatusAction.RETRY
    popover.close()
    return dict(popover.details.rows).get("What is wrong", "")


@pytest.mark.parametrize("portal", [Portal.REDIRECT])
@runs_at_desks
async def test_a_hotel_in_mid_session_is_a_status_and_is_got_over(desks: Desks, portal: Portal) -> None:
    async with (
        CollabServer(ServerConfig(data=desks.root / "server", port=0)) as server,
        captive_portal(portal) as hotel,
        TcpProxy(server.address.port) as cable,
    ):
        ada = await desks.start_with("ada", "paper")
        link = InviteLink(ServerAddress("127.0.0.1", cable.port), await server.create_invite("owner"))
        await shares_at(ada, str(link))
        cable.target_port = hotel.port
        cable.cut()
        await ada.until_said("Something else answers · trying again in")
        assert ada.status.line.action is StatusAction.RETRY
        assert_calm(ada)
        assert "edits waiting" in ada.says or "edit waiting" in ada.says
        assert "sign-in page of this network" in await what_is_wrong(ada)
        cable.target_port = server.address.port
        await until(lambda: ada.is_live)
        assert_calm(ada)


@runs_at_desks
async def test_who_joins_from_a_hotel_is_told_what_to_do_and_comes_in_when_the_portal_opens(desks: Desks) -> None:
    async with (
        CollabServer(ServerConfig(data=desks.root / "server", port=0)) as server,
        captive_portal() as hotel,
        TcpProxy(server.address.port) as cable,
    ):
        ada = await desks.start_with("ada", "paper")
        link = InviteLink(ServerAddress("127.0.0.1", cable.port), await server.create_invite("owner"))
        await shares_at(ada, str(link))
        document = ada.opened.project.document_id
        token = await server.create_invite("editor", document_id=document)
        cable.target_port = hotel.port
        bob = await desks.start_with("bob", "own")
        await joins(bob, str(InviteLink(link.address, token, document)))
        await bob.until_said("Something else answers · trying again in")
        assert_calm(bob)
        await choose_from_menu(bob.window, "Check the connection…")
        check = bob.window.findChild(DoctorDialog)
        assert check is not None
        await until(check.copy.isEnabled)
        assert check.verdict.startswith("A web page answers in place of the server")
        check.accept()
        cable.target_port = server.address.port
        await bob.until_text("paper")


@runs_at_desks
async def test_who_turns_to_the_window_again_need_not_wait(desks: Desks) -> None:
    """They come from a web browser, in which they signed in to the network."""
    ada = await desks.start_with("ada", "paper")
    async with captive_portal() as hotel:
        await connects(ada, f"127.0.0.1:{hotel.port}")
        await ada.until_said("Something else answers")
        pending = ada.workspace._reach.pending
        assert pending is not None
        causes: list[RetryCause | str] = []
        pending.retry_now = causes.append  # type: ignore[assignment]
        browser = QWidget()
        browser.show()
        browser.activateWindow()
        await until(browser.isActiveWindow)
        assert causes == []
        ada.window.activateWindow()
        await until(ada.window.isActiveWindow)
        browser.close()
    assert causes == [RetryCause.KEY_PRESS]
    await press_named(ada.window.status_bar, "Cancel")
    await ada.until_said("Working locally")
