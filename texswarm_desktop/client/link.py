"""An open transport as the driver sees it, and how one comes to be; it must not know what carries the frames.

Apart from `transport`, so that a desktop without a connection need not load websockets to show its window.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import LinkProfile
from texswarm_server.protocol.errors import LinkLostError, LinkRefusedError, Verdict
from texswarm_server.protocol.invite_link import ServerAddress


class LinkClosedError(LinkLostError):
    """The connection ended with a close frame, or with one that we had to send."""

    def __init__(self, code: int, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{code}: {reason}" if reason else str(code))
        self.code = code
        self.reason = reason
        self.retry_after_s = retry_after_s


class WrongCertificateError(LinkRefusedError):
    """The server shows another certificate than the invite link promised: it is another server, or somebody between."""

    verdict = Verdict.STOP


class NoLinkError(LinkRefusedError):
    """No link came about, and it is known why: a Trouble."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


class Link(Protocol):
    """An open transport.

    `is_for_good`: whoever ends it now says goodbye, and is gone for others; else it is told that they connect again.
    """

    is_for_good: bool

    @property
    def heard_at(self) -> float:
        """When the last bytes came in, by the loop's clock or the one given."""

    @property
    def unsent_bytes(self) -> int:
        """How much waits here because the network does not take it."""

    @property
    def round_trip_s(self) -> float | None:
        """How long the last ping and its answer took; None before the first."""

    def send(self, frame: str | bytes) -> None:
        """Hand a frame to the network; a link that is closing swallows it."""

    def ping(self) -> None:
        """Ask for a sign of life."""

    async def receive(self) -> str | bytes:
        """Return the next frame; raises LinkClosedError or LinkLostError at the end."""


#: Finds the proxy that stands between this machine and a server, as a URL; None for none.
FindProxy = Callable[[ServerAddress], Awaitable[str | None]]

#: Opens a link and closes it on exit, also when cancelled. Entering raises LinkRefusedError.
TransportFactory = Callable[[ServerAddress, LinkProfile, Callable[[], float]], AbstractAsyncContextManager[Link]]


class Knock(Protocol):
    """Finds out whether packets come through to one of several addresses, by no more than a TCP handshake."""

    def __call__(
        self, addresses: Sequence[ServerAddress], *, every_s: float, is_patient: bool
    ) -> Awaitable[ServerAddress]:
        """Return the first address that answers, trying anew every `every_s`, for ever.

        Unless it is patient, raises NoLinkError as soon as it is known of every address that nobody answers there.
        """
