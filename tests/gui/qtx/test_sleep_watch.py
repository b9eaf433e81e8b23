"""Waking is heard from logind, here played on a message bus of the test's own."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from pytestqt.qtbot import QtBot

from texswarm_desktop.qtx.sleep_watch import SleepWatch

CONFIG = """<busconfig><type>session</type><listen>unix:path={socket}</listen>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy>
</busconfig>"""
MANAGER = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager")


@pytest.fixture(scope="module", autouse=True)
def _qt_speaks_to_buses() -> None:
    """Qt's thread for messages is one for the process, and keeps what it opened until the end."""
    QDBusConnection.connectToBus("unix:path=/nowhere", "nobody")


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Callable[[str], QDBusConnection]]:
    """Connect to a bus under a name."""
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("needs dbus-daemon")
    config, socket = tmp_path / "bus.conf", tmp_path / "bus"
    config.write_text(CONFIG.format(socket=socket))
    with subprocess.Popen(
        [program, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        names: list[str] = []

        def connect(name: str) -> QDBusConnection:
            names.append(name)
            return QDBusConnection.connectToBus(address, name)

        yield connect
        for name in names:
            QDBusConnection.disconnectFromBus(name)
        daemon.terminate()
        daemon.wait(20)


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
