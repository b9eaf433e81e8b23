"""How people come together in front of their windows: one shares, another follows a link, by the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QDialog

from tests.helpers.presses import choose_from_menu, press, press_icon, press_named, write_in
from tests.helpers.run_async import until
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog

if TYPE_CHECKING:
    from tests.helpers.live_desktops import Desks, LiveDesktop

D = TypeVar("D", bound=QDialog)


async def shares(host: LiveDesktop) -> HostSheet:
    """Press Share, or what it became, and return the sheet that comes up."""
    await press_named(host.window, "Share")
    await until(lambda: host.window.findChild(HostSheet) is not None, "the sheet of what is shared")
    sheet = host.window.findChild(HostSheet)
    assert isinstance(sheet, HostSheet)
    return sheet


async def hosts(host: LiveDesktop) -> str:
    """Share, put the sheet away, and return the link that it showed."""
    sheet = await shares(host)
    link = sheet.link.text()
    await press_named(sheet, "Done")
    await until(lambda: host.window.findChild(HostSheet) is None, "the sheet is put away")
    return link


async def stops(host: LiveDesktop) -> None:
    """End what is shared: in its sheet, if that is up, or else by the status line."""
    sheet = host.window.findChild(HostSheet)
    if sheet is not None and sheet.isVisible():
        await press_named(sheet, "Stop sharing")
    else:
        await press_named(host.window.status_bar, "Stop")
    await host.until_said("Working locally")


async def joins(guest: LiveDesktop, link: str, name: str = "") -> None:
    """Write a link in the dialog, and a name if it is another, and follow it."""
    dialog = await asks_to_join(guest)
    await write_in(dialog.link, link)
    if name:
        await write_in(dialog.name, name)
    await press_named(dialog, "Join")


async def asks_to_join(guest: LiveDesktop) -> JoinDialog:
    """Open the dialog by the first page, or over a project by the menu."""
    if guest.window.page is None:
        await press_icon(guest.window, "Join")
    else:
        await choose_from_menu(guest.window, "Join…")
    return await dialog_at(guest, JoinDialog)


async def dialog_at(desktop: LiveDesktop, kind: type[D]) -> D:
    """Return the dialog of a kind once it is there."""
    await until(lambda: desktop.window.findChild(kind) is not None, f"a {kind.__name__}")
    dialog = desktop.window.findChild(kind)
    assert isinstance(dialog, kind)
    return dialog


async def somebody_asks(desks: Desks, name: str = "bob") -> tuple[LiveDesktop, LiveDesktop, HostSheet]:
    """Ada shares and wants to be asked, and somebody with a paper of their own waits for her."""
    ada, guest = await desks.start_with("ada", "paper"), await desks.start_with(name, "own")
    sheet = await shares(ada)
    await press(sheet.asks)
    await until(lambda: ada.workspace.hosting is not None and ada.workspace.hosting.who is WhoJoins.ASKED)
    await joins(guest, sheet.link.text())
    await guest.until_said("Waiting for ada to let you in…")
    return ada, guest, sheet
