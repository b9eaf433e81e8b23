"""Who has sent nothing for too long: whoever is watched is looked at when that could be so, not all the time."""

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

from texswarm_server.sessions.deadlines import Deadlines

K = TypeVar("K", bound=Hashable)


class IdleWatch(Generic[K]):
    """Each key is looked at once in `idle_s` at most, however often it is heard; 0: nobody is watched.

    `heard_at` tells when a key was last heard, by the clock of the caller.
    """

    def __init__(self, idle_s: float, heard_at: Callable[[K], float]) -> None:
        self._idle_s = idle_s
        self._heard_at = heard_at
        self._looks: Deadlines[K] = Deadlines()

    def begin(self, key: K) -> None:
        """Watch `key` from now on."""
        if self._idle_s > 0:
            self._looks.set(key, self._heard_at(key) + self._idle_s)

    def end(self, key: K) -> None:
        """Do not watch `key` any more, if it was watched."""
        self._looks.cancel(key)

    def idle(self, now: float) -> Iterator[K]:
        """Yield the keys that were not heard for `idle_s`; who goes on being silent comes again after as long."""
        for key in list(self._looks.pop_due(now)):
            until = self._heard_at(key) + self._idle_s
            is_idle = until <= now
            self._looks.set(key, now + self._idle_s if is_idle else until)
            if is_idle:
                yield key
