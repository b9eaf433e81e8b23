"""Hears from the system that it woke from sleep. Where nobody tells, a jump of the clock shows it a second later."""

import sys
from typing import Final, cast

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection

_SERVICE: Final = "org.freedesktop.login1"
_PATH: Final = "/org/freedesktop/login1"
_INTERFACE: Final = "org.freedesktop.login1.Manager"


class SleepWatch(QObject):
    """Listens to logind on the system's message bus. Signal: `woke()`."""

    woke = Signal()

    def listen(self, bus: QDBusConnection | None = None) -> bool:
        """Begin; returns whether there is somebody to listen to. `bus`: another than the system's."""
        if bus is None:
            if sys.platform != "linux":
                return False
            bus = QDBusConnection.systemBus()
        return bus.isConnected() and bus.connect(
            _SERVICE,
            _PATH,
            _INTERFACE,
            "PrepareForSleep",
            self,
            cast("bytes", SLOT("_on_logind_prepare_for_sleep(bool)")),
        )

    @Slot(bool)
    def _on_logind_prepare_for_sleep(self, is_going: bool) -> None:
        if not is_going:
            self.woke.emit()
