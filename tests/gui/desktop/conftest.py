"""Desks at which people start whole desktops."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeDatabase
from PySide6.QtDBus import QDBusConnection
from PySide6.QtNetwork import QNetworkInformation
from PySide6.QtWidgets import QApplication

from tests.helpers.live_desktops import Desks


@pytest.fixture(scope="session", autouse=True)
def _what_qt_knows_of_the_system(qapp: QApplication) -> None:
    """Qt's view of the network, of the message bus and of kinds of files is one for the process, kept until the end."""
    QNetworkInformation.loadDefaultBackend()
    QDBusConnection.systemBus()
    QMimeDatabase().mimeTypeForFile(".")


@pytest.fixture
def desks(qapp: QApplication, tmp_path: Path) -> Desks:
    return Desks(qapp, tmp_path)
