"""Knocks at a server's door: do packets come through, and where?

A TCP handshake and nothing more, begun anew every moment, so that a cable that was put back is found within that moment
and not when TCP next feels like sending again, after a second, three, or seven. Several addresses are tried at once.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from texswarm_desktop.client.link import NoLinkError
from texswarm_desktop.client.timing import has_number
from texswarm_desktop.client.trouble import trouble_of
from texswarm_server.protocol.invite_link import ServerAddress

#: More handshakes than this are not waited for at one address: the oldest are as good as lost.
_MOST_UNDER_WAY: Final = 12


async def tcp_knock(addresses: Sequence[ServerAddress], *, every_s: float, is_patient: bool) -> ServerAddress:
    """Return the first address that answers; see `Knock`."""
    async with asyncio.TaskGroup() as group:
        door = _Door(addresses, is_patient=is_patient)
        under_way: list[asyncio.Task[None]] = []
        while not door.answer.done():
            under_way += [group.create_task(door.knock(address)) for address in addresses if door.may_knock(address)]
            while len(under_way) > _MOST_UNDER_WAY * len(addresses):
                under_way.pop(0).cancel()
            await asyncio.wait([door.answer], timeout=every_s)
        for task in under_way:
            task.cancel()
    answer = door.answer.result()
    if isinstance(answer, NoLinkError):
        raise answer
    return answer


class _Door:
    """What was found out so far. Invariant: `answer` is set once, with an address or with what is wrong everywhere.

    What is wrong is its result and no exception of it: who was sent away in that moment asks for neither.
    """

    def __init__(self, addresses: Sequence[ServerAddress], *, is_patient: bool) -> None:
        self.answer: asyncio.Future[ServerAddress | NoLinkError] = asyncio.get_running_loop().create_future()
        self._addresses, self._is_patient = addresses, is_patient
        self._under_way: Counter[ServerAddress] = Counter()
        self._failures: dict[ServerAddress, NoLinkError] = {}

    def may_knock(self, address: ServerAddress) -> bool:
        """A name is looked up by a thread each time, and may take it long: one after the other."""
        return has_number(address) or not self._under_way[address]

    async def knock(self, address: ServerAddress) -> None:
        """Try one handshake."""
        self._under_way[address] += 1
        try:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(asyncio.Protocol, address.host, address.port)
        except OSError as error:
            self._failed(address, error)
        else:
            transport.abort()
            if not self.answer.done():
                self.answer.set_result(address)
        finally:
            self._under_way[address] -= 1

    def _failed(self, address: ServerAddress, error: OSError) -> None:
        self._failures[address] = NoLinkError(trouble_of(error), f"{address}: {error}")
        is_hopeless = len(self._failures) == len(set(self._addresses))
        if is_hopeless and not self._is_patient and not self.answer.done():
            self.answer.set_result(self._failures[self._addresses[0]])
