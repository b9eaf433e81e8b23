"""Which services were heard of, and what the cache of multicast DNS keeps of them: bounded, whatever is sent.

zeroconf keeps ten thousand records, and gives up first what ends first: in a flood of records that are said to hold for
hours, those of a real host, which hold for seconds. So nothing stays in it but a few records of each service that is
kept here, and of its machine. zeroconf's own browser is not used: what it notes of every name has no bound.

Who speaks for many services gives way to others: one machine that floods has an address of its own from which it does,
and however early it began, it hides nobody. Where it sends from hundreds of addresses it is as many as those.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from zeroconf import (  # type: ignore[attr-defined] # public, and not declared so
    DNSAddress,
    DNSCache,
    DNSPointer,
    DNSService,
    DNSText,
    RecordUpdate,
    RecordUpdateListener,
    Zeroconf,
)

#: So many services are kept. For one more, one gives way of whoever speaks for the most; not of those that came first.
MOST_SERVICES: Final = 400
#: Whatever a record says of how long it holds: who was not heard of for so long is gone.
_FORGOTTEN_AFTER_MS: Final = 150_000.0
#: So many records of one kind are kept under one name.
_MOST_OF_A_KIND, _MOST_ADDRESSES = 4, 64
_PTR, _IN = 12, 1


def speaker_of(zeroconf: Zeroconf, now_ms: float) -> str:
    """Return the address from which the packet came that is looked at now; empty where there is none.

    zeroconf does not say it to those who listen, but keeps for each of its sockets the packet that came last, and when.
    """
    for socket in zeroconf.engine.protocols:
        packet = socket.last_message
        if packet is not None and packet.now == now_ms and packet.source is not None:
            return str(packet.source[0])
    return ""


@dataclass(slots=True)
class HeardService:
    """One that was heard of: as how many-eth, when last, and from which address: of several, who speaks for fewer."""

    number: int
    at_ms: float
    speaker: str


class HeardServices(RecordUpdateListener):
    """The services of one type, who was heard of first in front. `on_news` is called when something was said of one.

    Names of another form than a host's are passed over: not all that can be heard can be asked about.

    Invariant: `cache` holds records of these services and of their machines only, and a few of each.
    """

    def __init__(self, cache: DNSCache, service_type: str, on_news: Callable[[], object]) -> None:
        self._cache, self._type, self._on_news = cache, service_type.lower(), on_news
        self._form = re.compile(rf"[a-z0-9_-]{{1,63}}\.{re.escape(self._type)}")
        self._heard: dict[str, HeardService] = {}
        self._spoken_for: Counter[str] = Counter()
        self._said: list[Any] = []
        self._gone: list[str] = []
        self._count = 0
        self._chance = random.Random()  # noqa: S311 - so that nobody knows who gives way

    def lately(self, now_ms: float) -> dict[str, HeardService]:
        """Return who was heard of lately, by their names in lower case."""
        for name in [name for name, heard in self._heard.items() if now_ms - heard.at_ms > _FORGOTTEN_AFTER_MS]:
            self._let_go(name)
        self._clear_away()
        return dict(self._heard)

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Note what a packet says; the cache has it a moment later."""
        speaker = speaker_of(zc, now)
        for record in (one.new for one in records):
            if isinstance(record, DNSPointer) and record.name.lower() == self._type:
                self._hear(record.alias.lower(), now, speaker, is_goodbye=record.is_expired(now))
            self._said.append(record)

    def async_update_records_complete(self) -> None:
        """Leave in the cache what is to stay there. Before, it counts on what it has."""
        self._clear_away()
        said, self._said = self._said, []
        kept = [record for record in said if self._is_kept(record)]
        self._remove(record for record in said if record not in kept)
        for name, kind in dict.fromkeys((record.name, record.type) for record in kept):
            self._keep_a_few(name, kind)
        if kept or any(isinstance(record, DNSPointer) for record in said):
            self._on_news()

    def _hear(self, name: str, now_ms: float, speaker: str, *, is_goodbye: bool) -> None:
        if not self._form.fullmatch(name):
            return
        if is_goodbye:
            self._let_go(name)
            return
        heard = self._heard.get(name)
        if heard is None:
            if len(self._heard) >= MOST_SERVICES:
                self._let_go(self._who_gives_way())
            self._count += 1
            self._heard[name] = HeardService(self._count, now_ms, speaker)
            self._spoken_for[speaker] += 1
            return
        heard.at_ms = now_ms
        if self._spoken_for[speaker] < self._spoken_for[heard.speaker] - 1:  # somebody spoke in its name before
            self._spoken_for[heard.speaker] -= 1
            heard.speaker = speaker
            self._spoken_for[speaker] += 1

    def _who_gives_way(self) -> str:
        most = max(self._spoken_for.values())
        crowd = [name for name, heard in self._heard.items() if self._spoken_for[heard.speaker] == most]
        return self._chance.choice(crowd[len(crowd) // 2 :])

    def _is_kept(self, record: Any) -> bool:
        if isinstance(record, DNSPointer):
            return record.name.lower() == self._type and record.alias.lower() in self._heard
        if isinstance(record, DNSAddress):
            return any(service.key in self._heard for service in self._cache.entries_with_server(record.name))
        return isinstance(record, (DNSService, DNSText)) and record.key in self._heard

    def _keep_a_few(self, name: str, kind: int) -> None:
        if name.lower() == self._type:
            return
        found = self._cache.get_all_by_details(name, kind, _IN)
        most = _MOST_ADDRESSES if isinstance(next(iter(found), None), DNSAddress) else _MOST_OF_A_KIND
        if len(found) > most:
            self._remove(sorted(found, key=lambda one: one.created)[:-most])

    def _let_go(self, name: str) -> None:
        heard = self._heard.pop(name, None)
        if heard is not None:
            self._spoken_for[heard.speaker] -= 1
            self._spoken_for += Counter()  # without those who speak for nobody any more
            self._gone.append(name)

    def _clear_away(self) -> None:
        """Take out of the cache who is kept no longer, and their machines if nobody else is on them."""
        gone, self._gone = self._gone, []
        for name in gone:
            records = self._cache.entries_with_name(name)
            machines = [record.server for record in records if isinstance(record, DNSService)]
            self._remove([*records, DNSPointer(self._type, _PTR, _IN, 0, name)])
            for machine in machines:
                self._remove(one for one in self._cache.entries_with_name(machine) if not self._is_kept(one))

    def _remove(self, records: Iterable[Any]) -> None:
        there = {record for record in records if self._cache.async_get_unique(record) is not None}
        self._cache.async_remove_records(there)
