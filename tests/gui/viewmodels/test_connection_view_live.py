"""The view of a connection tells what changes, also what changes only by time."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.desk import FakeConnection
from texswarm_desktop.client.states import Connecting, Idle, LinkState, Live, Waiting
from texswarm_desktop.client.status import Hosting, StatusLine
from texswarm_desktop.viewmodels.connection_view import ConnectionView

pytestmark = pytest.mark.usefixtures("qapp")


class Desk:
    def __init__(self) -> None:
        self.now = 100.0
        self.connection = FakeConnection()
        self.view = ConnectionView(clock=lambda: self.now)
        self.lines: list[str] = []
        self.view.line_changed.connect(self._on_line)
        self.view.attach(self.connection)

    def _on_line(self, line: StatusLine) -> None:
        self.lines.append(line.whole)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.view.close()
    assert desk.connection.listeners == []


def test_a_change_of_state_is_told_and_shown(desk: Desk) -> None:
    states: list[tuple[LinkState, LinkState]] = []
    desk.view.state_changed.connect(lambda old, new: states.append((old, new)))
    desk.connection.turn(Connecting(1))
    desk.connection.turn(Live(1, desk.now))
    assert states == [(Idle(), Connecting(1)), (Connecting(1), Live(1, desk.now))]
    assert desk.lines == ["Connecting…", "Connected · all changes saved"]


def test_a_blip_becomes_visible_by_time_alone(desk: Desk, qtbot: QtBot) -> None:
    desk.connection.turn(Live(1, desk.now))
    desk.connection.turn(Waiting(1, 1, desk.now, desk.now, desk.now + 5, 0.0, "cut"))
    assert desk.lines[-1] == "Connected · all changes saved"
    desk.now += 1.0
    desk.view.refresh()
    assert desk.lines[-1] == "Reconnecting in 4 s · 0 edits waiting"
    assert desk.view._timer.is_running


def test_the_countdown_moves_by_itself(desk: Desk, qtbot: QtBot) -> None:
    desk.connection.turn(Waiting(1, 1, None, desk.now, desk.now + 3.01, 0.0, "cut"))
    desk.now += 0.02
    qtbot.waitUntil(lambda: desk.lines[-1] == "Reconnecting in 3 s · 0 edits waiting")


def test_facts_change_the_line(desk: Desk) -> None:
    desk.connection.turn(Live(1, desk.now))
    desk.view.set_unacknowledged(2, desk.now)
    desk.view.set_unacknowledged(0, None)
    desk.view.set_hosting(Hosting("10.0.0.7:8091", "link", 2))
    assert desk.lines[-3:] == [
        "Connected · saving…",
        "Connected · all changes saved",
        "Hosting for 2 people · 10.0.0.7:8091 · all changes saved",
    ]


def test_retrying_is_the_users_wish(desk: Desk) -> None:
    desk.view.retry_now()
    assert desk.connection.retries == ["user"]


def test_without_a_connection_the_project_is_local(desk: Desk) -> None:
    desk.connection.turn(Live(1, desk.now))
    desk.view.detach()
    assert desk.view.line.text == "Working locally"
    desk.view.retry_now()
