"""A window is painted frame by frame, and at once for who sits in front of it."""

import time

import pytest
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from texswarm_desktop.qtx.paint_pace import PaintPace, paint_at_once


class Canvas(QWidget):
    """Notes when it was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[float] = []

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        self.painted.append(time.monotonic())


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    PaintPace(canvas)
    canvas.show()
    qtbot.waitUntil(lambda: bool(canvas.painted))
    return canvas


def test_many_changes_are_painted_together(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.painted.clear()
    begin, turns = time.monotonic(), 0
    while len(canvas.painted) < 5:
        canvas.update()
        QApplication.processEvents()
        turns += 1
    took_s = time.monotonic() - begin
    assert turns > len(canvas.painted)
    assert took_s > 3 * 0.015


def test_a_held_request_is_carried_out_by_itself(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.painted.clear()
    canvas.update()
    qtbot.waitUntil(lambda: bool(canvas.painted))


def test_what_somebody_waits_for_is_painted_at_once(canvas: Canvas) -> None:
    for _ in range(3):
        canvas.painted.clear()
        canvas.update()
        paint_at_once(canvas)
        assert len(canvas.painted) == 1


def test_a_window_without_a_pace_takes_no_harm(qtbot: QtBot) -> None:
    window = Canvas()
    qtbot.addWidget(window)
    window.show()
    paint_at_once(window)
    window.update()
    qtbot.waitUntil(lambda: bool(window.painted))
