"""Many requests become one call, and a timer that was stopped does not call."""

import time

import pytest
from pytestqt.qtbot import QtBot

from texswarm_desktop.qtx.timers import Pace, SingleShot, Tick

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


def test_after_a_pause_a_call_comes_at_once_and_then_at_a_pace(qtbot: QtBot) -> None:
    calls: list[float] = []
    pace = Pace(lambda: calls.append(time.monotonic()), 0.05)
    begin = time.monotonic()
    while len(calls) < 3:
        pace.request()
        qtbot.wait(1)
    assert calls[1] - calls[0] > 0.03
    assert calls[2] - begin < 30
    pace.request()
    pace.cancel()
    calls.clear()
    qtbot.wait(60)
    assert not calls
