"""An owner sees who may do what, and each change is asked for where it stands."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from texswarm_desktop.ui.dialogs.members_sheet import MembersSheet
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.membership import GiveRole, Invitation, LetBack, Member, Membership, TakeOut, Withdraw
from texswarm_desktop.viewmodels.people import Person

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

ADA, BOB, CY = (Person(name.lower(), name, "#336699") for name in ("Ada", "Bob", "Cy"))
MEMBERSHIP = Membership(
    (Member(ADA, "owner", is_me=True), Member(BOB, "editor"), Member(CY, "viewer", is_out=True, is_banned=True)),
    (Invitation("i-1", "editor", uses=2, way="nearby"),),
)


@pytest.fixture
def sheet(theme: Theme) -> Iterator[MembersSheet]:
    window = QWidget()
    window.show()
    sheet = MembersSheet(theme, window, MEMBERSHIP)
    sheet.open()
    yield sheet
    sheet.close()
    window.close()
    window.deleteLater()


def buttons(sheet: MembersSheet) -> dict[str, QPushButton]:
    QApplication.processEvents()
    return {one.text(): one for one in sheet.findChildren(QPushButton) if not one.parentWidget().isHidden()}


def choose(sheet: MembersSheet, text: str) -> None:
    """Choose from the menu that has come up."""
    menu = sheet.findChildren(QMenu)[-1]
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def test_everybody_is_shown_with_what_they_may_do(sheet: MembersSheet) -> None:
    shown = [one.text() for one in sheet.findChildren(QLabel)]
    assert {
        "Ada (you)",
        "Owner",
        "Bob",
        "Cy",
        "banned",
        "From the list on this network",
        "used 2 times · ends with the sharing",
    } <= set(shown)
    assert {"May write ▾", "Remove…", "Allow again", "Withdraw"} <= set(buttons(sheet))


def test_a_role_is_chosen_from_a_menu(sheet: MembersSheet, qtbot: QtBot) -> None:
    with qtbot.waitSignal(sheet.decided) as chosen:
        buttons(sheet)["May write ▾"].click()
        choose(sheet, "May read")
    assert chosen.args == [GiveRole("bob", "viewer")]


@pytest.mark.parametrize(("word", "for_good"), [("Remove", False), ("Remove for good", True)])
def test_who_is_taken_out_is_asked_about_first(sheet: MembersSheet, qtbot: QtBot, word: str, for_good: bool) -> None:
    asked: list[object] = []
    sheet.decided.connect(asked.append)
    buttons(sheet)["Remove…"].click()
    assert asked == []
    buttons(sheet)[word].click()
    assert asked == [TakeOut("bob", for_good)]


def test_one_can_keep_somebody_after_all(sheet: MembersSheet) -> None:
    buttons(sheet)["Remove…"].click()
    buttons(sheet)["Keep"].click()
    assert "Remove…" in buttons(sheet)
    assert "Remove" not in buttons(sheet)


def test_who_is_out_can_be_let_in_again_and_an_invitation_withdrawn(sheet: MembersSheet, qtbot: QtBot) -> None:
    decided: list[object] = []
    sheet.decided.connect(decided.append)
    buttons(sheet)["Allow again"].click()
    buttons(sheet)["Withdraw"].click()
    assert decided == [LetBack("cy"), Withdraw("i-1")]


def test_the_last_owner_is_not_offered_to_be_taken_out(sheet: MembersSheet) -> None:
    sheet.show_membership(Membership((Member(BOB, "owner"),)))
    assert not {"Owner ▾", "Remove…"} & set(buttons(sheet))
    sheet.show_membership(Membership((Member(BOB, "owner"), Member(ADA, "owner", is_me=True))))
    assert {"Owner ▾", "Remove…"} <= set(buttons(sheet))


def test_a_new_invitation_is_asked_for_by_role(sheet: MembersSheet, qtbot: QtBot) -> None:
    with qtbot.waitSignal(sheet.invite_requested) as asked:
        sheet.invite.click()
        choose(sheet, "May read")
    assert asked.args == ["viewer"]
    sheet.show_copied()
    assert sheet.invite.text() == "Copied"
