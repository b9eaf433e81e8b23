"""Hosting with the doors half open: asking first, locking, names, and leaving for good; by the windows' buttons."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest

from tests.helpers.coming_in import asks_to_join, dialog_at, hosts, joins, shares, somebody_asks
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import choose_from_menu, press, press_icon, press_named, write_in
from tests.helpers.run_async import until
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
from texswarm_desktop.ui.dialogs.name_dialog import NameDialog
from texswarm_desktop.ui.dialogs.sign_out_dialog import SignOutDialog
from texswarm_desktop.ui.link_popover import LinkPopover
from texswarm_desktop.ui.panels.people_panel import PersonRow
from texswarm_desktop.viewmodels.membership import GiveRole, TakeOut
from texswarm_server.protocol.invite_link import parse_invite_link

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@contextmanager
def port_taken(port: int) -> Iterator[None]:
    """Another program has a port."""
    with socket.create_server(("127.0.0.1", port)):
        yield


async def asked_by(desks: Desks, name: str = "bob") -> tuple[LiveDesktop, LiveDesktop, HostSheet]:
    """Ada hosts and wants to be asked, and somebody has knocked."""
    ada, guest, sheet = await somebody_asks(desks, name)
    await until(lambda: not ada.window.meeting.lobby_bar.isHidden(), "a bar at the host's")
    return ada, guest, sheet


async def locked_beside(desks: Desks) -> tuple[LiveDesktop, LiveDesktop, HostSheet]:
    """Ada hosts, Bob is in, and Ada has just pressed the lock."""
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    bob = await desks.start("bob", sheet.link.text())
    await until(lambda: bob.is_live)
    await press(sheet.lock)
    return ada, bob, sheet


@runs_at_desks
async def test_who_is_let_in_by_one_press_writes_with_the_host(desks: Desks) -> None:
    ada, bob, sheet = await asked_by(desks)
    assert bob.text == "own"
    await press_named(sheet.lobby, "Let in")
    await bob.until_text("paper")
    await until(lambda: bob.is_live and ada.window.meeting.lobby_bar.isHidden())
    bob.type("mine ")
    await ada.until_text("mine ")


@runs_at_desks
async def test_who_was_let_in_need_not_ask_again_after_the_host_comes_back_elsewhere(desks: Desks) -> None:
    ada, bob, sheet = await asked_by(desks)
    await press_named(sheet.lobby, "Let in")
    await bob.until_text("paper")
    await until(lambda: bob.is_live)
    before = parse_invite_link(ada.workspace.hosting.link).address
    await press_named(sheet, "Stop sharing")
    await bob.until_said("The host ended the session")
    await until(lambda: ada.workspace.hosting is None and ada.window.findChild(HostSheet) is None)
    with port_taken(before.port):
        link = (await shares(ada)).link.text()
        assert ada.workspace.hosting.who is WhoJoins.ASKED
        assert parse_invite_link(link).address != before
        await joins(bob, link)
        await until(lambda: bob.is_live)
    assert ada.window.meeting.lobby_bar.isHidden()
    assert [one.person.name for one in (await ada.workspace.owner.membership()).members] == ["ada", "bob"]


@runs_at_desks
async def test_who_is_declined_reads_why_and_keeps_what_is_open(desks: Desks) -> None:
    ada, bob, sheet = await asked_by(desks)
    await press_named(sheet.lobby, "Decline")
    await bob.until_notice("The host did not let you in")
    assert (bob.text, bob.says.startswith("Working locally")) == ("own", True)
    await until(ada.window.meeting.lobby_bar.isHidden)


@runs_at_desks
async def test_who_gives_up_waiting_is_gone_from_the_hosts_window(desks: Desks) -> None:
    ada, bob, _sheet = await asked_by(desks)
    await press_named(bob.window.status_bar, "Cancel")
    await until(ada.window.meeting.lobby_bar.isHidden)
    assert (bob.notice, bob.says.startswith("Working locally")) == ("", True)


@runs_at_desks
async def test_a_host_that_stops_says_so_to_who_waits(desks: Desks) -> None:
    ada, bob, sheet = await asked_by(desks)
    await press_named(sheet, "Stop sharing")
    await bob.until_notice("The host ended the session")
    assert ada.window.meeting.lobby_bar.isHidden()


@runs_at_desks
async def test_a_lock_makes_everybody_read_and_unlocking_gives_back(desks: Desks) -> None:
    ada, bob, sheet = await locked_beside(desks)
    await bob.until_said("reading only")
    cy = await desks.start("cy", sheet.link.text())
    await cy.until_said("reading only")
    await until(sheet.lock.isChecked)
    await press(sheet.lock)
    await until(lambda: bob.is_live and cy.is_live and cy.opened.view.can_write)
    assert sheet.access.text() == "May write ▾"
    cy.type("mine ")
    await ada.until_text("mine paper")


@runs_at_desks
async def test_a_lock_outlives_the_sharing_and_its_end_gives_back_what_it_took(desks: Desks) -> None:
    ada, bob, sheet = await locked_beside(desks)
    await bob.until_said("reading only")
    await until(sheet.lock.isChecked)
    await press_named(sheet, "Stop sharing")
    await ada.until_said("Working locally")
    sheet = await shares(ada)
    assert (sheet.lock.isChecked(), sheet.access.text()) == (True, "May write ▾")
    await joins(bob, sheet.link.text())
    await bob.until_said("reading only")
    await press(sheet.lock)
    await until(lambda: bob.is_live and bob.opened.view.can_write)
    bob.type("mine ")
    await ada.until_text("mine paper")


@runs_at_desks
async def test_who_is_to_read_by_the_hosts_choice_under_a_lock_reads_on_when_it_ends(desks: Desks) -> None:
    ada, bob, sheet = await locked_beside(desks)
    await until(sheet.lock.isChecked)
    await ada.workspace.owner.decide(GiveRole(bob.workspace.me.user_id, "viewer"))
    await press(sheet.lock)
    await until(lambda: not sheet.lock.isChecked())
    assert bob.opened.project.role == "viewer"


@runs_at_desks
async def test_who_became_an_owner_under_a_lock_stays_one_when_it_ends(desks: Desks) -> None:
    ada, bob, sheet = await locked_beside(desks)
    await until(sheet.lock.isChecked)
    await ada.workspace.owner.decide(GiveRole(bob.workspace.me.user_id, "owner"))
    await until(lambda: bob.opened.project.role == "owner")
    await press(sheet.lock)
    await until(lambda: not sheet.lock.isChecked())
    assert bob.opened.project.role == "owner"


@runs_at_desks
async def test_another_name_is_seen_by_the_others_at_once_and_kept(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await desks.start("bob", await hosts(ada))
    await until(lambda: bob.is_live)
    await choose_from_menu(bob.window, "Your name…")
    dialog = await dialog_at(bob, NameDialog)
    await write_in(dialog.name, "  Bob the  Second ")
    await press_named(dialog, "Change")
    await until(lambda: "Bob the Second" in [row.person.name for row in ada.opened.participants.rows])
    assert bob.settings.settings.name == "Bob the Second"
    assert bob.is_live

    (mine,) = (row for row in bob.window.findChildren(PersonRow) if row.accessibleName() == "Bob the Second, you")
    QTest.mouseClick(mine, Qt.MouseButton.LeftButton)
    dialog = await dialog_at(bob, NameDialog)
    QTest.keyClicks(dialog.name, "Bob")  # all of the old one is selected
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    await until(lambda: "Bob" in [row.person.name for row in ada.opened.participants.rows])


@runs_at_desks
async def test_who_signs_out_for_good_keeps_the_copy_and_nothing_that_lets_in(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await desks.start("bob", await hosts(ada))
    await until(lambda: bob.is_live)
    await choose_from_menu(bob.window, "Sign out of the server…")
    dialog = await dialog_at(bob, SignOutDialog)
    await press_named(dialog, "Stay")
    assert bob.is_live
    await choose_from_menu(bob.window, "Sign out of the server…")
    await until(lambda: dialog is not bob.window.findChild(SignOutDialog))
    dialog = await dialog_at(bob, SignOutDialog)
    assert any(bob.window.page.folder in one.text() for one in dialog.findChildren(type(dialog.problem)))
    await press_named(dialog, "Sign out")
    await until(lambda: bob.says.startswith("Working locally") and bob.opened.project.server_link is None)
    await ada.until_said("Hosting for 0 people")
    await until(lambda: bob.settings.settings.servers == ())
    kept = (desks.root / "profiles" / "bob" / "secrets.json").read_text("utf-8")
    assert "refresh_token" not in kept
    bob.type("mine ")
    assert bob.text == "mine paper"


async def signs_out(person: LiveDesktop) -> None:
    await choose_from_menu(person.window, "Sign out of the server…")
    await press_named(await dialog_at(person, SignOutDialog), "Sign out")
    await until(lambda: person.opened.project.server_link is None)


@runs_at_desks
async def test_who_comes_back_after_signing_out_is_somebody_else_there_and_once_oneself(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    link = await hosts(ada)
    bob = await desks.start("bob", link)
    await until(lambda: bob.is_live)
    await signs_out(bob)
    await joins(bob, link)
    await until(lambda: bob.is_live and bob.opened.me.user_id != bob.workspace.me.user_id)
    await until(
        lambda: (
            [(row.person.name, row.is_me) for row in bob.opened.participants.rows if row.state == "here"]
            == [("bob", True), ("ada", False)]
        )
    )
    await choose_from_menu(bob.window, "Your name…")
    dialog = await dialog_at(bob, NameDialog)
    await write_in(dialog.name, "Bobby")
    await press_named(dialog, "Change")
    await until(lambda: "Bobby" in [row.person.name for row in ada.opened.participants.rows])
    assert [row.person.name for row in bob.opened.participants.rows if row.is_me] == ["Bobby"]


@runs_at_desks
async def test_who_is_banned_and_signs_out_does_not_come_back_as_somebody_new(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await desks.start("bob", await hosts(ada))
    await until(lambda: bob.is_live)
    await ada.workspace.owner.decide(TakeOut(bob.workspace.me.user_id, for_good=True))
    await bob.until_said("The host removed you from this project")
    await signs_out(bob)
    await joins(bob, str(ada.workspace.hosting.link), "Somebody new")
    await bob.until_notice("The host removed you from this project")
    assert [row.person.name for row in ada.opened.participants.rows] == ["ada"]


@runs_at_desks
async def test_the_system_is_kept_awake_while_somebody_is_here(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    assert not sheet.awake.isVisible()
    bob = await desks.start("bob", sheet.link.text())
    await until(lambda: sheet.awake.isVisible() and "stays awake" in sheet.awake.text())
    await desks.end(bob)
    await until(lambda: not sheet.awake.isVisible())


@runs_at_desks
async def test_a_host_that_cannot_be_kept_awake_is_told_without_opening_anything(desks: Desks) -> None:
    desks.is_able_to_stay_awake = False
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    link = sheet.link.text()
    await press_named(sheet, "Done")
    await desks.start("bob", link)
    await until(lambda: "awake" in ada.window.notices.keys, "a notice")
    await press_icon(ada.window, "Dismiss")
    await press_icon(ada.window, "Connection details (Ctrl+Alt+L)")
    popover = await dialog_at(ada, LinkPopover)
    assert popover.details is not None
    assert ("Sleep", "cannot be held off") in popover.details.rows
    popover.close()


@runs_at_desks
async def test_two_presses_and_a_name_lead_from_the_start_page_into_what_somebody_hosts(desks: Desks) -> None:
    ada, bob = await desks.start_with("ada", "paper"), await desks.start_with("bob", "own")
    await choose_from_menu(bob.window, "Back to the start page")
    await until(lambda: bob.window.page is None)
    sheet = await shares(ada)
    await press_named(sheet, "Copy link")
    dialog = await asks_to_join(bob)
    dialog.link.setFocus()
    QTest.keySequence(dialog.link, QKeySequence(QKeySequence.StandardKey.Paste))
    await write_in(dialog.name, "Bob")
    await press_named(dialog, "Join")
    await bob.until_text("paper")
    bob.type("mine ")
    await ada.until_text("mine ")
    await until(lambda: "Bob" in [row.person.name for row in ada.opened.participants.rows])


@runs_at_desks
async def test_other_addresses_are_in_the_link_and_the_code_at_once(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    before, code = parse_invite_link(sheet.link.text()), sheet.code.modules
    found = [replace(before.address, host=host) for host in ("10.9.9.9", "fd00::9")]
    ada.workspace._sharing._on_server_addresses(tuple(found))
    assert parse_invite_link(sheet.link.text()) == replace(before, address=found[0])
    assert sheet.code.modules != code
    assert (sheet.address.text(), str(found[1]) in sheet.address.toolTip()) == (str(found[0]), True)
    await ada.until_said(str(found[0]))


@runs_at_desks
async def test_the_link_can_be_copied_while_the_sheet_is_up_and_guests_come(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    await press_named(sheet, "Copy link")
    bob = await desks.start("bob", QGuiApplication.clipboard().text())
    await until(lambda: bob.is_live)
    assert sheet.isVisible()
