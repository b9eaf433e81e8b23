"""How people come together in front of their windows: one shares, another follows a link, by the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.presses import press, press_named
from tests.helpers.run_async import until
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog

if TYPE_CHECKING:
    from tests.helpers.live_desktops import Desks, LiveDesktop


async def shares(host: LiveDesktop) -> HostSheet:
    """Press Share, or what it became, and return the sheet that comes up."""
    await press_named(host.window, "Share")
    await until(lambda: host.window.findChild(HostSheet) is not None, "the sheet of what is shared")
    sheet = host.window.findChild(HostSheet)
    assert isinstance(sheet, HostSheet)
    return sheet


async def joins(guest: LiveDesktop, link: str) -> None:
    """Follow a link by the dialog."""
    guest.window.meeting.show_join_dialog(link)
    dialog = guest.window.findChild(JoinDialog)
    assert isinstance(dialog, JoinDialog)
    await press_named(dialog, "Join")


async def somebody_asks(desks: Desks, name: str = "bob") -> tuple[LiveDesktop, LiveDesktop, HostSheet]:
    """Ada shares and wants to be asked, and somebody with a paper of their own waits for her."""
    ada, guest = await desks.start_with("ada", "paper"), await desks.start_with(name, "own")
    sheet = await shares(ada)
    press(sheet.asks)
    await until(lambda: ada.workspace.hosting is not None and ada.workspace.hosting.who is WhoJoins.ASKED)
    await joins(guest, sheet.link.text())
    await guest.until_said("Waiting for ada to let you in…")
    return ada, guest, sheet
