"""What a connection can be, each state with the data that only it has.

Pure, frozen. `generation` numbers the transports of a connection; it never falls. `failures` counts the losses and
refused attempts in a row. `lost_at` is since when a link that once stood is gone (monotonic seconds), None while it
never stood; the view uses it to keep quiet about short blips.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Rung(StrEnum):
    """A credential, best first: the ladder a client climbs down until one is taken."""

    ACCESS = "access"
    REFRESH = "refresh"
    INVITE = "invite"
    OPEN = "open"
    """Nothing at all: a server that was started open lets everybody in."""


class StopCode(StrEnum):
    """Why the user is needed, where the server said it by something else than an `ErrorCode`, or said nothing."""

    SESSION_ENDED = "session_ended"
    FRAME_TOO_BIG = "frame_too_big"
    NOT_AN_OWNER = "not_an_owner"
    MAY_NOT_CREATE = "may_not_create"
    WRONG_CERTIFICATE = "wrong_certificate"
    SERVER_TOO_OLD = "server_too_old"
    KEY_RING_SHUT = "key_ring_shut"
    """What signs in there lies in the system's key ring, which is locked or does not serve."""


class Trouble(StrEnum):
    """Why a link ended, or stands in the way of the next one. None of them needs the user."""

    ENDED = "link_ended"
    """It broke off, or the other end closed it without a reason of ours."""
    SILENT = "link_silent"
    """It stood, and nothing was heard any more."""
    RESTARTED = "server_restarts"
    NO_NETWORK = "no_network"
    """The system says so."""
    NO_ANSWER = "no_answer"
    """Whatever is sent to the address is lost on the way."""
    NOBODY = "nobody_listens"
    """There is such a machine, and it says that no program listens there."""
    NAME_UNKNOWN = "name_unknown"
    NOT_OURS = "not_a_texswarm_server"
    """Something answers HTTP, and no WebSocket: a sign-in page of the network, or another server."""
    TLS = "no_tls"
    """No encrypted connection came about: one end speaks TLS and the other does not."""
    UNTRUSTED = "certificate_untrusted"
    """There is encryption, with a certificate that this system does not take for the server's."""
    RESET_AT_HELLO = "reset_at_hello"
    """It broke off when encryption was proposed: the other end speaks no TLS, or went down, or a cable did."""
    MUTE_AT_HELLO = "mute_at_hello"
    """It was taken without encryption, and ended before a word: the other end speaks TLS, or went down."""
    PROXY = "proxy_fails"
    """The system's proxy cannot be reached, or does not pass the connection on."""
    PROXY_SIGN_IN = "proxy_wants_sign_in"
    """The system's proxy wants a name and a password, or others than it was given."""


#: Behind these there may be a server at any moment, and a packet tells: it is worth knocking while waiting.
WORTH_KNOCKING: Final[frozenset[str]] = frozenset({Trouble.SILENT, Trouble.NO_ANSWER, Trouble.NOBODY})

NO_RUNGS: Final[frozenset[Rung]] = frozenset()


class Idle(msgspec.Struct, frozen=True):
    """Nobody wants a connection, or a newer one of the same session took over."""

    generation: int = 0


class Connecting(msgspec.Struct, frozen=True):
    """A transport is being opened. `refused` are the credentials the server has turned down since it last let us in."""

    generation: int
    failures: int = 0
    lost_at: float | None = None
    refused: frozenset[Rung] = NO_RUNGS


class Authenticating(msgspec.Struct, frozen=True):
    """The transport is up and a credential was shown."""

    generation: int
    rung: Rung
    failures: int = 0
    lost_at: float | None = None
    refused: frozenset[Rung] = NO_RUNGS

    @property
    def is_again(self) -> bool:
        """Whether this is a sign-in after another: the view says "Signing in again"."""
        return self.lost_at is not None or bool(self.refused)


class Syncing(msgspec.Struct, frozen=True):
    """Signed in; `done` of `total` open documents have caught up."""

    generation: int
    done: int
    total: int
    failures: int = 0
    lost_at: float | None = None


class Live(msgspec.Struct, frozen=True):
    """Signed in, and every open document is up to date and stays so."""

    generation: int
    since: float
    failures: int = 0


class Waiting(msgspec.Struct, frozen=True):
    """The link is gone; the next attempt is made at `retry_at`, sooner if something gives hope.

    `not_before`: the server asked to be left alone until then, and only the user overrules that. `reason`: for logs.
    `asked`: the code with which the server asked to wait; empty when it was the link that failed, for which `trouble`
    says why.
    """

    generation: int
    failures: int
    lost_at: float | None
    since: float
    retry_at: float
    not_before: float
    reason: str
    refused: frozenset[Rung] = NO_RUNGS
    asked: str = ""
    trouble: str = Trouble.ENDED

    @property
    def is_worth_knocking(self) -> bool:
        """Whether a packet that comes through would be news."""
        return not self.asked and self.trouble in WORTH_KNOCKING


class Offline(msgspec.Struct, frozen=True):
    """The system says that it has no network; attempts begin again when it has."""

    generation: int
    failures: int
    lost_at: float | None
    refused: frozenset[Rung] = NO_RUNGS
    trouble: str = Trouble.NO_NETWORK


class NeedsUser(msgspec.Struct, frozen=True):
    """Trying again by itself cannot help. `code` is an ErrorCode, a StopCode, or one a newer server invented."""

    generation: int
    code: str
    message: str = ""


class Closed(msgspec.Struct, frozen=True):
    """The end; a new connection is a new object."""

    generation: int


LinkState = Idle | Connecting | Authenticating | Syncing | Live | Waiting | Offline | NeedsUser | Closed

STATES: Final[tuple[type[LinkState], ...]] = (
    Idle,
    Connecting,
    Authenticating,
    Syncing,
    Live,
    Waiting,
    Offline,
    NeedsUser,
    Closed,
)


def state_name(kind: type[LinkState]) -> str:
    """Return a state's name for programs: `NeedsUser` is `needs_user`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("_")
