"""What a room wants done. Members are named by their session; who has no connection now is passed over."""

import msgspec

from texswarm_server.protocol.ids import SessionId
from texswarm_server.protocol.messages import Fact


class SendDocument(msgspec.Struct, frozen=True, gc=False):
    """Write one binary payload to these members; it must arrive, or the member must catch up later."""

    members: tuple[SessionId, ...]
    payload: bytes


class SendPresence(msgspec.Struct, frozen=True, gc=False):
    """Write one binary payload to these members; it may be dropped for who reads too slowly."""

    members: tuple[SessionId, ...]
    payload: bytes


class Broadcast(msgspec.Struct, frozen=True, gc=False):
    """Write one binary payload to `members`, as `SendDocument` or, where it `may_be_dropped`, as `SendPresence`.

    `members` is the same tuple, not only an equal one, as long as nobody comes, goes, or falls behind; so what was
    found out about it may be kept. Those in `besides` are left out.
    """

    members: tuple[SessionId, ...]
    payload: bytes
    besides: tuple[SessionId, ...] = ()
    may_be_dropped: bool = False


class Tell(msgspec.Struct, frozen=True, gc=False):
    """Send one JSON message to these members."""

    members: tuple[SessionId, ...]
    fact: Fact


class Persist(msgspec.Struct, frozen=True, gc=False):
    """Store `update`, which so many `edits` were made into, and report `batch` when it is durable."""

    batch: int
    update: bytes
    edits: int = 1


class Settle(msgspec.Struct, frozen=True, gc=False):
    """Call `Room.settle` after this many seconds: something has changed that is to be stored."""

    delay_s: float


class Reload(msgspec.Struct, frozen=True, gc=False):
    """The copy in memory cannot be gone on with: close the room for all and load it again, carefully if it is damaged.

    It is not damaged where edits arrived in an order in which only a new copy shows them all.
    """

    is_damaged: bool = True


class Announce(msgspec.Struct, frozen=True, gc=False):
    """Call `Room.announce` after this many seconds: who is here has changed."""

    delay_s: float


class Greet(msgspec.Struct, frozen=True, gc=False):
    """Call `Room.greet` after this many seconds: somebody was not told yet who is here."""

    delay_s: float


Effect = SendDocument | SendPresence | Broadcast | Tell | Persist | Settle | Reload | Announce | Greet
