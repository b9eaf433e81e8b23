"""Each failure really made on the loopback, and what the doctor says of it."""

import asyncio
import base64
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.doctor_visit import ADA, FakeMachine, codes, examined, problems
from tests.helpers.fake_server import FakeServer
from tests.helpers.go_betweens import http_proxy, reverse_proxy, socks5_proxy
from tests.helpers.run_async import runs_async
from texswarm_desktop.client.check_up import try_sign_in
from texswarm_desktop.client.join_doctor import JoinDoctor, Visitor
from texswarm_desktop.core.doctor import Code, Firewall, Step
from texswarm_desktop.doctor import main as run_program
from texswarm_desktop.services.machine_facts import ThisMachine
from texswarm_desktop.ui.doctor_texts import report_of, text_of_finding
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult
from texswarm_server.protocol.version import PROTOCOL_VERSION


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


@pytest.mark.parametrize("is_behind_a_proxy", [False, True])
@pytest.mark.parametrize(
    ("spoken", "code", "remedy"),
    [
        ((PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 2), Code.PROTOCOL_TOO_OLD_HERE, "Update TeXSwarm on this computer."),
        ((1, PROTOCOL_VERSION - 1), Code.PROTOCOL_TOO_OLD_THERE, "Ask the host or the operator to update"),
    ],
)
@runs_async
async def test_a_server_that_speaks_another_version(
    monkeypatch: pytest.MonkeyPatch, is_behind_a_proxy: bool, spoken: tuple[int, int], code: Code, remedy: str
) -> None:
    _without_proxies(monkeypatch)
    async with server_that_speaks(spoken) as port, http_proxy(port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        host = f"swarm.example.org:{port}" if is_behind_a_proxy else f"127.0.0.1:{port}"
        found = await examined(f"texswarm://{host}/?token=t")
    assert problems(found) == {code}
    assert Step.SIGN_IN not in found, "it would only be refused"
    assert text_of_finding(found[Step.PROTOCOL]).remedy.startswith(remedy)


@asynccontextmanager
async def server_that_speaks(spoken: tuple[int, int]) -> AsyncIterator[int]:
    """A server of another time, as far as anybody asks it."""
    told = {"status": "ok", "server_version": "9.9", "oldest_protocol": spoken[0], "protocol": spoken[1]}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{json.dumps(told)}".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@runs_async
async def test_a_server_that_says_so_at_the_sign_in_only() -> None:
    async with FakeServer() as server:
        server.verdict = lambda order: AuthenticationResult(ok=False, code="protocol_unsupported", message="no")
        link = InviteLink(server.address, "invite")
        assert (await try_sign_in(link, ADA.user_id, ADA.name)).code == "protocol_unsupported"


@pytest.mark.parametrize(("days", "code"), [((-9, -1), Code.TLS_EXPIRED), ((1, 9), Code.TLS_NOT_YET)])
@runs_async
async def test_a_certificate_that_this_system_trusts_at_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: tuple[int, int], code: Code
) -> None:
    cert, key, _ = certificate(tmp_path, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    async with server_in(tmp_path / "data", tls_cert=cert, tls_key=key) as server:
        found = await examined(str(InviteLink(server.address, "t")))
    assert problems(found) == {code}
    assert found[Step.CLOCK].code is Code.CLOCK_FINE, "and so it is not this clock"
    assert Step.SIGN_IN not in found


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


@pytest.mark.parametrize(("kind", "variable"), [(http_proxy, "https_proxy"), (socks5_proxy, "socks_proxy")])
@runs_async
async def test_behind_the_systems_proxy_every_step_is_looked_at_that_can_be_seen_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, variable: str
) -> None:
    cert, key, fingerprint = tls_of(tmp_path)
    _without_proxies(monkeypatch)
    async with (
        server_in(tmp_path / "data", tls_cert=cert, tls_key=key) as server,
        kind(server.address.port) as proxy,
    ):
        monkeypatch.setenv(variable, proxy.url)
        there = ServerAddress("swarm.example.org", tls=True)
        link = InviteLink(there, await server.create_invite("owner"), fingerprint=fingerprint)
        found = await examined(str(link))
        assert problems(found) == set()
        good = {Code.PROXY_USED, Code.TLS_PINNED, Code.SERVER_OURS, Code.PROTOCOL_SPOKEN, Code.CLOCK_FINE}
        assert good | {Code.SIGN_IN_FINE} <= codes(found)
        assert set(proxy.asked) == {"swarm.example.org:8091"}
        assert not {Step.NAME, Step.ADDRESS, Step.PORT} & found.keys(), "what only the proxy sees"
        other = await examined(str(replace(link, fingerprint="00" * 32)))
        assert problems(other) == {Code.TLS_OTHER_CERTIFICATE}
        assert Step.SIGN_IN not in other
        late = await examined(str(link), wall_clock=lambda: time.time() + 3600)
        assert late[Step.CLOCK].code is Code.CLOCK_OFF


@runs_async
async def test_a_password_for_the_proxy_is_shown_to_the_proxy_and_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proxies(monkeypatch)
    async with server_in(tmp_path) as server, http_proxy(server.address.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//user:secret@"))
        found = await examined(str(InviteLink(ServerAddress("swarm.example.org"))))
    assert (problems(found), found[Step.PROTOCOL].code) == (set(), Code.PROTOCOL_SPOKEN)
    assert "secret" not in report_of(list(found.values()))
    assert {head.split("Proxy-Authorization: ")[1].split("\r\n")[0] for head in proxy.heads} == {
        f"Basic {base64.b64encode(b'user:secret').decode()}"
    }


@pytest.mark.parametrize("answer", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
@runs_async
async def test_a_proxy_that_does_not_pass_on_says_why(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    _without_proxies(monkeypatch)
    async with http_proxy(9, answer=answer) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        found = await examined(str(InviteLink(ServerAddress("swarm.example.org"), "t")))
    assert problems(found) == {Code.PROXY_REFUSES}
    assert found[Step.PROXY].data["answer"] == answer
    assert 'export no_proxy="swarm.example.org,' in text_of_finding(found[Step.PROXY], system="Linux").remedy


@pytest.mark.parametrize("text", ["http://proxy:port", "http://[proxy", "gopher://ada:secret@proxy:70", "http://"])
@runs_async
async def test_a_proxy_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    _without_proxies(monkeypatch)
    monkeypatch.setenv("https_proxy", text)
    found = await examined("texswarm://swarm.example.org/?token=t")
    assert problems(found) == {Code.PROXY_UNREADABLE}
    assert "secret" not in report_of(list(found.values()))


@pytest.mark.parametrize(("user", "is_known"), [("ada:secret", True), ("ada:other", False)])
@runs_async
async def test_a_socks_proxy_with_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str, is_known: bool
) -> None:
    _without_proxies(monkeypatch)
    async with server_in(tmp_path) as server, socks5_proxy(server.address.port, user="ada:secret") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks://{user}@127.0.0.1:{proxy.port}")
        found = await examined(str(InviteLink(ServerAddress("swarm.example.org"))))
    assert problems(found) == (set() if is_known else {Code.PROXY_REFUSES})
    assert user not in report_of(list(found.values()))


@runs_async
async def test_a_proxy_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    async with http_proxy(9) as proxy:
        pass
    monkeypatch.setenv("https_proxy", proxy.url)
    assert problems(await examined("texswarm://swarm.example.org/?token=t")) == {Code.PROXY_FAILS}


def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@runs_async
async def test_who_hosts_is_told_about_this_machine() -> None:
    found = await examined(None, machine=FakeMachine(Firewall.UFW))
    assert {Code.NETWORK_FINE, Code.PORT_FREE, Code.FIREWALL_ACTIVE} <= codes(found)


@runs_async
async def test_who_hosts_is_told_of_the_port_that_is_or_would_be_taken() -> None:
    """The usual one may be another program's; the firewall has to be opened for the one people come to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = other.getsockname()[1]
        machine = FakeMachine(Firewall.UFW, taken_ports={taken})
        found = await examined(None, machine=machine, host_ports=[taken, 50_007, 50_008], patience_s=0.2)
    assert found[Step.PORT].code is Code.PORT_FREE
    assert dict(found[Step.PORT].data)["port"] == "50007"
    assert "ufw allow 50007/tcp" in text_of_finding(found[Step.FIREWALL]).remedy


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
