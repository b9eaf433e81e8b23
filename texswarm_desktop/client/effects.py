"""What a step orders the driver to do. Pure, frozen, imperative."""

from dataclasses import dataclass
from enum import StrEnum

from texswarm_desktop.client.states import Rung


class TimerKind(StrEnum):
    """The connection's timers; there is at most one of each."""

    STEP = "step"
    PROBE = "probe"
    LOOK = "look"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class OpenTransport:
    """Open a transport and report under this generation."""

    generation: int


@dataclass(frozen=True, slots=True)
class DropTransport:
    """End a transport; whatever it still reports is stale."""

    generation: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """Show a credential."""

    rung: Rung


@dataclass(frozen=True, slots=True)
class ForgetCredential:
    """The server turned a credential down for good."""

    rung: Rung
    code: str


@dataclass(frozen=True, slots=True)
class OpenDocuments:
    """The link stands: open every document on it."""


@dataclass(frozen=True, slots=True)
class LoseDocuments:
    """The link is gone: documents forget their handles, others' presence ends."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask for a sign of life at once."""


@dataclass(frozen=True, slots=True)
class LookElsewhere:
    """Find out whether the server is where it was said to be, and report under this generation if it proved that."""

    generation: int


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start the timer of this kind, in place of a running one."""

    kind: TimerKind
    delay_s: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Stop the timer of this kind, if it runs."""

    kind: TimerKind


LinkEffect = (
    OpenTransport
    | DropTransport
    | SignIn
    | ForgetCredential
    | OpenDocuments
    | LoseDocuments
    | Probe
    | LookElsewhere
    | StartTimer
    | CancelTimer
)
