"""A change of addresses is heard of: in a network of the test's own, and by looking where the kernel says nothing."""

import asyncio
import itertools

from tests.helpers.network_lab import NetworkLab, needs_network_lab
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.services.network_watch import NetworkWatch, addresses_here


@runs_async
async def test_by_looking():
    addresses, told, looks = [frozenset({"10.0.0.2"})], [], []

    def look():
        looks.append(addresses[0])
        return addresses[0]

    watch = NetworkWatch(told.append, look=look, every_s=0.005)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await until(lambda: looks)
        for now in (frozenset(), frozenset({"10.0.0.2"}), frozenset({"10.0.0.2", "10.8.0.2"})):
            before, addresses[0] = len(told), now
            await until(lambda before=before: len(told) > before)
        task.cancel()
    assert told == [False, True, True]


@needs_network_lab
def test_the_kernel_tells_at_once():
    with NetworkLab() as lab:
        office, vpn = lab.network(), lab.network()
        ada = lab.host("ada", office)
        with ada.entered():
            asyncio.run(_lives_through_changes(ada, vpn))


async def _lives_through_changes(ada, vpn):
    told = []
    watch = NetworkWatch(told.append, every_s=1000)
    assert ada.address in addresses_here()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await asyncio.sleep(0.1)
        for happens in (
            lambda: ada.join(vpn),
            lambda: ada.renumber(77),
            ada.unplug,
            ada.plug,
        ):
            before = len(told)
            happens()
            await until(lambda before=before: len(told) > before)
        task.cancel()
    assert [is_online for is_online, _ in itertools.groupby(told)] == [True, False, True]
