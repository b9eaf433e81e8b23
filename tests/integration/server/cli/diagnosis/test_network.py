"""What is found out about addresses and ports of this machine."""

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.network_lab import NetworkLab, needs_network_lab
from tests.helpers.run_async import runs_async
from tests.helpers.server_process import ServerProcess
from texswarm_server.cli.diagnosis.finding import Finding, Level
from texswarm_server.cli.diagnosis.network import check_network
from texswarm_server.config import ServerConfig


def found(root: Path, **settings: Any) -> dict[str, Finding]:
    """Return the worst finding of each subject."""
    order = list(Level)
    findings = check_network(ServerConfig(data=root, **settings), root)
    return {each.subject: each for each in sorted(findings, key=lambda finding: order.index(finding.level))}


@runs_async
async def test_the_server_itself_is_recognised(tmp_path: Path) -> None:
    import asyncio

    async with ServerProcess(tmp_path / "data") as server:
        port = (await asyncio.to_thread(found, tmp_path, port=server.port))["port"]
    assert (port.level, "answers and is ready" in port.says) == (Level.FINE, True)


def test_a_port_of_another_program_is_named_with_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        taken = other.getsockname()[1]
        port = found(tmp_path, port=taken)["port"]
    assert port.level is Level.PROBLEM
    assert port.says.startswith(f"{taken} is taken by ")
    assert "port = " in port.remedy


@pytest.mark.parametrize(
    ("host", "words"), [("203.0.113.9", "no address of this machine"), ("no.invalid", "not known")]
)
def test_an_address_that_is_not_here_is_a_problem(tmp_path: Path, host: str, words: str) -> None:
    (finding,) = check_network(ServerConfig(data=tmp_path, host=host, port=0), tmp_path)
    assert finding.level is Level.PROBLEM
    assert words in finding.says


@needs_network_lab
def test_the_addresses_by_which_others_come_are_named_with_their_interfaces(tmp_path: Path) -> None:
    with NetworkLab() as lab:
        office, cable = lab.network(), lab.network()
        bob, eve = lab.host("bob", office, cable), lab.host("eve")
        with bob.entered():
            assert found(tmp_path, host="0.0.0.0")["network"].says == "reached under 10.77.1.1 (eth0), 10.77.2.1 (eth1)"
            assert "fd77:0:0:2::1 (eth1)" in found(tmp_path, host="::")["network"].says
            assert found(tmp_path, host="10.77.2.1")["network"].says == "reached under 10.77.2.1 (eth1)"
            assert "network" not in found(tmp_path, host="127.0.0.1")
        with eve.entered():
            assert found(tmp_path, host="0.0.0.0")["network"].level is Level.WARNING


@needs_network_lab
def test_it_is_said_whether_a_server_can_be_announced(tmp_path: Path) -> None:
    with NetworkLab() as lab:
        bob = lab.host("bob", lab.network())
        with bob.entered():
            assert "discovery" not in found(tmp_path, host="0.0.0.0")
            assert found(tmp_path, host="0.0.0.0", advertise="Bob")["discovery"].says == "announced as Bob"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
                selfish.bind(("", 5353))
                taken = found(tmp_path, host="0.0.0.0", advertise="Bob")["discovery"]
    assert (taken.level, "disallow-other-stacks=no" in taken.remedy) == (Level.WARNING, True)


def test_a_server_that_nobody_else_reaches_is_announced_in_vain(tmp_path: Path) -> None:
    discovery = found(tmp_path, host="127.0.0.1", port=0, advertise="Bob")["discovery"]
    assert (discovery.level, "0.0.0.0" in discovery.remedy) == (Level.WARNING, True)


def test_an_open_server_that_anybody_reaches_is_a_warning(tmp_path: Path) -> None:
    address = found(tmp_path, host="0.0.0.0", port=0, open=True)["address"]
    assert (address.level, "open" in address.remedy) == (Level.WARNING, True)


def test_a_proxy_that_is_no_address_is_a_problem(tmp_path: Path) -> None:
    assert found(tmp_path, port=0, trusted_proxies=("the proxy",))["proxies"].level is Level.PROBLEM


@pytest.mark.parametrize(
    ("file", "content", "command"),
    [
        ("etc/ufw/ufw.conf", "ENABLED=yes\n", "ufw allow 1/tcp"),
        ("etc/ufw/ufw.conf", "ENABLED=no\n", "open TCP 1"),
        ("run/firewalld/x", "", "firewall-cmd --permanent --add-port=1/tcp && firewall-cmd --reload"),
    ],
)
def test_the_command_that_opens_the_firewall_is_named(tmp_path: Path, file: str, content: str, command: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(content)
    assert command in found(tmp_path, host="0.0.0.0", port=1)["firewall"].remedy


@runs_async
async def test_a_running_server_is_healthy_and_none_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    from texswarm_server.cli.program import main

    async with ServerProcess(tmp_path / "data") as server:
        arguments = ("health", "--port", str(server.port))
        assert await asyncio.to_thread(main, arguments) == 0
    assert await asyncio.to_thread(main, arguments) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"ready at 127.0.0.1:{server.port}, version ")
    assert err == f"texswarm-server: no server answers at 127.0.0.1:{server.port}\n"


@pytest.mark.parametrize("body", [b"[" * 4000, b"null", b'{"server_version":7}', b"\xff"])
@runs_async
async def test_another_program_at_the_port_is_no_server_whatever_it_answers(tmp_path: Path, body: bytes) -> None:
    import asyncio

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        taken = other.sockets[0].getsockname()[1]
        port = (await asyncio.to_thread(found, tmp_path, port=taken))["port"]
    assert (port.level, port.says.startswith(f"{taken} is taken by ")) == (Level.PROBLEM, True)
