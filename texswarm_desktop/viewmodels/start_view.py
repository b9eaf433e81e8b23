"""What the first page shows: the projects worked on lately, and the name others will see.

What is old or gone is told by whoever keeps the list; here it is only made ready to read. `when` is pure.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.invite_link import parse_invite_link

_MINUTE_S: Final = 60
_HOUR_S: Final = 60 * _MINUTE_S
_DAY_S: Final = 24 * _HOUR_S


class RecentProject(msgspec.Struct, frozen=True):
    """A project on this computer. `opened_at`: seconds since the epoch. `server`: its name, if it is shared."""

    folder: Path
    title: str
    opened_at: float
    server: str = ""
    is_missing: bool = False


class StartView(QObject):
    """The first page.

    Signals: `recent_changed(list[RecentProject])`, `name_changed(str)`, `busy_changed(str)` with what is being done,
    empty when nothing is.
    """

    recent_changed = Signal(list)
    name_changed = Signal(str)
    busy_changed = Signal(str)

    def __init__(self, *, recent: Sequence[RecentProject] = (), name: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recent = list(recent)
        self._name = name
        self._busy = ""

    @property
    def recent(self) -> list[RecentProject]:
        """The projects to offer, latest first."""
        return self._recent

    @property
    def name(self) -> str:
        """The name others see."""
        return self._name

    @property
    def busy(self) -> str:
        """What is being done; empty when nothing is."""
        return self._busy

    def set_recent(self, recent: Sequence[RecentProject]) -> None:
        """Take in another list."""
        self._recent = list(recent)
        self.recent_changed.emit(self._recent)

    def set_name(self, name: str) -> None:
        """Take in another name."""
        if name != self._name:
            self._name = name
            self.name_changed.emit(name)

    def set_busy(self, busy: str) -> None:
        """Take in what is being done."""
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit(busy)


def is_address(text: str) -> bool:
    """Say whether a link or an address can be read from what was typed."""
    try:
        parse_invite_link(text)
    except SettingsError:
        return False
    return True


def when(then: float, now: float) -> str:
    """Return how long ago something was, in words that stay true for a while."""
    age_s = max(0.0, now - then)
    if age_s < _MINUTE_S:
        return "just now"
    for unit_s, limit_s, name in (
        (_MINUTE_S, _HOUR_S, "minute"),
        (_HOUR_S, _DAY_S, "hour"),
        (_DAY_S, 14 * _DAY_S, "day"),
    ):
        if age_s < limit_s:
            count = int(age_s // unit_s)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    weeks = int(age_s // (7 * _DAY_S))
    return f"{weeks} weeks ago" if weeks < 9 else "long ago"
