"""The signs of life of the current link: when it is pinged, that it is silent, and whether it is doubted.

It must not know what is done about a link that is silent; it has no task and no timer, and looks when it is asked to.
"""

from collections.abc import Callable

from texswarm_desktop.client.link import Link
from texswarm_desktop.client.timing import TICK_S, LinkProfile, Pulse, next_tick_s, pulse


class Heartbeat:
    """Watches one link at a time. Invariant: without a link nothing is pinged, heard or found silent.

    `is_doubting`: nothing is heard although it should be, and it is worth knowing whether packets come through.
    """

    def __init__(self, profile: LinkProfile, clock: Callable[[], float]) -> None:
        self.is_doubting = False
        self._profile, self._clock = profile, clock
        self._link: Link | None = None
        self._trusted_at = self._pinged_at = self._probed_at = 0.0
        self._unsent_bytes = 0
        self._doubted_at: float | None = None

    def watch(self, link: Link | None) -> None:
        """Turn to a link that was just opened; None: there is none."""
        self._link = link
        if link is not None:
            self._trusted_at = self._pinged_at = self._clock()
            self._unsent_bytes = 0

    def trust(self, now: float) -> None:
        """Count its silence from now on: before, this machine slept."""
        self._trusted_at = now

    def ping(self) -> None:
        """Ask for a sign of life."""
        if self._link is not None:
            self._pinged_at = self._clock()
            self._link.ping()

    def probe(self) -> None:
        """Ask for one, and remember when."""
        if self._link is not None:
            self._probed_at = self._clock()
            self.ping()

    @property
    def is_heard_since_probe(self) -> bool:
        """Whether a sign of life came since the last probe."""
        return self._link is not None and self._link.heard_at >= self._probed_at

    @property
    def since_probe_s(self) -> float:
        """How long ago the last probe was."""
        return self._clock() - self._probed_at

    def next_look_s(self, now: float) -> float:
        """Return in how many seconds to feel for it again."""
        if self._link is None:
            return TICK_S
        return next_tick_s(self._profile, now=now, heard_at=self._heard_at(self._link))

    def feel(self, now: float) -> float | None:
        """Ping it if it is time to; return for how many seconds it was silent if that is too long for a link."""
        link = self._link
        if link is None:
            return None
        self._see_what_the_network_took(link, now)
        heard_at = self._heard_at(link)
        self.is_doubting = self.is_doubting and heard_at == self._doubted_at
        match pulse(self._profile, now=now, heard_at=heard_at, pinged_at=self._pinged_at):
            case Pulse.DEAD:
                return now - heard_at
            case Pulse.PING:
                self.ping()
            case Pulse.OVERDUE:
                self._doubt(heard_at)
                if now - self._pinged_at >= self._profile.ping_every_s:
                    self.ping()
            case Pulse.FINE:
                pass
        return None

    def _see_what_the_network_took(self, link: Link, now: float) -> None:
        """What leaves our buffer is a sign of life too: behind a long upload a pong comes late."""
        unsent_bytes, self._unsent_bytes = self._unsent_bytes, link.unsent_bytes
        if link.unsent_bytes < unsent_bytes:
            self._trusted_at = now

    def _heard_at(self, link: Link) -> float:
        return max(link.heard_at, self._trusted_at)

    def _doubt(self, heard_at: float) -> None:
        """Once for each silence: if packets come through, and yet nothing is heard, the link is probed."""
        if self._doubted_at != heard_at and self._profile.knock_every_s:
            self._doubted_at, self.is_doubting = heard_at, True
