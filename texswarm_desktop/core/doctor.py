"""What keeps this desktop and a server apart: facts in, findings out. Pure.

Each `judge_…` looks at the facts of one step and returns what is to be said of it, as a code and the data that words
need; the words, and the remedy for each code, are in `ui`. Nothing secret is in a finding: a report is passed on.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_address, ip_interface
from types import MappingProxyType
from typing import Final

import msgspec


class Step(StrEnum):
    """What is looked at, in the order in which a connection comes about."""

    LINK = "link"
    NETWORK = "network"
    VPN = "vpn"
    NAME = "name"
    ADDRESS = "address"
    MDNS = "mdns"
    PROXY = "proxy"
    PORT = "port"
    NEIGHBOUR = "neighbour"
    FIREWALL = "firewall"
    REDIRECT = "redirect"
    TLS = "tls"
    SERVER = "server"
    PROTOCOL = "protocol"
    SEEN = "seen"
    CLOCK = "clock"
    SIGN_IN = "sign_in"
    THERE = "there"
    THERE_FIREWALL = "there_firewall"
    THERE_MDNS = "there_mdns"


class Level(StrEnum):
    """How bad it is."""

    FINE = "fine"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


class Code(StrEnum):
    """Everything that can be found."""

    LINK_FINE = "link_fine"
    LINK_WITHOUT_INVITATION = "link_without_invitation"
    LINK_UNREADABLE = "link_unreadable"
    NETWORK_FINE = "network_fine"
    NETWORK_NONE = "network_none"
    NETWORK_UNPLUGGED = "network_unplugged"
    VPN_NONE = "vpn_none"
    VPN_BESIDE = "vpn_beside"
    NAME_NEEDLESS = "name_needless"
    NAME_FOUND = "name_found"
    NAME_UNKNOWN = "name_unknown"
    NAME_UNKNOWN_LOCAL = "name_unknown_local"
    ADDRESS_THIS_MACHINE = "address_this_machine"
    ADDRESS_OWN = "address_own"
    ADDRESS_SAME_NETWORK = "address_same_network"
    ADDRESS_UNPLUGGED = "address_unplugged"
    ADDRESS_OTHER_NETWORK = "address_other_network"
    ADDRESS_PUBLIC = "address_public"
    MDNS_HOSTS = "mdns_hosts"
    MDNS_SILENT = "mdns_silent"
    MDNS_BLOCKED = "mdns_blocked"
    PROXY_USED = "proxy_used"
    PROXY_FAILS = "proxy_fails"
    PROXY_REFUSES = "proxy_refuses"
    PROXY_UNREADABLE = "proxy_unreadable"
    PORT_OPEN = "port_open"
    PORT_REFUSED = "port_refused"
    PORT_SILENT = "port_silent"
    PORT_UNREACHABLE = "port_unreachable"
    PORT_BROKEN_OFF = "port_broken_off"
    PORT_SHUT = "port_shut"
    PORT_FREE = "port_free"
    PORT_OURS = "port_ours"
    PORT_TAKEN = "port_taken"
    NEIGHBOUR_FIREWALL = "neighbour_firewall"
    NEIGHBOUR_ISOLATED = "neighbour_isolated"
    NEIGHBOUR_VPN = "neighbour_vpn"
    FIREWALL_NONE = "firewall_none"
    FIREWALL_ACTIVE = "firewall_active"
    TLS_NONE = "tls_none"
    TLS_PINNED = "tls_pinned"
    TLS_TRUSTED = "tls_trusted"
    TLS_SERVER_IS_PLAIN = "tls_server_is_plain"
    TLS_SERVER_WANTS_IT = "tls_server_wants_it"
    TLS_OTHER_CERTIFICATE = "tls_other_certificate"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET = "tls_not_yet"
    SERVER_OURS = "server_ours"
    SERVER_OTHER = "server_other"
    SERVER_SENDS_ON = "server_sends_on"
    SERVER_MOVED = "server_moved"
    SERVER_PORTAL = "server_portal"
    SERVER_AWAY = "server_away"
    SERVER_NO_HTTP = "server_no_http"
    SERVER_MUTE = "server_mute"
    SERVER_FULL = "server_full"
    PROTOCOL_SPOKEN = "protocol_spoken"
    PROTOCOL_UNTOLD = "protocol_untold"
    PROTOCOL_TOO_OLD_HERE = "protocol_too_old_here"
    PROTOCOL_TOO_OLD_THERE = "protocol_too_old_there"
    SEEN_AS_HERE = "seen_as_here"
    SEEN_TRANSLATED = "seen_translated"
    CLOCK_FINE = "clock_fine"
    CLOCK_OFF = "clock_off"
    CLOCK_UNKNOWN = "clock_unknown"
    SIGN_IN_FINE = "sign_in_fine"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_BROKEN_OFF = "sign_in_broken_off"
    SIGN_IN_NOT_TRIED = "sign_in_not_tried"
    THERE_REACHED = "there_reached"
    THERE_VPN = "there_vpn"
    THERE_APART = "there_apart"
    THERE_UNTOLD = "there_untold"
    THERE_FIREWALL_NONE = "there_firewall_none"
    THERE_FIREWALL_LETS_IN = "there_firewall_lets_in"
    THERE_FIREWALL_ACTIVE = "there_firewall_active"
    THERE_MDNS_HEARD = "there_mdns_heard"
    THERE_MDNS_LOST = "there_mdns_lost"
    THERE_MDNS_NONE = "there_mdns_none"


class Firewall(StrEnum):
    """A firewall of which the command is known."""

    UFW = "ufw"
    FIREWALLD = "firewalld"
    WINDOWS = "windows"
    MACOS = "macos"


class Finding(msgspec.Struct, frozen=True):
    """`data`: what the words need; for a refused sign-in, `reason` is the server's code."""

    step: Step
    level: Level
    code: Code
    data: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))


class InterfaceFact(msgspec.Struct, frozen=True):
    """One address of this machine with the length of its network's prefix. `is_up`: a cable or a radio carries it."""

    name: str
    address: str
    prefix: int
    is_vpn: bool = False
    is_up: bool = True


class Answer(StrEnum):
    """What came back when a TCP connection was tried."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    BROKEN_OFF = "broken_off"


class TlsAnswer(StrEnum):
    """What came of a TLS handshake."""

    DONE = "done"
    NOT_TLS = "not_tls"


class Trust(StrEnum):
    """Whether a certificate is good, and why not."""

    PINNED = "pinned"
    TRUSTED = "trusted"
    OTHER = "other"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    NOT_YET = "not_yet"


class HttpFact(msgspec.Struct, frozen=True):
    """What a plain GET was answered with; `status` 0: nothing that is HTTP. `server_version`: of a server of ours.

    `is_page`: a page for people, or the way to one. `is_mute`: the connection was taken, and not a word was said.
    `seen_as`: the address under which that server sees this machine; empty where it does not tell. `protocols`: the
    first and the last version of the protocol that it speaks; None where it does not tell. `location`: where a redirect
    leads, as it was written.
    """

    status: int
    server_version: str = ""
    date_s: float | None = None
    is_page: bool = False
    seen_as: str = ""
    protocols: tuple[int, int] | None = None
    is_mute: bool = False
    location: str = ""

    @property
    def is_portal(self) -> bool:
        """Whether it looks like the sign-in page of a network (RFC 8910 and RFC 6585, 6)."""
        is_page = self.is_page and self.status not in {_UNAVAILABLE, *_AWAY}
        return is_page or 300 <= self.status < 400 or self.status == _SIGN_IN_FIRST


class OtherSide(msgspec.Struct, frozen=True):
    """What a server told of its own side. `seen_as`: the address under which it sees this machine.

    `firewall`: by name, empty for none; a newer server may name one that nobody here knows. `interfaces`:
    none where it keeps them to itself, or is behind a proxy.
    """

    port: int
    seen_as: str = ""
    firewall: str = ""
    is_announced: bool = False
    interfaces: tuple[InterfaceFact, ...] = ()


#: Clocks that differ by more make invitations and certificates look expired, or not yet good.
_CLOCK_LIMIT_S: Final = 120.0
_AWAY: Final = frozenset({502, 504})
_UNAVAILABLE: Final = 503
_SIGN_IN_FIRST: Final = 511
_PORT_CODES: Final[dict[Answer, Code]] = {
    Answer.REFUSED: Code.PORT_REFUSED,
    Answer.SILENT: Code.PORT_SILENT,
    Answer.UNREACHABLE: Code.PORT_UNREACHABLE,
    Answer.BROKEN_OFF: Code.PORT_BROKEN_OFF,
}
_TLS_CODES: Final[dict[Trust, tuple[Level, Code]]] = {
    Trust.PINNED: (Level.FINE, Code.TLS_PINNED),
    Trust.TRUSTED: (Level.FINE, Code.TLS_TRUSTED),
    Trust.OTHER: (Level.PROBLEM, Code.TLS_OTHER_CERTIFICATE),
    Trust.UNTRUSTED: (Level.PROBLEM, Code.TLS_UNTRUSTED),
    Trust.EXPIRED: (Level.PROBLEM, Code.TLS_EXPIRED),
    Trust.NOT_YET: (Level.PROBLEM, Code.TLS_NOT_YET),
}


def finding(step: Step, level: Level, code: Code, **data: object) -> Finding:
    """Return a finding."""
    return Finding(step, level, code, MappingProxyType({name: str(value) for name, value in data.items()}))


def judge_network(interfaces: Sequence[InterfaceFact]) -> Finding:
    """Is there a network at all, and does something carry it?"""
    usable = [f"{each.address} ({each.name})" for each in interfaces if each.is_up]
    if not interfaces:
        return finding(Step.NETWORK, Level.PROBLEM, Code.NETWORK_NONE)
    if not usable:
        names = ", ".join(dict.fromkeys(each.name for each in interfaces))
        return finding(Step.NETWORK, Level.PROBLEM, Code.NETWORK_UNPLUGGED, names=names)
    return finding(Step.NETWORK, Level.FINE, Code.NETWORK_FINE, addresses=", ".join(usable))


def judge_vpn(interfaces: Sequence[InterfaceFact], *, is_near: bool) -> Finding:
    """A VPN may take what is meant for the room."""
    names = ", ".join(dict.fromkeys(each.name for each in interfaces if each.is_vpn))
    if not names:
        return finding(Step.VPN, Level.FINE, Code.VPN_NONE)
    return finding(Step.VPN, Level.WARNING if is_near else Level.NOTE, Code.VPN_BESIDE, names=names)


def judge_name(host: str, addresses: Sequence[str] | None) -> Finding:
    """Is the name known? `addresses`: None where it is not."""
    if _is_number(host):
        return finding(Step.NAME, Level.FINE, Code.NAME_NEEDLESS, host=host)
    if addresses:
        return finding(Step.NAME, Level.FINE, Code.NAME_FOUND, host=host, addresses=", ".join(addresses))
    is_local = "." not in host.rstrip(".") or host.rstrip(".").lower().endswith(".local")
    code = Code.NAME_UNKNOWN_LOCAL if is_local else Code.NAME_UNKNOWN
    return finding(Step.NAME, Level.PROBLEM, code, host=host)


def judge_address(address: str, interfaces: Sequence[InterfaceFact]) -> Finding:
    """Is it here, in the same network, in another private one, or out there?"""
    ip = ip_address(address.partition("%")[0])
    if ip.is_loopback:
        return finding(Step.ADDRESS, Level.NOTE, Code.ADDRESS_THIS_MACHINE, address=address)
    if any(ip == ip_address(each.address) for each in interfaces):
        return finding(Step.ADDRESS, Level.NOTE, Code.ADDRESS_OWN, address=address)
    shared = shared_interface(address, interfaces)
    if shared is not None:
        level, code = (
            (Level.FINE, Code.ADDRESS_SAME_NETWORK) if shared.is_up else (Level.PROBLEM, Code.ADDRESS_UNPLUGGED)
        )
        return finding(Step.ADDRESS, level, code, address=address, interface=shared.name)
    if ip.is_private:
        return finding(Step.ADDRESS, Level.WARNING, Code.ADDRESS_OTHER_NETWORK, address=address)
    return finding(Step.ADDRESS, Level.FINE, Code.ADDRESS_PUBLIC, address=address)


def shared_interface(address: str, interfaces: Sequence[InterfaceFact]) -> InterfaceFact | None:
    """Return the interface whose network an address is in; of several one that is up."""
    ip = ip_address(address.partition("%")[0])
    found = (each for each in interfaces if ip in ip_interface(f"{each.address}/{each.prefix}").network)
    return min(found, key=lambda each: not each.is_up, default=None)


def judge_mdns(hosts: int | None) -> Finding:
    """Do hosts announce themselves here? `hosts`: how many were heard; None where the question could not be sent."""
    if hosts is None:
        return finding(Step.MDNS, Level.WARNING, Code.MDNS_BLOCKED)
    if hosts == 0:
        return finding(Step.MDNS, Level.NOTE, Code.MDNS_SILENT)
    return finding(Step.MDNS, Level.FINE, Code.MDNS_HOSTS, count=hosts)


def judge_proxy(proxy: str, answer: Answer, *, host: str, refusal: str | None = None) -> Finding:
    """Does the system's proxy answer, and pass on?

    `proxy`: host and port, without a password; `host`: whom it stands before; `refusal`: what it says where it does not
    pass on.
    """
    if refusal is not None:
        return finding(Step.PROXY, Level.PROBLEM, Code.PROXY_REFUSES, proxy=proxy, host=host, answer=refusal)
    if answer is Answer.OPEN:
        return finding(Step.PROXY, Level.NOTE, Code.PROXY_USED, proxy=proxy)
    return finding(Step.PROXY, Level.PROBLEM, Code.PROXY_FAILS, proxy=proxy, host=host)


def judge_port(host: str, port: int, answer: Answer, took_ms: int, *, is_explained: bool = False) -> Finding:
    """Does anybody listen there? `is_explained`: what is in the way is a finding of its own."""
    if answer is Answer.OPEN:
        return finding(Step.PORT, Level.FINE, Code.PORT_OPEN, host=host, port=port, took_ms=took_ms)
    code = Code.PORT_SHUT if is_explained else _PORT_CODES[answer]
    return finding(Step.PORT, Level.PROBLEM, code, host=host, port=port, answer=answer)


def judge_own_port(port: int, *, is_free: bool, is_ours: bool) -> Finding:
    """Can this machine host on a port, or does it?"""
    if is_ours:
        return finding(Step.PORT, Level.FINE, Code.PORT_OURS, port=port)
    if is_free:
        return finding(Step.PORT, Level.FINE, Code.PORT_FREE, port=port)
    return finding(Step.PORT, Level.NOTE, Code.PORT_TAKEN, port=port)


def judge_neighbour(
    address: str, port: int, *, is_neighbour_known: bool | None, leaves_by: InterfaceFact | None = None
) -> Finding | None:
    """Guess why nothing comes back from a machine in the same network, from whether it answers on the lowest level.

    A firewall lets a machine say where it is (ARP, neighbour discovery), and swallows the rest; an access point that
    isolates its clients, or a machine that is not there, lets nothing through. None: this system does not tell.
    `leaves_by`: the interface over which packets for it leave this machine.
    """
    if leaves_by is not None and leaves_by.is_vpn:
        return finding(Step.NEIGHBOUR, Level.PROBLEM, Code.NEIGHBOUR_VPN, address=address, interface=leaves_by.name)
    if is_neighbour_known is None:
        return None
    code = Code.NEIGHBOUR_FIREWALL if is_neighbour_known else Code.NEIGHBOUR_ISOLATED
    return finding(Step.NEIGHBOUR, Level.PROBLEM, code, address=address, port=port)


def judge_firewall(firewall: Firewall | None, port: int) -> Finding:
    """Is there one on this machine that others must be let through?"""
    if firewall is None:
        return finding(Step.FIREWALL, Level.FINE, Code.FIREWALL_NONE, port=port)
    return finding(Step.FIREWALL, Level.WARNING, Code.FIREWALL_ACTIVE, firewall=firewall, port=port)


def judge_tls(*, is_wanted: bool, answer: TlsAnswer | None, trust: Trust | None = None, detail: str = "") -> Finding:
    """Do both ends agree about TLS, and is the certificate the right one? `answer`: None where nobody tried."""
    if not is_wanted:
        if answer is TlsAnswer.DONE:
            return finding(Step.TLS, Level.PROBLEM, Code.TLS_SERVER_WANTS_IT)
        return finding(Step.TLS, Level.NOTE, Code.TLS_NONE)
    if answer is not TlsAnswer.DONE or trust is None:
        return finding(Step.TLS, Level.PROBLEM, Code.TLS_SERVER_IS_PLAIN)
    level, code = _TLS_CODES[trust]
    return finding(Step.TLS, level, code, detail=detail)


def judge_server(fact: HttpFact, here: str) -> Finding:
    """Is it one of ours? `here`: the version of this program."""
    if fact.server_version:
        return finding(Step.SERVER, Level.FINE, Code.SERVER_OURS, version=fact.server_version, here=here)
    if fact.status == 0:
        return finding(Step.SERVER, Level.PROBLEM, Code.SERVER_MUTE if fact.is_mute else Code.SERVER_NO_HTTP)
    if fact.status in _AWAY:
        return finding(Step.SERVER, Level.PROBLEM, Code.SERVER_AWAY, status=fact.status)
    if fact.status == _UNAVAILABLE:
        return finding(Step.SERVER, Level.WARNING, Code.SERVER_FULL)
    code = Code.SERVER_PORTAL if fact.is_portal else Code.SERVER_OTHER
    return finding(Step.SERVER, Level.PROBLEM, code, status=fact.status)


def judge_protocol(protocols: tuple[int, int] | None, here: int) -> Finding:
    """Do both speak a common version? `protocols`: the server's first and last; `here`: the one of this program."""
    if protocols is None:
        return finding(Step.PROTOCOL, Level.NOTE, Code.PROTOCOL_UNTOLD, here=here)
    oldest, newest = protocols
    if here < oldest:
        return finding(Step.PROTOCOL, Level.PROBLEM, Code.PROTOCOL_TOO_OLD_HERE, here=here, version=oldest)
    if here > newest:
        return finding(Step.PROTOCOL, Level.PROBLEM, Code.PROTOCOL_TOO_OLD_THERE, here=here, version=newest)
    return finding(Step.PROTOCOL, Level.FINE, Code.PROTOCOL_SPOKEN, here=here)


def judge_seen(seen_as: str, interfaces: Sequence[InterfaceFact]) -> Finding | None:
    """How does this machine look from the other side? None where that side does not tell."""
    if not seen_as:
        return None
    ip = ip_address(seen_as)
    if ip.is_loopback or any(ip == ip_address(each.address) for each in interfaces):
        return finding(Step.SEEN, Level.FINE, Code.SEEN_AS_HERE, address=seen_as)
    return finding(Step.SEEN, Level.NOTE, Code.SEEN_TRANSLATED, address=seen_as)


def judge_clock(server_date_s: float | None, now_s: float) -> Finding:
    """Do both clocks say the same?"""
    if server_date_s is None:
        return finding(Step.CLOCK, Level.NOTE, Code.CLOCK_UNKNOWN)
    ahead_s = now_s - server_date_s
    if abs(ahead_s) <= _CLOCK_LIMIT_S:
        return finding(Step.CLOCK, Level.FINE, Code.CLOCK_FINE)
    minutes = max(1, round(abs(ahead_s) / 60))
    side = "ahead of" if ahead_s > 0 else "behind"
    return finding(Step.CLOCK, Level.WARNING, Code.CLOCK_OFF, minutes=minutes, side=side)


def judge_sign_in(*, is_tried: bool, code: str | None = None, is_broken_off: bool = False) -> Finding:
    """Does the invitation let in? `code`: the one with which the server refused, None where it did not."""
    if not is_tried:
        return finding(Step.SIGN_IN, Level.NOTE, Code.SIGN_IN_NOT_TRIED)
    if is_broken_off:
        return finding(Step.SIGN_IN, Level.PROBLEM, Code.SIGN_IN_BROKEN_OFF)
    if code is not None:
        return finding(Step.SIGN_IN, Level.PROBLEM, Code.SIGN_IN_REFUSED, reason=code)
    return finding(Step.SIGN_IN, Level.FINE, Code.SIGN_IN_FINE)


def judge_other_side(
    told: OtherSide | None, interfaces: Sequence[InterfaceFact], *, hosts_heard: int | None
) -> list[Finding]:
    """How is it on the server's side, by its own word? None: it does not say.

    `interfaces`: of this machine. `hosts_heard`: how many announced themselves here; None where nobody listened.
    """
    if told is None:
        return [finding(Step.THERE, Level.NOTE, Code.THERE_UNTOLD)]
    found = [] if not told.interfaces else [_judge_their_network(told.interfaces, interfaces)]
    return [*found, _judge_their_firewall(told), _judge_their_mdns(told, hosts_heard)]


def _judge_their_network(theirs: Sequence[InterfaceFact], ours: Sequence[InterfaceFact]) -> Finding:
    addresses = ", ".join(f"{each.address} ({each.name})" for each in theirs)
    names = ", ".join(dict.fromkeys(each.name for each in theirs if each.is_vpn))
    if names:
        return finding(Step.THERE, Level.NOTE, Code.THERE_VPN, addresses=addresses, names=names)
    if ours and not any(shared_interface(each.address, ours) for each in theirs):
        return finding(Step.THERE, Level.NOTE, Code.THERE_APART, addresses=addresses)
    return finding(Step.THERE, Level.FINE, Code.THERE_REACHED, addresses=addresses)


def _judge_their_firewall(told: OtherSide) -> Finding:
    if not told.firewall:
        return finding(Step.THERE_FIREWALL, Level.FINE, Code.THERE_FIREWALL_NONE)
    is_from_there = not told.seen_as or ip_address(told.seen_as).is_loopback
    code = Code.THERE_FIREWALL_ACTIVE if is_from_there else Code.THERE_FIREWALL_LETS_IN
    return finding(Step.THERE_FIREWALL, Level.NOTE, code, firewall=told.firewall, port=told.port)


def _judge_their_mdns(told: OtherSide, hosts_heard: int | None) -> Finding:
    if not told.is_announced:
        return finding(Step.THERE_MDNS, Level.NOTE, Code.THERE_MDNS_NONE)
    if hosts_heard == 0:
        return finding(Step.THERE_MDNS, Level.WARNING, Code.THERE_MDNS_LOST)
    return finding(Step.THERE_MDNS, Level.FINE, Code.THERE_MDNS_HEARD)


def main_problem(findings: Sequence[Finding]) -> Finding | None:
    """Return the problem to begin with: the first one, or what explains it."""
    problems = [each for each in findings if each.level is Level.PROBLEM]
    explained = bool(problems) and problems[0].code is Code.PORT_SHUT
    return next((each for each in problems if not explained or each.step is Step.NEIGHBOUR), None)


def worst(findings: Sequence[Finding]) -> Level:
    """Return the worst level among findings."""
    order = list(Level)
    return max((each.level for each in findings), key=order.index, default=Level.FINE)


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
