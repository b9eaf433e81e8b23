"""The Join dialog: what it asks for, what it shows while it looks, and whom it makes the user compare."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.helpers.fake_join import host, idle_join, show
from texswarm_desktop.core.trust import Trust
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog
from texswarm_desktop.ui.theme import Theme
from texswarm_server.protocol.announcement import Entry

if TYPE_CHECKING:
    from texswarm_desktop.viewmodels.joining import JoinWish

ADA, BOB = host("Ada", "On Swarms"), host("Bob", "Notes", fingerprint=None)
CY, CLOSED_ADA = host("Cy", "Secrets", entry=Entry.CODE), host("Ada", "On Swarms", entry=Entry.CODE)
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


class Shown:
    """A dialog on the screen, and what it asked for."""

    def __init__(self, theme: Theme, **options) -> None:
        self.join = idle_join()
        show(self.join, ADA, BOB)
        self.dialog = JoinDialog(theme, self.join, None, **options)
        self.wishes: list[tuple[JoinWish, str]] = []
        self.links: list[tuple[str, str]] = []
        self.wanted: list[str] = []
        self.dialog.way_in_requested.connect(lambda wish, name: self.wishes.append((wish, name)))
        self.dialog.join_requested.connect(lambda link, name: self.links.append((link, name)))
        self.dialog.words_wanted.connect(self.wanted.append)
        self.dialog.begin()
        self.dialog.open()

    def press(self, widget) -> None:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def pick(self, name: str) -> None:
        (found,) = [one for one in self.dialog.list.rows if one.host.name == name]
        self.press(found)

    def try_it(self) -> None:
        self.press(self.dialog.accept_button)


@pytest.fixture
def shown(qtbot, theme: Theme) -> Iterator[Shown]:
    made = Shown(theme, name="Carol")
    yield made
    if shiboken6.isValid(made.dialog):
        made.dialog.close()


def test_a_host_that_is_picked_is_asked_for(shown: Shown) -> None:
    shown.pick("Bob")
    shown.try_it()
    ((wish, name),) = shown.wishes
    assert (wish.host, wish.entry, wish.trusted, name) == (BOB, None, None, "Carol")


def test_a_new_host_shows_its_words_and_join_means_yes_to_them(shown: Shown) -> None:
    shown.pick("Ada")
    assert shown.wanted == [ADA.announcement.fingerprint]
    shown.join.words_changed.emit(ADA.announcement.fingerprint, "four words of ada")
    assert shown.dialog.words.text() == "four words of ada"
    shown.try_it()
    assert shown.wishes[0][0].trusted == ADA.announcement.fingerprint


def test_words_of_somebody_else_are_not_shown(shown: Shown) -> None:
    shown.pick("Ada")
    shown.join.words_changed.emit("00" * 32, "words of nobody here")
    assert shown.dialog.words.text() == "…"


def test_a_known_host_is_not_compared_again(shown: Shown) -> None:
    shown.join._known._loaded()[ADA.announcement.instance] = ADA.announcement.fingerprint or ""
    shown.pick("Ada")
    assert not shown.dialog.words.isVisible()
    assert shown.dialog.accept_button.text() == "Join"


def test_a_changed_certificate_is_a_warning_with_one_action(shown: Shown) -> None:
    shown.join._known._loaded()[ADA.announcement.instance] = "00" * 32
    shown.pick("Ada")
    assert shown.dialog.trust.text().startswith("Careful")
    assert shown.dialog.accept_button.text() == "Trust it and join"
    shown.pick("Bob")
    assert (shown.dialog.trust.isVisible(), shown.dialog.accept_button.text()) == (False, "Join")


@pytest.mark.parametrize("text", ["417 otter maple", "192.168.1.20:8091", "192.168.1.20 417-otter-maple"])
def test_a_code_or_an_address_is_asked_for(shown: Shown, text: str) -> None:
    QTest.keyClicks(shown.dialog.link, text)
    shown.try_it()
    ((wish, _name),) = shown.wishes
    assert (wish.host, wish.entry is None) == (None, False)


def test_a_link_with_an_invitation_is_followed_at_once(shown: Shown) -> None:
    QTest.keyClicks(shown.dialog.link, "texswarm://host:8091/?token=abc")
    ended = []
    shown.dialog.finished.connect(ended.append)
    shown.try_it()
    assert (shown.links, len(ended)) == ([("texswarm://host:8091/?token=abc", "Carol")], 1)


def test_typing_leaves_the_list_and_picking_leaves_the_field(shown: Shown) -> None:
    shown.pick("Ada")
    QTest.keyClicks(shown.dialog.link, "x")
    assert shown.dialog.list.chosen is None
    shown.pick("Ada")
    assert shown.dialog.link.text() == ""


@pytest.mark.parametrize(("link", "name", "words"), [("", "Carol", "not a link"), ("host:1", "", "need a name")])
def test_what_cannot_lead_anywhere_is_said(shown: Shown, link: str, name: str, words: str) -> None:
    shown.dialog.link.setText(link)
    shown.dialog.name.setText(name)
    shown.try_it()
    assert words in shown.dialog.problem.text()
    assert (shown.wishes, shown.links) == ([], [])


def test_while_it_looks_it_cannot_be_asked_again_and_a_refusal_lets_it(shown: Shown) -> None:
    QTest.keyClicks(shown.dialog.link, "417 otter maple")
    shown.try_it()
    shown.try_it()
    assert (len(shown.wishes), shown.dialog.accept_button.isEnabled()) == (1, False)
    shown.dialog.show_refusal("This is not the code.")
    assert (shown.dialog.problem.text(), shown.dialog.accept_button.isEnabled()) == ("This is not the code.", True)


def test_a_refusal_that_a_check_can_explain_offers_one_until_something_else_is_asked(shown: Shown) -> None:
    asked = []
    shown.dialog.check_requested.connect(lambda: asked.append("check"))
    QTest.keyClicks(shown.dialog.link, "192.168.1.20 417 otter maple")
    shown.try_it()
    shown.dialog.show_refusal("This is not the code.")
    assert not shown.dialog.check_button.isVisible()
    shown.dialog.show_refusal("Nobody answers.", can_check=True)
    shown.press(shown.dialog.check_button)
    assert asked == ["check"]
    shown.try_it()
    assert not shown.dialog.check_button.isVisible()
    shown.dialog.show_refusal("Nobody answers.", can_check=True)
    shown.pick("Ada")
    assert not shown.dialog.check_button.isVisible()
    shown.dialog.show_refusal("Nobody answers.", can_check=True)
    shown.dialog.name.clear()
    shown.try_it()
    assert (shown.dialog.problem.isVisible(), shown.dialog.check_button.isVisible()) == (True, False)


def test_an_unknown_certificate_at_an_address_is_asked_about_and_answered(shown: Shown) -> None:
    QTest.keyClicks(shown.dialog.link, "192.168.1.20:8091")
    shown.try_it()
    shown.dialog.ask_to_trust("cd" * 32, Trust.NEW)
    shown.try_it()
    assert [wish.trusted for wish, _ in shown.wishes] == [None, "cd" * 32]


def test_hosts_come_and_go_while_it_is_open_and_the_choice_stays(shown: Shown) -> None:
    shown.pick("Ada")
    show(shown.join, host("Zoe", "A new one"), ADA)
    assert [row.host.name for row in shown.dialog.list.rows] == ["Zoe", "Ada"]
    assert shown.dialog.list.chosen == ADA
    show(shown.join)
    assert (shown.dialog.list.chosen, shown.dialog.list.rows) == (None, [])
    assert not shown.dialog.words.isVisible()


def test_what_a_host_calls_itself_is_never_read_as_markup(qtbot, theme: Theme) -> None:
    made = Shown(theme)
    show(made.join, host("<b>Eve</b>", "<img src='file:///etc/passwd'>"))
    (row,) = made.dialog.list.rows
    assert row._project.textFormat() is row._who.textFormat() is Qt.TextFormat.PlainText
    made.dialog.close()


def test_a_host_that_wants_a_code_is_marked_and_the_dialog_asks_for_it(shown: Shown) -> None:
    show(shown.join, ADA, CY)
    (row,) = [one for one in shown.dialog.list.rows if one.host == CY]
    assert row.accessibleName() == "Secrets, shared by Cy, code needed"
    shown.pick("Cy")
    assert shown.dialog.trust.text().startswith("This host lets in only who has its link or its code")
    assert not shown.dialog.words.isVisible()
    shown.try_it()
    assert (shown.wishes, shown.dialog.problem.isVisible()) == ([], True)
    QTest.keyClicks(shown.dialog.link, "417 otter maple")
    assert not shown.dialog.problem.isVisible()
    shown.try_it()
    ((wish, _name),) = shown.wishes
    assert (wish.host, str(wish.entry.code)) == (None, "417-otter-maple")


def test_a_host_that_changes_its_mind_while_it_is_marked_is_shown_as_it_is_now(shown: Shown) -> None:
    shown.pick("Ada")
    show(shown.join, CLOSED_ADA)
    assert (shown.dialog.words.isVisible(), "code" in shown.dialog.trust.text()) == (False, True)
    show(shown.join, ADA)
    assert (shown.dialog.words.isVisible(), "code" in shown.dialog.trust.text()) == (True, False)
    shown.try_it()
    assert shown.wishes[0][0].host == ADA


def test_while_nobody_shares_it_is_as_high_as_what_it_says(qtbot: QtBot, theme: Theme) -> None:
    dialog = JoinDialog(theme, idle_join(), None, link="texswarm://lab:8091/?token=abc", name="Carol")
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.height() == dialog.wanted_height_px
