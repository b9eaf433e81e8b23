"""Hosts that are found by what they announce, on every network they are in, and again at another address.

Real mDNS between machines of the lab; nobody tells the guests an address.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from zeroconf import DNSAddress, RecordUpdate, RecordUpdateListener, Zeroconf  # type: ignore[attr-defined] # public, and not declared so
from zeroconf.asyncio import AsyncZeroconf

from tests.helpers.golden import assert_golden
from tests.helpers.lab_desk import PORT, LabDesk, LabServer
from tests.helpers.lab_finder import Finder
from tests.helpers.network_lab import LabHost, NetworkLab, needs_network_lab
from tests.helpers.patience import played_in_time
from tests.helpers.run_async import until
from texswarm_server.discovery import Advertiser, Service
from texswarm_server.protocol.announcement import Announcement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import pytest

    from texswarm_server.protocol.invite_link import ServerAddress

NAME = "Bob"
#: The heartbeat would take six seconds.
FOLLOWED_S = 0.5
TOLD_TIMES = 3


@contextmanager
def two_networks(tmp_path: Path) -> Iterator[tuple[LabHost, LabHost, LabHost]]:
    """Ada and Bob are in both, Cy in the second only; Bob hosts and is announced."""
    with NetworkLab() as lab:
        office, cable = lab.network(), lab.network()
        ada, bob = lab.host("ada", office, cable), lab.host("bob", office, cable)
        cy = lab.host("cy", cable)
        LabServer(bob, tmp_path / "data", "--advertise", NAME)
        yield ada, bob, cy


def at(host: LabHost, play: Callable[[], Awaitable[LabDesk]]) -> LabDesk:
    """Play on a machine."""

    async def main() -> LabDesk:
        return await play()

    with host.entered():
        return asyncio.run(main())


async def joined(desk: LabDesk) -> None:
    """Be in the document, and told of from the first step."""
    began_at = time.monotonic()
    desk.replica.sync = desk.connection.add(desk.replica)
    await desk.begin()
    await until(lambda: desk.is_saved and desk.replica.lineage)
    desk.joined_s = time.monotonic() - began_at
    desk.look()


async def writes_something(address: ServerAddress) -> None:
    async with LabDesk(address) as desk:
        await desk.create()


@needs_network_lab
def test_a_host_on_two_networks_is_found_on_both_and_reached_over_either(tmp_path: Path, record_property) -> None:
    machines: list[LabHost] = []

    async def best_for_cy() -> str:
        _, bob = machines
        with Finder(NAME) as finder:
            await until(lambda: set(bob.addresses) <= finder.hosts, "both addresses of Bob")
            await writes_something(finder.addresses[0])
            return finder.addresses[0].host

    async def play() -> LabDesk:
        ada, bob = machines
        with Finder(NAME) as finder:
            await until(lambda: set(bob.addresses) <= finder.hosts, "both addresses of Bob")
            async with LabDesk(finder.addresses[0], title="A host is found on two networks") as desk:
                desk.transcript.happens("a host is announced on both networks this computer is in, and picked")
                await joined(desk)
                desk.connection.seen_at(finder.addresses)
                before = desk.connection.current_address
                ada.cut(interface="eth0" if before.host == bob.addresses[0] else "eth1")
                desk.transcript.happens(
                    "the network over which it was reached carries nothing any more, without a sign"
                )
                desk.type("on ")
                took_s = await desk.timed_until(lambda: desk.is_saved)
                record_property("over the other network after, s", round(took_s, 3))
                assert desk.connection.current_address != before
            return desk

    def scene_of(turn: int) -> LabDesk:
        (tmp_path / str(turn)).mkdir()
        with two_networks(tmp_path / str(turn)) as (ada, bob, cy):
            machines[:] = ada, bob
            with cy.entered():
                assert asyncio.run(best_for_cy()) == bob.addresses[1], "the one in the network that Cy is in"
            return at(ada, play)

    def is_late(desk: LabDesk) -> str:
        try:
            assert_golden("status/lab/found-on-two-networks.txt", desk.transcript.text(time.monotonic()))
        except AssertionError as error:
            return f"{error}: {desk.said}"
        return ""

    played_in_time(scene_of, is_late)


@needs_network_lab
def test_a_host_with_other_addresses_is_followed_by_what_it_announces(tmp_path: Path, record_property) -> None:
    bobs: list[LabHost] = []

    async def play() -> LabDesk:
        desks: list[LabDesk] = []
        bob = bobs[-1]
        with Finder(NAME, lambda *told: [desk.connection.seen_at(*told) for desk in desks]) as finder:
            await until(lambda: finder.addresses)
            await writes_something(finder.addresses[0])
            async with LabDesk(finder.addresses[0], title="The host gets other addresses") as desk:
                desks.append(desk)
                desk.transcript.happens("a host is announced, and picked")
                await joined(desk)
                bob.renumber(77)
                moved_at = time.monotonic()
                desk.transcript.happens("the host gets other addresses, and goes on")
                desk.type("on ")
                await desk.timed_until(lambda: desk.is_saved)
                took_s = time.monotonic() - moved_at
                record_property("followed after, s", round(took_s, 3))
                desk.took(took_s, FOLLOWED_S)
                assert (desk.connection.current_address.host, desk.connection.current_address.port) in {
                    (host, PORT) for host in bob.addresses
                }
                desks.clear()
            return desk

    def scene_of(turn: int) -> LabDesk:
        (tmp_path / str(turn)).mkdir()
        with two_networks(tmp_path / str(turn)) as (ada, bob, _cy):
            bobs.append(bob)
            return at(ada, play)

    desk = played_in_time(scene_of, lambda desk: desk.lateness)
    assert_golden("status/lab/host-renumbered.txt", desk.transcript.text(time.monotonic()))


@contextmanager
def announced(host: LabHost) -> Iterator[Advertiser]:
    """Announce a host, which looks once in a thousand seconds: what it hears of itself is the kernel's word."""
    with host.entered():
        service = Service(Announcement(instance="instance-of-bob", name=NAME), "", PORT)
        advertiser = Advertiser(service, look_every_s=1000)
        advertiser.start()
    try:
        yield advertiser
    finally:
        advertiser.close()
        advertiser.join()


def two_in_an_office(lab: NetworkLab) -> tuple[LabHost, LabHost]:
    office = lab.network()
    return lab.host("ada", office), lab.host("bob", office)


@needs_network_lab
def test_another_address_is_announced_as_soon_as_the_kernel_has_it(record_property) -> None:
    async def play() -> None:
        with Finder(NAME) as finder:
            await until(lambda: bob.address in finder.hosts)
            bob.renumber(77)
            moved_at = time.monotonic()
            await until(lambda: bob.address in finder.hosts, "the other address")
            record_property("heard of after, s", round(time.monotonic() - moved_at, 3))

    with NetworkLab() as lab:
        ada, bob = two_in_an_office(lab)
        with announced(bob), ada.entered():
            asyncio.run(play())


class Heard(RecordUpdateListener):
    """Every address that is said on a network, in order. What is the same byte by byte is not heard twice."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def async_update_records(self, _zc: Zeroconf, _now: float, records: list[RecordUpdate]) -> None:
        said = (one.new for one in records if isinstance(one.new, DNSAddress))
        self.addresses += [str(ip_address(one.address)) for one in said]


@needs_network_lab
def test_who_moves_while_it_is_announced_is_not_said_to_be_where_it_was_any_more() -> None:
    """Each announcement is repeated: an old one after a new one led everybody back, for a second."""

    async def play() -> None:
        heard = Heard()
        async with AsyncZeroconf(interfaces=ada.addresses) as multicast:
            multicast.zeroconf.add_listener(heard, None)
            with announced(bob):
                before = bob.address
                await until(lambda: before in heard.addresses)
                bob.renumber(77)
                await until(lambda: heard.addresses.count(bob.address) >= TOLD_TIMES, "it is told again and again")
        since = heard.addresses[heard.addresses.index(bob.address) :]
        assert before not in since

    with NetworkLab() as lab:
        ada, bob = two_in_an_office(lab)
        with ada.entered():
            asyncio.run(play())


def said_by_zeroconf(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what an operator would read."""
    return [record.getMessage() for record in caplog.records if record.name == "zeroconf"]


@needs_network_lab
def test_one_address_more_on_an_interface_is_announced_and_the_first_may_go(caplog: pytest.LogCaptureFixture) -> None:
    more = {"10.78.1.55", "fd78:0:0:1::55"}

    async def play() -> None:
        with Finder(NAME) as finder:
            first = {bob.address, bob.address6}
            await until(lambda: finder.hosts == first)
            bob.ip("addr add 10.78.1.55/24 dev eth0", "addr add fd78:0:0:1::55/64 dev eth0 nodad")
            await until(lambda: finder.hosts == first | more)
            bob.ip(f"addr del {bob.address}/24 dev eth0", f"addr del {bob.address6}/64 dev eth0")
            await until(lambda: finder.hosts == more)

    with NetworkLab() as lab:
        ada, bob = two_in_an_office(lab)
        with announced(bob), ada.entered():
            asyncio.run(play())
    assert said_by_zeroconf(caplog) == []


@needs_network_lab
def test_an_ipv6_address_is_spoken_on_once_the_system_knows_that_it_is_nobody_elses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For about a second it is among the addresses of the machine, and no socket can have it."""

    async def play() -> None:
        with Finder(NAME) as finder:
            await until(lambda: bob.address in finder.hosts)
            bob.call(lambda: Path("/proc/sys/net/ipv6/conf/eth0/accept_dad").write_text("1"))
            bob.ip("addr flush dev eth0 scope global", "addr add fd77:0:0:1::55/64 dev eth0")
            await until(lambda: finder.hosts == {"fd77:0:0:1::55"})

    with NetworkLab() as lab:
        ada, bob = two_in_an_office(lab)
        with announced(bob), ada.entered():
            asyncio.run(play())
    assert said_by_zeroconf(caplog) == []
