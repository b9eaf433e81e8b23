"""Causes that are really made, on networks of the test's own, and the step and the remedy that the doctor names."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.doctor_visit import codes, examined, problems
from tests.helpers.lab_desk import PORT, LabServer
from tests.helpers.network_lab import LabHost, LabNetwork, NetworkLab, needs_network_lab
from tests.helpers.real_firewalls import RealFirewall, firewalld, ufw
from tests.helpers.run_async import until
from texswarm_desktop.client.mdns_question import PATIENCE_S as MDNS_PATIENCE_S
from texswarm_desktop.core.doctor import Code, Finding, Firewall, Level, Step
from texswarm_desktop.services.machine_facts import ThisMachine
from texswarm_desktop.ui.doctor_texts import text_of_finding, verdict_of
from texswarm_server.protocol.invite_link import parse_invite_link

#: Long enough for a machine that is there; a machine that is not is told by ARP after three seconds only.
PATIENCE_S = 0.8


@dataclass
class Scene:
    """Ada wishes to join; Bob hosts, announces himself, and is in a second network as well."""

    lab: NetworkLab
    office: LabNetwork
    ada: LabHost
    bob: LabHost
    server: LabServer

    @property
    def link(self) -> str:
        return f"texswarm://{self.bob.address}:{PORT}/"

    def at_ada(self, link: str | None = None, *, patience_s: float = PATIENCE_S) -> dict[Step, Finding]:
        """Return what the doctor finds on Ada's machine."""
        with self.ada.entered():
            return asyncio.run(examined(link or self.link, machine=ThisMachine(), patience_s=patience_s))


@contextmanager
def scene(tmp_path: Path, *options: str, is_open: bool = True, is_ipv6_only: bool = False) -> Iterator[Scene]:
    with NetworkLab() as lab:
        office, other = lab.network(), lab.network()
        ada, bob = lab.host("ada", office), lab.host("bob", office, other)
        for host in (ada, bob) if is_ipv6_only else ():
            host.ip(f"addr del {host.address}/24 dev eth0")
        server = LabServer(bob, tmp_path / "data", "--advertise", "Bob", *options, is_open=is_open)
        yield Scene(lab, office, ada, bob, server)


def verdict(found: dict[Step, Finding]) -> str:
    return verdict_of(list(found.values()))


def remedy(found: dict[Step, Finding], step: Step) -> str:
    return text_of_finding(found[step]).remedy


@needs_network_lab
def test_all_is_well_where_there_is_no_way_to_the_internet(tmp_path: Path) -> None:
    """Each interface is asked who hosts, not the one that leads outside."""
    with scene(tmp_path, is_open=False) as here:
        found = here.at_ada(here.server.invitation())
    assert {each.level for each in found.values()} <= {Level.FINE, Level.NOTE}
    assert found[Step.MDNS].data["count"] == "1", "Bob is one host, however many answers come"
    assert {Code.ADDRESS_SAME_NETWORK, Code.SEEN_AS_HERE, Code.SIGN_IN_FINE, Code.THERE_MDNS_HEARD} <= codes(found)


@needs_network_lab
def test_a_host_is_heard_where_there_is_only_the_newer_kind_of_address(tmp_path: Path) -> None:
    """Who announced itself a moment ago answers up to 1.2 s late."""
    with scene(tmp_path, "--host", "::", is_ipv6_only=True) as here:
        found = here.at_ada(f"texswarm://[{here.bob.address6}]:{PORT}/", patience_s=MDNS_PATIENCE_S)
    assert (found[Step.MDNS].code, problems(found)) == (Code.MDNS_HOSTS, set())


# ── names, addresses, interfaces ────────────────────────────────────────────────────────────────────────────


@needs_network_lab
def test_a_name_with_a_slip_in_it(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        far, near = here.at_ada("texswarm://swram.example/"), here.at_ada("texswarm://bobs-laptop.local/")
    assert (problems(far), problems(near)) == ({Code.NAME_UNKNOWN}, {Code.NAME_UNKNOWN_LOCAL})
    assert "slip in the name" in remedy(far, Step.NAME)
    assert "number instead of the name" in remedy(near, Step.NAME)


@needs_network_lab
def test_an_address_in_a_network_that_this_computer_is_not_in(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        found = here.at_ada(f"texswarm://{here.bob.addresses[1]}:{PORT}/")
    assert found[Step.ADDRESS].code is Code.ADDRESS_OTHER_NETWORK
    assert problems(found) == {Code.PORT_UNREACHABLE}
    assert "Join the host's Wi-Fi or VPN" in remedy(found, Step.ADDRESS)


@needs_network_lab
def test_an_address_that_nobody_has_any_more(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        old = here.link
        here.bob.renumber(77)
        found = here.at_ada(old)
    assert problems(found) == {Code.PORT_SHUT, Code.NEIGHBOUR_ISOLATED}
    assert "has another address now" in remedy(found, Step.NEIGHBOUR)


@needs_network_lab
@pytest.mark.parametrize("is_switched_off", [True, False])
def test_an_interface_that_is_switched_off_and_one_whose_cable_is_out(tmp_path: Path, is_switched_off: bool) -> None:
    with scene(tmp_path) as here:
        here.ada.ip("link set eth0 down") if is_switched_off else here.ada.unplug()
        asyncio.run(until(lambda: "state UP" not in here.ada.run("ip", "-o", "link", "show", "eth0"), "a link down"))
        found = here.at_ada()
    assert found[Step.NETWORK].code is Code.NETWORK_UNPLUGGED
    assert found[Step.ADDRESS].code is Code.ADDRESS_UNPLUGGED
    assert Step.NEIGHBOUR not in found, "nothing is guessed of a network that is not there"
    assert verdict(found) == "This computer has addresses, and nothing carries them (eth0)."
    assert remedy(found, Step.NETWORK) == "Plug the cable in, or join the Wi-Fi."


@needs_network_lab
def test_the_interface_towards_the_host_is_down_and_another_is_not(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        here.ada.join(here.lab.network())
        here.ada.ip("link set eth0 down")
        found = here.at_ada()
    assert found[Step.NETWORK].code is Code.NETWORK_FINE
    assert (found[Step.ADDRESS].code, found[Step.ADDRESS].data["interface"]) == (Code.ADDRESS_UNPLUGGED, "eth0")


# ── what swallows packets ───────────────────────────────────────────────────────────────────────────────────


@needs_network_lab
def test_nobody_listens_on_the_port(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        here.server.kill()
        found = here.at_ada()
    assert problems(found) == {Code.PORT_REFUSED}
    assert "open the share sheet" in remedy(found, Step.PORT)


@pytest.fixture(params=[4, 6])
def version(request: pytest.FixtureRequest) -> int:
    """The kind of address by which Ada tries to get to Bob."""
    return int(request.param)


def link_by(here: Scene, version: int) -> str:
    return here.link if version == 4 else f"texswarm://[{here.bob.address6}]:{PORT}/"


@needs_network_lab
@pytest.mark.parametrize("how", ["drop", "reject with icmpx type admin-prohibited"])
def test_the_hosts_firewall_swallows_or_turns_away(tmp_path: Path, how: str, version: int) -> None:
    rule = f"table inet wall {{ chain in {{ type filter hook input priority 0; tcp dport {PORT} {how}; }}; }}\n"
    with scene(tmp_path) as here:
        here.bob.nft(rule)
        found = here.at_ada(link_by(here, version))
    assert problems(found) == {Code.PORT_SHUT, Code.NEIGHBOUR_FIREWALL}
    assert verdict(found).endswith("lets nothing through to port 8091: its firewall.")
    assert "ufw allow 8091/tcp" in remedy(found, Step.NEIGHBOUR)


@needs_network_lab
def test_an_access_point_that_keeps_its_clients_apart(tmp_path: Path, version: int) -> None:
    with scene(tmp_path) as here:
        here.ada.isolate()
        here.bob.isolate()
        found = here.at_ada(link_by(here, version))
    assert problems(found) == {Code.PORT_SHUT, Code.NEIGHBOUR_ISOLATED}
    assert "client or access-point isolation" in remedy(found, Step.NEIGHBOUR)
    assert found[Step.MDNS].code is Code.MDNS_SILENT


@needs_network_lab
def test_a_vpn_that_takes_along_what_is_meant_for_the_room(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        here.ada.ip("link add wg0 type veth peer name nowhere", "link set nowhere up", "link set wg0 up")
        here.ada.ip("addr add 10.99.0.2/24 dev wg0", f"route add {here.bob.address}/32 dev wg0")
        taken = here.at_ada()
        here.ada.ip(f"route del {here.bob.address}/32 dev wg0")
        beside = here.at_ada()
    assert problems(taken) == {Code.PORT_SHUT, Code.NEIGHBOUR_VPN}
    assert "(wg0) takes along what is meant for 10.77.1.2" in verdict(taken)
    assert "split tunnel" in remedy(taken, Step.NEIGHBOUR)
    assert (beside[Step.VPN].code, problems(beside)) == (Code.VPN_BESIDE, set())


# ── discovery ───────────────────────────────────────────────────────────────────────────────────────────────


@needs_network_lab
def test_a_network_that_swallows_announcements(tmp_path: Path) -> None:
    with scene(tmp_path, is_open=False) as here:
        here.ada.cut(only="udp dport 5353")
        found = here.at_ada(here.server.invitation())
    assert (found[Step.MDNS].code, found[Step.THERE_MDNS].code) == (Code.MDNS_SILENT, Code.THERE_MDNS_LOST)
    assert "UDP port 5353" in remedy(found, Step.THERE_MDNS)
    assert problems(found) == set(), "a link does without"


@needs_network_lab
def test_a_firewall_here_that_lets_no_question_out(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        here.ada.nft("table inet wall { chain out { type filter hook output priority 0; udp dport 5353 drop; }; }\n")
        found = here.at_ada()
    assert (found[Step.MDNS].code, problems(found)) == (Code.MDNS_BLOCKED, set())
    assert "UDP port 5353 through the firewall here" in remedy(found, Step.MDNS)


# ── real firewalls ──────────────────────────────────────────────────────────────────────────────────────────


@needs_network_lab
@pytest.mark.parametrize(("kind", "name", "system"), [(ufw, "ufw", "(ufw)"), (firewalld, "firewalld", "(firewalld)")])
def test_the_command_that_is_named_opens_a_real_firewall(
    tmp_path: Path, kind: Callable[[LabHost, Path], AbstractContextManager[RealFirewall]], name: str, system: str
) -> None:
    with scene(tmp_path, is_open=False) as here, kind(here.bob, tmp_path / "root") as firewall:
        assert ThisMachine(firewall.root).firewall() is Firewall(name)
        shut = here.at_ada()
        assert problems(shut) == {Code.PORT_SHUT, Code.NEIGHBOUR_FIREWALL}
        firewall.run(command_for(system, remedy(shut, Step.NEIGHBOUR)))
        found = here.at_ada(here.server.invitation())
    assert problems(found) == set()
    assert found[Step.SIGN_IN].code is Code.SIGN_IN_FINE


def command_for(system: str, told: str) -> str:
    """Return the line below the one that names a system, as somebody would copy it."""
    lines = told.splitlines()
    return next(after for line, after in pairwise(lines) if system in line).strip()


@needs_network_lab
def test_who_is_behind_a_firewall_that_knows_mdns_hears_the_host(tmp_path: Path) -> None:
    """It lets in what is said to all, and not what is said to who asked."""
    with scene(tmp_path) as here, ufw(here.ada, tmp_path / "root"):
        found = here.at_ada(patience_s=2.0)
    assert (found[Step.MDNS].code, problems(found)) == (Code.MDNS_HOSTS, set())


# ── somebody in between ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Eavesdropper:
    """Takes the host's address and port with a certificate of its own, and writes down what it is told."""

    certificate: tuple[Path, Path, bytes]
    heard: bytearray = field(default_factory=bytearray)

    async def listen(self) -> asyncio.Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate[:2])
        return await asyncio.start_server(self._take, "", PORT, ssl=context)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            self.heard += await reader.readuntil(b"\r\n\r\n")
            writer.write(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"server_version":"0.1"}')
        writer.close()


@needs_network_lab
def test_somebody_in_between_is_found_and_is_told_no_secret(tmp_path: Path) -> None:
    (tmp_path / "eve").mkdir()
    cert, key, _ = certificate(tmp_path)
    eve = Eavesdropper(certificate(tmp_path / "eve"))
    options = ("--tls-cert", str(cert), "--tls-key", str(key))
    with scene(tmp_path, *options, is_open=False) as here:
        link = here.server.invitation()
        assert problems(here.at_ada(link)) == set()
        in_between = here.lab.host("eve", here.office)
        here.bob.unplug()
        in_between.renumber(here.bob.number)
        here.ada.ip("neigh flush dev eth0")
        loop = in_between.loop()
        listener = loop.run(eve.listen())
        found = here.at_ada(link)
        loop.run(_end(listener))
    assert problems(found) == {Code.TLS_OTHER_CERTIFICATE}
    assert remedy(found, Step.TLS).startswith("Do not sign in.")
    assert Step.SIGN_IN not in found
    assert b"GET /api/ping" in eve.heard
    token = parse_invite_link(link).token
    assert token is not None
    assert token.encode() not in eve.heard


async def _end(listener: asyncio.Server) -> None:
    listener.close()
    await listener.wait_closed()
