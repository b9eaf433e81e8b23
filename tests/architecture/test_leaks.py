"""The stock-taking that every test ends with sees what it claims to see."""

import asyncio
import gc
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from tests.helpers.leaks import Stock, left_since
from tests.helpers.log_watch import watching_logs
from tests.helpers.qt_garbage import dying_here

AT_ONCE_S = 0.0
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")


def test_nothing_left_is_nothing_named() -> None:
    assert left_since(Stock.take()) == []


def test_a_running_thread_is_named_until_it_ends() -> None:
    before, may_end = Stock.take(), threading.Event()
    thread = threading.Thread(target=may_end.wait, name="forgotten")
    thread.start()
    (left,) = left_since(before, AT_ONCE_S)
    assert "forgotten" in left
    may_end.set()
    assert left_since(before) == []


@on_linux
def test_an_open_socket_is_named() -> None:
    before = Stock.take()
    with socket.socket():
        (left,) = left_since(before, AT_ONCE_S)
    assert left.startswith("descriptor")


def test_a_task_on_a_loop_that_no_longer_runs_is_named() -> None:
    before, loop = Stock.take(), asyncio.new_event_loop()
    task = loop.create_task(asyncio.sleep(3600), name="orphan")
    loop.run_until_complete(asyncio.sleep(0))
    assert any("orphan" in line for line in left_since(before, AT_ONCE_S))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


@on_linux
def test_a_child_process_is_named() -> None:
    before = Stock.take()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE):
        assert any(line.startswith("child process") for line in left_since(before, AT_ONCE_S))


@pytest.mark.parametrize("make", [QMainWindow, QWidget])
def test_a_window_is_named_until_it_is_deleted(qapp: QApplication, make: Callable[[], QWidget]) -> None:
    before, window = Stock.take(), make()
    window.setWindowTitle("left open")
    window.show()
    assert any("left open" in line for line in left_since(before, AT_ONCE_S))
    window.deleteLater()
    assert left_since(before) == []


def test_a_warning_of_ours_is_collected_and_a_remark_is_not() -> None:
    with watching_logs() as watch:
        logging.getLogger("texswarm_server.somewhere").info("a remark")
        logging.getLogger("asyncio").warning("slow")
    assert watch.lines == []


@pytest.mark.expects_log
def test_a_warning_of_ours_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with watching_logs() as watch:
        logging.getLogger("texswarm_desktop.somewhere").warning("beware")
    assert watch.lines == ["WARNING texswarm_desktop.somewhere: beware"]
    assert caplog.messages == ["beware"]


@pytest.mark.usefixtures("qapp")
def test_what_is_left_of_qt_dies_after_the_last_fixture_in_the_thread_of_the_tests() -> None:
    ended_in: list[threading.Thread] = []

    class Reached(QObject):
        """Reaches itself, and notes in which thread it ends."""

        def __init__(self) -> None:
            super().__init__()
            self._me = self
            self._timer = QTimer(self)
            self._timer.start(3600_000)

        def __del__(self) -> None:
            ended_in.append(threading.current_thread())

    def work() -> None:
        for _ in range(50_000):
            cycle: list[object] = []
            cycle.append(cycle)

    with dying_here():
        held = [Reached()]
        held.clear()  # as pytest lets go of the values of fixtures
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert ended_in == []
    assert ended_in == [threading.current_thread()]


def test_every_test_that_uses_qt_is_looked_after(request: pytest.FixtureRequest, qapp: QApplication) -> None:
    assert "qapp" in request.node.fixturenames
    assert not gc.isenabled()
