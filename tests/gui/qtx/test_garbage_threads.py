"""Objects of Qt in a cycle die in the thread of the windows, whoever makes the most garbage."""

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from texswarm_desktop.qtx.garbage import GuiThreadGarbage

pytestmark = pytest.mark.usefixtures("qapp")


class Cyclic(QObject):
    """Reaches itself, and notes in which thread it ends."""

    def __init__(self, ended_in: list[threading.Thread]) -> None:
        super().__init__()
        self._me = self
        self._ended_in = ended_in
        self._timer = QTimer(self)
        self._timer.start(3600_000)

    def __del__(self) -> None:
        self._ended_in.append(threading.current_thread())


@pytest.fixture(autouse=True)
def _automatic() -> Iterator[None]:
    """Python's own search is on around each of these tests, as in a program."""
    was_on = gc.isenabled()
    gc.enable()
    yield
    if not was_on:
        gc.disable()


def make_garbage_elsewhere() -> None:
    def work() -> None:
        for _ in range(50_000):
            cycle: list[object] = []
            cycle.append(cycle)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_another_thread_does_not_end_them(qtbot: QtBot) -> None:
    ended_in: list[threading.Thread] = []
    with GuiThreadGarbage() as garbage:
        Cyclic(ended_in)
        make_garbage_elsewhere()
        assert ended_in == []
        garbage.look()
        assert ended_in == [threading.current_thread()]


def test_it_looks_by_itself(qtbot: QtBot) -> None:
    ended_in: list[threading.Thread] = []
    with GuiThreadGarbage():
        Cyclic(ended_in)
        make_garbage_elsewhere()
        qtbot.waitUntil(lambda: bool(ended_in))


def test_afterwards_everything_is_as_it_was() -> None:
    with GuiThreadGarbage():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
