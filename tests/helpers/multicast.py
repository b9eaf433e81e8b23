"""Hosts and browsers that speak real mDNS, on loopback and under a service type of the test's own."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from texswarm_desktop.services.discovery import Browser
from texswarm_server.discovery import Advertiser, Service
from texswarm_server.protocol.announcement import Announcement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from texswarm_desktop.core.nearby import NearbyHost

LOOPBACK = "127.0.0.1"


def new_service_type() -> str:
    """Return a type that no test beside this one uses."""
    return f"_tx{os.urandom(5).hex()}._tcp.local."


@dataclass
class Ether:
    """A network on loopback. `addresses` is what the machine has; a test may change it."""

    service_type: str = field(default_factory=new_service_type)
    addresses: list[str] = field(default_factory=lambda: [LOOPBACK])

    @property
    def _options(self) -> dict[str, Any]:
        return {"service_type": self.service_type, "find_addresses": lambda: list(self.addresses), "look_every_s": 0.1}

    @contextmanager
    def host(
        self, name: str, *, instance: str = "", port: int = 8091, host: str = "", **facts: Any
    ) -> Iterator[Advertiser]:
        announcement = Announcement(instance=instance or f"instance-of-{name}", name=name, **facts)
        advertiser = Advertiser(Service(announcement, host, port), **self._options)
        advertiser.start()
        try:
            yield advertiser
        finally:
            advertiser.close()
            advertiser.join()

    @contextmanager
    def browser(self) -> Iterator[list[tuple[NearbyHost, ...]]]:
        """Yield the lists that were told, the last one last; the first is empty."""
        told: list[tuple[NearbyHost, ...]] = [()]
        browser = Browser(told.append, **self._options)
        browser.start()
        try:
            yield told
        finally:
            browser.close()
            browser.join()


def names(hosts: tuple[NearbyHost, ...]) -> list[str]:
    return [host.name for host in hosts]


class Seen:
    """What is heard on loopback of the hosts of one name."""

    def __init__(self, name: str) -> None:
        self.hosts: tuple[NearbyHost, ...] = ()
        self._name = name

    def take(self, hosts: tuple[NearbyHost, ...]) -> None:
        self.hosts = tuple(host for host in hosts if host.name == self._name)


@contextmanager
def looking_for(name: str) -> Iterator[Seen]:
    """Look, as every program does, for hosts that call themselves so."""
    seen = Seen(name)
    browser = Browser(seen.take, find_addresses=lambda: [LOOPBACK], look_every_s=0.1)
    browser.start()
    try:
        yield seen
    finally:
        browser.close()
        browser.join()
