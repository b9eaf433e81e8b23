"""What people do at a window of theirs besides meeting others: connect, open, begin, choose; by buttons and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLineEdit

from tests.helpers.coming_in import dialog_at
from tests.helpers.presses import choose_by, choose_from_menu, press, press_icon, press_named, write_in
from tests.helpers.run_async import until
from texswarm_desktop.ui.dialogs.choose_dialog import ChooseDialog
from texswarm_desktop.ui.dialogs.connect_dialog import ConnectDialog
from texswarm_desktop.ui.dialogs.members_sheet import MembersSheet
from texswarm_desktop.ui.dialogs.new_dialog import NewDialog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.live_desktops import LiveDesktop


async def connects(person: LiveDesktop, address: str, invitation: str = "") -> None:
    """Write where a server is, and what lets in there."""
    if person.window.page is None:
        await press_icon(person.window, "Connect")
    else:
        await choose_from_menu(person.window, "Connect to a server…")
    dialog = await dialog_at(person, ConnectDialog)
    await write_in(dialog.address, address)
    if invitation:
        await paste_in(dialog.invitation, invitation)
    await press_named(dialog, "Connect")


async def paste_in(field: QLineEdit, words: str) -> None:
    """Write in a field that hides what is written."""
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    QTest.keyClicks(field, words)
    assert field.text() == words


async def is_asked_which(person: LiveDesktop) -> ChooseDialog:
    """Return the list of a server's projects once it is there."""
    return await dialog_at(person, ChooseDialog)


async def shares_there(person: LiveDesktop) -> None:
    """Put the open project on the server that was asked."""
    dialog = await is_asked_which(person)
    await press_named(dialog, f"Share “{person.opened.view.title}” here")


async def shares_at(person: LiveDesktop, address: str, invitation: str = "") -> None:
    """Put the open project on a server, and return when all of it is there."""
    await connects(person, address, invitation)
    await shares_there(person)
    await until(lambda: person.is_live, "all changes are saved there")


async def invites(person: LiveDesktop, may: str = "May write") -> str:
    """Have a new invitation to the open project copied, and return it."""
    await press_icon(person.window, "People and invitations")
    people = await dialog_at(person, MembersSheet)
    await choose_by(people, "Copy a new invitation…", may)
    await until(lambda: people.invite.text() == "Copied", "a new invitation")
    link = QGuiApplication.clipboard().text()
    await press_named(people, "Done")
    await until(lambda: person.window.findChild(MembersSheet) is None, "the sheet is put away")
    return link


async def opens_folder(person: LiveDesktop, folder: Path) -> None:
    """Choose a folder in the dialog of the menu."""
    await choose_from_menu(person.window, "Open folder…")
    await choose_folder(await dialog_at(person, QFileDialog), folder)


async def choose_folder(dialog: QFileDialog, folder: Path) -> None:
    """Paste the path of a folder, and take it."""
    await until(dialog.isVisible, "the dialog of folders")
    (field,) = [one for one in dialog.findChildren(QLineEdit) if one.objectName() == "fileNameEdit"]
    QGuiApplication.clipboard().setText(str(folder))
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    for keys in (QKeySequence.StandardKey.SelectAll, QKeySequence.StandardKey.Paste):
        QTest.keySequence(field, QKeySequence(keys))
    taking = [one for one in dialog.findChildren(QAbstractButton) if one.text().replace("&", "") in {"Choose", "Open"}]
    await until(lambda: any(one.isVisible() and one.isEnabled() for one in taking), "a button that takes it")
    await press(next(one for one in taking if one.isVisible()))


async def begins(person: LiveDesktop, title: str, template: str = "Blank") -> None:
    """Begin a project by its title and the card of a template."""
    if person.window.page is None:
        await press_icon(person.window, "New project")
    else:
        await choose_from_menu(person.window, "New project…")
    dialog = await dialog_at(person, NewDialog)
    await write_in(dialog.title, title)
    await press_icon(dialog, template)
    await press_named(dialog, "Create")
