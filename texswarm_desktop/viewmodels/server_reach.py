"""The way from a window to a server: one attempt at a time, which gives way to the next wish, and where hosts are.

It makes connections, and ends those that no project took; what is done on them is not known here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from texswarm_desktop.client.address_book import AddressBook, lasting_key
from texswarm_desktop.client.link import TransportFactory
from texswarm_desktop.client.server_talk import LinkCancelledError, end_connection, let_in
from texswarm_desktop.client.states import Closed
from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.people import Person
from texswarm_server.protocol.errors import LinkLostError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection

NewTransport = Callable[[str | None], TransportFactory]
"""Makes what opens a link, given the fingerprint of the certificate to insist on."""


class ServerReach:
    """Invariant: `pending` is up or coming up, and belongs to nobody else; None while no server is being reached.

    `on_given_up` is called when a connection that nobody took was dropped.
    """

    def __init__(
        self,
        *,
        credentials: CredentialStore,
        new_transport: NewTransport,
        status: ConnectionView,
        me: Callable[[], Person],
        on_given_up: Callable[[], None],
    ) -> None:
        self._credentials, self._new_transport = credentials, new_transport
        self._status, self._me, self._on_given_up = status, me, on_given_up
        self._address_book = AddressBook()
        self._gives_way = False
        self._impatient = 0
        self._turn = asyncio.Lock()
        self.pending: Connection | None = None

    @asynccontextmanager
    async def road(self) -> AsyncIterator[None]:
        """One road at a time; an attempt to reach a server elsewhere, which may last for ever, gives way."""
        self._impatient += 1
        if self.pending is not None and self._gives_way:
            self.pending.close()
        try:
            await self._turn.acquire()
        finally:
            self._impatient -= 1
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def reached(
        self, link: InviteLink, *, key: str | None = None, session_id: str | None = None
    ) -> AsyncIterator["Connection"]:
        """A connection on which the server let us in; ended with the block, unless the project took it.

        Raises LinkCancelledError or RejectedError.
        """
        connection = self.pending = await self.new_connection(link, key, session_id)
        self._gives_way = key is None
        self._status.set_server_name(str(link.address))
        self._status.set_opening(is_opening=True)
        self._status.attach(connection)
        try:
            if self._impatient and self._gives_way:
                raise LinkCancelledError("a newer wish came")
            connection.connect()
            await let_in(connection)
            yield connection
        except LinkLostError as error:
            if isinstance(connection.state, Closed):
                raise LinkCancelledError("cancelled") from error
            raise
        finally:
            await self._end_pending()

    def taken(self) -> None:
        """Hear that the open project took the connection."""
        self.pending = None

    async def new_connection(
        self, link: InviteLink, key: str | None = None, session_id: str | None = None
    ) -> "Connection":
        """`session_id`: the session to resume; given only where no other connection may hold it."""
        credentials = await self._credentials.for_server(
            link.address, invite=link.token, key=key, fingerprint=lasting_key(link)
        )
        credentials.session_id = session_id
        credentials.describe(self._me().name, self._me().color)
        from texswarm_desktop.client.connection import Connection  # noqa: PLC0415 - most starts need none
        from texswarm_desktop.client.knock import tcp_knock  # noqa: PLC0415

        transport = self._new_transport(link.fingerprint)
        connection = Connection(
            address=link.address,
            credentials=credentials,
            transport=transport,
            knock=tcp_knock,
            fingerprint=link.fingerprint,
        )
        await connection.__aenter__()
        connection.seen_at(self._address_book.addresses_of(link.fingerprint))
        return connection

    def learn(self, fingerprint: str, addresses: Iterable[ServerAddress]) -> None:
        """Remember where a host was seen, for connections that are made later."""
        self._address_book.learn(fingerprint, tuple(addresses))

    async def _end_pending(self) -> None:
        """Drop the connection that nobody took, and show again the link that stood before, if there was one."""
        connection, self.pending = self.pending, None
        if connection is None:
            return
        self._status.set_opening(is_opening=False)
        self._status.set_waiting_for("")
        self._status.detach()
        self._on_given_up()
        await end_connection(connection)
