"""Waking is heard from logind, here played on a message bus of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from pytestqt.qtbot import QtBot

from tests.helpers.message_bus import message_bus
from texswarm_desktop.qtx.sleep_watch import SleepWatch

MANAGER = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager")


@pytest.fixture(scope="module", autouse=True)
def _qt_speaks_to_buses() -> None:
    """Qt's thread for messages is one for the process, and keeps what it opened until the end."""
    QDBusConnection.connectToBus("unix:path=/nowhere", "nobody")


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Callable[[str], QDBusConnection]]:
    """Connect to a bus under a name."""
    with message_bus(tmp_path) as address:
        names: list[str] = []

        def connect(name: str) -> QDBusConnection:
            names.append(name)
            return QDBusConnection.connectToBus(address, name)

        yield connect
        for name in names:
            QDBusConnection.disconnectFromBus(name)


def test_waking_is_heard_and_going_to_sleep_is_not_taken_for_it(
    qtbot: QtBot, bus: Callable[[str], QDBusConnection]
) -> None:
    logind = bus("logind")
    assert logind.registerService("org.freedesktop.login1")
    watch, heard = SleepWatch(), []
    watch.woke.connect(lambda: heard.append("woke"))
    assert watch.listen(bus("desktop"))
    for is_going in (True, False):
        message = QDBusMessage.createSignal(*MANAGER, "PrepareForSleep")
        message.setArguments([is_going])
        assert logind.send(message)
    qtbot.waitUntil(lambda: heard == ["woke"])
    QCoreApplication.processEvents()
    assert heard == ["woke"]


def test_without_a_bus_there_is_nobody_to_listen_to() -> None:
    assert SleepWatch().listen(QDBusConnection("no such bus")) is False
