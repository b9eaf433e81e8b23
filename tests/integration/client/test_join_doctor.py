"""Each failure really made on the loopback, and what the doctor says of it; and in networks of the test's own."""

import asyncio
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.fake_server import FakeServer
from tests.helpers.go_betweens import captive_portal, http_proxy, reverse_proxy
from tests.helpers.lab_desk import PORT, LabServer
from tests.helpers.network_lab import NetworkLab, needs_network_lab
from tests.helpers.run_async import runs_async
from texswarm_desktop.client.join_doctor import JoinDoctor, Visitor
from texswarm_desktop.core.doctor import Code, Finding, Firewall, InterfaceFact, Level, Step
from texswarm_desktop.doctor import main as run_program
from texswarm_desktop.services.machine_facts import ThisMachine
from texswarm_desktop.ui.doctor_texts import report_of
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult

ADA = Visitor("99999999-9999-4999-8999-999999999999", "Ada")


class FakeMachine:
    """A machine in a network of its own, without a firewall."""

    def __init__(self, firewall: Firewall | None = None, *, has_network: bool = True) -> None:
        self._firewall, self._has_network = firewall, has_network

    def interfaces(self) -> tuple[InterfaceFact, ...]:
        return (InterfaceFact("eth0", "192.0.2.7", 24),) if self._has_network else ()

    def firewall(self) -> Firewall | None:
        return self._firewall

    def is_neighbour_known(self, address: str) -> bool | None:
        return None

    def is_port_free(self, port: int) -> bool:
        return True


async def examined(text: str | None, *, machine: Any = None, **options: Any) -> dict[Step, Finding]:
    doctor = JoinDoctor(machine or FakeMachine(), ADA, **{"patience_s": 1.0} | options)
    found = [each async for each in doctor.examine(text)]
    assert "token=" not in report_of(found)
    return {each.step: each for each in found}


def codes(found: dict[Step, Finding]) -> set[Code]:
    return {each.code for each in found.values()}


def problems(found: dict[Step, Finding]) -> set[Code]:
    return {each.code for each in found.values() if each.level is Level.PROBLEM}


@asynccontextmanager
async def server_in(folder: Path, **options: Any) -> AsyncIterator[CollabServer]:
    async with CollabServer(ServerConfig(data=folder, port=0, **options)) as server:
        yield server


def tls_of(folder: Path) -> tuple[Path, Path, str]:
    cert, key, der = certificate(folder)
    return cert, key, hashlib.sha256(der).hexdigest()


@runs_async
async def test_all_is_well_and_the_invitation_is_still_good(tmp_path: Path) -> None:
    async with server_in(tmp_path) as server:
        link = InviteLink(server.address, await server.create_invite("owner", uses=1))
        for _ in range(3):
            found = await examined(str(link))
            assert problems(found) == set()
            good = {Code.PORT_OPEN, Code.SERVER_OURS, Code.PROTOCOL_SPOKEN, Code.SEEN_AS_HERE, Code.CLOCK_FINE}
            good |= {Code.SIGN_IN_FINE, Code.THERE_FIREWALL_NONE, Code.THERE_MDNS_NONE}
            assert good <= codes(found)


@runs_async
async def test_the_other_side_sees_this_machine_behind_a_router(tmp_path: Path) -> None:
    async with server_in(tmp_path, trusted_proxies=("127.0.0.1",)) as server, proxy_before(server, "203.0.113.9") as at:
        found = await examined(f"texswarm://127.0.0.1:{at}/?token={await server.create_invite('owner')}")
    assert (found[Step.SEEN].code, found[Step.SEEN].data["address"]) == (Code.SEEN_TRANSLATED, "203.0.113.9")


@asynccontextmanager
async def proxy_before(server: CollabServer, client: str) -> AsyncIterator[int]:
    """Something in between that says who came: the first thing it passes on gets a header more."""

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner = await asyncio.open_connection("127.0.0.1", server.address.port)

        async def back() -> None:
            while data := await inner_reader.read(65536):
                writer.write(data)
            writer.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(back())
            first = True
            while data := await reader.read(65536):
                name = f"\r\nX-Forwarded-For: {client}\r\n".encode()
                inner.write(data.replace(b"\r\n", name, 1) if first else data)
                first = False
            inner.close()

    proxy = await asyncio.start_server(between, "127.0.0.1", 0)
    async with proxy:
        yield proxy.sockets[0].getsockname()[1]


@runs_async
async def test_nobody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    found = await examined(f"texswarm://127.0.0.1:{port}/?token=t")
    assert problems(found) == {Code.PORT_REFUSED}
    assert Step.SERVER not in found


@runs_async
async def test_another_program_listens() -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    async with server:
        found = await examined(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert problems(found) == {Code.SERVER_NO_HTTP}


@runs_async
async def test_somebody_listens_and_says_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        found = await examined(f"127.0.0.1:{listener.getsockname()[1]}", patience_s=0.2)
    assert problems(found) == {Code.SERVER_NO_HTTP}


@pytest.mark.parametrize("redirects", [False, True])
@runs_async
async def test_a_captive_portal(redirects: bool) -> None:
    async with captive_portal(redirects=redirects) as portal:
        found = await examined(f"127.0.0.1:{portal.port}")
    assert problems(found) == {Code.SERVER_PORTAL}


@runs_async
async def test_a_web_server_that_is_not_ours(tmp_path: Path) -> None:
    async with reverse_proxy(1, "/tex") as proxy:
        assert problems(await examined(f"127.0.0.1:{proxy.port}")) == {Code.SERVER_OTHER}
        assert problems(await examined(f"127.0.0.1:{proxy.port}/tex")) == {Code.SERVER_AWAY}


@runs_async
async def test_tls_where_the_server_is_plain(tmp_path: Path) -> None:
    async with server_in(tmp_path) as server:
        link = InviteLink(replace(server.address, tls=True), "t", fingerprint="00" * 32)
        assert problems(await examined(str(link))) == {Code.TLS_SERVER_IS_PLAIN}


@runs_async
async def test_plain_where_the_server_wants_tls(tmp_path: Path) -> None:
    cert, key, _ = tls_of(tmp_path)
    async with server_in(tmp_path / "data", tls_cert=cert, tls_key=key) as server:
        link = InviteLink(replace(server.address, tls=False), "t")
        assert problems(await examined(str(link))) == {Code.TLS_SERVER_WANTS_IT}


@runs_async
async def test_the_certificate_of_the_link_another_one_and_one_nobody_vouches_for(tmp_path: Path) -> None:
    cert, key, fingerprint = tls_of(tmp_path)
    async with server_in(tmp_path / "data", tls_cert=cert, tls_key=key) as server:
        link = InviteLink(server.address, await server.create_invite("owner"), fingerprint=fingerprint)
        found = await examined(str(link))
        assert problems(found) == set()
        assert {Code.TLS_PINNED, Code.SIGN_IN_FINE} <= codes(found)
        found = await examined(str(replace(link, fingerprint="00" * 32)))
        assert problems(found) == {Code.TLS_OTHER_CERTIFICATE}
        assert Step.SIGN_IN not in found
        assert problems(await examined(str(replace(link, fingerprint=None)))) == {Code.TLS_UNTRUSTED}


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"ttl_s": -1.0}, "invite_expired"), ({"uses": 1}, "invite_used_up"), (None, "token_invalid")],
)
@runs_async
async def test_an_invitation_that_is_not_taken(tmp_path: Path, options: dict[str, Any] | None, reason: str) -> None:
    async with server_in(tmp_path) as server:
        token = "forged" if options is None else await server.create_invite("owner", **options)
        link = InviteLink(server.address, token)
        if reason == "invite_used_up":
            other = JoinDoctor(FakeMachine(), Visitor("88888888-8888-4888-8888-888888888888", "Bob"))
            assert Code.SIGN_IN_FINE in [each.code async for each in other.examine(str(link))]
        found = await examined(str(link))
    assert problems(found) == {Code.SIGN_IN_REFUSED}
    assert found[Step.PROTOCOL].code is Code.PROTOCOL_SPOKEN
    assert not {Step.THERE, Step.THERE_FIREWALL, Step.THERE_MDNS} & found.keys()
    assert found[Step.SIGN_IN].data["reason"] == reason


@runs_async
async def test_a_server_that_speaks_another_version() -> None:
    async with FakeServer() as server:
        server.verdict = lambda order: AuthenticationResult(ok=False, code="protocol_unsupported", message="no")
        code = await _sign_in_only(server.address)
    assert code == "protocol_unsupported"


async def _sign_in_only(address: ServerAddress) -> str | None:
    """A fake server knows no `/api/ping`: only the last step is looked at."""
    from texswarm_desktop.client.check_up import try_sign_in

    return (await try_sign_in(InviteLink(address, "invite"), ADA.user_id, ADA.name)).code


@runs_async
async def test_clocks_that_differ(tmp_path: Path) -> None:
    async with server_in(tmp_path) as server:
        found = await examined(str(InviteLink(server.address)), wall_clock=lambda: time.time() - 3600)
    assert found[Step.CLOCK].code is Code.CLOCK_OFF
    assert found[Step.CLOCK].data == {"minutes": "60", "side": "behind"}
    assert found[Step.SIGN_IN].code is Code.SIGN_IN_NOT_TRIED


@runs_async
async def test_a_name_nobody_knows_and_no_network() -> None:
    assert problems(await examined("no-such-host.invalid")) == {Code.NAME_UNKNOWN}
    found = await examined("no-such-host.local", machine=FakeMachine(has_network=False))
    assert problems(found) == {Code.NETWORK_NONE, Code.NAME_UNKNOWN_LOCAL}


@runs_async
async def test_what_is_no_link() -> None:
    assert problems(await examined("ftp://h")) == {Code.LINK_UNREADABLE}


@runs_async
async def test_a_proxy_that_passes_on_and_one_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    async with server_in(tmp_path) as server:
        async with http_proxy(server.address.port) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//user:secret@"))
            link = str(InviteLink(ServerAddress("swarm.example.org"), await server.create_invite("owner")))
            found = await examined(link)
            assert problems(found) == set()
            assert {Code.PROXY_USED, Code.SIGN_IN_FINE} <= codes(found)
            assert "secret" not in report_of(list(found.values()))
        assert problems(await examined(link)) == {Code.PROXY_FAILS}


@runs_async
async def test_who_hosts_is_told_about_this_machine() -> None:
    found = await examined(None, machine=FakeMachine(Firewall.UFW))
    assert {Code.NETWORK_FINE, Code.PORT_FREE, Code.FIREWALL_ACTIVE} <= codes(found)


def test_the_program_says_it_in_lines_and_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        link = f"texswarm://127.0.0.1:{listener.getsockname()[1]}/?token=secret"
    profile = ["--profile-dir", str(tmp_path)]
    assert run_program([link, *profile]) == 1
    out = capsys.readouterr().out
    assert "FAIL  Port" in out
    assert "secret" not in out
    assert run_program([link, "--json", *profile]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["code"] == "port_refused"


@runs_async
async def test_a_server_tells_its_own_side_to_who_is_let_in(tmp_path: Path) -> None:
    async with server_in(tmp_path, host="0.0.0.0") as server:
        link = InviteLink(replace(server.address, host="127.0.0.1"), await server.create_invite("owner", uses=1))
        for _ in range(2):  # asking uses nothing up
            found = await examined(str(link))
            assert found[Step.SIGN_IN].code is Code.SIGN_IN_FINE
            assert Step.THERE_FIREWALL in found
            assert found[Step.THERE_MDNS].code is Code.THERE_MDNS_NONE


@runs_async
async def test_an_open_server_tells_nobody_of_its_own_side(tmp_path: Path) -> None:
    async with server_in(tmp_path, open=True) as server:
        found = await examined(str(InviteLink(server.address, await server.create_invite("owner"))))
    assert found[Step.THERE].code is Code.THERE_UNTOLD


def test_firewalls_are_known_by_their_files(tmp_path: Path) -> None:
    assert ThisMachine(tmp_path).firewall() is None
    (tmp_path / "run/firewalld").mkdir(parents=True)
    assert ThisMachine(tmp_path).firewall() is Firewall.FIREWALLD
    (tmp_path / "etc/ufw").mkdir(parents=True)
    (tmp_path / "etc/ufw/ufw.conf").write_text("ENABLED=yes\n")
    assert ThisMachine(tmp_path).firewall() is Firewall.UFW


@needs_network_lab
def test_what_swallows_packets_is_guessed_from_who_is_known(tmp_path: Path) -> None:
    with NetworkLab() as lab:
        office = lab.network()
        ada, bob = lab.host("ada", office), lab.host("bob", office)
        LabServer(bob, tmp_path / "data")
        link = f"texswarm://{bob.address}:{PORT}/"

        def found() -> dict[Step, Finding]:
            return asyncio.run(examined(link, machine=ThisMachine(), patience_s=0.6))

        with ada.entered():
            well = found()
            assert problems(well) == set()
            assert well[Step.ADDRESS].code is Code.ADDRESS_SAME_NETWORK
            bob.nft(
                f"table inet wall {{ chain in {{ type filter hook input priority 0; tcp dport {PORT} drop; }}; }}\n"
            )
            assert problems(found()) == {Code.PORT_SILENT, Code.NEIGHBOUR_FIREWALL}
            ada.isolate()
            bob.isolate()
            ada.ip("neigh flush dev eth0")
            assert problems(found()) == {Code.PORT_SILENT, Code.NEIGHBOUR_ISOLATED}
