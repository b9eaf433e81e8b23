"""Which hosts are nearby: what was heard on every interface, in every address family, merged by who it is. Pure.

A host is told from another by its lasting id, its certificate and the project; so one that moves to another address
stays the same, and who pretends to be it with another certificate is another. Everything here is bounded: anybody on
the network may send as much as they like. Who speaks for many hosts takes the place of nobody else's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from texswarm_desktop.core.fair_turns import in_turn
from texswarm_server.protocol.announcement import Announcement, Entry
from texswarm_server.protocol.invite_link import ServerAddress

HostKey = tuple[str, str | None, str | None]
"""Id, fingerprint and document of a host."""

MAX_HOSTS: Final = 100
_MAX_ADDRESSES: Final = 16
_MAX_LATELY: Final = 32
#: One machine has fewer hosts, and so have those that one router tells of from another network, mostly.
_A_CROWD: Final = 20
_EVERYBODY: Final = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one service said of itself, and where it is. `lately`: where else, as it or somebody said a moment ago.

    `number`: as how many-eth it was heard of; `speaker`: from which address.
    """

    announcement: Announcement
    addresses: tuple[str, ...]
    port: int
    lately: tuple[str, ...] = ()
    number: int = 0
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class NearbyHost:
    """A host that can be reached from here: `addresses`, the best first.

    `lately`: where else it was said to be a moment ago. It may have moved, or somebody speaks in its name. `number`:
    who was heard of before has a smaller one. `is_of_a_crowd`: who speaks for it speaks for a crowd.
    """

    announcement: Announcement
    addresses: tuple[ServerAddress, ...]
    lately: tuple[ServerAddress, ...] = ()
    number: int = field(default=0, compare=False)
    is_of_a_crowd: bool = field(default=False, compare=False)

    @property
    def key(self) -> HostKey:
        """By what it is the same as before, whatever its name and address."""
        return self.announcement.instance, self.announcement.fingerprint, self.announcement.document_id

    @property
    def name(self) -> str:
        """What the host is called, never empty."""
        return self.announcement.name or str(self.addresses[0])

    @property
    def project(self) -> str:
        """The title of what is shared, never empty."""
        return self.announcement.project or "Untitled"

    @property
    def is_open(self) -> bool:
        """Whether one gets in, or may ask to, by picking the host from the list."""
        return self.announcement.entry is Entry.OPEN


@dataclass(frozen=True, slots=True)
class SaidPlaces:
    """Where one certificate is said to be, and where else it was a moment ago."""

    addresses: tuple[ServerAddress, ...]
    lately: tuple[ServerAddress, ...]


def nearby_hosts(sightings: Iterable[Sighting], own_networks: Sequence[str] = ()) -> tuple[NearbyHost, ...]:
    """Return the hosts, by project and name; a crowd that one speaks for comes after all others.

    `own_networks`: of this machine; addresses in them are tried first.
    """
    sightings = tuple(sightings)
    spoken_for = Counter(sighting.speaker for sighting in sightings)
    found: dict[HostKey, NearbyHost] = {}
    for sighting in in_turn(sightings, lambda one: one.speaker):
        addresses = _usable(sighting, sighting.addresses)[:_MAX_ADDRESSES]
        if not addresses:
            continue
        lately = _usable(sighting, sighting.lately)[:_MAX_LATELY]
        is_of_a_crowd = spoken_for[sighting.speaker] > _A_CROWD
        host = NearbyHost(sighting.announcement, addresses, lately, sighting.number, is_of_a_crowd)
        known = found.get(host.key)
        if known is not None:
            found[host.key] = _merged(known, host)
        elif len(found) < MAX_HOSTS:
            found[host.key] = host
    ordered = (replace(host, addresses=_best_first(host.addresses, own_networks)) for host in found.values())
    return tuple(sorted(ordered, key=_place_in_list))


def _merged(known: NearbyHost, host: NearbyHost) -> NearbyHost:
    """Return what is known of one host when it is heard of once more."""
    return replace(
        host,
        addresses=(*known.addresses, *host.addresses),
        lately=(*host.lately, *known.lately)[:_MAX_LATELY],
        number=min(known.number, host.number),
        is_of_a_crowd=known.is_of_a_crowd and host.is_of_a_crowd,
    )


def _place_in_list(host: NearbyHost) -> tuple[bool, str, str, str]:
    return host.is_of_a_crowd, host.project.casefold(), host.name.casefold(), host.key[0]


def places_by_fingerprint(hosts: Iterable[NearbyHost]) -> dict[str, SaidPlaces]:
    """Return where each certificate is said to be, by all who announce it.

    In turn, so that none drowns the others; who was heard of first comes first, so that no latecomers do.
    """
    announcing: dict[str, list[NearbyHost]] = {}
    for host in sorted(hosts, key=lambda host: host.number):
        if host.announcement.fingerprint is not None:
            announcing.setdefault(host.announcement.fingerprint, []).append(host)
    return {
        fingerprint: SaidPlaces(_in_turn(host.addresses for host in those), _in_turn(host.lately for host in those))
        for fingerprint, those in announcing.items()
    }


def _in_turn(said: Iterable[tuple[ServerAddress, ...]]) -> tuple[ServerAddress, ...]:
    """Return the first address that each says, then the second of each, and so on; each address once."""
    pairs = [(number, address) for number, addresses in enumerate(said) for address in addresses]
    return tuple(dict.fromkeys(address for _, address in in_turn(pairs, lambda pair: pair[0])))


def with_nameplate(hosts: Iterable[NearbyHost], nameplate: str) -> tuple[NearbyHost, ...]:
    """Return the hosts that have a join code which begins with `nameplate`."""
    said = [(host, host.announcement) for host in hosts]
    return tuple(host for host, each in said if nameplate in {each.nameplate, *each.more_nameplates})


def _usable(sighting: Sighting, addresses: Iterable[str]) -> tuple[ServerAddress, ...]:
    """Return the addresses that may be another machine's, or this one's own; nothing that reaches many at once."""
    if not 0 < sighting.port < 65536:
        return ()
    tls = sighting.announcement.tls
    usable = [text for text in dict.fromkeys(addresses) if _is_one_machine(text)]
    return tuple(ServerAddress(text, sighting.port, tls) for text in usable)


def _is_one_machine(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if address.is_multicast or address.is_unspecified or text == _EVERYBODY:
        return False
    return address.version == 4 or not address.is_link_local


def _best_first(addresses: Iterable[ServerAddress], own_networks: Sequence[str]) -> tuple[ServerAddress, ...]:
    networks = [ip_network(network, strict=False) for network in own_networks]

    def rank(address: ServerAddress) -> tuple[bool, bool, int]:
        parsed: IPv4Address | IPv6Address = ip_address(address.host)
        is_beside = any(parsed.version == network.version and parsed in network for network in networks)
        return not is_beside, parsed.is_link_local, parsed.version

    return tuple(sorted(dict.fromkeys(addresses), key=rank)[:_MAX_ADDRESSES])
