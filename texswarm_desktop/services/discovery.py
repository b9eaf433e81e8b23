"""Finds hosts on the local network by mDNS, and tells when something about them changed.

What is known lies in the cache of records that multicast DNS keeps; here it is looked through after each piece of news
and now and then, so that who said goodbye, or was silent for too long, is gone. Hosts are asked every few seconds,
because a record is believed for as long as its sender wished.
"""

import logging
import random
import time
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
    Zeroconf,
    current_time_millis,
)
from zeroconf.asyncio import AsyncZeroconf

from texswarm_desktop.core.fair_turns import in_turn
from texswarm_desktop.core.nearby import NearbyHost, Sighting, nearby_hosts
from texswarm_desktop.services.heard_services import HeardService, HeardServices
from texswarm_server.discovery import FindAddresses, MulticastThread, interface_addresses, networks_of
from texswarm_server.protocol.announcement import SERVICE_TYPE, read_announcement
from texswarm_server.protocol.errors import RemoteProtocolError

_log: Final = logging.getLogger(__name__)
_LOOK_EVERY_S: Final = 1.0
#: After so many times of `look_every_s` it is asked again who is there; sooner at first, as packets get lost.
_ASKED_AFTER_LOOKS: Final = (1, 2, 3, 6)
#: To look takes this part of the time at most, however much there is to be looked at.
_REST_FOR_LOOKS: Final = 4
_LEISURE_EVERY_S: Final = 0.1
_MAX_ASKED: Final = 32
_SRV, _TXT, _PTR, _IN = 33, 16, 12, 1
_ADDRESSES: Final = (1, 28)
_QUERY: Final = 0
_REPLACED_TTL_S: Final = 1
#: What belongs together comes in one packet, or in one for each network.
_ONE_ANSWER_MS: Final = 10.0
#: What is kept of where machines are said to be, for how long, and how much of it is told of one machine.
_MOST_SAID, _LATELY_MS, _MOST_LATELY = 16384, 1000.0, 32
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
        self._said: dict[tuple[str, str], tuple[float, int]] = {}
        self._chance = random.Random()  # noqa: S311 - so that nobody knows what is left out

    def async_update_records(self, _zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Note the addresses in a packet."""
        for one in records:
            if isinstance(one.new, DNSAddress) and len(one.new.address) in _ADDRESS_BYTES:
                key = (one.new.name.lower(), str(ip_address(one.new.address)))
                _, times = self._said.pop(key, (now, 0))
                self._said[key] = (now, times + 1)
        while len(self._said) > _MOST_SAID:
            del self._said[next(iter(self._said))]

    def of(self, server: str, now_ms: float) -> list[str]:
        """Return where a machine was said to be; of many some, each time others.

        What was said more than once goes before: a host that moved says so several times.
        """
        name = server.lower()
        said = [
            (address, times)
            for (each, address), (at, times) in self._said.items()
            if each == name and now_ms - at < _LATELY_MS
        ]
        if len(said) > _MOST_LATELY:
            self._chance.shuffle(said)
            said.sort(key=lambda one: one[1] == 1)
        return [address for address, _ in said[:_MOST_LATELY]]


class Leisure(RecordUpdateListener):
    """Keeps the thread that listens from taking more than half of a processor, however much is sent.

    It sleeps for as long as it worked, and what comes meanwhile is lost, as on a bad network. `worked_s`: how long the
    thread worked since it began.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        worked_s: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock, self._worked_s, self._sleep = clock, worked_s, sleep
        self._since, self._worked_until_then_s = clock(), worked_s()

    def async_update_records(self, _zc: Zeroconf, _now: float, _records: list[RecordUpdate]) -> None:
        """What is said makes no difference."""

    def async_update_records_complete(self) -> None:
        """Look at the clocks, now and then."""
        went_s, worked_s = self._clock() - self._since, self._worked_s() - self._worked_until_then_s
        if went_s < _LEISURE_EVERY_S:
            return
        if worked_s > went_s / 2:
            self._sleep(min(worked_s, _LEISURE_EVERY_S))
        self._since, self._worked_until_then_s = self._clock(), self._worked_s()


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
        self._heard: HeardServices | None = None
        self._said_lately = SaidLately()
        self._times_asked, self._ask_at_ms, self._took_s = 0, 0.0, 0.0
        self._told: tuple[NearbyHost, ...] = ()

    async def _opened(self, multicast: AsyncZeroconf) -> None:
        self._heard = HeardServices(multicast.zeroconf.cache, self._service_type, self._wake)
        for listener in (self._said_lately, self._heard, Leisure()):
            multicast.zeroconf.async_add_listener(listener, None)

    async def _look(self, multicast: AsyncZeroconf, addresses: list[str], *, has_moved: bool) -> None:
        assert self._heard is not None, "it is made as soon as there is somewhere to look"
        begin, now_ms = time.thread_time(), current_time_millis()
        heard = self._heard.lately(now_ms)
        known = {name: self._sighting(multicast.zeroconf, name, one) for name, one in heard.items()}
        unknown = [name for name, sighting in known.items() if sighting is None]
        self._ask_who_is_there(multicast.zeroconf, now_ms, is_new_there=has_moved)
        self._ask_about(multicast.zeroconf, in_turn(unknown, lambda name: heard[name].speaker))
        self._tell(nearby_hosts([each for each in known.values() if each is not None], networks_of(addresses)))
        self._took_s = time.thread_time() - begin

    def _rest_s(self) -> float:
        return max(super()._rest_s(), _REST_FOR_LOOKS * self._took_s)

    async def _goodbye(self, multicast: AsyncZeroconf) -> None:  # noqa: ARG002 - who only asks has nobody to tell
        self._heard = None
        if not self._is_closing:
            self._tell(())

    def _ask_who_is_there(self, zeroconf: Zeroconf, now_ms: float, *, is_new_there: bool) -> None:
        """By the clock, not by what is heard: others must not make us ask."""
        if is_new_there:
            self._times_asked, self._ask_at_ms = 0, now_ms
        if now_ms >= self._ask_at_ms:
            question = DNSQuestion(self._service_type, _PTR, _IN)
            question.unicast = self._times_asked == 0  # that is answered at once, and by some to another program here
            looks = _ASKED_AFTER_LOOKS[min(self._times_asked, len(_ASKED_AFTER_LOOKS) - 1)]
            self._times_asked, self._ask_at_ms = self._times_asked + 1, now_ms + looks * self._look_every_s * 1000
            self._ask(zeroconf, [question])

    def _sighting(self, zeroconf: Zeroconf, name: str, heard: HeardService) -> Sighting | None:
        """Return what is known of a service; None while something is missing, or too old, or not of our form."""
        cache, now_ms = zeroconf.cache, current_time_millis()
        services, texts = (records_that_hold(cache, name, kind, now_ms) for kind in (_SRV, _TXT))
        if not services or not texts:
            return None
        service, text = services[-1], texts[-1]
        addresses = addresses_that_hold(cache, service.server, now_ms)
        lately = [one for one in self._said_lately.of(service.server, now_ms) if one not in addresses]
        entries = ServiceInfo(self._service_type, f"any.{self._service_type}", properties=text.text).properties
        try:
            said = read_announcement(entries)
            return Sighting(said, tuple(addresses), service.port, tuple(lately), heard.number, heard.speaker)
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
