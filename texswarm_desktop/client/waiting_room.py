"""Using an invite that may ask the owners first: whoever comes by it waits, over lost links, until they have decided.

The server forgets who waits when it restarts, and an answer may be given while the link is down. So the invite is
redeemed again on every link, which is answered at once when the door is open by then.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from texswarm_desktop.client.states import Closed, LinkState, Live, NeedsUser
from texswarm_server.protocol.errors import ErrorCode, LinkLostError, RejectedError
from texswarm_server.protocol.messages import Fact, KnockAnswered, RedeemInvite

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection

OnWaiting = Callable[[], None]


async def redeem(connection: "Connection", token: str, on_waiting: OnWaiting) -> None:
    """Use an invite, and return when it has given what it gives.

    `on_waiting` is called when an owner has to decide first. Raises RejectedError: what the server says, or
    approval_declined, approval_expired; LinkLostError when the connection is ended, or lost before anybody waits.
    """
    is_waiting = False
    while True:
        with _Door(connection) as door:
            try:
                await connection.request(RedeemInvite(token=token))
            except RejectedError as error:
                if error.code != ErrorCode.APPROVAL_PENDING:
                    raise
                is_waiting = True
                on_waiting()
                if await door.opened():
                    return
            except LinkLostError:
                if not is_waiting or isinstance(connection.state, Closed):
                    raise
            else:
                return
            await door.live_again()


class _Door:
    """Listens from before the invite is redeemed, so that no answer is missed."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._answer: KnockAnswered | None = None
        self._news = asyncio.Event()
        self._ways_out: list[Callable[[], None]] = []

    def __enter__(self) -> "_Door":
        connection = self._connection
        self._ways_out = [connection.listen(self._hear), connection.subscribe(self._look)]
        return self

    def __exit__(self, *_failure: object) -> None:
        for leave in self._ways_out:
            leave()

    async def opened(self) -> bool:
        """Wait for the answer; False when the link was lost before. Raises RejectedError when it is no."""
        while self._answer is None and isinstance(self._connection.state, Live):
            await self._next()
        if self._answer is None:
            return False
        if not self._answer.accepted:
            raise RejectedError(self._answer.code or ErrorCode.APPROVAL_DECLINED)
        return True

    async def live_again(self) -> None:
        """Wait until the link stands; raises RejectedError or LinkLostError when it will not by itself."""
        while not isinstance(self._connection.state, Live):
            if isinstance(self._connection.state, NeedsUser):
                raise RejectedError(self._connection.state.code, self._connection.state.message)
            if isinstance(self._connection.state, Closed):
                raise LinkLostError("ended while waiting")
            await self._next()

    async def _next(self) -> None:
        await self._news.wait()
        self._news.clear()

    def _hear(self, fact: Fact) -> None:
        if isinstance(fact, KnockAnswered):
            self._answer = fact
            self._news.set()

    def _look(self, _old: LinkState, _new: LinkState) -> None:
        self._news.set()
