"""What a room wants done. Members are named by their session; who has no connection now is passed over."""

from dataclasses import dataclass

from texswarm_server.protocol.ids import SessionId
from texswarm_server.protocol.messages import Fact


@dataclass(frozen=True, slots=True)
class SendDocument:
    """Write one binary payload to these members; it must arrive, or the member must catch up later."""

    members: tuple[SessionId, ...]
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendPresence:
    """Write one binary payload to these members; it may be dropped for who reads too slowly."""

    members: tuple[SessionId, ...]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Write one binary payload to `members`, as `SendDocument` or, where it `may_be_dropped`, as `SendPresence`.

    `members` is the same tuple, not only an equal one, as long as nobody comes, goes, or falls behind; so what was
    found out about it may be kept. Those in `besides` are left out.
    """

    members: tuple[SessionId, ...]
    payload: bytes
    besides: tuple[SessionId, ...] = ()
    may_be_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Tell:
    """Send one JSON message to these members."""

    members: tuple[SessionId, ...]
    fact: Fact


@dataclass(frozen=True, slots=True)
class Persist:
    """Store `update` and report `batch` when it is durable."""

    batch: int
    update: bytes


@dataclass(frozen=True, slots=True)
class Reload:
    """The copy in memory cannot be gone on with: close the room for all and load it again, carefully if it is damaged.

    It is not damaged where edits arrived in an order in which only a new copy shows them all.
    """

    is_damaged: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """Call `Room.announce` after this many seconds: who is here has changed."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Greet:
    """Call `Room.greet` after this many seconds: somebody was not told yet who is here."""

    delay_s: float


Effect = SendDocument | SendPresence | Broadcast | Tell | Persist | Reload | Announce | Greet
