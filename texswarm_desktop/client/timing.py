"""How patient a link is: the numbers of PRODUCT "Timing" for a near and for a far server.

Pure. All times are in seconds. Nothing here reads a clock.
"""

from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import msgspec

from texswarm_server.protocol.invite_link import ServerAddress

#: A loss shorter than this is not shown.
BLIP_S: Final = 1.0
#: How often the driver looks at its clocks.
TICK_S: Final = 1.0
#: A tick that comes this much late means that the machine, or at least this program, stood still.
ASLEEP_S: Final = 4.0
#: A server that is away is knocked at often, then less often, then left to the retries.
KNOCK_FAST_FOR_S: Final = 60.0
_KNOCK_FOR_S: Final = 600.0
_KNOCK_SLOWER: Final = 10
#: An access token with less than this to live is not worth showing to a server.
TOKEN_MARGIN_S: Final = 5.0


class LinkProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The patience of one link; frozen, so that a test can make an impatient one with `replace`.

    `backoff_s`: the wait after the first, second, … loss in a row; the last one is repeated. `settled_after_s`: a link
    that was live for so long was a success, and the next loss counts as the first. `overload_wait_s`: the least wait
    after a server said that it is full. `moved_timeout_s`: how soon a link must answer after this machine got other
    addresses; most do not live through it, and to begin one anew costs little. `key_press_after_s`: a key press ends
    a wait that is older than this. `knock_every_s`: how often to look whether packets come through while the link is
    away; 0 where that is a burden.
    """

    name: str
    ping_every_s: float
    dead_after_s: float
    connect_timeout_s: float
    backoff_s: tuple[float, ...]
    probe_timeout_s: float
    settled_after_s: float
    close_timeout_s: float = 1.0
    overload_wait_s: float = 5.0
    moved_timeout_s: float = 0.15
    key_press_after_s: float = 5.0
    knock_every_s: float = 0.0


LAN: Final = LinkProfile(
    name="lan",
    ping_every_s=2.0,
    dead_after_s=6.0,
    connect_timeout_s=5.0,
    backoff_s=(0.0, 0.25, 0.5, 1.0, 2.0, 5.0),
    probe_timeout_s=1.0,
    settled_after_s=5.0,
    knock_every_s=0.1,
)
REMOTE: Final = LinkProfile(
    name="remote",
    ping_every_s=10.0,
    dead_after_s=25.0,
    connect_timeout_s=20.0,
    backoff_s=(0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0),
    probe_timeout_s=4.0,
    moved_timeout_s=1.5,
    settled_after_s=10.0,
)


def is_near(address: ServerAddress) -> bool:
    """Say whether `address` is on this machine or a private network, so that no proxy stands in between."""
    ip = _ip_of(address)
    if ip is None:
        host = address.host.rstrip(".").lower()
        return "." not in host or host.endswith(".local")
    return ip.is_private or ip.is_loopback or ip.is_link_local


def profile_for(address: ServerAddress) -> LinkProfile:
    """Return LAN for what is near, REMOTE for everything else."""
    return LAN if is_near(address) else REMOTE


def is_this_machine(address: ServerAddress) -> bool:
    """Say whether a link to `address` needs no network."""
    ip = _ip_of(address)
    return address.host.rstrip(".").lower() == "localhost" if ip is None else ip.is_loopback


def has_number(address: ServerAddress) -> bool:
    """Say whether the address needs no looking up."""
    return _ip_of(address) is not None


def _ip_of(address: ServerAddress) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(address.host)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


# ── signs of life ───────────────────────────────────────────────────────────────────────────────────────────


def has_slept(wall_s: float, monotonic_s: float) -> bool:
    """Say whether the machine slept between two ticks, from how far its two clocks moved.

    The monotonic clock stands still in sleep on some systems and runs on others, hence both. A wall clock that was set
    forward looks the same; the answer to it, a probe, does no harm.
    """
    return max(wall_s, monotonic_s) > TICK_S + ASLEEP_S


def offline_timeout_s(profile: LinkProfile) -> float:
    """Return how soon a link must answer when the system says that there is no network: no blip is longer."""
    return min(profile.probe_timeout_s, BLIP_S)


def knocking_every_s(profile: LinkProfile, away_s: float) -> float | None:
    """Return how often to knock at a server that has been away for so long; None: not any more.

    A cable that was out for a moment is found at once; a host that went home is not knocked at all night.
    """
    if not profile.knock_every_s or away_s >= _KNOCK_FOR_S:
        return None
    return profile.knock_every_s if away_s < KNOCK_FAST_FOR_S else profile.knock_every_s * _KNOCK_SLOWER


class Pulse(Enum):
    """What a tick finds on an open link."""

    FINE = "fine"
    PING = "ping"
    OVERDUE = "overdue"
    """A ping was not answered as soon as it should have been."""
    DEAD = "dead"


def pulse(profile: LinkProfile, *, now: float, heard_at: float, pinged_at: float) -> Pulse:
    """Say what to do about a link from which the last sign of life came at `heard_at`."""
    if now - heard_at >= profile.dead_after_s:
        return Pulse.DEAD
    if pinged_at > heard_at and now - heard_at >= profile.ping_every_s + profile.probe_timeout_s:
        return Pulse.OVERDUE
    if now - max(heard_at, pinged_at) >= profile.ping_every_s:
        return Pulse.PING
    return Pulse.FINE


def next_tick_s(profile: LinkProfile, *, now: float, heard_at: float) -> float:
    """Return when to look at a link again: each second, and at the moment when it is dead."""
    left_s = heard_at + profile.dead_after_s - now
    return min(TICK_S, left_s) if left_s > 0 else TICK_S
