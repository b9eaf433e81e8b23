"""An owner decides about guests who are really there, by the buttons and menus of the two sheets, with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QFrame

from tests.helpers.coming_in import joins, shares, somebody_asks
from tests.helpers.live_desktops import runs_at_desks
from tests.helpers.presses import buttons, choose, choose_by, press, press_icon, press_named
from tests.helpers.run_async import until
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
from texswarm_desktop.ui.dialogs.members_sheet import MembersSheet
from texswarm_desktop.viewmodels.membership import GiveRole

if TYPE_CHECKING:
    from tests.helpers.live_desktops import Desks, LiveDesktop

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


async def people_of(sheet: HostSheet) -> MembersSheet:
    """Go on from what is shared to who may do what."""
    window = sheet.parentWidget()
    await press_named(sheet, "People and invitations…")
    await until(lambda: window.findChild(MembersSheet) is not None, "the sheet of the people")
    people = window.findChild(MembersSheet)
    assert isinstance(people, MembersSheet)
    return people


async def with_a_guest(desks: Desks) -> tuple[LiveDesktop, LiveDesktop, HostSheet]:
    """Ada shares, and Bob has joined by the link that she copied."""
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    await press_named(sheet, "Copy link")
    bob = await desks.start("bob", QGuiApplication.clipboard().text())
    await until(lambda: bob.is_live)
    return ada, bob, sheet


async def with_somebody_who_asks(desks: Desks) -> tuple[LiveDesktop, LiveDesktop, HostSheet]:
    """Ada wants to be asked, and Bob waits for her."""
    ada, bob, sheet = await somebody_asks(desks)
    await until(sheet.lobby.isVisible, "a question in the sheet")
    return ada, bob, sheet


async def row_of(people: MembersSheet, name: str) -> QFrame:
    """Return the row that speaks of somebody once it is to be seen."""

    def found() -> list[QFrame]:
        return [one for one in people.findChildren(QFrame) if one.isVisible() and one.accessibleName() == name]

    await until(found, f"a row for {name}")
    return found()[0]


def says(people: MembersSheet, name: str) -> str:
    """What somebody is in the sheet; empty when they are not in it."""
    found = (one for one in people.membership.members if one.person.name == name)
    return next((one.words if one.is_out else one.role for one in found), "")


async def give_role(people: MembersSheet, name: str, words: str) -> None:
    """Choose somebody's role from the menu in their row."""
    row = await row_of(people, name)
    await choose(next(one for one in row.findChildren(QAbstractButton) if one.text().endswith("▾")), words)


@runs_at_desks
async def test_an_owner_lets_somebody_only_read_and_write_again(desks: Desks) -> None:
    ada, bob, sheet = await with_a_guest(desks)
    people = await people_of(sheet)
    await give_role(people, "bob", "May read")
    await bob.until_said("Connected · reading only")
    await until(lambda: says(people, "bob") == "viewer")
    bob.type("no")
    await give_role(people, "bob", "May write")
    await until(lambda: bob.opened.view.can_write)
    bob.type("yes ")
    await ada.until_text("yes paper")


@runs_at_desks
async def test_who_comes_while_the_sheet_is_up_is_in_it(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    people = await people_of(sheet)
    assert not says(people, "bob")
    await desks.start("bob", sheet.link.text())
    await give_role(people, "bob", "May read")
    await until(lambda: says(people, "bob") == "viewer")


@runs_at_desks
async def test_who_was_made_an_owner_decides_too(desks: Desks) -> None:
    ada, bob, sheet = await with_a_guest(desks)
    people = await people_of(sheet)
    await give_role(people, "bob", "Owner")
    await until(lambda: bob.opened.project.role == "owner")
    await press_icon(bob.window, "People and invitations")
    await until(lambda: bob.window.findChild(MembersSheet) is not None, "the sheet at the new owner's")
    theirs = bob.window.findChild(MembersSheet)
    assert isinstance(theirs, MembersSheet)
    await give_role(theirs, "ada", "May read")
    await until(lambda: not ada.opened.view.can_write)
    bob.type("mine ")
    await ada.until_text("mine paper")


@runs_at_desks
async def test_who_is_removed_is_told_and_comes_back_by_a_new_invitation_only(desks: Desks) -> None:
    ada, bob, sheet = await with_a_guest(desks)
    old = sheet.link.text()
    people = await people_of(sheet)
    await press_named(await row_of(people, "bob"), "Remove…")
    await press_named(people, "Remove")
    await bob.until_said("The host removed you from this project, and your copy stays here.")
    await until(lambda: says(people, "bob") == "removed")
    bob.type("mine ")
    assert (bob.text, ada.text) == ("mine paper", "paper")
    await joins(bob, old)
    await bob.until_said("The host removed you")

    await choose_by(people, "Copy a new invitation…", "May write")
    await until(lambda: people.invite.text() == "Copied")
    await joins(bob, QGuiApplication.clipboard().text())
    await ada.until_text("mine paper")
    await until(lambda: bob.is_live)


@runs_at_desks
async def test_who_is_banned_does_not_come_back_before_that_is_forgotten(desks: Desks) -> None:
    _ada, bob, sheet = await with_a_guest(desks)
    old = sheet.link.text()
    people = await people_of(sheet)
    await press_named(await row_of(people, "bob"), "Remove…")
    await press_named(people, "Remove for good")
    await bob.until_said("The host removed you from this project, and your copy stays here.")
    await until(lambda: says(people, "bob") == "banned" and sheet.link.text() != old)
    await joins(bob, sheet.link.text())
    await bob.until_said("The host removed you")

    await press_named(await row_of(people, "bob"), "Allow again")
    await until(lambda: not says(people, "bob"))
    before = bob.opened.project
    await joins(bob, sheet.link.text())
    await until(lambda: bob.is_live)
    assert (bob.opened.project, bob.notice) == (before, "")


@runs_at_desks
async def test_who_was_banned_keeps_the_copy_over_a_restart_and_others_come_by_the_new_link(desks: Desks) -> None:
    _ada, bob, sheet = await with_a_guest(desks)
    old = sheet.link.text()
    people = await people_of(sheet)
    await press_named(await row_of(people, "bob"), "Remove…")
    await press_named(people, "Remove for good")
    await until(lambda: says(people, "bob") == "banned" and sheet.link.text() != old)
    await bob.until_said("The host removed you")
    await desks.end(bob)
    bob = await desks.start("bob")
    await bob.until_said("you are not invited to it")
    assert bob.text == "paper"
    cy = await desks.start_with("cy", "own")
    await joins(cy, old)
    await cy.until_notice("The host withdrew this invitation")
    await joins(cy, sheet.link.text())
    await cy.until_text("paper")


@runs_at_desks
async def test_one_can_think_again_before_somebody_is_removed(desks: Desks) -> None:
    _ada, bob, sheet = await with_a_guest(desks)
    people = await people_of(sheet)
    await press_named(await row_of(people, "bob"), "Remove…")
    await press_named(people, "Keep")
    assert (says(people, "bob"), bob.is_live) == ("editor", True)
    assert buttons(await row_of(people, "bob"), "Remove…")


@pytest.mark.parametrize(("word", "said"), [("Let in", "all changes saved"), ("To read only", "reading only")])
@runs_at_desks
async def test_who_asks_is_let_in_from_the_sheet(desks: Desks, word: str, said: str) -> None:
    _ada, bob, sheet = await with_somebody_who_asks(desks)
    await press_named(sheet.lobby, word)
    await bob.until_text("paper")
    await bob.until_said(said)
    await until(lambda: not sheet.lobby.isVisible())


@runs_at_desks
async def test_who_asks_is_sent_away_from_the_sheet(desks: Desks) -> None:
    _ada, bob, sheet = await with_somebody_who_asks(desks)
    await press_named(sheet.lobby, "Decline")
    await bob.until_notice("The host did not let you in")
    assert bob.text == "own"
    await until(lambda: not sheet.lobby.isVisible())


@pytest.mark.parametrize(("word", "said"), [("Let in", "all changes saved"), ("Decline", "Working locally")])
@runs_at_desks
async def test_who_asks_is_answered_from_the_window_once_the_sheet_is_put_away(
    desks: Desks, word: str, said: str
) -> None:
    ada, bob, sheet = await with_somebody_who_asks(desks)
    await press_named(sheet, "Done")
    await until(lambda: ada.window.findChild(HostSheet) is None)
    await press_named(ada.window.meeting.lobby_bar, word)
    await bob.until_said(said)
    await until(ada.window.meeting.lobby_bar.isHidden)


@runs_at_desks
async def test_a_lock_and_its_end_are_one_press_each(desks: Desks) -> None:
    ada, bob, sheet = await with_a_guest(desks)
    await press(sheet.lock)
    await bob.until_said("reading only")
    await until(sheet.lock.isChecked)
    await press(sheet.lock)
    await until(lambda: bob.opened.view.can_write and not sheet.lock.isChecked())
    bob.type("mine ")
    await ada.until_text("mine paper")


@runs_at_desks
async def test_what_joining_gives_is_chosen_from_a_menu(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    await choose(sheet.access, "May read")
    await until(lambda: sheet.access.text() == "May read ▾")
    bob = await desks.start("bob", sheet.link.text())
    await bob.until_said("reading only")


@runs_at_desks
async def test_an_invitation_is_withdrawn_and_another_made(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    sheet = await shares(ada)
    old = sheet.link.text()
    people = await people_of(sheet)
    (invitation,) = people.membership.invitations
    await press_named(people, "Withdraw")
    await until(lambda: invitation not in people.membership.invitations)
    bob = await desks.start_with("bob", "own")
    await joins(bob, old)
    await bob.until_notice("The host withdrew this invitation")

    await choose_by(people, "Copy a new invitation…", "May read")
    await until(lambda: people.invite.text() == "Copied")
    await joins(bob, QGuiApplication.clipboard().text())
    await bob.until_said("Connected · reading only")


@runs_at_desks
async def test_what_a_server_refuses_an_owner_is_said_in_the_sheet(desks: Desks) -> None:
    """No button asks for that: another owner was faster, say."""
    ada = await desks.start_with("ada", "paper")
    people = await people_of(await shares(ada))
    people.decided.emit(GiveRole(ada.workspace.me.user_id, "viewer"))
    await until(people.problem.text, "a problem in the sheet")
    assert (says(people, "ada"), ada.notice) == ("owner", "")


@runs_at_desks
async def test_stopping_is_one_press_and_the_guest_keeps_the_copy(desks: Desks) -> None:
    ada, bob, sheet = await with_a_guest(desks)
    await press_named(sheet, "Stop sharing")
    await bob.until_said("The host ended the session, and your copy stays here.")
    await ada.until_said("Working locally")
    bob.type("mine ")
    assert bob.text == "mine paper"
