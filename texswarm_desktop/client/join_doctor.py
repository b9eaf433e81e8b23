"""The join doctor: walks the road from here to a server, step by step, and says at each how it is.

It stops where a step went wrong that all later ones need. What the machine says of itself comes through `Machine`; the
attempts are `check_up`'s, the judgements `core.doctor`'s. Without a link it looks at this machine as one that hosts.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from texswarm_desktop.client import check_up
from texswarm_desktop.client.link import FindProxy
from texswarm_desktop.client.mdns_question import PATIENCE_S as MDNS_PATIENCE_S
from texswarm_desktop.client.mdns_question import ask_mdns
from texswarm_desktop.client.proxy_way import ProxyWay, proxy_way
from texswarm_desktop.client.timing import is_near, is_this_machine
from texswarm_desktop.client.transport import proxy_of_environment
from texswarm_desktop.core.doctor import (
    Answer,
    Code,
    Finding,
    Firewall,
    HttpFact,
    InterfaceFact,
    Level,
    OtherSide,
    Step,
    TlsAnswer,
    finding,
    judge_address,
    judge_clock,
    judge_firewall,
    judge_mdns,
    judge_name,
    judge_neighbour,
    judge_network,
    judge_other_side,
    judge_own_port,
    judge_port,
    judge_protocol,
    judge_proxy,
    judge_seen,
    judge_server,
    judge_sign_in,
    judge_tls,
    judge_vpn,
    shared_interface,
)
from texswarm_desktop.core.redirect import is_permanent, may_follow, sent_on_to
from texswarm_server import __version__
from texswarm_server.protocol.errors import LinkError, SettingsError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link
from texswarm_server.protocol.version import DEFAULT_PORT, PROTOCOL_VERSION

T = TypeVar("T")
AskServer = Callable[[], Awaitable[OtherSide | None]]
"""Asks, over a link that stands, how the server is doing on its side; None where it does not say."""


class Machine(Protocol):
    """What a machine says of itself; each call may block for a moment."""

    def interfaces(self) -> tuple[InterfaceFact, ...]:
        """Return its addresses that others may reach."""

    def firewall(self) -> Firewall | None:
        """Return the firewall that is active."""

    def is_neighbour_known(self, address: str) -> bool | None:
        """Return whether a machine in the same network said who it is; None where that is not told."""

    def is_port_free(self, port: int) -> bool:
        """Return whether a server could listen there."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who would sign in: this installation's user."""

    user_id: str
    name: str


class JoinDoctor:
    """Examines one road at a time. `wall_clock`: seconds since the epoch. `patience_s`: for each attempt.

    `ask_server`: for who is signed in already; without, the server is asked by the invitation. `host_ports`: those on
    which this computer hosts, or would, in the order in which it tries them.
    """

    def __init__(
        self,
        machine: Machine,
        visitor: Visitor | None = None,
        *,
        ask_server: AskServer | None = None,
        host_ports: Sequence[int] = (DEFAULT_PORT,),
        find_proxy: FindProxy = proxy_of_environment,
        wall_clock: Callable[[], float] = time.time,
        patience_s: float = 4.0,
    ) -> None:
        self._machine, self._visitor, self._ask_server = machine, visitor, ask_server
        self._host_ports, self._find_proxy = host_ports, find_proxy
        self._hosts_heard: int | None = None
        self._wall_clock, self._patience_s = wall_clock, patience_s

    async def examine(self, text: str | None) -> AsyncIterator[Finding]:
        """Yield what is found on the road to where a link points, or (None) about hosting from here."""
        self._hosts_heard = None
        interfaces = await self._asked(self._machine.interfaces)
        if text is None:
            async for found in self._as_host(interfaces):
                yield found
            return
        try:
            link = parse_invite_link(text)
        except SettingsError:
            yield finding(Step.LINK, Level.PROBLEM, Code.LINK_UNREADABLE)
            return
        yield _of_link(link)
        yield judge_network(interfaces)
        yield judge_vpn(interfaces, is_near=is_near(link.address))
        async for found in self._towards(link, interfaces):
            yield found

    # ── as a guest ──────────────────────────────────────────────────────────────────────────────────────

    async def _towards(self, link: InviteLink, interfaces: tuple[InterfaceFact, ...]) -> AsyncIterator[Finding]:
        address = link.address
        try:
            way = proxy_way(await self._find_proxy(address))
        except SettingsError:
            yield finding(Step.PROXY, Level.PROBLEM, Code.PROXY_UNREADABLE)
            return
        if way is not None:
            async for found in self._through_proxy(link, interfaces, way):
                yield found
            return
        addresses = await check_up.look_up(address.host, self._patience_s)
        yield judge_name(address.host, addresses)
        if not addresses:
            return
        where = judge_address(addresses[0], interfaces)
        yield where
        if is_near(address) and not is_this_machine(address) and any(each.is_up for each in interfaces):
            self._hosts_heard = await self._asked_around(interfaces)
            yield judge_mdns(self._hosts_heard)
        answer, took_ms = await check_up.try_port(address.host, address.port, self._patience_s)
        guess = None
        if answer in {Answer.SILENT, Answer.UNREACHABLE} and where.level is not Level.PROBLEM:
            guess = await self._guess(addresses[0], address.port, interfaces)
        yield judge_port(address.host, address.port, answer, took_ms, is_explained=guess is not None)
        if guess is not None:
            yield guess
        if answer is Answer.OPEN:
            async for found in self._over_the_port(link, interfaces, None):
                yield found

    async def _asked_around(self, interfaces: tuple[InterfaceFact, ...]) -> int | None:
        return await ask_mdns(interfaces, min(MDNS_PATIENCE_S, self._patience_s))

    async def _through_proxy(
        self, link: InviteLink, interfaces: tuple[InterfaceFact, ...], way: ProxyWay
    ) -> AsyncIterator[Finding]:
        """The name is the proxy's to look up, and the way from it to the server is not seen from here."""
        address = link.address
        answer, _ = await check_up.try_port(way.host, way.port, self._patience_s)
        refusal = await check_up.try_proxy(address, way, self._patience_s) if answer is Answer.OPEN else None
        proxy = judge_proxy(str(way), answer, host=address.host, refusal=refusal)
        yield proxy
        if proxy.level is not Level.PROBLEM:
            async for found in self._over_the_port(link, interfaces, way):
                yield found

    async def _guess(self, address: str, port: int, interfaces: tuple[InterfaceFact, ...]) -> Finding | None:
        """Say what may swallow the packets, where the machine is in our own network."""
        if shared_interface(address, interfaces) is None:
            return None
        is_known = await self._asked(partial(self._machine.is_neighbour_known, address))
        source = check_up.source_of(address)
        leaves_by = next((each for each in interfaces if each.address == source), None)
        return judge_neighbour(address, port, is_neighbour_known=is_known, leaves_by=leaves_by)

    async def _over_the_port(
        self, link: InviteLink, interfaces: tuple[InterfaceFact, ...], way: ProxyWay | None
    ) -> AsyncIterator[Finding]:
        http = await self._greeted(link.address, way)
        led = await self._led(link, http, way)
        if led is not None:
            found, link, http = led
            yield found
            if found.level is Level.PROBLEM:
                return
        if http.is_portal or http.is_mute:  # whatever certificate it has, it is not the server
            yield judge_server(http, __version__)
            return
        tls = await self._tls(link, way, has_http=http.status > 0)
        yield tls
        if tls.level is Level.PROBLEM and tls.code is not Code.TLS_OTHER_CERTIFICATE:
            if http.date_s is not None:
                yield judge_clock(http.date_s, self._wall_clock())
            return
        server = judge_server(http, __version__)
        yield server
        if server.level is Level.PROBLEM:
            return
        protocol = judge_protocol(http.protocols, PROTOCOL_VERSION)
        yield protocol
        seen = judge_seen(http.seen_as, interfaces)
        if seen is not None:
            yield seen
        yield judge_clock(http.date_s, self._wall_clock())
        if Level.PROBLEM not in {tls.level, protocol.level}:
            async for found in self._inside(link, interfaces):
                yield found

    async def _greeted(self, address: ServerAddress, way: ProxyWay | None) -> HttpFact:
        """A portal that has no certificate answers in the clear what came to be encrypted."""
        http = await check_up.ask_http(address, self._patience_s, way=way)
        if http.status > 0 or http.is_mute or not address.tls:
            return http
        plain = await check_up.ask_http(replace(address, tls=False), self._patience_s, way=way)
        return plain if plain.is_portal else http

    async def _led(
        self, link: InviteLink, http: HttpFact, way: ProxyWay | None
    ) -> tuple[Finding, InviteLink, HttpFact] | None:
        """Follow a redirect to a server of ours; None where there is none, and where it leads to somebody else."""
        asked = f"{link.address.prefix}{check_up.PING_PATH}"
        target = sent_on_to(link.address, asked, http.status, http.location)
        if target is None or target == link.address:
            return None
        there = await check_up.ask_http(target, self._patience_s, way=way)
        if not there.server_version:
            return None
        if may_follow(link.address, target):
            note = finding(Step.REDIRECT, Level.NOTE, Code.SERVER_SENDS_ON, address=str(InviteLink(target)))
            return note, replace(link, address=target), there
        if not is_permanent(http.status):
            return None
        return finding(Step.REDIRECT, Level.PROBLEM, Code.SERVER_MOVED, address=str(InviteLink(target))), link, there

    async def _tls(self, link: InviteLink, way: ProxyWay | None, *, has_http: bool) -> Finding:
        if link.address.tls:
            answer, trust, detail = await check_up.try_tls(link.address, link.fingerprint, self._patience_s, way=way)
            return judge_tls(is_wanted=True, answer=answer, trust=trust, detail=detail)
        if has_http:
            return judge_tls(is_wanted=False, answer=None)
        answer, _, _ = await check_up.try_tls(replace(link.address, tls=True), None, self._patience_s, way=way)
        return judge_tls(is_wanted=False, answer=answer if answer is TlsAnswer.DONE else None)

    async def _inside(self, link: InviteLink, interfaces: tuple[InterfaceFact, ...]) -> AsyncIterator[Finding]:
        """Is one let in, and how is it there, by the server's own word?"""
        signed_in, told = await self._sign_in(link)
        yield signed_in
        is_in = signed_in.code is Code.SIGN_IN_FINE
        if not is_in and self._ask_server is not None:
            told, is_in = await self._ask_server(), True
        if is_in:
            for each in judge_other_side(told, interfaces, hosts_heard=self._hosts_heard):
                yield each

    async def _sign_in(self, link: InviteLink) -> tuple[Finding, OtherSide | None]:
        if self._visitor is None or link.token is None:
            return judge_sign_in(is_tried=False), None
        try:
            tried = await check_up.try_sign_in(
                link, self._visitor.user_id, self._visitor.name, self._patience_s, self._find_proxy
            )
        except LinkError:
            return judge_sign_in(is_tried=True, is_broken_off=True), None
        return judge_sign_in(is_tried=True, code=tried.code), tried.other_side

    # ── as a host ───────────────────────────────────────────────────────────────────────────────────────

    async def _as_host(self, interfaces: tuple[InterfaceFact, ...]) -> AsyncIterator[Finding]:
        yield judge_network(interfaces)
        yield judge_vpn(interfaces, is_near=True)
        yield judge_mdns(await self._asked_around(interfaces))
        for port in self._host_ports:
            is_free = await self._asked(partial(self._machine.is_port_free, port))
            found = judge_own_port(port, is_free=is_free, is_ours=not is_free and await self._is_ours(port))
            yield found
            if found.code is not Code.PORT_TAKEN:
                break
        yield judge_firewall(await self._asked(self._machine.firewall), port)

    async def _is_ours(self, port: int) -> bool:
        here = ServerAddress("127.0.0.1", port)
        facts = [await check_up.ask_http(replace(here, tls=tls), self._patience_s) for tls in (False, True)]
        return any(fact.server_version for fact in facts)

    async def _asked(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, question)


def _of_link(link: InviteLink) -> Finding:
    level, code = (Level.FINE, Code.LINK_FINE) if link.token is not None else (Level.NOTE, Code.LINK_WITHOUT_INVITATION)
    return finding(Step.LINK, level, code, address=link.address)
