"""One server, from the desktop's side: the public face of this package.

Errors of the link never come out of here as exceptions, except from `request`, whose caller waits for an answer; they
are states.
"""

import random
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from texswarm_desktop.client.document_sync import DocumentSync
from texswarm_desktop.client.driver import CallLater, Driver, StateListener
from texswarm_desktop.client.events import (
    CloseRequested,
    ConnectRequested,
    HostAnnounced,
    KeyPressed,
    LinkEvent,
    NetworkReturned,
    NetworkWentAway,
    RetryCause,
    RetryDemanded,
    Woke,
)
from texswarm_desktop.client.link import Knock, TransportFactory
from texswarm_desktop.client.ports import Credentials, ReplicaPort
from texswarm_desktop.client.session import FactListener, Session
from texswarm_desktop.client.states import LinkState
from texswarm_desktop.client.timing import LinkProfile, is_this_machine, profile_for
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult, Fact, Order

_CAUSES: Final[dict[RetryCause, LinkEvent]] = {
    RetryCause.USER: RetryDemanded(),
    RetryCause.WAKE: Woke(),
    RetryCause.NETWORK: NetworkReturned(),
    RetryCause.ANNOUNCED: HostAnnounced(),
    RetryCause.KEY_PRESS: KeyPressed(),
}


class Connection:
    """The connection to one server and the documents open on it; used as an async context manager.

    `knock`: how to look for a near server that is away; with a `transport` of one's own, not at all unless given.
    `fingerprint`: what the server is recognised by, wherever it is; only kept here.
    Clocks in seconds: `clock` monotonic, `wall_clock` since the epoch. `call_later`: the running loop's, unless given.
    """

    def __init__(
        self,
        *,
        address: ServerAddress,
        credentials: Credentials,
        profile: LinkProfile | None = None,
        transport: TransportFactory | None = None,
        knock: Knock | None = None,
        fingerprint: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        call_later: CallLater | None = None,
    ) -> None:
        self.address = address
        self.fingerprint = fingerprint
        self.profile = profile or profile_for(address)
        self._session = Session(credentials, clock=clock, wall_clock=wall_clock)
        self._driver = self._session.driver = Driver(
            self._session,
            address=address,
            profile=self.profile,
            transport=transport or _websockets(),
            knock=knock or (_tcp_knock() if transport is None else None),
            clock=clock,
            wall_clock=wall_clock,
            rng=rng or random.Random(),  # noqa: S311 - spreads clients out, guards nothing
            call_later=call_later,
        )

    async def __aenter__(self) -> Self:
        await self._driver.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._driver.__aexit__(kind, error, trace)

    @property
    def state(self) -> LinkState:
        """How the connection stands."""
        return self._driver.state

    @property
    def welcome(self) -> AuthenticationResult | None:
        """What the server said when it let us in; None while signed out."""
        return self._session.welcome

    @property
    def current_address(self) -> ServerAddress:
        """Where the server is, or was last: not where the link said, if it has moved since."""
        return self._driver.current_address

    @property
    def round_trip_s(self) -> float | None:
        """How long a ping and its answer took last; None without a link, or before the first."""
        return self._driver.round_trip_s

    def measure(self) -> None:
        """Have `round_trip_s` measured now."""
        self._driver.measure()

    def subscribe(self, listener: StateListener) -> Callable[[], None]:
        """Call `listener(old, new)` after every change of state; returns the way out."""
        return self._driver.subscribe(listener)

    def connect(self) -> None:
        """Bring the connection up and keep it up."""
        self._driver.post(ConnectRequested())

    def close(self) -> None:
        """End it for good; leaving the context manager waits until nothing of it runs."""
        self._driver.post(CloseRequested())

    def retry_now(self, cause: RetryCause | str = RetryCause.USER) -> None:
        """Try at once instead of waiting, as far as `cause` is worth it."""
        self._driver.post(_CAUSES[RetryCause(cause)])

    def network_changed(self, is_online: bool) -> None:
        """The system has lost its network, or has one: again, or another. A server on this machine needs none."""
        if is_this_machine(self.address):
            return
        self._driver.is_online = is_online
        self._driver.post(NetworkReturned() if is_online else NetworkWentAway())

    def seen_at(self, addresses: Iterable[ServerAddress], lately: Iterable[ServerAddress] = ()) -> None:
        """The host announced itself on the local network, at these addresses: a wait ends, there it is looked for.

        `lately`: where else it was said to be a moment ago; there it is looked for as well.

        A server on this machine is where it is. Whoever knows a fingerprint can announce it: where one is insisted on,
        an address without TLS, which would show none, is not taken.
        """
        if not is_this_machine(self.address):
            usable = ([one for one in each if one.tls or not self.fingerprint] for each in (addresses, lately))
            self._driver.seen_at(*usable)

    def add(self, replica: ReplicaPort) -> DocumentSync:
        """Open a document here, now if the link stands, and after every reconnect."""
        return self._session.add(replica)

    def remove(self, document_id: str) -> None:
        """Leave a document; unknown ones are left already."""
        self._session.remove(document_id)

    def listen(self, listener: FactListener) -> Callable[[], None]:
        """Call `listener` with what the server tells of its own accord about who comes in; returns the way out."""
        return self._session.listen(listener)

    async def describe(self, name: str, color: str) -> None:
        """Be shown under another name and colour; raises LinkLostError, and then the next sign-in tells them."""
        await self._session.describe(name, color)

    async def request(self, order: Order) -> Fact:
        """Send an order and return its answer.

        Raises RejectedError when the server says no, and LinkLostError when there is no link, or it is lost before the
        answer came: whether the order was carried out is then unknown.
        """
        return await self._session.request(order)


def _websockets() -> TransportFactory:
    """Loaded when the first link is made, not when the program starts."""
    from texswarm_desktop.client.transport import websocket_transport  # noqa: PLC0415

    return websocket_transport()


def _tcp_knock() -> Knock:
    from texswarm_desktop.client.knock import tcp_knock  # noqa: PLC0415

    return tcp_knock
