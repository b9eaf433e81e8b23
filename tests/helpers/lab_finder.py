"""What one machine of the lab hears of a host by real mDNS, as the program takes it in."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from texswarm_desktop.core.nearby import NearbyHost, places_by_fingerprint
from texswarm_desktop.services.discovery import Browser

if TYPE_CHECKING:
    from texswarm_server.protocol.invite_link import ServerAddress


class Finder:
    """What is heard of whoever is called so; `on_found` is called on its loop with the addresses, and others of late.

    Where the host has a certificate, these are all that are announced for it, as in the program. `heard`: the list.
    """

    def __init__(self, name: str, on_found: Callable[..., object] = lambda _addresses, _lately: None) -> None:
        self.addresses: tuple[ServerAddress, ...] = ()
        self.host: NearbyHost | None = None
        self.heard: tuple[NearbyHost, ...] = ()
        self._name, self._on_found = name, on_found
        self._loop = asyncio.get_running_loop()
        self._browser = Browser(lambda hosts: self._loop.call_soon_threadsafe(self._take, hosts), look_every_s=0.1)

    def __enter__(self) -> Self:
        self._browser.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._browser.close()
        self._browser.join()

    @property
    def worked_s(self) -> float:
        """How long the thread that listens had a processor."""
        clock_id = time.pthread_getcpuclockid(self._browser._thread.ident or 0)
        return time.clock_gettime(clock_id)

    @property
    def hosts(self) -> set[str]:
        return {address.host for address in self.addresses}

    def _take(self, hosts: tuple[NearbyHost, ...]) -> None:
        self.heard = hosts
        self.host = next((host for host in hosts if host.name == self._name), None)
        fingerprint = self.host.announcement.fingerprint if self.host else None
        said = places_by_fingerprint(hosts).get(fingerprint) if fingerprint else None
        self.addresses = said.addresses if said else (self.host.addresses if self.host else ())
        if self.addresses:
            self._on_found(self.addresses, said.lately if said else ())
