"""Somebody on the network who answers in the host's name: mDNS carries no proof of who speaks.

Eve says that the host is at her address, and at others, as often as she can. At hers a server waits, with another
certificate; at one nobody says anything, and at most there is nobody.
"""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from zeroconf.asyncio import AsyncZeroconf

from tests.helpers.certificates import certificate
from tests.helpers.lab_desk import PORT, LabDesk, LabServer
from tests.helpers.lab_finder import Finder
from tests.helpers.network_lab import LabHost, NetworkLab, needs_network_lab
from tests.helpers.patience import played_in_time
from tests.helpers.run_async import until
from texswarm_desktop.client.states import Live
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_desktop.core.nearby import MAX_HOSTS
from texswarm_server.discovery import Advertiser, Service, service_info
from texswarm_server.protocol.certificates import certificate_fingerprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from texswarm_server.protocol.announcement import Announcement

    Lie = Callable[[int], tuple[Announcement, list[str]]]

pytest.importorskip("cryptography")

NAME = "Bob"
LIES_A_SECOND, NEW_HOSTS_A_SECOND = 50, 100
HOURS_S = 4500
NOBODYS = 12
LIED_BEFORE_S = 1.0
#: Until there are more hosts than any list takes.
NEW_HOSTS_BEFORE_S = 6.0
LONGER_THAN_ANY_PROBE_S = 2.0
MOST_OF_A_PROCESSOR = 0.6
#: Who lies so much, who listens and who types share one interpreter here; who is crowded out is not followed at all.
AT_ALL_S = 15.0
#: Where nobody but the heartbeat finds it, a link is silent for a third longer than this, at the least.
SOONER_S = (LAN.dead_after_s - LAN.ping_every_s) * 0.75


@dataclass
class Scene:
    """Ada's link leads to Bob, who hosts with a certificate; Eve has another one, and `mute` says nothing."""

    ada: LabHost
    bob: LabHost
    eve: LabHost
    mute: LabHost
    server: LabServer
    fingerprint: str

    def run(self, play: Callable[[Finder, LabDesk], Awaitable[None]]) -> None:
        """Play on Ada's machine, with Ada's desk in the document and Bob in her list."""

        async def main() -> None:
            desks: list[LabDesk] = []
            with Finder(NAME, lambda *told: [desk.connection.seen_at(*told) for desk in desks]) as finder:
                await until(lambda: finder.addresses)
                transport = websocket_transport(self.fingerprint)
                async with LabDesk(finder.addresses[0], transport=transport) as desk:
                    await desk.create()
                    desks.append(desk)
                    await play(finder, desk)
                    desks.clear()

        with self.ada.entered():
            asyncio.run(main())

    def everywhere(self, bobs: Announcement) -> Lie:
        """Say that Bob is at Eve's address and at others, each time others, and nowhere else."""

        def lie(turn: int) -> tuple[Announcement, list[str]]:
            nobodys = [f"10.77.1.{100 + (turn * 4 + more) % NOBODYS}" for more in range(4)]
            return bobs, [self.eve.address, self.mute.address, *nobodys]

        return lie

    def ever_new(self, bobs: Announcement) -> Lie:
        """Say that there is one more host with Bob's certificate, at addresses that nobody heard of."""

        def lie(turn: int) -> tuple[Announcement, list[str]]:
            said = replace(bobs, instance=f"eve-{turn:08}", name=f"! {turn}", project="!")
            nobodys = [f"10.{80 + turn // 60_000}.{turn // 250 % 240}.{turn % 250 + 1}", f"10.77.1.{100 + turn % 150}"]
            return said, [self.eve.address, *nobodys]

        return lie

    @contextmanager
    def announced(self, host: LabHost, announcement: Announcement) -> Iterator[None]:
        """Announce something from another machine, as a host does."""
        advertiser = Advertiser(Service(announcement, "", PORT))
        with host.entered():
            advertiser.start()
        try:
            yield
        finally:
            advertiser.close()
            advertiser.join()

    @asynccontextmanager
    async def lies(self, lie: Lie, a_second: int) -> AsyncIterator[None]:
        """Have Eve announce all the time what a lie is in its turn, to hold for hours."""
        loop = self.eve.loop()
        told = asyncio.Event()
        here = asyncio.get_running_loop()

        async def lying() -> None:
            async with AsyncZeroconf(interfaces=[self.eve.address]) as liar:
                await liar.zeroconf.async_wait_for_start()
                begin = time.monotonic()
                for turn in count():
                    announcement, said = lie(turn)
                    info = service_info(Service(announcement, "", PORT), said, host_ttl_s=HOURS_S)
                    liar.zeroconf.async_send(liar.zeroconf.generate_service_broadcast(info, None))
                    here.call_soon_threadsafe(told.set)
                    await asyncio.sleep(begin + turn / a_second - time.monotonic())

        lying_there = loop.submit(lying())
        try:
            await told.wait()
            yield
        finally:
            lying_there.cancel()


@contextmanager
def scene(tmp_path: Path) -> Iterator[Scene]:
    with NetworkLab() as lab:
        office = lab.network()
        ada, bob, eve, mute = (lab.host(name, office) for name in ("ada", "bob", "eve", "mute"))
        servers: dict[str, LabServer] = {}
        fingerprints: dict[str, str] = {}
        for name, host in (("bob", bob), ("eve", eve)):
            folder = tmp_path / name
            folder.mkdir()
            cert, key, shown = certificate(folder)
            options = (
                "--tls-cert",
                str(cert),
                "--tls-key",
                str(key),
                *(["--advertise", NAME] if name == "bob" else []),
            )
            servers[name] = LabServer(host, folder / "data", *options)
            fingerprints[name] = certificate_fingerprint(shown)
        with mute.entered():
            listening = socket.create_server(("", PORT), backlog=1000)
        with listening:
            yield Scene(ada, bob, eve, mute, servers["bob"], fingerprints["bob"])


@needs_network_lab
def test_forged_announcements_end_no_link_not_even_of_a_host_that_stands_still(tmp_path: Path) -> None:
    async def play(finder: Finder, desk: LabDesk) -> None:
        assert finder.host is not None
        states, address = len(desk.states), desk.connection.current_address
        stage.server.process.send_signal(signal.SIGSTOP)
        async with stage.lies(stage.everywhere(finder.host.announcement), LIES_A_SECOND):
            await until(lambda: stage.eve.address in finder.hosts, "the lie is heard")
            desk.type("on ")
            await asyncio.sleep(LONGER_THAN_ANY_PROBE_S)
            stage.server.process.send_signal(signal.SIGCONT)
            desk.type("and on ")
            await until(lambda: desk.is_saved)
        assert desk.states[states:] == []
        assert desk.connection.current_address == address

    with scene(tmp_path) as stage:
        stage.run(play)


@dataclass
class Chase:
    """How soon a host that moved was followed, and what share of a processor listening took before."""

    limit_s: float
    took_s: float = math.inf
    share: float = 0.0

    @property
    def lateness(self) -> str:
        return "" if self.took_s < self.limit_s else f"{self.took_s:.2f} s instead of {self.limit_s} s"


def chase(
    folder: Path,
    lies: Callable[[Scene, Announcement], Lie],
    a_second: int,
    lied_before_s: float,
    limit_s: float = SOONER_S,
) -> Chase:
    """Have Bob move among lies. Where the machine stands still what is said gets lost: then it is played again."""

    def played(turn: int) -> Chase:
        seen = Chase(limit_s)

        async def play(finder: Finder, desk: LabDesk) -> None:
            assert finder.host is not None
            async with stage.lies(lies(stage, finder.host.announcement), a_second):
                await until(lambda: stage.eve.address in finder.hosts, "the lie is heard")
                begin, before_s = time.monotonic(), finder.worked_s
                await asyncio.sleep(lied_before_s)
                seen.share = (finder.worked_s - before_s) / (time.monotonic() - begin)
                assert finder.host is not None, "Bob is not crowded out"
                stage.bob.renumber(77)
                moved_at = time.monotonic()
                desk.type("on ")
                try:
                    async with asyncio.timeout(limit_s):
                        await until(lambda: desk.is_saved)
                except TimeoutError:
                    return
                seen.took_s = time.monotonic() - moved_at
                assert desk.connection.current_address.host == stage.bob.address
                assert isinstance(desk.connection.state, Live)

        (folder / str(turn)).mkdir()
        with scene(folder / str(turn)) as stage:
            stage.run(play)
        return seen

    return played_in_time(played, lambda seen: seen.lateness)


@needs_network_lab
def test_a_host_that_moves_is_followed_whatever_others_say(tmp_path: Path, record_property) -> None:
    seen = chase(tmp_path, Scene.everywhere, LIES_A_SECOND, LIED_BEFORE_S)
    record_property("followed after, s", round(seen.took_s, 3))


@needs_network_lab
def test_a_host_that_moves_is_followed_among_ever_new_ones_with_its_certificate(
    tmp_path: Path, record_property
) -> None:
    """And they cost little: what is kept of them is bounded, and looked through at leisure."""
    seen = chase(tmp_path, Scene.ever_new, NEW_HOSTS_A_SECOND, NEW_HOSTS_BEFORE_S, AT_ALL_S)
    record_property("followed after, s", round(seen.took_s, 3))
    record_property("of a processor", round(seen.share, 3))
    assert seen.share < MOST_OF_A_PROCESSOR


@needs_network_lab
def test_a_host_that_comes_while_somebody_floods_is_seen_in_front_of_the_flood(tmp_path: Path) -> None:
    async def play(finder: Finder, _desk: LabDesk) -> None:
        assert finder.host is not None
        bobs = finder.host.announcement
        cy = replace(bobs, instance="cy-12345", name="Cy", project="~", fingerprint="cc" * 32)
        async with stage.lies(stage.ever_new(bobs), NEW_HOSTS_A_SECOND):
            await until(lambda: len(finder.heard) == MAX_HOSTS, "no list takes more")
            with stage.announced(stage.mute, cy):
                await until(lambda: finder.heard and cy.name in {host.name for host in finder.heard[:2]}, "Cy is seen")

    with scene(tmp_path) as stage:
        stage.run(play)
