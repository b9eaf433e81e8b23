"""The sheet of what is shared: link and codes, who is in, and what people may do."""

from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from texswarm_desktop.client.status import Hosting
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
from texswarm_desktop.ui.parts import Disc, RoomyArea
from texswarm_desktop.ui.qr_code import QrCode
from texswarm_desktop.ui.theme import Theme, ThemeMode
from texswarm_desktop.viewmodels.lobby_view import LetIn, Visitor
from texswarm_desktop.viewmodels.participants_view import ParticipantRow
from texswarm_desktop.viewmodels.people import Person

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

LINK = "texswarm://192.168.1.20:8091/?token=inv_abc&document=d&tls=1&fp=" + "ab" * 32
HOSTING = Hosting(address="192.168.1.20:8091", link=LINK)


@pytest.fixture
def sheet(theme: Theme) -> Iterator[HostSheet]:
    window = QWidget()
    window.show()
    sheet = HostSheet(theme, window, HOSTING)
    sheet.open()
    yield sheet
    if isValid(sheet):
        sheet.close()
    window.close()
    window.deleteLater()


def guest(number: int, *, role: str = "editor", state: str = "here") -> ParticipantRow:
    person = Person(f"u{number}", f"Guest {number}", "#336699")
    return ParticipantRow(person, role, state, is_me=False, windows=1)  # type: ignore[arg-type]


def rows(sheet: HostSheet) -> list[str]:
    QApplication.processEvents()
    return [
        one.accessibleName()
        for one in sheet.findChildren(QFrame)
        if ", " in one.accessibleName() and not one.isHidden()
    ]


def marked(sheet: HostSheet) -> WhoJoins:
    (is_open,) = [one for one, shown in sheet.choices.items() if shown.isChecked()]
    return WhoJoins.by(is_open=is_open, asks=sheet.asks.isChecked())


def press(sheet: HostSheet, words: str) -> None:
    next(one for one in sheet.findChildren(QPushButton) if one.text() == words).click()


def test_the_link_is_shown_as_text_and_as_a_code_and_can_be_copied(sheet: HostSheet) -> None:
    assert (sheet.link.text(), sheet.address.text()) == (LINK, "192.168.1.20:8091")
    assert len(sheet.code.modules) >= 21
    sheet.copy.click()
    assert QGuiApplication.clipboard().text() == LINK
    assert sheet.copy.text() == "Copied"


def screen_of(width_px: int, height_px: int) -> SimpleNamespace:
    return SimpleNamespace(
        availableSize=lambda: QSize(width_px, height_px), availableGeometry=lambda: QRect(0, 40, width_px, height_px)
    )


def sheet_on(screen: SimpleNamespace, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> HostSheet:
    """A sheet with all that can stand in it, but for people."""
    monkeypatch.setattr(HostSheet, "screen", lambda _sheet: screen)
    hosting = replace(HOSTING, join_code="417-turquoise-tangerine", words="apple river stone cloud", who=WhoJoins.ASKED)
    sheet = HostSheet(theme, None, replace(hosting, people=3, is_awake=True))
    sheet.show()
    return sheet


def scrolled_px(sheet: HostSheet) -> tuple[int, int]:
    QApplication.processEvents()
    (area,) = sheet.findChildren(RoomyArea)
    return area.horizontalScrollBar().maximum(), area.verticalScrollBar().maximum()


def somebody_asks(number: int) -> Visitor:
    return Visitor(Person(f"v{number}", "Maximiliana " * 9, "#336699"), "editor")


def test_a_full_sheet_need_not_be_scrolled_on_a_small_screen(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = sheet_on(screen_of(1280, 760), theme, monkeypatch)
    sheet.show_people([guest(number) for number in range(20)])
    sheet.show_visitors([somebody_asks(number) for number in range(5)])
    assert scrolled_px(sheet) == (0, 0)
    assert sheet.height() <= 760
    sheet.close()


@pytest.mark.parametrize(("people", "asking"), [(0, 0), (3, 0), (20, 0), (20, 1)])
def test_it_need_not_be_scrolled_on_a_tiny_screen_either(
    theme: Theme, monkeypatch: pytest.MonkeyPatch, people: int, asking: int
) -> None:
    """There the code for cameras is small, and gives way to who asks to join."""
    sheet = sheet_on(screen_of(800, 500), theme, monkeypatch)
    sheet.show_people([guest(number) for number in range(people)])
    sheet.show_visitors([somebody_asks(number) for number in range(asking)])
    assert scrolled_px(sheet) == (0, 0)
    assert (sheet.width() <= 800, sheet.height() <= 500) == (True, True)
    assert sheet.code.isVisible() is not bool(asking)
    assert [one for one in (sheet.join_code, sheet.words) if one.width() < one.minimumSizeHint().width()] == []
    sheet.close()


def test_who_is_in_stays_to_be_seen_however_often_it_changes(sheet: HostSheet) -> None:
    for _ in range(3):
        sheet.show_people([guest(number) for number in range(2)])
        QApplication.processEvents()
        seen = [one for one in sheet.findChildren(QFrame) if one.isVisible() and ", " in one.accessibleName()]
        assert [one.visibleRegion().boundingRect().height() >= Disc.SIZE_PX for one in seen] == [True, True]


def test_another_address_is_another_code(sheet: HostSheet) -> None:
    before = sheet.code.modules
    sheet.show_hosting(Hosting(address="10.0.0.9:8091", link=LINK.replace("192.168.1.20", "10.0.0.9")))
    assert sheet.code.modules != before
    assert sheet.address.text() == "10.0.0.9:8091"


@pytest.mark.parametrize("mode", [ThemeMode.LIGHT, ThemeMode.DARK])
def test_each_module_of_the_code_is_a_whole_dark_square_on_light_in_every_theme(theme: Theme, mode: ThemeMode) -> None:
    theme.set_mode(mode)
    code = QrCode(theme, size_px=196)
    code.show_text(LINK)
    image = code.grab().toImage()
    side, count = image.width(), len(code.modules)
    module = side // (count + 8)
    start = (side - module * count) // 2
    for y in range(count):
        for x in range(count):
            corners = [(x * module, y * module), (x * module + module - 1, y * module + module - 1)]
            dark = [image.pixelColor(QPoint(start + at, start + down)).lightness() < 64 for at, down in corners]
            assert dark == [code.modules[y][x]] * 2
    code.deleteLater()


def test_a_join_code_is_shown_when_there_is_one(sheet: HostSheet) -> None:
    assert not sheet.join_code.isVisible()
    sheet.show_hosting(Hosting(address="a", link=LINK, join_code="7-marble-otter"))
    assert (sheet.join_code.isVisible(), sheet.join_code.text()) == (True, "7-marble-otter")


def test_everybody_who_is_in_is_shown_with_role_and_state(sheet: HostSheet) -> None:
    sheet.show_people([guest(1), guest(2, role="viewer", state="reconnecting"), guest(3, role="owner", state="away")])
    assert rows(sheet) == [
        "Guest 1, May write, here",
        "Guest 2, May read, reconnecting…",
        "Guest 3, Owner, away",
    ]
    sheet.show_people([guest(number) for number in range(20)])
    assert len(rows(sheet)) == 20
    sheet.show_people([])
    assert rows(sheet) == []


def test_what_the_link_gives_is_chosen_from_a_menu(sheet: HostSheet, qtbot: QtBot) -> None:
    with qtbot.waitSignal(sheet.access_chosen) as chosen:
        press(sheet, "May write ▾")
        menu = sheet.findChildren(QMenu)[-1]
        next(action for action in menu.actions() if action.text() == "May read").trigger()
        menu.close()
    assert chosen.args == ["viewer"]


def test_who_may_join_is_one_press_and_is_marked_when_it_is_true(sheet: HostSheet, qtbot: QtBot) -> None:
    road = [WhoJoins.ANYBODY, WhoJoins.ASKED, WhoJoins.INVITED_AND_ASKED, WhoJoins.INVITED, WhoJoins.ANYBODY]
    for before, who in pairwise(road):
        choice = sheet.choices[who.is_open] if before.is_open is not who.is_open else sheet.asks
        with qtbot.waitSignal(sheet.who_joins_chosen) as chosen:
            qtbot.mouseClick(choice, Qt.MouseButton.LeftButton, pos=QPoint(8, choice.height() // 2))
        assert chosen.args == [who]
        assert marked(sheet) == before
        sheet.show_hosting(replace(HOSTING, who=who))
        assert marked(sheet) == who


def test_what_is_chosen_already_is_not_asked_for_again(sheet: HostSheet, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(sheet.who_joins_chosen):
        sheet.choices[True].click()


@pytest.mark.parametrize("who", [WhoJoins.ANYBODY, WhoJoins.INVITED_AND_ASKED])
def test_the_words_to_compare_are_shown_to_whoever_may_be_asked_for_them(sheet: HostSheet, who: WhoJoins) -> None:
    """Who types the address is asked to compare them before it turns out that only invited people get in."""
    sheet.show_hosting(replace(HOSTING, who=who))
    assert not sheet.words.isVisible()
    sheet.show_hosting(replace(HOSTING, words="four words of ada", who=who))
    assert sheet.words.isVisible()


def test_to_lock_is_one_press(sheet: HostSheet, qtbot: QtBot) -> None:
    sheet.show_people([guest(1)])
    with qtbot.waitSignal(sheet.lock_chosen) as locked:
        qtbot.mouseClick(sheet.lock, Qt.MouseButton.LeftButton, pos=QPoint(8, sheet.lock.height() // 2))
    assert locked.args == [True]
    assert not sheet.lock.isChecked(), "it is marked once it holds"


def test_while_it_is_locked_it_says_when_people_who_join_may_write(sheet: HostSheet) -> None:
    sheet.show_hosting(Hosting(address="a", link=LINK, role="editor", is_locked=True))
    assert (sheet.access.text(), sheet.lock.isChecked()) == ("May write ▾", True)
    hint = next(one for one in sheet.findChildren(QLabel) if one.text() == "once the lock is off")
    assert not hint.isHidden()
    sheet.show_hosting(Hosting(address="a", link=LINK, role="editor"))
    assert hint.isHidden()


@pytest.mark.parametrize(("is_awake", "words"), [(True, "stays awake"), (False, "cannot be kept awake")])
def test_it_says_whether_the_computer_stays_awake(sheet: HostSheet, is_awake: bool, words: str) -> None:
    assert not sheet.awake.isVisible()
    sheet.show_hosting(Hosting(address="a", link=LINK, people=1, is_awake=is_awake))
    assert (sheet.awake.isVisible(), words in sheet.awake.text()) == (True, True)


def test_stopping_closes_the_sheet(sheet: HostSheet, qtbot: QtBot) -> None:
    with qtbot.waitSignal(sheet.stop_requested):
        press(sheet, "Stop sharing")
    assert not isValid(sheet) or not sheet.isVisible()


def test_who_asks_to_join_is_answered_in_the_sheet_too(sheet: HostSheet, qtbot: QtBot) -> None:
    """It lies over the window's own bar, and what lies behind a dialog cannot be pressed."""
    assert not sheet.lobby.isVisible()
    sheet.show_visitors([Visitor(guest(1).person, "editor")])
    assert sheet.lobby.isVisible()
    with qtbot.waitSignal(sheet.lobby.answered) as answered:
        press(sheet, "Let in")
    assert answered.args == [LetIn("u1", "editor")]


def test_it_grows_with_what_it_shows(sheet: HostSheet) -> None:
    QApplication.processEvents()
    before = sheet.height()
    words, code = "umbrella umbrella umbrella umbrella", "417-turquoise-tangerine"
    sheet.show_hosting(replace(HOSTING, words=words, join_code=code, who=WhoJoins.ASKED))
    sheet.show_people([guest(number) for number in range(5)])
    sheet.show_visitors([Visitor(guest(9).person, "editor")])
    QApplication.processEvents()
    assert sheet.height() > before
    shown = [sheet.link, sheet.join_code, sheet.words, sheet.address, sheet.access, *sheet.choices.values(), sheet.asks]
    assert [one for one in shown if one.height() < one.minimumSizeHint().height()] == []
    assert [one for one in shown if one.width() < one.minimumSizeHint().width()] == []
    assert sheet.address.visibleRegion().boundingRect().height() == sheet.address.height()


def test_it_is_never_higher_than_the_screen_and_what_has_no_room_is_scrolled_to(
    sheet: HostSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SimpleNamespace(availableGeometry=lambda: QRect(0, 0, 1366, 560))
    monkeypatch.setattr(sheet, "screen", lambda: small)
    sheet.show_hosting(replace(HOSTING, words="four words of ada", join_code="417-otter-maple", who=WhoJoins.ASKED))
    sheet.show_people([guest(number) for number in range(20)])
    sheet.show_visitors([Visitor(guest(number).person, "editor") for number in range(9)])
    QApplication.processEvents()
    assert sheet.frameGeometry().bottom() <= 560
    stop = next(one for one in sheet.findChildren(QPushButton) if one.text() == "Stop sharing")
    assert stop.visibleRegion().boundingRect().height() == stop.height()
    area = sheet.findChild(RoomyArea)
    assert area is not None
    area.ensureWidgetVisible(sheet.lock)
    assert sheet.lock.visibleRegion().boundingRect().height() == sheet.lock.height()


def test_roles_stand_below_each_other_whatever_else_is_said(sheet: HostSheet) -> None:
    here = guest(1)
    sheet.show_people([here, replace(guest(2, state="reconnecting"), windows=3), guest(3, state="away")])
    QApplication.processEvents()
    roles = [one for one in sheet.findChildren(QLabel) if one.text() == "May write" and one.isVisible()]
    assert len(roles) == 3
    assert len({one.mapTo(sheet, QPoint(0, 0)).x() for one in roles}) == 1
