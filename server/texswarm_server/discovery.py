"""mDNS: tells the local network that a server is here, and follows the machine from one network to the next.

Multicast DNS runs in a thread and loop of its own, so that neither a window nor a server stops for what strangers send.
Only the wish to announce something else, and to end, cross the threads. Where there is no network, or none that carries
multicast, it waits for one; nothing here ever fails a server.
"""

import asyncio
import logging
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import ifaddr
from zeroconf import Error as MulticastError
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from texswarm_server.kernel_news import SETTLE_S, kernel_news, pass_over
from texswarm_server.logs import fields
from texswarm_server.protocol.announcement import SERVICE_TYPE, Announcement

_logger = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 2.0
#: News is gathered for a moment, so that a flood of it costs little.
_GATHER_S: Final = 0.02
#: News is told several times, as packets get lost. What was asked before it is answered up to 1.2 s late, with what
#: held then: after that it is told a last time.
_TOLD_AFTER_S: Final = (0.0, 0.25, 0.5, 1.5)
#: A host that was killed is gone from the lists of others this many seconds later, or a few more.
HOST_TTL_S: Final = 20
_OTHER_TTL_S: Final = 120
_EVERY_IPV4: Final = "0.0.0.0"  # noqa: S104 - compared, not bound

FindAddresses = Callable[[], list[str]]
"""Returns the addresses of this machine on which multicast goes out and comes in."""


@dataclass(frozen=True, slots=True)
class Service:
    """An announcement and the door it leads to: `host` as it was given to the listener, and the real port."""

    announcement: Announcement
    host: str
    port: int


def interface_addresses() -> list[str]:
    """Return the addresses of this machine, IPv4 first; without loopback and what is good on one link only.

    An IPv6 address that the system still looks for on other machines is none yet: it tells when it is.
    """
    parsed = [ip_address(address) for address in dict.fromkeys(address for _, address, _ in _interfaces())]
    announced = sorted((one for one in parsed if _is_announced(one)), key=lambda one: one.version)
    return [str(address) for address in announced if address.version == 4 or _is_ready(address)]


def one_for_each_interface(
    addresses: Collection[str], interface_of: Mapping[str, str], used: Collection[str]
) -> list[str]:
    """Return by which addresses multicast is spoken: one of each family on an interface, which has it only once. Pure.

    Of several it is the one that is `used` already, so that nothing is taken down because there is one more.
    """
    chosen: dict[tuple[str, bool], str] = {}
    for address in sorted(addresses, key=lambda one: one not in used):
        chosen.setdefault((interface_of.get(address, address), ":" in address), address)
    return [address for address in addresses if address in chosen.values()]


def networks_of(addresses: list[str]) -> list[str]:
    """Return the networks in which this machine has one of these addresses, as `address/prefix`."""
    return [f"{address}/{prefix}" for _, address, prefix in interfaces_of(addresses)]


def interfaces_of(addresses: list[str]) -> list[tuple[str, str, int]]:
    """Return for these addresses of this machine: the interface by its name for people, the address, the prefix."""
    return [each for each in _interfaces() if each[1] in addresses]


def addresses_of(host: str) -> FindAddresses:
    """Return what finds the addresses on which a listener on `host` announces itself."""
    if not _is_address(host) or ip_address(host).is_unspecified:
        return interface_addresses
    return lambda: [host]


def announced_addresses(host: str, addresses: list[str]) -> list[str]:
    """Return under which of the machine's addresses a listener on `host` is reached. Pure."""
    if host == _EVERY_IPV4:
        return [address for address in addresses if ":" not in address]
    return [host] if _is_address(host) and host != "::" else addresses


def service_info(
    service: Service, addresses: list[str], *, service_type: str = SERVICE_TYPE, host_ttl_s: int = HOST_TTL_S
) -> ServiceInfo:
    """Return the records of a service. The host's lasting id names them, so that no two can have one name. Pure."""
    name = f"texswarm-{service.announcement.instance}"
    return ServiceInfo(
        service_type,
        f"{name}.{service_type}",
        port=service.port,
        properties=service.announcement.to_txt(),
        server=f"{name}.local.",
        host_ttl=host_ttl_s,
        other_ttl=_OTHER_TTL_S,
        parsed_addresses=announced_addresses(service.host, addresses),
    )


class MulticastThread(ABC):
    """A thread that speaks mDNS on every address the machine has, as it gets and loses them.

    `start` once; `close` as often as you like, `wait_closed` or `join` returns when the thread has ended.
    """

    def __init__(
        self, name: str, *, find_addresses: FindAddresses = interface_addresses, look_every_s: float = _LOOK_EVERY_S
    ) -> None:
        self._find_addresses = find_addresses
        self._look_every_s = look_every_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake_event: asyncio.Event | None = None
        self._is_closing = False
        self._spoken_on: list[str] = []
        self._ended: Future[None] = Future()
        self._ended.set_running_or_notify_cancel()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Ask it to end; returns at once."""
        self._is_closing = True
        self._wake()

    def join(self, time_limit_s: float | None = None) -> None:
        """Return when it has ended, or the time is over."""
        if self._thread.ident is not None:
            self._thread.join(time_limit_s)

    async def wait_closed(self) -> None:
        """Return when it has ended; after `close`."""
        if self._thread.ident is not None:
            await asyncio.wrap_future(self._ended)
            self._thread.join()

    @abstractmethod
    async def _opened(self, multicast: AsyncZeroconf) -> None:
        """Begin to speak on a fresh instance."""

    def _moving(self, multicast: AsyncZeroconf) -> None:  # noqa: B027 - who only asks has nothing to say
        """Prepare for speaking on other addresses, on which nothing may be said of what held before."""

    @abstractmethod
    async def _look(self, multicast: AsyncZeroconf, addresses: list[str], *, has_moved: bool) -> None:
        """Do what is due, now and then and after each wish; `has_moved` when the addresses are others than before."""

    def _until_next_look_s(self) -> float:
        """Return after how many seconds it looks again if nothing wakes it."""
        return self._look_every_s

    def _rest_s(self) -> float:
        """Return how long news is gathered before it looks again."""
        return _GATHER_S

    @abstractmethod
    async def _goodbye(self, multicast: AsyncZeroconf) -> None:
        """Say what is to be said before the end."""

    def _wake(self) -> None:
        """Have it look at once; may be called from any thread."""
        loop, event = self._loop, self._wake_event
        if loop is not None and event is not None:
            with suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(event.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        finally:
            self._ended.set_result(None)

    async def _live(self) -> None:
        self._wake_event, self._loop = asyncio.Event(), asyncio.get_running_loop()
        with kernel_news() as news:
            if news is not None:
                self._loop.add_reader(news, self._on_kernel_news, news)
            try:
                await self._go_on(self._wake_event)
            finally:
                if news is not None:
                    self._loop.remove_reader(news)

    def _on_kernel_news(self, news: socket.socket) -> None:
        """This machine has, or loses, an address: whoever knows it by the old one looks for it already."""
        pass_over(news)
        asyncio.get_running_loop().call_later(SETTLE_S, self._wake)

    async def _go_on(self, wake_event: asyncio.Event) -> None:
        multicast: AsyncZeroconf | None = None
        used: list[str] = []
        try:
            while not self._is_closing:
                wake_event.clear()
                try:
                    addresses = self._find_addresses()
                    has_moved = addresses != used
                    if has_moved:
                        multicast = await self._moved(multicast, addresses)
                        used = addresses if multicast is not None or not addresses else []
                    if multicast is not None:
                        await self._look(multicast, addresses, has_moved=has_moved)
                except (OSError, MulticastError) as error:
                    _logger.debug("no multicast", extra=fields(error=error))
                await self._pause(wake_event)
        finally:
            if multicast is not None:
                await self._end(multicast)

    async def _moved(self, multicast: AsyncZeroconf | None, addresses: list[str]) -> AsyncZeroconf | None:
        """Speak on these addresses from now on; None where there are none."""
        self._spoken_on = one_for_each_interface(addresses, _interface_of_each(), self._spoken_on)
        if multicast is not None and addresses:
            self._moving(multicast)
            await multicast.async_update_interfaces(list(self._spoken_on))
            return multicast
        if multicast is not None:
            await self._end(multicast)
        if not addresses:
            return None
        fresh = AsyncZeroconf(interfaces=list(self._spoken_on))
        await fresh.zeroconf.async_wait_for_start()
        await self._opened(fresh)
        return fresh

    async def _end(self, multicast: AsyncZeroconf) -> None:
        with suppress(OSError, MulticastError):
            await self._goodbye(multicast)
        await multicast.async_close()

    async def _pause(self, event: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._until_next_look_s()):
                await event.wait()
                if not self._is_closing:
                    await asyncio.sleep(self._rest_s())


class Advertiser(MulticastThread):
    """Announces one service until it is closed; then it says goodbye, so that nobody's list holds it any longer."""

    def __init__(
        self,
        service: Service,
        *,
        service_type: str = SERVICE_TYPE,
        host_ttl_s: int = HOST_TTL_S,
        find_addresses: FindAddresses = interface_addresses,
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        super().__init__("mdns-advertiser", find_addresses=find_addresses, look_every_s=look_every_s)
        self._service = service
        self._service_type = service_type
        self._host_ttl_s = host_ttl_s
        self._told: ServiceInfo | None = None
        self._told_service: Service | None = None
        self._due_at: list[float] = []

    @property
    def service(self) -> Service:
        """What is announced."""
        return self._service

    @property
    def has_announced(self) -> bool:
        """Whether the network was told; not while there is none that carries multicast. From any thread."""
        return self._told is not None

    def announce(self, service: Service) -> None:
        """Announce something else from now on; may be called from any thread."""
        self._service = service
        self._wake()

    async def _opened(self, multicast: AsyncZeroconf) -> None:  # noqa: ARG002 - it is spoken on when there is something to say
        self._told = self._told_service = None

    async def _look(self, multicast: AsyncZeroconf, addresses: list[str], *, has_moved: bool) -> None:
        service, now = self._service, asyncio.get_running_loop().time()
        is_first = self._told is None
        if has_moved or service != self._told_service:
            self._due_at = [now + after_s for after_s in _TOLD_AFTER_S]
        if self._due_at and now >= self._due_at[0]:
            self._due_at = [at for at in self._due_at if at > now]
            self._tell(multicast, service, addresses)
        if is_first:
            announced = announced_addresses(service.host, addresses)
            _logger.info("announced on the local network", extra=fields(addresses=len(announced)))

    def _tell(self, multicast: AsyncZeroconf, service: Service, addresses: list[str]) -> None:
        """Say what is so. The name holds the host's random id: nobody else can have it, and nobody need be asked.

        No two in a row are the same byte by byte: whoever got another answer in between, from before the news, would
        take the second for a copy of the first, and pass over it.
        """
        life_s = self._host_ttl_s + len(self._due_at)
        self._told = service_info(service, addresses, service_type=self._service_type, host_ttl_s=life_s)
        self._told_service = service
        multicast.zeroconf.registry.async_update(self._told)
        multicast.zeroconf.async_send(multicast.zeroconf.generate_service_broadcast(self._told, None))

    def _until_next_look_s(self) -> float:
        due = [at - asyncio.get_running_loop().time() for at in self._due_at]
        return max(_GATHER_S, min([self._look_every_s, *due]))

    def _moving(self, multicast: AsyncZeroconf) -> None:
        """zeroconf says on a new interface what it knows, for half a second: that is told by us, at once."""
        self._due_at.clear()
        if self._told is not None:
            multicast.zeroconf.registry.async_remove(self._told)

    async def _goodbye(self, multicast: AsyncZeroconf) -> None:
        self._due_at.clear()
        farewell = multicast.zeroconf.generate_unregister_all_services()
        if farewell is not None and self._is_closing:  # or else there is no address to say it from
            multicast.zeroconf.async_send(farewell)


def _interfaces() -> list[tuple[str, str, int]]:
    """Return for every address of this machine its interface, itself and its prefix."""
    return [
        (adapter.nice_name, _text(ip), ip.network_prefix) for adapter in ifaddr.get_adapters() for ip in adapter.ips
    ]


def _interface_of_each() -> dict[str, str]:
    """Return for every address of this machine its interface, by the name that no other has."""
    return {_text(ip): adapter.name for adapter in ifaddr.get_adapters() for ip in adapter.ips}


def _text(ip: ifaddr.IP) -> str:
    return str(ip.ip) if ip.is_IPv4 else str(ip.ip[0])


def _is_ready(address: IPv4Address | IPv6Address) -> bool:
    """Whether a socket can have it: not while it is tentative, and never where another machine has the same."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as trial, suppress(OSError):
        trial.bind((str(address), 0))
        return True
    return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_announced(address: IPv4Address | IPv6Address) -> bool:
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return False
    return address.version == 4 or not address.is_link_local
