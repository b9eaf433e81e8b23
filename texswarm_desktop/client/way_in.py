"""Opens a transport to a server of which several addresses are known, and finds out whether it is at another one.

It must not know what is said on a transport, nor why one is wanted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from texswarm_desktop.client.link import Knock, Link, NoLinkError, TransportFactory, WrongCertificateError
from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import KNOCK_FAST_FOR_S, LinkProfile, knocking_every_s
from texswarm_desktop.client.whereabouts import Whereabouts
from texswarm_server.protocol.invite_link import ServerAddress

#: Once somebody else was found at one address, the others are waited for so long.
_OTHERS_S: Final = 1.0


class WayIn:
    """The ways to one server. `knock`: how to find the address that answers; None: they are tried in turn."""

    def __init__(
        self,
        where: Whereabouts,
        *,
        profile: LinkProfile,
        transport: TransportFactory,
        knock: Knock | None,
        clock: Callable[[], float],
    ) -> None:
        self._where, self._profile, self._transport, self._clock = where, profile, transport, clock
        self._knock = knock if profile.knock_every_s else None

    @asynccontextmanager
    async def opened(self, away_s: float) -> AsyncIterator[Link]:
        """Open a transport at the first address that answers; at the next one, where that shows another certificate.

        Raises WrongCertificateError only if it is shown where the link led or where the server was before: what is
        merely said in the server's name stops nobody.
        """
        left, wrong = self._where.addresses, None
        async with AsyncExitStack() as stack:
            while True:
                address = await self._find(left, wrong, away_s)
                try:
                    link = await stack.enter_async_context(self._transport(address, self._profile, self._clock))
                except WrongCertificateError as error:
                    wrong = self._disproved(address, error, wrong)
                    left = tuple(one for one in left if one != address)
                    continue
                self._where.reached(address)
                yield link
                return

    async def prove_elsewhere(self) -> None:
        """Return when the server has shown at another address than its last that it is there; for ever if it is not.

        Raises LinkError where something answers that is no server of ours.
        """
        while self._knock is not None and (addresses := self._where.elsewhere()):
            address = await self._knock(addresses, every_s=self._profile.knock_every_s, is_patient=True)
            try:
                async with self._transport(address, self._profile, self._clock):
                    self._where.answered(address)
                    return
            except WrongCertificateError:
                self._where.disproved(address, self._clock())
                if not self._where.is_only_told(address):
                    raise
        await asyncio.get_running_loop().create_future()

    async def _find(
        self, left: tuple[ServerAddress, ...], wrong: WrongCertificateError | NoLinkError | None, away_s: float
    ) -> ServerAddress:
        if wrong is None:
            return await self._first(left, away_s)
        try:
            async with asyncio.timeout(_OTHERS_S):
                if left:
                    return await self._first(left, away_s)
        except (NoLinkError, TimeoutError):
            pass
        raise wrong

    async def _first(self, left: tuple[ServerAddress, ...], away_s: float) -> ServerAddress:
        """Return where to open a transport: of a near server the first address that answers."""
        if self._knock is None:
            return left[0]
        every_s = knocking_every_s(self._profile, min(away_s, KNOCK_FAST_FOR_S)) or self._profile.knock_every_s
        return await self._knock(left, every_s=every_s, is_patient=False)

    def _disproved(
        self, address: ServerAddress, error: WrongCertificateError, known: WrongCertificateError | NoLinkError | None
    ) -> WrongCertificateError | NoLinkError:
        """Return what to say if the server is nowhere else."""
        self._where.disproved(address, self._clock())
        if not self._where.is_only_told(address):
            return error
        return known or NoLinkError(Trouble.NO_ANSWER, f"{address} is somebody else's")
