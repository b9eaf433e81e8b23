"""How often a project that an update broke in memory is loaded again before it is told instead."""

from typing import Final

_MOST: Final = 3
_WINDOW_S: Final = 60.0


class ReloadLimit:
    """Remembers the times of late. An update that breaks the project whenever it is loaded must not do so for ever."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def allows(self, now: float) -> bool:
        """Count one more time, and return whether that is not too often; `now` in seconds of any clock."""
        self._times = [at for at in self._times if now - at < _WINDOW_S] + [now]
        return len(self._times) <= _MOST
