"""Which former states of a document are kept: dense for the recent past, thinner the older they are, within bounds.

Pure: it is told the time. A version is the whole document at one moment, known here by when and how large it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MINUTE_S: Final = 60.0
_HOUR_S: Final = 60 * _MINUTE_S
_DAY_S: Final = 24 * _HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A former state. Times in seconds since the epoch; `size_bytes` as a document, `stored_bytes` on the disk.

    `through`: the number of the last update in it.
    """

    version_id: int
    created_at: float
    through: int
    size_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPolicy:
    """How much is kept. `steps`: up to which age (seconds) one version is kept in every so many seconds.

    What is older than the last step is kept as in that step. Beyond `max_bytes` for one document the oldest go first.
    """

    every_s: float = 5 * _MINUTE_S
    steps: tuple[tuple[float, float], ...] = (
        (_DAY_S, 5 * _MINUTE_S),
        (7 * _DAY_S, _HOUR_S),
        (90 * _DAY_S, _DAY_S),
        (float("inf"), 7 * _DAY_S),
    )
    max_bytes: int = 64 * 1024 * 1024

    def is_due(self, latest: Version | None, through: int, now: float, *, is_resting: bool) -> bool:
        """Whether the state after update `through` is to be kept now.

        Not when nothing changed; and while people write (not `is_resting`) not too soon after the last one.
        """
        if latest is None or through <= latest.through:
            return latest is None and through > 0
        return is_resting or not 0 <= now - latest.created_at < self.every_s

    def superfluous(self, versions: Sequence[Version], now: float) -> list[int]:
        """Return the ids of versions that need not be kept, out of all of one document, oldest first.

        The newest one always stays, and so does the last one of every stretch of time.
        """
        kept: dict[tuple[float, int], Version] = {}
        for version in versions:
            kept[self._stretch(version, now)] = version
        remaining = sorted(kept.values(), key=lambda version: version.version_id)
        total = sum(version.stored_bytes for version in remaining)
        while len(remaining) > 1 and total > self.max_bytes:
            total -= remaining.pop(0).stored_bytes
        wanted = {version.version_id for version in remaining}
        return [version.version_id for version in versions if version.version_id not in wanted]

    def _stretch(self, version: Version, now: float) -> tuple[float, int]:
        """Return the stretch of time of which this version may be the only one; they lie the same way every time."""
        age_s = now - version.created_at
        width_s = next(width for up_to, width in self.steps if age_s < up_to)
        return width_s, int(version.created_at // width_s)
