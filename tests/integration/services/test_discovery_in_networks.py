"""Finding hosts on networks of the test's own: several interfaces, moves from one network to another, and deaths."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.helpers.network_namespaces import Lab, Machine, lab
from tests.helpers.run_async import runs_async, until

CHILD = (sys.executable, "-m", "tests.helpers.multicast_child")


@pytest.fixture
def net() -> Iterator[Lab]:
    with lab() as made:
        yield made


@asynccontextmanager
async def running(machine: Machine, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(*machine.command(*CHILD, *words), stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        getattr(process, "_transport").close()  # noqa: B009 - asyncio leaves it to the garbage collector


class Watcher:
    """What somebody who looks for hosts sees: names, each with its addresses."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {}
        self.history: list[dict[str, list[str]]] = []

    async def follow(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.seen = json.loads(line)
            self.history.append(self.seen)

    async def until_sees(self, **hosts: set[str]) -> None:
        await until(lambda: {name: set(found) for name, found in self.seen.items()} == hosts, f"{hosts} is seen")


@asynccontextmanager
async def watching(machine: Machine) -> AsyncIterator[Watcher]:
    watcher = Watcher()
    async with asyncio.TaskGroup() as group, running(machine, "browse") as process:
        group.create_task(watcher.follow(process))
        yield watcher


@asynccontextmanager
async def hosting(machine: Machine, name: str = "ada", ttl_s: int = 20) -> AsyncIterator[asyncio.subprocess.Process]:
    async with running(machine, "advertise", name, str(ttl_s)) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"started\n"
        yield process


@runs_async
async def test_a_host_on_two_interfaces_and_in_two_families_is_one_host(net: Lab) -> None:
    host, guest = net.machine(), net.machine()
    net.cable(host, guest, "10.71.1.1/24", "10.71.1.2/24", ("fd71::1/64", "fd71::2/64"))
    net.cable(host, guest, "10.71.2.1/24", "10.71.2.2/24")
    async with watching(guest) as watcher, hosting(host):
        await watcher.until_sees(ada={"10.71.1.1", "10.71.2.1", "fd71::1"})


@runs_async
async def test_a_host_is_found_over_each_of_two_networks_by_who_is_only_there(net: Lab) -> None:
    host, left, right = net.machine(), net.machine(), net.machine()
    net.cable(host, left, "10.71.1.1/24", "10.71.1.2/24")
    net.cable(host, right, "10.71.2.1/24", "10.71.2.2/24")
    async with watching(left) as at_left, watching(right) as at_right, hosting(host):
        await until(lambda: at_left.seen and at_right.seen)
    first = [next(iter(watcher.history[-1]["ada"])) for watcher in (at_left, at_right)]
    assert first == ["10.71.1.1", "10.71.2.1"], "who is beside is tried first"


@runs_async
async def test_another_address_is_announced_anew(net: Lab) -> None:
    host, guest = net.machine(), net.machine()
    cable = net.cable(host, guest, "10.71.1.1/24", "10.71.1.2/24")
    async with watching(guest) as watcher, hosting(host):
        await watcher.until_sees(ada={"10.71.1.1"})
        host.ip("address", "add", "10.71.1.7/24", "dev", cable)
        host.ip("address", "delete", "10.71.1.1/24", "dev", cable)
        host.ip("address", "replace", "10.71.1.7/24", "dev", cable)
        await watcher.until_sees(ada={"10.71.1.7"})


@runs_async
async def test_who_gets_a_network_later_finds_and_is_found(net: Lab) -> None:
    host, guest = net.machine(), net.machine()
    async with watching(guest) as watcher, hosting(host):
        net.cable(host, guest, "10.71.1.1/24", "10.71.1.2/24")
        await watcher.until_sees(ada={"10.71.1.1"})


@runs_async
async def test_a_host_that_was_killed_is_gone_and_is_found_again_at_another_address(net: Lab) -> None:
    host, other, guest = net.machine(), net.machine(), net.machine()
    net.cable(host, guest, "10.71.1.1/24", "10.71.1.2/24")
    net.cable(other, guest, "10.71.2.1/24", "10.71.2.2/24")
    async with watching(guest) as watcher:
        async with hosting(host, ttl_s=2) as process:
            await watcher.until_sees(ada={"10.71.1.1"})
            process.send_signal(signal.SIGKILL)
            await watcher.until_sees()
        async with hosting(other):
            await watcher.until_sees(ada={"10.71.2.1"})
