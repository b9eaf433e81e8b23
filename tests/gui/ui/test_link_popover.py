"""All about the link, above the status line: opened by a key or a button, with actions, closed by Escape."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from tests.gui.ui.conftest import NewDesk
from tests.helpers.desk import Desk, FakeConnection
from texswarm_desktop.client.states import Live, Trouble, Waiting
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.ui.link_popover import LinkPopover
from texswarm_server.protocol.invite_link import ServerAddress

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints|raise\\(\\)|grabbing the keyboard")


class MeasuredLink(FakeConnection):
    """A link whose ping and answer take four milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.current_address, self.profile, self.round_trip_s = ServerAddress("10.0.0.5"), LAN, 0.004
        self.pings = 0

    def measure(self) -> None:
        self.pings += 1


@pytest.fixture
def link() -> MeasuredLink:
    return MeasuredLink()


@pytest.fixture
def desk(new_desk: NewDesk, link: MeasuredLink) -> Desk:
    made = new_desk({"main.tex": "text"})
    made.connection = link
    made.status.attach(link)
    link.turn(Live(1, made.status.now()))
    return made


def opened(desk: Desk) -> LinkPopover:
    desk.window.status_bar.details.click()
    QApplication.processEvents()
    popover = desk.window.findChild(LinkPopover)
    assert popover is not None
    return popover


def press(popover: LinkPopover, words: str) -> None:
    next(each for each in popover.findChildren(QPushButton) if each.text() == words).click()


def test_it_says_how_the_link_is_and_measures_it(desk: Desk, link: MeasuredLink) -> None:
    popover = opened(desk)
    assert popover.details is not None
    assert popover.details.heading == "Connected · all changes saved"
    assert ("Response time", "4 ms") in popover.details.rows
    assert link.pings
    popover.close()


def test_drops_are_told_as_they_happen(desk: Desk) -> None:
    now = desk.status.now()
    desk.connection.turn(Waiting(1, 1, now - 5, now - 5, now + 60, 0.0, "test", trouble=Trouble.SILENT))
    popover = opened(desk)
    assert [drop.cause for drop in popover.details.drops] == ["No sign of life"]
    desk.connection.turn(Live(2, now))
    popover.refresh()
    assert "so far" not in popover.details.drops[0].how_long
    popover.close()


def test_it_is_as_high_as_what_it_says_whenever_that_changes(desk: Desk, link: MeasuredLink) -> None:
    popover = opened(desk)
    for round_trip_s in (0.005, 0.006):
        link.round_trip_s = round_trip_s
        popover.refresh()
        QApplication.processEvents()
        shown = [one for one in popover.findChildren(QLabel) if one.isVisible() and one.text()]
        assert f"{round_trip_s * 1000:.0f} ms" in {one.text() for one in shown}
        assert [one.text() for one in shown if one.height() < one.fontMetrics().height()] == []
    popover.close()


def test_its_actions_are_done_and_close_it(desk: Desk) -> None:
    now = desk.status.now()
    desk.connection.turn(Waiting(1, 1, now - 5, now - 5, now + 60, 0.0, "test"))
    press(opened(desk), "Retry now")
    assert desk.connection.retries == ["user"]
    wishes: list[str] = []
    desk.window.check_requested.connect(lambda: wishes.append("check"))
    desk.window.cancel_requested.connect(lambda: wishes.append("disconnect"))
    press(opened(desk), "Check the connection…")
    press(opened(desk), "Disconnect")
    QApplication.processEvents()
    assert wishes == ["check", "disconnect"]


def test_it_is_reached_and_left_by_keys(desk: Desk) -> None:
    QTest.keyClick(desk.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    QApplication.processEvents()
    popover = desk.window.findChild(LinkPopover)
    assert popover is not None
    assert popover.focusWidget() is not None
    QTest.keyClick(popover, Qt.Key.Key_Escape)
    assert not popover.isVisible()


def test_a_project_without_a_link_has_nothing_to_tell(desk: Desk) -> None:
    desk.status.detach()
    assert not desk.window.status_bar.details.isVisible()


def test_another_connection_has_a_history_of_its_own(desk: Desk) -> None:
    now = desk.status.now()
    desk.connection.turn(Waiting(1, 1, now, now, now + 60, 0.0, "test"))
    assert desk.status.history
    desk.status.attach(FakeConnection())
    assert desk.status.history == ()
