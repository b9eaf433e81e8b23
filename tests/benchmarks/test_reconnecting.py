"""How soon a broken link is back: from the moment when packets come through again until everything has caught up.

Two machines with a cable between them, the server in a process of its own, the client with the profile of a LAN.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.benchmarks.report import median, report
from tests.helpers.lab_desk import LabDesk, LabServer
from tests.helpers.network_lab import LabHost, NetworkLab, needs_network_lab
from tests.helpers.run_async import until
from texswarm_desktop.client.timing import LAN

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

ROUNDS = 10

Play = Callable[[LabHost, LabServer, LabDesk], Awaitable[list[float]]]


def measure(tmp_path: Path, play: Play) -> list[float]:
    async def main() -> list[float]:
        async with LabDesk(server.address) as desk:
            await desk.create()
            return await play(ada, server, desk)

    with NetworkLab() as lab:
        office = lab.network()
        ada, bob = lab.host("ada", office), lab.host("bob", office)
        server = LabServer(bob, tmp_path / "data")
        with ada.entered():
            return asyncio.run(main())


def tell(name: str, took_s: list[float]) -> None:
    """Show the figures, in milliseconds."""
    took_ms = [took * 1000 for took in took_s]
    report(name, median_ms=median(took_ms), slowest_ms=max(took_ms), times=len(took_ms))


@needs_network_lab
def test_a_cable_without_a_sign(tmp_path: Path) -> None:
    async def play(ada: LabHost, _server: LabServer, desk: LabDesk) -> list[float]:
        took = []
        for number in range(ROUNDS):
            await asyncio.sleep(LAN.settled_after_s)  # or the system has forgotten its neighbour by the third
            ada.cut()
            desk.type("on ")
            await until(lambda: not desk.is_live)
            await asyncio.sleep(0.5 + number / ROUNDS * 5)  # at another moment of the waits each time
            ada.mend()
            took.append(await desk.timed_until(lambda: desk.is_saved))
        return took

    tell("a cable without a sign", measure(tmp_path, play))


@needs_network_lab
def test_a_server_that_is_killed_and_started(tmp_path: Path) -> None:
    async def play(_ada: LabHost, server: LabServer, desk: LabDesk) -> list[float]:
        took = []
        for _ in range(ROUNDS):
            await asyncio.sleep(LAN.settled_after_s)  # a link that broke just before is brought back less eagerly
            server.kill()
            desk.type("on ")
            await until(lambda: not desk.is_live)
            await asyncio.to_thread(server.start)
            took.append(await desk.timed_until(lambda: desk.is_saved))
        return took

    tell("a server killed and started", measure(tmp_path, play))


@needs_network_lab
def test_a_link_that_is_reset(tmp_path: Path) -> None:
    async def play(_ada: LabHost, _server: LabServer, desk: LabDesk) -> list[float]:
        took = []
        for _ in range(ROUNDS):
            await asyncio.sleep(LAN.settled_after_s)
            desk.type("on ")
            desk.connection._session.give_up("reset")
            took.append(await desk.timed_until(lambda: desk.is_saved))
        return took

    tell("a link that is reset", measure(tmp_path, play))
