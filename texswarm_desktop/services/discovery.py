"""Finds hosts on the local network by mDNS, and tells when something about them changed.

What is known lies in the cache of records that multicast DNS keeps; here it is looked through after each piece of news
and now and then, so that who said goodbye, or was silent for too long, is gone. Hosts are asked every few seconds,
because a record is believed for as long as its sender wished.
"""

import logging
import random
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

from zeroconf import (  # type: ignore[attr-defined] # public, and not declared so
    DNSAddress,
    DNSCache,
    DNSOutgoing,
    DNSQuestion,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    ServiceStateChange,
    Zeroconf,
    current_time_millis,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from texswarm_desktop.core.nearby import MAX_HOSTS, NearbyHost, Sighting, nearby_hosts
from texswarm_server.discovery import FindAddresses, MulticastThread, interface_addresses, networks_of
from texswarm_server.protocol.announcement import SERVICE_TYPE, read_announcement
from texswarm_server.protocol.errors import RemoteProtocolError

_log: Final = logging.getLogger(__name__)
_LOOK_EVERY_S: Final = 1.0
_ASK_EVERY_LOOKS: Final = 6
_MAX_NAMES: Final = 4 * MAX_HOSTS
_MAX_ASKED: Final = 32
_SRV, _TXT, _PTR, _IN = 33, 16, 12, 1
_ADDRESSES: Final = (1, 28)
_QUERY: Final = 0
_REPLACED_TTL_S: Final = 1
#: What belongs together comes in one packet, or in one for each network.
_ONE_ANSWER_MS: Final = 10.0
#: What is kept of where machines are said to be, for how long, and how much of it is told of one machine.
_MOST_SAID, _LATELY_MS, _MOST_LATELY = 512, 1000.0, 32
_ADDRESS_BYTES: Final = (4, 16)

OnChange = Callable[[tuple[NearbyHost, ...]], object]
"""Told the hosts, on the browser's own thread, whenever they are others than before."""


def records_that_hold(cache: DNSCache, name: str, kind: int, now_ms: float) -> list[Any]:
    """Return the records of a kind under a name, the one that was heard last at the end.

    A record that was replaced stays for a second, as RFC 6762 wants it (10.2), and the cache notes as its time when it
    was replaced: of two with one time, it is the one whose life was cut to that second.
    """
    found = cache.get_all_by_details(name, kind, _IN)
    holding = [one for one in found if not one.is_expired(now_ms)]
    return sorted(holding, key=lambda one: (one.created, one.ttl > _REPLACED_TTL_S))


def addresses_that_hold(cache: DNSCache, server: str, now_ms: float) -> list[str]:
    """Return where a machine says it is: what it said last of each family, at once and not, as the cache does, later.

    There an address that is announced no more stays for a second; for longer, if it had been heard of just before; and
    for one more second with each announcement that still finds it.
    """
    addresses: list[str] = []
    for kind in _ADDRESSES:
        found = records_that_hold(cache, server, kind, now_ms)
        unreplaced = [one for one in found if one.ttl > _REPLACED_TTL_S]
        heard_ms = max((one.created for one in unreplaced), default=0.0)
        held = [one for one in unreplaced if one.created >= heard_ms - _ONE_ANSWER_MS]
        addresses += [str(ip_address(one.address)) for one in held or found]
    return addresses


class SaidLately(RecordUpdateListener):
    """Where machines were said to be within the last second, by whomever. Bounded, whatever is sent.

    The cache cannot tell: there whoever speaks last, in whose name ever, replaces what was said a moment before.
    """

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], float] = {}
        self._chance = random.Random()  # noqa: S311 - so that nobody knows what is left out

    def async_update_records(self, _zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Note the addresses in a packet."""
        for one in records:
            if isinstance(one.new, DNSAddress) and len(one.new.address) in _ADDRESS_BYTES:
                key = (one.new.name.lower(), str(ip_address(one.new.address)))
                self._said.pop(key, None)
                self._said[key] = now
        while len(self._said) > _MOST_SAID:
            del self._said[next(iter(self._said))]

    def of(self, server: str, now_ms: float) -> list[str]:
        """Return where a machine was said to be; of many some, each time others."""
        name = server.lower()
        said = [address for (each, address), at in self._said.items() if each == name and now_ms - at < _LATELY_MS]
        return said if len(said) <= _MOST_LATELY else self._chance.sample(said, _MOST_LATELY)


class Browser(MulticastThread):
    """Looks for hosts from `start` to `close`. `on_change`: see OnChange."""

    def __init__(
        self,
        on_change: OnChange,
        *,
        service_type: str = SERVICE_TYPE,
        find_addresses: FindAddresses = interface_addresses,
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        super().__init__("mdns-browser", find_addresses=find_addresses, look_every_s=look_every_s)
        self._on_change = on_change
        self._service_type = service_type
        self._browser: AsyncServiceBrowser | None = None
        self._names: dict[str, None] = {}
        self._said_lately = SaidLately()
        self._looks = 0
        self._told: tuple[NearbyHost, ...] = ()

    async def _opened(self, multicast: AsyncZeroconf) -> None:
        self._names.clear()
        multicast.zeroconf.async_add_listener(self._said_lately, None)
        self._browser = AsyncServiceBrowser(
            multicast.zeroconf, self._service_type, handlers=[self._on_service_state_change]
        )

    async def _look(self, multicast: AsyncZeroconf, addresses: list[str], *, has_moved: bool) -> None:
        known = [(name, self._sighting(multicast.zeroconf, name)) for name in self._names]
        if has_moved or self._looks % _ASK_EVERY_LOOKS == 0:
            self._ask(multicast.zeroconf, [DNSQuestion(self._service_type, _PTR, _IN)])
        self._looks += 1
        self._ask_about(multicast.zeroconf, [name for name, sighting in known if sighting is None])
        self._tell(nearby_hosts([sighting for _, sighting in known if sighting is not None], networks_of(addresses)))

    async def _goodbye(self, multicast: AsyncZeroconf) -> None:  # noqa: ARG002 - who only asks has nobody to tell
        if self._browser is not None:
            await self._browser.async_cancel()
            self._browser = None
        if not self._is_closing:
            self._tell(())

    def _on_service_state_change(self, *, name: str, state_change: ServiceStateChange, **_rest: object) -> None:
        if state_change is ServiceStateChange.Removed:
            self._names.pop(name, None)
        elif len(self._names) < _MAX_NAMES:
            self._names[name] = None
        self._wake()

    def _sighting(self, zeroconf: Zeroconf, name: str) -> Sighting | None:
        """Return what is known of a service; None while something is missing, or too old, or not of our form."""
        cache, now_ms = zeroconf.cache, current_time_millis()
        services, texts = (records_that_hold(cache, name, kind, now_ms) for kind in (_SRV, _TXT))
        if not services or not texts:
            return None
        service, text = services[-1], texts[-1]
        addresses = addresses_that_hold(cache, service.server, now_ms)
        lately = [one for one in self._said_lately.of(service.server, now_ms) if one not in addresses]
        entries = ServiceInfo(self._service_type, name, properties=text.text).properties
        try:
            return Sighting(read_announcement(entries), tuple(addresses), service.port, tuple(lately))
        except RemoteProtocolError as error:
            _log.debug("%s says nothing of use: %s", name[:80], error)
            return None

    def _ask_about(self, zeroconf: Zeroconf, names: list[str]) -> None:
        """Ask for what is missing of some services, of a few at a time."""
        for name in names[:_MAX_ASKED]:
            self._ask(zeroconf, [DNSQuestion(name, kind, _IN) for kind in (_SRV, _TXT)])

    @staticmethod
    def _ask(zeroconf: Zeroconf, questions: list[DNSQuestion]) -> None:
        asking = DNSOutgoing(_QUERY)
        for question in questions:
            asking.add_question(question)
        zeroconf.async_send(asking)

    def _tell(self, hosts: tuple[NearbyHost, ...]) -> None:
        if hosts != self._told:
            self._told = hosts
            self._on_change(hosts)
