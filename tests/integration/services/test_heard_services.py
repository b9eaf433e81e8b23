"""What is kept of services that are heard of, in zeroconf's own cache, without a network."""

from collections.abc import Iterable
from socket import inet_aton
from types import SimpleNamespace
from typing import Any, Final

import pytest
from zeroconf import DNSAddress, DNSCache, DNSPointer, DNSService, DNSText, RecordUpdate  # type: ignore[attr-defined] # public, and not declared so

from texswarm_desktop.services.heard_services import MOST_SERVICES, HeardServices

TYPE: Final = "_texswarm._tcp.local."
IN, A, PTR, TXT, SRV = 1, 1, 12, 16, 33
HOURS_S: Final = 4500


class Ear:
    """Passes packets on as zeroconf does: the listeners first, the cache then, and the listeners again."""

    def __init__(self) -> None:
        self.cache, self.news = DNSCache(), 0
        self.heard = HeardServices(self.cache, TYPE, self._on_news)

    def packet(self, now_ms: float, *records: Any, speaker: str = "10.1.0.9") -> None:
        from_there = SimpleNamespace(last_message=SimpleNamespace(now=now_ms, source=(speaker, 5353)))
        sockets = [SimpleNamespace(last_message=None), from_there]
        zeroconf: Any = SimpleNamespace(engine=SimpleNamespace(protocols=sockets))
        known = [record for record in records if not record.is_expired(now_ms) or self.cache.async_get_unique(record)]
        self.heard.async_update_records(zeroconf, now_ms, [RecordUpdate(record, None) for record in known])
        self.cache.async_add_records([record for record in known if not record.is_expired(now_ms)])
        self.cache.async_remove_records([record for record in known if record.is_expired(now_ms)])
        self.heard.async_update_records_complete()

    @property
    def kept(self) -> int:
        return sum(len(records) for records in self.cache.cache.values())

    def names(self, now_ms: float) -> list[str]:
        return list(self.heard.lately(now_ms))

    def _on_news(self) -> None:
        self.news += 1


def said(name: str, now_ms: float, addresses: Iterable[str] = ("10.1.0.2",), ttl: int = HOURS_S) -> list[Any]:
    full, machine = f"{name}.{TYPE}", f"{name}.local."
    return [
        DNSPointer(TYPE, PTR, IN, ttl, full, created=now_ms),
        DNSService(full, SRV, IN, ttl, 0, 0, 8091, machine, created=now_ms),
        DNSText(full, TXT, IN, ttl, b"", created=now_ms),
        *(DNSAddress(machine, A, IN, ttl, inet_aton(one), created=now_ms) for one in addresses),
    ]


def test_a_host_is_kept_with_all_it_says_until_it_says_goodbye() -> None:
    ear = Ear()
    ear.packet(1000.0, *said("Ada", 1000.0))
    assert (ear.names(1000.0), ear.kept, ear.news) == ([f"ada.{TYPE}"], 4, 1)
    ear.packet(2000.0, DNSPointer(TYPE, PTR, IN, 0, f"Ada.{TYPE}", created=2000.0))
    assert (ear.names(2000.0), ear.kept, ear.news) == ([], 0, 2)


def test_of_ever_new_hosts_a_bounded_number_is_kept_and_who_was_there_before_stays() -> None:
    ear = Ear()
    ear.packet(1.0, *said("Ada", 1.0, ttl=20))
    for number in range(3000):
        ear.packet(1.0 + number, *said(f"eve-{number}", 1.0 + number, [f"10.1.0.{one}" for one in range(16)]))
    names = ear.names(3001.0)
    assert len(names) == MOST_SERVICES
    assert names[0] == f"ada.{TYPE}"
    assert f"eve-2999.{TYPE}" in names, "who comes now is heard as well"
    assert ear.kept == 4 + (MOST_SERVICES - 1) * 19
    assert len(ear.cache.get_all_by_details("ada.local.", A, IN)) == 1


def test_whoever_floods_hides_nobody_who_comes_later_and_speaks_for_few() -> None:
    ear = Ear()
    for number in range(MOST_SERVICES):
        ear.packet(1.0 + number, *said(f"eve-{number}", 1.0 + number), speaker="10.1.0.66")
    ear.packet(500.0, *said("Ada", 500.0), speaker="10.1.0.2")
    for number in range(3000):
        ear.packet(501.0 + number, *said(f"mal-{number}", 501.0 + number), speaker="10.1.0.66")
    heard = ear.heard.lately(3501.0)
    assert len(heard) == MOST_SERVICES
    assert (heard[f"ada.{TYPE}"].speaker, heard[f"ada.{TYPE}"].number) == ("10.1.0.2", MOST_SERVICES + 1)
    assert f"eve-0.{TYPE}" in heard, "nor does it lose all that it said first"


def test_who_spoke_in_the_name_of_a_host_before_it_came_hides_it_no_more() -> None:
    ear = Ear()
    ear.packet(0.5, *said("Ada", 0.5), speaker="10.1.0.66")
    for number in range(MOST_SERVICES):
        ear.packet(1.0 + number, *said(f"eve-{number}", 1.0 + number), speaker="10.1.0.66")
    ear.packet(500.0, *said("Ada", 500.0), speaker="10.1.0.2")
    ear.packet(501.0, *said("Ada", 501.0), speaker="10.1.0.66")
    assert ear.heard.lately(502.0)[f"ada.{TYPE}"].speaker == "10.1.0.2"


def test_of_one_host_that_is_said_to_be_everywhere_a_few_records_are_kept() -> None:
    ear = Ear()
    for number in range(500):
        now_ms = 1000.0 + number
        ear.packet(now_ms, *said("Ada", now_ms, [f"10.{number // 250}.{number % 250}.{one}" for one in range(16)]))
        ear.packet(now_ms, DNSText(f"Ada.{TYPE}", TXT, IN, HOURS_S, b"%d" % number, created=now_ms))
    assert ear.kept <= 80
    addresses = ear.cache.get_all_by_details("ada.local.", A, IN)
    assert {one.created for one in addresses} == {1496.0, 1497.0, 1498.0, 1499.0}, "the last that were heard"


def test_what_is_said_of_nobody_who_is_kept_does_not_stay() -> None:
    ear = Ear()
    ear.packet(1.0, *said("Ada", 1.0)[1:], DNSAddress("printer.local.", A, IN, 120, inet_aton("10.1.0.9"), created=1.0))
    ear.packet(1.0, DNSPointer("_ipp._tcp.local.", PTR, IN, 120, "printer._ipp._tcp.local.", created=1.0))
    assert (ear.kept, ear.names(1.0)) == (0, [])


@pytest.mark.parametrize("name", ["evil.local.", f"ä.{TYPE}", f"two words.{TYPE}", f"a.b.{TYPE}", TYPE])
def test_a_name_that_no_host_has_is_passed_over(name: str) -> None:
    ear = Ear()
    ear.packet(1.0, DNSPointer(TYPE, PTR, IN, 120, name, created=1.0))
    assert (ear.names(1.0), ear.kept) == ([], 0)


def test_who_is_not_heard_of_any_more_is_gone_whatever_the_records_say() -> None:
    ear = Ear()
    ear.packet(1.0, *said("Ada", 1.0))
    assert ear.names(149_000.0)
    assert ear.names(151_000.0) == []
    assert ear.kept == 0


def test_a_machine_stays_as_long_as_a_host_is_on_it() -> None:
    ear = Ear()
    ear.packet(1.0, *said("Ada", 1.0))
    ear.packet(1.0, *said("Bob", 1.0)[:1], DNSService(f"Bob.{TYPE}", SRV, IN, 120, 0, 0, 1, "ada.local.", created=1.0))
    ear.packet(1.0, DNSPointer(TYPE, PTR, IN, 0, f"Bob.{TYPE}", created=1.0))
    assert len(ear.cache.get_all_by_details("ada.local.", A, IN)) == 1
    ear.packet(2.0, DNSPointer(TYPE, PTR, IN, 0, f"Ada.{TYPE}", created=2.0))
    assert ear.kept == 0
