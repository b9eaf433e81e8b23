"""What became of a connection so far: the last times the link was gone, why, and for how long. Pure."""

from typing import Final

import msgspec
from msgspec.structs import replace

from texswarm_desktop.client.states import (
    Authenticating,
    Connecting,
    LinkState,
    Live,
    NeedsUser,
    Offline,
    Syncing,
    Trouble,
    Waiting,
)

#: Older ones are forgotten.
MOST_DROPS: Final = 20
#: While a link is one of these, it is still being brought back.
_ON_THE_WAY: Final = (Connecting, Authenticating, Syncing, Waiting, Offline)


class Drop(msgspec.Struct, frozen=True):
    """The link was gone from `began_at` to `ended_at` (monotonic seconds; None: it still is).

    `cause`: a Trouble, or the code with which the server ended it. `attempts`: how often it was tried to bring it back.
    """

    began_at: float
    cause: str
    ended_at: float | None = None
    attempts: int = 0

    def lasted_s(self, now: float) -> float:
        """Return for how long the link was gone, or has been so far."""
        return (now if self.ended_at is None else self.ended_at) - self.began_at


def record(history: tuple[Drop, ...], old: LinkState, new: LinkState, now: float) -> tuple[Drop, ...]:
    """Return the history after a change of state, the last drop last."""
    if history and history[-1].ended_at is None:
        return (*history[:-1], _gone_on(history[-1], old, new, now))
    if isinstance(old, (Syncing, Live)) and isinstance(new, (Waiting, Offline, Connecting, NeedsUser)):
        ended_at = now if isinstance(new, NeedsUser) else None
        attempts = int(isinstance(new, Connecting))
        return (*history, Drop(now, _cause(new), ended_at, attempts))[-MOST_DROPS:]
    return history


def _gone_on(drop: Drop, old: LinkState, new: LinkState, now: float) -> Drop:
    if not isinstance(new, _ON_THE_WAY):
        return replace(drop, ended_at=now)
    if isinstance(new, Connecting) and new.generation > old.generation:
        return replace(drop, attempts=drop.attempts + 1)
    return drop


def _cause(state: Waiting | Offline | Connecting | NeedsUser) -> str:
    match state:
        case NeedsUser(code=code):
            return code
        case Waiting(asked=asked, trouble=trouble):
            return asked or trouble
        case Offline(trouble=trouble):
            return trouble
        case Connecting():  # another credential is shown
            return Trouble.ENDED
