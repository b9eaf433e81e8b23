"""The hosts on this network, as the first page and the Join dialog list them."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from texswarm_desktop.core.nearby import NearbyHost

Hosts = tuple["NearbyHost", ...]


class HostFinder(Protocol):
    """What looks for hosts in a thread of its own."""

    def start(self) -> None:
        """Begin to look."""

    def close(self) -> None:
        """Ask it to end."""

    async def wait_closed(self) -> None:
        """Return when nothing of it runs any more."""


NewFinder = Callable[[Callable[[Hosts], object]], HostFinder]
"""Makes a finder, given whom to tell the hosts; that is called on the finder's thread."""


class NearbyView(QObject):
    """Invariant: `hosts` is what the finder said last, empty before `start` and after `close`.

    Signals: `hosts_changed(tuple[NearbyHost, …])`; `looking_changed(bool)`.
    """

    hosts_changed = Signal(object)
    looking_changed = Signal(bool)

    def __init__(self, new_finder: NewFinder | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._new_finder = new_finder
        self._finder: HostFinder | None = None
        self._hosts: Hosts = ()
        self._heard: Hosts = ()
        self._hidden: str | None = None

    @property
    def hosts(self) -> Hosts:
        """Who shares something nearby; this desktop itself is not among them."""
        return self._hosts

    @property
    def is_looking(self) -> bool:
        """Whether hosts are looked for."""
        return self._finder is not None

    def start(self) -> None:
        """Begin to look, from a running loop; nothing happens where there is nothing to look with."""
        if self._finder is not None or self._new_finder is None:
            return
        loop = asyncio.get_running_loop()
        self._finder = self._new_finder(lambda hosts: loop.call_soon_threadsafe(self._on_finder_hosts, hosts))
        self._finder.start()
        self.looking_changed.emit(True)

    async def close(self) -> None:
        """Stop looking; returns when nothing of it runs any more."""
        finder, self._finder = self._finder, None
        if finder is not None:
            finder.close()
            await finder.wait_closed()
            self._show(())
            self.looking_changed.emit(False)

    def hide(self, instance: str | None) -> None:
        """Leave out the host with this id: it is this desktop's own server."""
        self._hidden = instance
        self._show(self._heard)

    def _on_finder_hosts(self, hosts: Hosts) -> None:
        if self._finder is not None:
            self._show(hosts)

    def _show(self, heard: Hosts) -> None:
        self._heard = heard
        hosts = tuple(host for host in heard if host.announcement.instance != self._hidden)
        if hosts != self._hosts:
            self._hosts = hosts
            self.hosts_changed.emit(hosts)
