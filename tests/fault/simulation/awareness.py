"""What a browser believes of who is where, and what it says because of it: the awareness of y-protocols, rule by rule.

It says again whatever it hears, under the clock it heard; nobody can take its own state away from it; it forgets
others of whom it heard nothing for half a minute. Over a lost connection it forgets who is where, but not the clocks.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from texswarm_server.document.presence import PresenceEntry, decode_presence, encode_presence

LOOK_EVERY_S: Final = 3.0
_FORGOTTEN_AFTER_S: Final = 30.0

State = dict[str, Any]


class BrowserAwareness:
    """`states`: by client id, its own among them; `say` takes what is to be sent."""

    def __init__(self, client_id: int, clock: Callable[[], float], say: Callable[[bytes], None]) -> None:
        self._client_id, self._now, self._say = client_id, clock, say
        self.states: dict[int, State] = {}
        self._heard: dict[int, tuple[int, float]] = {}
        self.show({})

    def show(self, state: State) -> None:
        """Let others see this, under the next clock."""
        clock = self._heard[self._client_id][0] + 1 if self._client_id in self._heard else 0
        self.states[self._client_id] = state
        self._heard[self._client_id] = clock, self._now()
        self._tell([self._client_id])

    def tell_own(self) -> None:
        """Say the own state as it is: a connection has just been made."""
        self._tell([self._client_id])

    def hear(self, update: bytes) -> None:
        """Take in what the server says, and say what was news again."""
        news = [entry for entry in decode_presence(update) if self._is_news(entry)]
        self._tell([entry.client_id for entry in news if self._take(entry)])

    def look(self) -> None:
        """Renew the own state, and forget those of whom nothing was heard for long."""
        now = self._now()
        if now - self._heard[self._client_id][1] >= _FORGOTTEN_AFTER_S / 2:
            self.show(self.states[self._client_id])
        old = [each for each in self._others() if now - self._heard[each][1] >= _FORGOTTEN_AFTER_S]
        for client_id in old:
            del self.states[client_id]
        self._tell(old)

    def lose_connection(self) -> None:
        """Forget who is where."""
        for client_id in self._others():
            del self.states[client_id]

    def _others(self) -> list[int]:
        return [each for each in self.states if each != self._client_id]

    def _is_news(self, entry: PresenceEntry) -> bool:
        clock = self._heard[entry.client_id][0] if entry.client_id in self._heard else 0
        is_leaving = entry.state is None and entry.client_id in self.states
        return clock < entry.clock or (clock == entry.clock and is_leaving)

    def _take(self, entry: PresenceEntry) -> bool:
        """Take an entry in; True where that is to be said."""
        clock, is_known = entry.clock, entry.client_id in self._heard
        if entry.state is not None:
            self.states[entry.client_id] = entry.state
        elif entry.client_id == self._client_id:
            clock += 1
        else:
            self.states.pop(entry.client_id, None)
        self._heard[entry.client_id] = clock, self._now()
        return is_known or entry.state is not None

    def _tell(self, client_ids: Iterable[int]) -> None:
        entries = [PresenceEntry(each, self._heard[each][0], self.states.get(each)) for each in client_ids]
        if entries:
            self._say(encode_presence(entries))
