"""When what another program does to a file is over, so that no half-saved file is taken for what somebody wrote.

Programs save in different ways: in place (empty the file, then write it), by a new file and a rename, by moving the old
file away first. Each shows for a moment something that nobody meant. So a change counts once the file has been as it
is for a while; longer where it looks like half of a save.
"""

from collections.abc import Hashable, Mapping
from enum import Enum

import msgspec


class Doubt(Enum):
    """How much a change looks like the middle of something. The value: for how many seconds it must stand."""

    NONE = 0.04
    """Another content."""
    SHORTENED = 0.5
    """Empty, or without the end of what was there: it may be still being written."""
    GROWING = 0.25
    """A binary file: it may be still being written."""
    GONE = 0.3
    """No file under this name: another may be about to take its place."""


class Sight(msgspec.Struct, frozen=True):
    """A change as it was seen: `mark` tells it from another one, `since` is when it came to be (monotonic seconds)."""

    mark: Hashable
    since: float


class Change(msgspec.Struct, frozen=True):
    """A change as it is seen now. `age_s`: for how long the system says that the file has been so, 0 if unknown."""

    mark: Hashable
    doubt: Doubt
    age_s: float = 0.0


class Settled(msgspec.Struct, frozen=True):
    """`ready` paths can be taken; the others are waited for, and are to be looked at again after `again_s`.

    `sights`: all of them. Who does not take one that is ready remembers it too, or it would begin to wait anew.
    """

    ready: frozenset[str]
    sights: Mapping[str, Sight]
    again_s: float | None

    @property
    def waiting(self) -> dict[str, Sight]:
        """What is waited for."""
        return {path: sight for path, sight in self.sights.items() if path not in self.ready}


def settle(before: Mapping[str, Sight], changes: Mapping[str, Change], now: float) -> Settled:
    """Sort `changes` (by path) into those that are over and those that may not be; `before`: what was waited for."""
    ready, sights, rests = set(), {}, []
    for path, change in changes.items():
        known = before.get(path)
        age_s = min(max(change.age_s, 0.0), change.doubt.value)
        is_known = known is not None and known.mark == change.mark
        since = min(now - age_s, known.since) if is_known and known else now - age_s
        sights[path] = Sight(change.mark, since)
        rest_s = since + change.doubt.value - now
        if rest_s <= 0:
            ready.add(path)
        else:
            rests.append(rest_s)
    return Settled(frozenset(ready), sights, min(rests) if rests else None)


def doubt_about(known: str | None, found: str | None) -> Doubt:
    """Say how a file that held `known` and now holds `found` is to be taken; None: no text, or a file not seen yet."""
    if found is None or not known:
        return Doubt.SHORTENED if found == "" and known is None else Doubt.NONE
    is_part = 2 * len(found) < len(known) or not _has_end_of(known, found)
    return Doubt.SHORTENED if is_part else Doubt.NONE


def _has_end_of(known: str, found: str) -> bool:
    """Say whether the last line is still there. A file is written from its start, so what is not yet is its end."""
    if known.endswith("\n") and not found.endswith("\n"):
        return False
    end = known.rstrip()
    return end[end.rfind("\n") + 1 :] in found
