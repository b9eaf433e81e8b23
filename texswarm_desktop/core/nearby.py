"""Which hosts are nearby: what was heard on every interface, in every address family, merged by who it is. Pure.

A host is told from another by its lasting id, its certificate and the project; so one that moves to another address
stays the same, and who pretends to be it with another certificate is another. Everything here is bounded: anybody on
the network may send as much as they like.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import zip_longest
from typing import Final

from texswarm_server.protocol.announcement import Announcement, Entry
from texswarm_server.protocol.invite_link import ServerAddress

HostKey = tuple[str, str | None, str | None]
"""Id, fingerprint and document of a host."""

MAX_HOSTS: Final = 100
_MAX_ADDRESSES: Final = 16
_MAX_LATELY: Final = 32
_EVERYBODY: Final = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one service said of itself, and where it is. `lately`: where else, as it or somebody said a moment ago.

    `number`: as how many-eth it was heard of.
    """

    announcement: Announcement
    addresses: tuple[str, ...]
    port: int
    lately: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class NearbyHost:
    """A host that can be reached from here: `addresses`, the best first.

    `lately`: where else it was said to be a moment ago. It may have moved, or somebody speaks in its name. `number`:
    who was heard of before has a smaller one.
    """

    announcement: Announcement
    addresses: tuple[ServerAddress, ...]
    lately: tuple[ServerAddress, ...] = ()
    number: int = field(default=0, compare=False)

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


def nearby_hosts(sightings: Iterable[Sighting], own_networks: Sequence[str] = ()) -> tuple[NearbyHost, ...]:
    """Return the hosts, by project and name. `own_networks`: of this machine; addresses in them are tried first."""
    found: dict[HostKey, NearbyHost] = {}
    for sighting in sightings:
        addresses = _usable(sighting, sighting.addresses)[:_MAX_ADDRESSES]
        if not addresses:
            continue
        lately = _usable(sighting, sighting.lately)[:_MAX_LATELY]
        host = NearbyHost(sighting.announcement, addresses, lately, sighting.number)
        known = found.get(host.key)
        if known is not None:
            lately = (*host.lately, *known.lately)[:_MAX_LATELY]
            everywhere = (*known.addresses, *addresses)
            found[host.key] = replace(host, addresses=everywhere, lately=lately, number=known.number)
        elif len(found) < MAX_HOSTS:
            found[host.key] = host
    ordered = (replace(host, addresses=_best_first(host.addresses, own_networks)) for host in found.values())
    return tuple(sorted(ordered, key=lambda host: (host.project.casefold(), host.name.casefold(), host.key[0])))


def addresses_by_fingerprint(hosts: Iterable[NearbyHost]) -> dict[str, tuple[ServerAddress, ...]]:
    """Return where each certificate is said to be, by all who announce it.

    In turn, so that none drowns the others; who was heard of first comes first, so that no latecomers do.
    """
    return _in_turn((host.announcement.fingerprint, host.addresses) for host in _first_heard_first(hosts))


def lately_by_fingerprint(hosts: Iterable[NearbyHost]) -> dict[str, tuple[ServerAddress, ...]]:
    """Return where else each certificate was said to be a moment ago."""
    return _in_turn((host.announcement.fingerprint, host.lately) for host in _first_heard_first(hosts))


def _first_heard_first(hosts: Iterable[NearbyHost]) -> list[NearbyHost]:
    return sorted(hosts, key=lambda host: host.number)


def _in_turn(pairs: Iterable[tuple[str | None, tuple[ServerAddress, ...]]]) -> dict[str, tuple[ServerAddress, ...]]:
    said: dict[str, list[tuple[ServerAddress, ...]]] = {}
    for name, addresses in pairs:
        if name is not None:
            said.setdefault(name, []).append(addresses)
    return {
        fingerprint: tuple(dict.fromkeys(one for turn in zip_longest(*lists) for one in turn if one is not None))
        for fingerprint, lists in said.items()
    }


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
