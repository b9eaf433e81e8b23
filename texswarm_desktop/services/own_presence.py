"""Where this user is, told to the others under a clock that never falls; and where they are.

Others, and the server, keep the highest clock they saw of us, also across a lost link, and answer a loss by a `null`
under the next one. So our clock goes on over losses, and by more than one: at an equal clock, leaving wins.
"""

from dataclasses import replace

from texswarm_server.document.presence import (
    Presence,
    PresenceData,
    PresenceEntry,
    decode_presence,
    encode_presence,
)

_CLOCK_STEP = 2


class OwnPresence:
    """The presence of a document as one client sees it. `states` holds the own state as well, under `client_id`."""

    def __init__(self, client_id: int) -> None:
        self.states = Presence()
        self._client_id = client_id
        self._state: PresenceData | None = None
        self._clock = 0
        self._is_shown = False

    def set(self, state: PresenceData | None) -> None:
        """Be elsewhere; None: nowhere."""
        self._state = state
        self._publish()

    def update(self) -> bytes:
        """Return the own state under a new clock; empty when there is none and nobody was told of one."""
        if self._state is None and not self._is_shown:
            return b""
        self._is_shown = self._state is not None
        return encode_presence([self._publish()])

    def apply(self, update: bytes) -> tuple[bool, bool]:
        """Take in an update; says whether anything is new, and whether the others must be told that we are here.

        Raises RemoteProtocolError for bytes that are none.
        """
        entries = decode_presence(update)
        own = [entry for entry in entries if entry.client_id == self._client_id]
        news = self.states.apply(entry for entry in entries if entry.client_id != self._client_id)
        must_answer = (
            any(entry.state is None and entry.clock >= self._clock for entry in own) and self._state is not None
        )
        self._clock = max([self._clock, *(entry.clock for entry in own)])
        return bool(news), must_answer

    def forget_others(self) -> bool:
        """Forget everybody else, and say whether there was anybody."""
        had_others = any(client_id != self._client_id for client_id in self.states.states)
        self.states.clear()
        self._is_shown = False
        self._publish()
        return had_others

    def _publish(self) -> PresenceEntry:
        self._clock += _CLOCK_STEP
        entry = PresenceEntry(self._client_id, self._clock, self._state)
        self.states.apply([replace(entry)])
        return entry
