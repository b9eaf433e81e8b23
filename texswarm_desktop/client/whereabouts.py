"""Where a server may be, likeliest first: what its link said, where it was reached, and what the local network tells.

Pure. Anybody on the network can say where a host is, so what is told proves nothing: it is bounded, it never takes the
place of where the link led or of where the server was reached last, what showed another certificate is passed over for
a while, and of what several say each has a place.
"""

from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Final

from texswarm_server.protocol.invite_link import ServerAddress

#: Of what a host says about where it is, no more than this is believed.
_MOST_TOLD, _MOST_FIRST = 8, 5
#: So much is kept of what was told at several times.
_MOST_KEPT: Final = 32
_DISBELIEF_S: Final = 30.0
_MOST_DISBELIEVED: Final = 64
#: News of a host leads to something so often and no more, however often it is told.
_NEWS_EVERY_S: Final = 0.25


class Whereabouts:
    """Invariant: `home`, where the link led, and `proved`, where it was reached last, are among `addresses`."""

    def __init__(self, home: ServerAddress) -> None:
        self._home = home
        self.proved = home
        self.addresses: tuple[ServerAddress, ...] = (home,)
        self._shown: ServerAddress | None = None
        self._disbelieved: dict[ServerAddress, float] = {}
        self._heeded_at = -_NEWS_EVERY_S
        self._turn = 0

    def tell(
        self,
        told: Iterable[ServerAddress],
        now: float,
        *,
        has_link: bool,
        lately: Iterable[ServerAddress] = (),
    ) -> bool | None:
        """Take in what was announced. Return whether the server is elsewhere than we have it from, or look for it.

        `lately`: what was announced a moment ago, and no more: of the same, or in its name. None: nothing of use.
        """
        believed, doubted = (
            tuple(one for one in each if not self._is_disbelieved(one, now)) for each in (told, lately)
        )
        if not believed and not doubted:
            return None
        believed = self._some_of(believed)
        aim = self.proved if has_link else self.addresses[0]
        is_elsewhere = aim not in believed
        front = () if is_elsewhere else (aim,)
        before = (one for one in self.addresses if self.is_only_told(one))  # late answers say what held before
        in_turn = (one for one in chain.from_iterable(zip_longest(believed, before, doubted)) if one is not None)
        likeliest = tuple(dict.fromkeys((*front, *in_turn)))[:_MOST_KEPT]
        self.addresses = tuple(dict.fromkeys((*likeliest, self.proved, self._home)))
        return is_elsewhere

    def _some_of(self, told: tuple[ServerAddress, ...]) -> tuple[ServerAddress, ...]:
        """Of many the first few, and each time some others of the rest."""
        if len(told) <= _MOST_TOLD:
            return told
        first, rest = told[:_MOST_FIRST], told[_MOST_FIRST:]
        at, others = self._turn % len(rest), _MOST_TOLD - _MOST_FIRST
        self._turn += others
        return (*first, *(*rest[at:], *rest[:at])[:others])

    def heed(self, now: float) -> float:
        """Return after how many seconds news may lead to something; 0: now, and then not again for a moment."""
        wait_s = max(0.0, self._heeded_at + _NEWS_EVERY_S - now)
        if not wait_s:
            self._heeded_at = now
        return wait_s

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

    def shown(self, address: ServerAddress) -> None:
        """The server has shown there that it is itself."""
        self._shown = address
        self.answered(address)

    def take_shown(self) -> ServerAddress | None:
        """Return, once, where the server has just shown that it is itself: whoever else answers need not be asked."""
        shown, self._shown = self._shown, None
        return shown

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
