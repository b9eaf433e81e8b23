"""Whoever has to choose between two histories sees what differs, and loses nothing by looking."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton, QWidget
from pytestqt.qtbot import QtBot

from texswarm_desktop.core.file_differences import Change, FileDifference
from texswarm_desktop.core.joining import Choice
from texswarm_desktop.ui.dialogs.histories_sheet import HistoriesSheet
from texswarm_desktop.ui.parts import RoomyArea
from texswarm_desktop.viewmodels.two_histories import TwoHistories
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

FILES = (
    FileDifference("main.tex", Change.CHANGED, 3, 1),
    FileDifference("mine.tex", Change.ONLY_HERE, 0, 5),
    FileDifference("parts/one.tex", Change.SAME),
    FileDifference("plot.png", Change.CHANGED, is_figure=True),
    FileDifference("theirs.tex", Change.ONLY_THERE, 7, 0),
)


@pytest.fixture
def window() -> Iterator[QWidget]:
    window = QWidget()
    window.show()
    yield window
    window.close()
    window.deleteLater()


def opened(window: QWidget, files: tuple[FileDifference, ...] = FILES) -> HistoriesSheet:
    sheet = HistoriesSheet(window, TwoHistories("host:8091", "paper", "lineage", files))
    sheet.open()
    return sheet


def test_what_differs_is_listed_and_what_is_the_same_is_counted(window: QWidget) -> None:
    sheet = opened(window)
    assert [sheet.list.item(at).text() for at in range(sheet.list.count())] == [
        "main.tex   other text on the server (+3 −1 lines)",
        "mine.tex   only here",
        "plot.png   another figure on the server",
        "theirs.tex   only on the server",
    ]
    assert "4 files differ, 1 the same" in [one.text() for one in sheet.findChildren(QLabel)]
    sheet.close()


def test_long_names_leave_room_for_every_choice_on_a_small_screen(
    window: QWidget, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    screen = SimpleNamespace(availableGeometry=lambda: QRect(0, 0, 800, 500))
    monkeypatch.setattr(HistoriesSheet, "screen", lambda _sheet: screen)
    files = tuple(FileDifference(f"chapters/{'long name ' * 12}{at}.tex", Change.CHANGED, 1, 1) for at in range(9))
    link = InviteLink(ServerAddress("127.0.0.1", 35179), None, "document")
    sheet = HistoriesSheet(window, TwoHistories("127.0.0.1:35179", "a long name " * 12, "lineage", files, link))
    sheet.resize(560, 333)  # two thirds of the screen, as Qt takes of the real one
    sheet.open()
    qtbot.waitUntil(sheet.merge.isVisible)
    seen = [sheet.list, *sheet.findChildren(RoomyArea)]
    assert sheet.height() <= 500
    assert sheet.height() >= sheet.minimumSizeHint().height()
    assert seen[0].geometry().bottom() < seen[1].geometry().top()
    assert sheet.list.textElideMode() is Qt.TextElideMode.ElideMiddle
    assert not sheet.merge.visibleRegion().isEmpty()
    sheet.close()


def test_files_that_are_all_the_same_need_no_list(window: QWidget) -> None:
    sheet = opened(window, (FileDifference("main.tex", Change.SAME),))
    assert sheet.list.isHidden()
    assert "All files are the same" in [one.text() for one in sheet.findChildren(QLabel)]
    sheet.close()


@pytest.mark.parametrize(("option", "choice"), [("keep_both", Choice.KEEP_BOTH), ("take_theirs", Choice.TAKE_THEIRS)])
def test_what_is_chosen_is_told(window: QWidget, qtbot: QtBot, option: str, choice: Choice) -> None:
    sheet = opened(window)
    getattr(sheet, option).setChecked(True)
    with qtbot.waitSignal(sheet.chosen) as told:
        sheet.try_accept()
    assert told.args == [choice]


def test_only_a_copy_of_the_same_origin_can_be_merged(window: QWidget, qtbot: QtBot) -> None:
    different = opened(window)
    assert different.merge.isHidden()
    different.close()
    link = InviteLink(ServerAddress("host", 8091), None, "document")
    sheet = HistoriesSheet(window, TwoHistories("host:8091", "paper", "lineage", FILES, link))
    sheet.open()
    assert [one.text() for one in sheet.findChildren(QRadioButton) if one.isVisible()] == [
        "Keep both", "Take the server's", "Merge",
    ]  # fmt: skip
    sheet.merge.click()
    with qtbot.waitSignal(sheet.chosen) as told:
        qtbot.mouseClick(button(sheet, "Continue"), Qt.MouseButton.LeftButton)
    assert told.args == [Choice.MERGE]


def button(sheet: HistoriesSheet, text: str) -> QPushButton:
    (found,) = [one for one in sheet.findChildren(QPushButton) if one.text() == text]
    return found


def test_keeping_both_is_proposed_and_closing_tells_nothing(window: QWidget, qtbot: QtBot) -> None:
    sheet = opened(window)
    assert sheet.keep_both.isChecked()
    with qtbot.assertNotEmitted(sheet.chosen):
        sheet.reject()
