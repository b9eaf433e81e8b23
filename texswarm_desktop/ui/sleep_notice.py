"""Says to a host that the computer may sleep although guests are here: once, in the window, and calmly."""

from typing import Final

from PySide6.QtCore import QObject

from texswarm_desktop.client.status import Hosting, Tone
from texswarm_desktop.ui.notices import NoticeArea
from texswarm_desktop.viewmodels.connection_view import ConnectionView

KEY: Final = "awake"
_WORDS: Final = {
    True: "This computer stays awake while guests are here.",
    False: "This computer cannot be kept awake: while it sleeps, guests write on their own and catch up later.",
}


def awake_words(hosting: Hosting | None) -> str:
    """Return whether the computer stays awake for the guests that are here; nothing while there are none."""
    if hosting is None or hosting.is_awake is None or not hosting.people:
        return ""
    return _WORDS[hosting.is_awake]


class SleepNotice(QObject):
    """Watches what is shared. Invariant: it has spoken once at most since the project is shared, or while it is not."""

    def __init__(self, notices: NoticeArea, connection: ConnectionView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._has_spoken = False
        connection.hosting_changed.connect(self._on_connection_hosting_changed)

    def _on_connection_hosting_changed(self, hosting: Hosting | None) -> None:
        may_sleep = hosting is not None and hosting.is_awake is False and hosting.people > 0
        if may_sleep and not self._has_spoken:
            self._notices.show_notice(KEY, "This computer may sleep", _WORDS[False], tone=Tone.QUIET)
        elif not may_sleep:
            self._notices.dismiss(KEY)
        self._has_spoken = hosting is not None and (self._has_spoken or may_sleep)
