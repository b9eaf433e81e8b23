"""Many requests become one call, and a timer that was stopped does not call."""

import pytest
from pytestqt.qtbot import QtBot

from texswarm_desktop.qtx.timers import SingleShot, Tick

pytestmark = pytest.mark.usefixtures("qapp")


def test_many_requests_are_one_call(qtbot: QtBot) -> None:
    calls: list[int] = []
    tick = Tick(lambda: calls.append(1), 0.001)
    for _ in range(10):
        tick.request()
    qtbot.waitUntil(lambda: not tick.is_pending)
    assert calls == [1]
    tick.request()
    assert tick.is_pending
    tick.cancel()
    assert not tick.is_pending


def test_a_new_start_replaces_the_one_before(qtbot: QtBot) -> None:
    calls: list[int] = []
    shot = SingleShot(lambda: calls.append(1))
    shot.start(3600)
    shot.start(0)
    qtbot.waitUntil(lambda: bool(calls))
    assert not shot.is_running


def test_a_stopped_timer_does_not_call() -> None:
    shot = SingleShot(lambda: None)
    shot.start(3600)
    assert shot.is_running
    shot.stop()
    assert not shot.is_running
