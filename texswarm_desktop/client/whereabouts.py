"""Where a server may be, likeliest first: what its link said, where it was reached, and what the local network tells.

Pure. Anybody on the network can say where a host is, so what is told proves nothing: it is bounded, it never takes the
place of where the link led or of where the server was reached last, and what showed another certificate is passed over
for a while.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from texswarm_server.protocol.invite_link import ServerAddress

#: Of what a host says about where it is, no more than this is believed.
_MOST_TOLD: Final = 8
_DISBELIEF_S: Final = 30.0
_MOST_DISBELIEVED: Final = 64
#: News of a host leads to something so often and no more, however often it is told.
_MOST_NEWS: Final = 5
_NEWS_WINDOW_S: Final = 10.0


class Whereabouts:
    """Invariant: `home`, where the link led, and `proved`, where it was reached last, are among `addresses`."""

    def __init__(self, home: ServerAddress) -> None:
        self._home = home
        self.proved = home
        self.addresses: tuple[ServerAddress, ...] = (home,)
        self._disbelieved: dict[ServerAddress, float] = {}
        self._news_at: deque[float] = deque(maxlen=_MOST_NEWS)

    def tell(self, told: Iterable[ServerAddress], now: float, *, has_link: bool) -> bool | None:
        """Take in what was announced. Return whether the server is elsewhere than we have it from, or look for it.

        None: it is to be left at that, because nothing of use was told, or too much of late.
        """
        believed = tuple(one for one in told if not self._is_disbelieved(one, now))[:_MOST_TOLD]
        if not believed:
            return None
        aim = self.proved if has_link else self.addresses[0]
        is_elsewhere = aim not in believed
        front = () if is_elsewhere else (aim,)
        told_before = tuple(
            one for one in self.addresses if self.is_only_told(one)
        )  # late answers say what held before
        likeliest = tuple(dict.fromkeys((*front, *believed, *told_before)))[:_MOST_TOLD]
        self.addresses = tuple(dict.fromkeys((*likeliest, self.proved, self._home)))
        return is_elsewhere if self._is_heeded(now) else None

    def elsewhere(self) -> tuple[ServerAddress, ...]:
        """Return where it may be other than where it was reached."""
        return tuple(one for one in self.addresses if one != self.proved)

    def reached(self, address: ServerAddress) -> None:
        """The server is there: a link was opened, with its certificate where one is insisted on."""
        self.proved = address
        self._disbelieved.clear()
        self.answered(address)

    def answered(self, address: ServerAddress) -> None:
        """Something answers there: there it is looked for first."""
        self.addresses = tuple(dict.fromkeys((address, *self.addresses)))

    def refused(self) -> None:
        """No link came about at the first address: the next one's turn."""
        self.addresses = (*self.addresses[1:], self.addresses[0])

    def is_only_told(self, address: ServerAddress) -> bool:
        """Say whether nothing but announcements speaks for an address."""
        return address not in {self.proved, self._home}

    def disproved(self, address: ServerAddress, now: float) -> None:
        """Somebody else is there, who shows another certificate."""
        if self.is_only_told(address):
            self._disbelieved[address] = now
            self.addresses = tuple(one for one in self.addresses if one != address)
        while len(self._disbelieved) > _MOST_DISBELIEVED:
            del self._disbelieved[next(iter(self._disbelieved))]

    def _is_disbelieved(self, address: ServerAddress, now: float) -> bool:
        since = self._disbelieved.get(address)
        return since is not None and now - since < _DISBELIEF_S

    def _is_heeded(self, now: float) -> bool:
        if len(self._news_at) == _MOST_NEWS and now - self._news_at[0] < _NEWS_WINDOW_S:
            return False
        self._news_at.append(now)
        return True
