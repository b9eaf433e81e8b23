"""What can happen to a connection. Pure, frozen; what was true around it arrives beside it, as a Moment."""

from enum import StrEnum
from typing import Final

import msgspec

from texswarm_desktop.client.states import Rung, Trouble


class Moment(msgspec.Struct, frozen=True):
    """The circumstances of one step: monotonic time, a random factor for waits, the network, credentials at hand."""

    now: float
    jitter: float = 1.0
    is_online: bool = True
    rungs: tuple[Rung, ...] = ()


class RetryCause(StrEnum):
    """Why a wait should end now."""

    USER = "user"
    WAKE = "wake"
    NETWORK = "network"
    ANNOUNCED = "announced"
    KEY_PRESS = "key_press"


# ── from people and the system ──────────────────────────────────────────────────────────────────────────────


class ConnectRequested(msgspec.Struct, frozen=True):
    """Somebody wants the connection."""


class CloseRequested(msgspec.Struct, frozen=True):
    """Nobody wants it any more."""


class RetryDemanded(msgspec.Struct, frozen=True):
    """The user pressed "Retry now", or acted on what the connection needed."""


class Woke(msgspec.Struct, frozen=True):
    """The machine was asleep, or the program stood still."""


class NetworkReturned(msgspec.Struct, frozen=True):
    """The system has a network, or another one than before."""


class NetworkWentAway(msgspec.Struct, frozen=True):
    """The system says that it has no network."""


class HostAnnounced(msgspec.Struct, frozen=True):
    """The server was seen on the local network (mDNS); `is_elsewhere`: not where we have it from."""

    is_elsewhere: bool = False


class HostAnswered(msgspec.Struct, frozen=True):
    """A knock was answered: packets come through to where the server should be."""


class KeyPressed(msgspec.Struct, frozen=True):
    """The user edits while the link is away."""


# ── from the transport, under its generation ────────────────────────────────────────────────────────────────


class TransportOpened(msgspec.Struct, frozen=True):
    """A WebSocket is open; nothing was said on it yet."""

    generation: int


class TransportLost(msgspec.Struct, frozen=True):
    """The transport could not be opened, ended, or fell silent. `code`: the close code, if there was one.

    `trouble`: a Trouble, for people. `stop`: a StopCode where another attempt cannot help.
    `retry_after_s`: how long the server asked to be left alone.
    """

    generation: int
    code: int | None = None
    reason: str = ""
    stop: str = ""
    retry_after_s: float | None = None
    trouble: str = Trouble.ENDED


class SignedIn(msgspec.Struct, frozen=True):
    """The server let us in; `documents` are to be opened on this link."""

    generation: int
    documents: int = 0


class SignInRefused(msgspec.Struct, frozen=True):
    """The server did not let us in."""

    generation: int
    code: str
    message: str = ""
    is_retryable: bool = False
    retry_after_s: float | None = None


class HostProved(msgspec.Struct, frozen=True):
    """The server showed at another address that it is there, and the link was silent all that time."""

    generation: int


class DocumentsProgressed(msgspec.Struct, frozen=True):
    """`done` of `total` documents are settled: caught up, or refused for good."""

    generation: int
    done: int
    total: int


# ── from timers, under the generation they were started in ──────────────────────────────────────────────────


class StepTimedOut(msgspec.Struct, frozen=True):
    """Connecting or signing in takes too long."""

    generation: int


class ProbeTimedOut(msgspec.Struct, frozen=True):
    """Nothing was heard since the link was probed, `silent_s` ago."""

    generation: int
    silent_s: float = 0.0


class LookDue(msgspec.Struct, frozen=True):
    """The server is said to be elsewhere, and the link was silent since."""

    generation: int


class RetryDue(msgspec.Struct, frozen=True):
    """The wait is over."""

    generation: int


LinkEvent = (
    ConnectRequested
    | CloseRequested
    | RetryDemanded
    | Woke
    | NetworkReturned
    | NetworkWentAway
    | HostAnnounced
    | HostAnswered
    | KeyPressed
    | TransportOpened
    | TransportLost
    | SignedIn
    | SignInRefused
    | HostProved
    | DocumentsProgressed
    | StepTimedOut
    | ProbeTimedOut
    | LookDue
    | RetryDue
)

COMMANDS: Final[tuple[type[LinkEvent], ...]] = (
    ConnectRequested,
    CloseRequested,
    RetryDemanded,
    Woke,
    NetworkReturned,
    NetworkWentAway,
    HostAnnounced,
    HostAnswered,
    KeyPressed,
)
TRANSPORT_EVENTS: Final[tuple[type[LinkEvent], ...]] = (
    TransportOpened,
    TransportLost,
    SignedIn,
    SignInRefused,
    HostProved,
    DocumentsProgressed,
)
TIMER_EVENTS: Final[tuple[type[LinkEvent], ...]] = (StepTimedOut, ProbeTimedOut, LookDue, RetryDue)
EVENTS: Final[tuple[type[LinkEvent], ...]] = COMMANDS + TRANSPORT_EVENTS + TIMER_EVENTS
