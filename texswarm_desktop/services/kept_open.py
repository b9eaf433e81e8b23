"""Files that are no more on the disk, held open for a moment, as another program may be writing to them."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Final, Generic, TypeVar

import msgspec

#: For how long, after it was replaced or last written to.
HELD_S: Final = 2.0
#: How many at once; each costs a descriptor.
_MOST_HELD: Final = 64
_PREFIX: Final = "replaced: "
#: Timers may ring early.
_SLACK_S: Final = 0.1

T = TypeVar("T")


class _Held(msgspec.Struct, Generic[T]):
    file: T
    since: float


class KeptOpen(ABC, Generic[T]):
    """Belongs to the loop. Each is held for two seconds after it was replaced or last written to, 64 at the most.

    Files go by names of their own, which are no paths.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held[T]] = {}
        self._count = 0

    def drop_old(self, now: float, *, kept: Collection[str]) -> None:
        """Let go of those that nobody wrote to for long, `kept` ones apart."""
        for name in [name for name, one in self._held.items() if name not in kept and now - one.since > HELD_S]:
            self._drop(name)

    def rest_s(self, now: float) -> float | None:
        """Say in how many seconds one may be let go of, None where there is none."""
        return min((max(one.since + HELD_S - now, 0.0) + _SLACK_S for one in self._held.values()), default=None)

    def close(self) -> None:
        """Let go of all."""
        for name in list(self._held):
            self._drop(name)

    @abstractmethod
    def _close_file(self, file: T) -> None:
        """Give a descriptor back."""

    def _hold(self, file: T, now: float) -> None:
        self._count += 1
        self._held[f"{_PREFIX}{self._count}"] = _Held(file, now)
        while len(self._held) > _MOST_HELD:
            self._drop(next(iter(self._held)))

    def _drop(self, name: str) -> None:
        self._close_file(self._held.pop(name).file)
