"""Opens a transport to a server of which several addresses are known, and finds out whether it is at another one.

It must not know what is said on a transport, nor why one is wanted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from texswarm_desktop.client.link import Knock, Link, NoLinkError, TransportFactory, WrongCertificateError
from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import KNOCK_FAST_FOR_S, LinkProfile, knocking_every_s
from texswarm_desktop.client.whereabouts import Whereabouts
from texswarm_server.protocol.errors import LinkError
from texswarm_server.protocol.invite_link import ServerAddress

#: Once somebody else was found at one address, the others are waited for so long.
_OTHERS_S: Final = 1.0
#: Where only somebody's word is for an address, a link comes about in this time, or the others are asked.
_TARRIES_S: Final = 0.5
#: So many are asked at once whether anybody is there, and of these so many who it is, each for so long, and again after
#: so long: none keeps the others from their turn.
_MOST_AT_ONCE, _MOST_SHOWING = 32, 8
_KNOCKED_FOR_S, _SHOWS_WITHIN_S = 0.3, 2.0
_ASKED_EVERY_S: Final = 1.0


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
        self._nudge, self._showing = asyncio.Event(), asyncio.Semaphore(_MOST_SHOWING)

    @asynccontextmanager
    async def opened(self, away_s: float) -> AsyncIterator[Link]:
        """Open a transport at the first address that answers; at the next one, where that shows another certificate.

        Raises WrongCertificateError only if it is shown where the link led or where the server was before: what is
        merely said in the server's name stops nobody.
        """
        left, wrong = self._where.addresses, None
        async with AsyncExitStack() as stack:
            while True:
                shown = self._where.take_shown()
                address = shown or await self._find(left, wrong, away_s)
                is_doubtful = shown is None and len(left) > 1 and self._where.is_only_told(address)
                try:
                    async with asyncio.timeout(_TARRIES_S if is_doubtful else None):
                        link = await stack.enter_async_context(self._transport(address, self._profile, self._clock))
                except TimeoutError:
                    await self._find_among_all(wrong)
                    continue
                except WrongCertificateError as error:
                    wrong = self._disproved(address, error, wrong)
                    left = tuple(one for one in left if one != address)
                    continue
                self._where.reached(address)
                yield link
                return

    async def prove_elsewhere(self, is_wanted: Callable[[], bool]) -> bool:
        """Return whether the server has shown at another address than its last that it is there.

        It is looked for as long as that is wanted, also at addresses that are told meanwhile (`look_again`).
        """
        if self._knock is None:
            return False
        return await self._shown_at(self._where.elsewhere, is_wanted) is not None

    def look_again(self) -> None:
        """There may be other addresses at which the server may be."""
        self._nudge.set()

    async def _find_among_all(self, wrong: WrongCertificateError | NoLinkError | None) -> None:
        """Return when the server has shown somewhere that it is itself; raises `wrong` if it does so nowhere."""
        try:
            async with asyncio.timeout(None if wrong is None else _OTHERS_S):
                await self._shown_at(lambda: self._where.addresses, lambda: True)
        except TimeoutError:
            if wrong is None:
                raise
            raise wrong from None

    async def _shown_at(
        self, candidates: Callable[[], Collection[ServerAddress]], is_wanted: Callable[[], bool]
    ) -> ServerAddress | None:
        """Return where the server shows that it is itself: a few addresses are asked side by side, each in its turn."""
        asked_at: dict[ServerAddress, float] = {}
        asking: dict[asyncio.Task[bool], ServerAddress] = {}
        shown: ServerAddress | None = None
        async with asyncio.TaskGroup() as group:
            while shown is None and is_wanted():
                for address in self._whose_turn(candidates(), asking.values(), asked_at):
                    asked_at[address] = self._clock()
                    asking[group.create_task(self._is_at(address), name=f"asks at {address}")] = address
                shown = await self._first_shown(asking, group)
            for task in asking:
                task.cancel()
        return shown

    async def _first_shown(
        self, asking: dict[asyncio.Task[bool], ServerAddress], group: asyncio.TaskGroup
    ) -> ServerAddress | None:
        """Wait for a moment, for news, or for answers; who has answered is asked no longer."""
        self._nudge.clear()
        nudged = group.create_task(self._nudge.wait())
        moment_s = self._profile.knock_every_s or _ASKED_EVERY_S
        await asyncio.wait([*asking, nudged], timeout=moment_s, return_when=asyncio.FIRST_COMPLETED)
        nudged.cancel()
        done = {task: asking.pop(task) for task in tuple(asking) if task.done()}
        return next((address for task, address in done.items() if task.result()), None)

    def _whose_turn(
        self,
        candidates: Collection[ServerAddress],
        asking: Collection[ServerAddress],
        asked_at: Mapping[ServerAddress, float],
    ) -> list[ServerAddress]:
        """Return who is asked now: who never was before who was long ago, and nobody all the time."""
        latest = self._clock() - _ASKED_EVERY_S
        waiting = [one for one in candidates if one not in asking and asked_at.get(one, latest) <= latest]
        return sorted(waiting, key=lambda one: asked_at.get(one, 0.0))[: _MOST_AT_ONCE - len(asking)]

    async def _is_at(self, address: ServerAddress) -> bool:
        try:
            if self._knock is not None:
                async with asyncio.timeout(_KNOCKED_FOR_S):
                    await self._knock([address], every_s=self._profile.knock_every_s, is_patient=True)
            opening = self._transport(address, self._profile, self._clock)
            async with self._showing, asyncio.timeout(_SHOWS_WITHIN_S), opening:
                self._where.shown(address)
                return True
        except WrongCertificateError:
            self._where.disproved(address, self._clock())
        except (LinkError, TimeoutError):
            pass
        return False

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
