"""What can happen to a connection. Pure, frozen; what was true around it arrives beside it, as a Moment."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from texswarm_desktop.client.states import Rung, Trouble


@dataclass(frozen=True, slots=True)
class Moment:
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


@dataclass(frozen=True, slots=True)
class ConnectRequested:
    """Somebody wants the connection."""


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """Nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class RetryDemanded:
    """The user pressed "Retry now", or acted on what the connection needed."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The machine was asleep, or the program stood still."""


@dataclass(frozen=True, slots=True)
class NetworkReturned:
    """The system has a network, or another one than before."""


@dataclass(frozen=True, slots=True)
class NetworkWentAway:
    """The system says that it has no network."""


@dataclass(frozen=True, slots=True)
class HostAnnounced:
    """The server was seen on the local network (mDNS); `is_elsewhere`: not where we have it from."""

    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class HostAnswered:
    """A knock was answered: packets come through to where the server should be."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The user edits while the link is away."""


# ── from the transport, under its generation ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TransportOpened:
    """A WebSocket is open; nothing was said on it yet."""

    generation: int


@dataclass(frozen=True, slots=True)
class TransportLost:
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


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The server let us in; `documents` are to be opened on this link."""

    generation: int
    documents: int = 0


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """The server did not let us in."""

    generation: int
    code: str
    message: str = ""
    is_retryable: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class HostProved:
    """The server showed at another address that it is there, and the link was silent all that time."""

    generation: int


@dataclass(frozen=True, slots=True)
class DocumentsProgressed:
    """`done` of `total` documents are settled: caught up, or refused for good."""

    generation: int
    done: int
    total: int


# ── from timers, under the generation they were started in ──────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StepTimedOut:
    """Connecting or signing in takes too long."""

    generation: int


@dataclass(frozen=True, slots=True)
class ProbeTimedOut:
    """Nothing was heard since the link was probed, `silent_s` ago."""

    generation: int
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LookDue:
    """The server is said to be elsewhere, and the link was silent since."""

    generation: int


@dataclass(frozen=True, slots=True)
class RetryDue:
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
