"""Hosts nearby: one entry for one host, however often and wherever it is heard, and bounds on what strangers send."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.nearby import (
    MAX_HOSTS,
    SaidPlaces,
    Sighting,
    nearby_hosts,
    places_by_fingerprint,
    with_nameplate,
)
from texswarm_server.protocol.announcement import Announcement, Entry
from texswarm_server.protocol.invite_link import ServerAddress

ADA = Announcement(instance="ada-12345", name="Ada", project="Paper", fingerprint="aa" * 32, nameplate="417", tls=True)


def seen(*addresses: str, port: int = 8091, announcement: Announcement = ADA) -> Sighting:
    return Sighting(announcement, addresses, port)


def hosts_at(*addresses: str, own: tuple[str, ...] = ()) -> list[str]:
    (host,) = nearby_hosts([seen(*addresses)], own)
    return [address.host for address in host.addresses]


def test_one_host_on_two_interfaces_and_in_two_families_is_one_entry() -> None:
    (host,) = nearby_hosts([seen("10.0.0.2", "fd00::2"), seen("192.168.1.2"), seen("10.0.0.2")])
    assert {address.host for address in host.addresses} == {"10.0.0.2", "fd00::2", "192.168.1.2"}


def test_what_was_heard_last_of_a_host_holds() -> None:
    (host,) = nearby_hosts([seen("10.0.0.2"), seen("10.0.0.3", announcement=replace(ADA, name="Ada L."))])
    assert host.name == "Ada L."


def test_who_claims_to_be_a_host_with_another_certificate_is_another() -> None:
    forged = replace(ADA, fingerprint="bb" * 32)
    assert len(nearby_hosts([seen("10.0.0.2"), seen("10.0.0.66", announcement=forged)])) == 2


def test_who_announces_anothers_certificate_does_not_hide_where_that_one_is() -> None:
    forged = replace(ADA, instance="eve-12345")
    many = [f"10.0.9.{last}" for last in range(12)]
    hosts = nearby_hosts([seen(*many, announcement=forged), seen("10.0.0.2", "10.0.0.3")])
    (told,) = places_by_fingerprint(hosts).values()
    assert len(told.addresses) == 14
    assert {"10.0.0.2", "10.0.0.3"} <= {address.host for address in told.addresses[:4]}
    assert places_by_fingerprint(nearby_hosts([seen("10.0.0.2", announcement=replace(ADA, fingerprint=None))])) == {}


def test_who_was_heard_of_first_comes_first_however_others_call_themselves() -> None:
    forged = [replace(ADA, instance=f"eve-{number:05}", name="!", project="!") for number in range(60)]
    late = [replace(seen(f"10.0.9.{at}", announcement=one), number=at + 2) for at, one in enumerate(forged)]
    again = replace(seen("10.0.0.3"), number=90)
    hosts = nearby_hosts([*late, replace(seen("10.0.0.2"), number=1), again])
    assert hosts[-1].number == 1
    (told,) = places_by_fingerprint(hosts).values()
    assert told.addresses[0].host == "10.0.0.2"


def test_where_else_a_host_was_said_to_be_is_told_apart_and_bounded() -> None:
    many = tuple(f"10.0.9.{last}" for last in range(60))
    (host,) = hosts = nearby_hosts([replace(seen("10.0.0.2"), lately=("10.0.0.3", "224.0.0.1", *many))])
    assert [address.host for address in host.addresses] == ["10.0.0.2"]
    assert [address.host for address in host.lately][:2] == ["10.0.0.3", "10.0.9.0"]
    assert len(host.lately) == 32
    assert places_by_fingerprint(hosts) == {ADA.fingerprint: SaidPlaces(host.addresses, host.lately)}


def test_addresses_in_a_network_of_this_machine_are_tried_first() -> None:
    assert hosts_at("10.0.0.2", "169.254.1.1", "fd00::2", "192.168.1.2", own=("192.168.1.77/24",)) == [
        "192.168.1.2", "10.0.0.2", "fd00::2", "169.254.1.1",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["224.0.0.251", "ff02::fb", "0.0.0.0", "255.255.255.255", "fe80::1", "no address"])
def test_nothing_is_sent_to_an_address_that_is_not_one_machines(address: str) -> None:
    assert nearby_hosts([seen(address)]) == ()


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_host_without_a_port_is_none(port: int) -> None:
    assert nearby_hosts([seen("10.0.0.2", port=port)]) == ()


def test_a_flood_of_hosts_and_addresses_is_bounded() -> None:
    many = [seen("10.0.0.2", announcement=replace(ADA, instance=f"host-{number:05}")) for number in range(1000)]
    addresses = tuple(f"10.0.{number // 250}.{1 + number % 250}" for number in range(1000))
    assert len(nearby_hosts(many)) == MAX_HOSTS
    assert len(nearby_hosts([seen(*addresses), seen(*reversed(addresses))])[0].addresses) == 16


def of_speaker(speaker: str, many: int) -> list[Sighting]:
    """Return what one says of many hosts, whose names come before all others."""
    those = [replace(ADA, instance=f"{speaker}-{number:05}", name="!", project="!") for number in range(many)]
    return [replace(seen("10.0.9.9", announcement=one), speaker=speaker) for one in those]


def test_who_announces_many_takes_nobodys_place_and_stands_behind() -> None:
    late = replace(seen("10.0.0.2"), number=401, speaker="10.0.0.2")
    hosts = nearby_hosts([*of_speaker("10.0.9.9", 399), late], ())
    assert len(hosts) == MAX_HOSTS
    assert hosts[0].key[0] == ADA.instance


def test_twenty_hosts_on_one_machine_are_a_list_as_any() -> None:
    late = replace(seen("10.0.0.2"), speaker="10.0.0.2")
    assert nearby_hosts([*of_speaker("10.0.9.9", 20), late])[-1].key[0] == ADA.instance


def test_a_host_that_another_speaks_for_as_well_is_still_its_own() -> None:
    by_eve = [replace(one, announcement=ADA) if at == 3 else one for at, one in enumerate(of_speaker("10.0.9.9", 399))]
    hosts = nearby_hosts([*by_eve, replace(seen("10.0.0.2"), speaker="10.0.0.2")])
    assert hosts[0].key[0] == ADA.instance


@given(st.permutations([seen("10.0.0.1"), seen("10.0.0.2"), seen("10.0.0.3", announcement=replace(ADA, name="B"))]))
def test_the_order_of_arrival_changes_no_list_of_addresses(sightings: list[Sighting]) -> None:
    (host,) = nearby_hosts(sightings, ("10.0.0.9/24",))
    assert {address.host for address in host.addresses} == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}


def test_a_host_always_has_words_to_show() -> None:
    (host,) = nearby_hosts([seen("10.0.0.2", announcement=Announcement(instance="somebody", name=""))])
    assert (host.name, host.project) == ("10.0.0.2:8091", "Untitled")


def test_a_host_is_found_by_the_part_of_its_code_that_is_no_secret() -> None:
    other = replace(ADA, instance="bob-12345", nameplate="418", entry=Entry.OPEN)
    hosts = nearby_hosts([seen("10.0.0.2"), seen("10.0.0.3", announcement=other)])
    assert [host.key[0] for host in with_nameplate(hosts, "418")] == ["bob-12345"]
    assert [host.is_open for host in hosts] == [False, True]


def test_the_transport_is_the_announced_one() -> None:
    assert nearby_hosts([seen("10.0.0.2")])[0].addresses == (ServerAddress("10.0.0.2", 8091, tls=True),)
