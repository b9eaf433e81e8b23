"""Finding hosts by real mDNS on loopback: they come, change and go, and forged records do no harm."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from socket import inet_aton
from typing import Final

import pytest
from zeroconf import DNSAddress, DNSCache, DNSText, RecordUpdate, RecordUpdateListener, ServiceInfo, Zeroconf  # type: ignore[attr-defined] # public, and not declared so
from zeroconf.asyncio import AsyncZeroconf

from tests.helpers.multicast import LOOPBACK, Ether, names
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.nearby import MAX_HOSTS
from texswarm_desktop.services.discovery import Browser, Leisure, SaidLately, addresses_that_hold, records_that_hold
from texswarm_server.discovery import Advertiser, Service
from texswarm_server.protocol.announcement import Announcement

A, TXT, IN = 1, 16, 1


@pytest.fixture
def ether() -> Ether:
    return Ether()


@runs_async
async def test_a_host_is_found_with_all_it_says(ether: Ether) -> None:
    facts = {"project": "On Swarms – Über Schwärme", "fingerprint": "ab" * 32, "nameplate": "417", "tls": True}
    with ether.browser() as told, ether.host("Ada", port=9123, **facts):
        await until(lambda: told[-1])
    (host,) = told[1]
    assert (host.name, host.project, host.announcement.nameplate) == ("Ada", facts["project"], "417")
    assert [address.url for address in host.addresses] == ["wss://127.0.0.1:9123/ws"]


@runs_async
async def test_who_looks_later_finds_who_was_there_before(ether: Ether) -> None:
    with ether.host("Ada"), ether.host("Bob"), ether.browser() as told:
        await until(lambda: names(told[-1]) == ["Ada", "Bob"])


@runs_async
async def test_what_a_host_says_later_is_heard_at_once(ether: Ether) -> None:
    with ether.browser() as told, ether.host("Ada") as ada:
        await until(lambda: told[-1])
        ada.announce(replace(ada.service, announcement=replace(ada.service.announcement, nameplate="999")))
        await until(lambda: told[-1] and told[-1][0].announcement.nameplate == "999")
    assert [len(hosts) for hosts in told[:3]] == [0, 1, 1], "it is not gone in between"


@runs_async
async def test_news_is_told_again_after_late_answers_with_what_held_before(ether: Ether) -> None:
    heard: list[float] = []

    class Listener(RecordUpdateListener):
        def async_update_records(self, _zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
            heard.extend(now for one in records if isinstance(one.new, DNSText) and b"998" in one.new.text)

    with ether.host("Ada") as ada:
        async with AsyncZeroconf(interfaces=[LOOPBACK]) as multicast:
            multicast.zeroconf.add_listener(Listener(), None)
            await until(lambda: ada.has_announced)
            ada.announce(replace(ada.service, announcement=replace(ada.service.announcement, nameplate="998")))
            await until(lambda: heard and heard[-1] - heard[0] > 1200)


def test_of_two_records_the_one_that_was_heard_last_holds_also_where_it_held_before() -> None:
    cache = DNSCache()

    def hear(said: bytes, at_ms: float) -> None:
        record = DNSText("ada", TXT, IN, 120, said, created=at_ms)
        cache.async_mark_unique_records_older_than_1s_to_expire({("ada", TXT, IN)}, [record], at_ms)
        cache.async_add_records([record])

    for said, at_ms in ((b"first", 1000.0), (b"second", 3000.0), (b"first", 5000.0)):
        hear(said, at_ms)
        assert records_that_hold(cache, "ada", TXT, at_ms)[-1].text == said
    assert [one.text for one in records_that_hold(cache, "ada", TXT, 6500.0)] == [b"first"]


def test_a_host_is_where_it_said_last_and_no_more_where_it_was_a_moment_ago() -> None:
    cache = DNSCache()

    def hear(*addresses: str, at_ms: float) -> list[str]:
        records = [DNSAddress("ada.local.", A, IN, 20, inet_aton(one), created=at_ms) for one in addresses]
        cache.async_mark_unique_records_older_than_1s_to_expire({("ada.local.", A, IN)}, records, at_ms)
        cache.async_add_records(records)
        return addresses_that_hold(cache, "ada.local.", at_ms)

    assert hear("10.0.0.2", "10.0.1.2", at_ms=1000.0) == ["10.0.0.2", "10.0.1.2"]
    assert hear("10.0.0.77", at_ms=1500.0) == ["10.0.0.77"], "heard a moment ago, and held no more"
    assert hear("10.0.0.77", at_ms=3000.0) == ["10.0.0.77"], "what was replaced is not revived"
    assert hear("10.0.0.77", "10.0.1.77", at_ms=3900.0) == ["10.0.0.77", "10.0.1.77"]


def test_what_was_said_within_the_last_second_is_known_whoever_spoke_since() -> None:
    said = SaidLately()

    def hear(address: str, at_ms: float, server: str = "Ada.local.") -> None:
        record = DNSAddress(server, A, IN, 20, inet_aton(address), created=at_ms)
        said.async_update_records(None, at_ms, [RecordUpdate(record, None)])

    hear("10.0.0.77", 1000.0)
    for number in range(50):
        hear("10.0.0.66", 1001.0 + number)
        hear("10.0.0.5", 1001.0 + number, "cy.local.")
    assert said.of("ada.local.", 1500.0) == ["10.0.0.77", "10.0.0.66"]
    assert said.of("ada.local.", 2020.0) == ["10.0.0.66"]
    for number in range(1000):
        hear(f"10.1.{number // 250}.{number % 250}", 3000.0)
    assert len(said.of("ada.local.", 3000.0)) == 32
    hear("10.0.0.78", 3001.0)
    for number in range(1000):
        hear(f"10.2.{number // 250}.{number % 250}", 3002.0)
    hear("10.0.0.78", 3250.0)
    assert said.of("ada.local.", 3300.0)[0] == "10.0.0.78", "who moved says so several times"


@pytest.mark.parametrize(("share", "slept"), [(0.3, 0.0), (0.6, 1.0), (1.0, 1.0)])
def test_who_listens_takes_half_of_a_processor_at_most(share: float, slept: float) -> None:
    """Of ten seconds of work it sleeps as many; where it works less, it never does."""
    time_s, worked_s, sleeping_s = 100.0, 7.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal time_s, sleeping_s
        time_s, sleeping_s = time_s + seconds, sleeping_s + seconds

    leisure = Leisure(clock=lambda: time_s, worked_s=lambda: worked_s, sleep=sleep)
    for _ in range(10_000):
        time_s, worked_s = time_s + 0.001, worked_s + 0.001 * share
        leisure.async_update_records_complete()
    assert sleeping_s == pytest.approx(slept * 10.0 * share, rel=0.1)


@runs_async
async def test_a_host_that_ends_says_goodbye(ether: Ether) -> None:
    with ether.browser() as told:
        with ether.host("Ada"):
            await until(lambda: told[-1])
        begun = time.monotonic()
        await until(lambda: not told[-1])
        assert time.monotonic() - begun < 10, "gone by its goodbye, not because it grew old"


@runs_async
async def test_a_host_that_comes_back_elsewhere_is_the_same_host(ether: Ether) -> None:
    with ether.browser() as told:
        with ether.host("Ada", port=8091):
            await until(lambda: told[-1])
        with ether.host("Ada", port=8092):
            await until(lambda: told[-1] and told[-1][0].addresses[0].port == 8092)
    assert len({host.key for hosts in told for host in hosts}) == 1


@runs_async
async def test_without_a_network_both_wait_for_one(ether: Ether) -> None:
    ether.addresses.clear()
    with ether.browser() as told, ether.host("Ada"):
        ether.addresses.append(LOOPBACK)
        await until(lambda: names(told[-1]) == ["Ada"])
        ether.addresses.clear()
        await until(lambda: not told[-1])


def test_a_browser_that_ends_before_it_began_leaves_nothing(ether: Ether) -> None:
    for _ in range(5):
        with ether.browser():
            pass


@runs_async
async def test_to_close_what_was_never_started_is_allowed() -> None:
    for thread in (Browser(print), Advertiser(Service(Announcement(instance="abcdefgh", name=""), "", 1))):
        thread.close()
        await thread.wait_closed()


FORGED: Final = [
    {"txtvers": b"1", "v": b"2", "id": b"\xff\xfe\x00\x00\x00\x00\x00\x00"},
    {"txtvers": b"1", "v": b"2", "id": b"x" * 200, "name": b"Eve"},
    {"name": b"\x00" * 250},
    {"a" * 250: b""},
    {},
]


@asynccontextmanager
async def liar_with(ether: Ether, records: list[dict[str, bytes]]) -> AsyncIterator[None]:
    """Somebody who sends records that no host of ours would."""
    async with AsyncZeroconf(interfaces=[LOOPBACK]) as liar:
        await liar.zeroconf.async_wait_for_start()
        for number, record in enumerate(records):
            name = f"forged-{number}.{ether.service_type}"
            info = ServiceInfo(ether.service_type, name, port=1, properties=record, parsed_addresses=["10.9.9.9"])
            info.set_server_if_missing()
            liar.zeroconf.registry.async_add(info)
            liar.zeroconf.async_send(liar.zeroconf.generate_service_broadcast(info, None))
        yield
        liar.zeroconf.generate_unregister_all_services()  # without telling anybody


@runs_async
async def test_forged_records_neither_show_nor_hide_anything(ether: Ether) -> None:
    with ether.browser() as told, ether.host("Ada"):
        async with liar_with(ether, [*FORGED, Announcement(instance="comes-last", name="Last").to_txt()]):
            await until(lambda: names(told[-1]) == ["Ada", "Last"])
        assert {name for hosts in told for name in names(hosts)} == {"Ada", "Last"}


@runs_async
async def test_a_flood_of_hosts_is_bounded(ether: Ether) -> None:
    flood = [Announcement(instance=f"forged-{number:05}", name="Eve").to_txt() for number in range(MAX_HOSTS + 60)]
    with ether.browser() as told:
        async with liar_with(ether, flood):
            await until(lambda: len(told[-1]) == MAX_HOSTS)
