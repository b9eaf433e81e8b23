"""The program as an operator runs it: one line when it listens, one line when it fails, links that work at once."""

from __future__ import annotations

import asyncio
import re
import socket
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import signed_in_client
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.protocol.messages import DocumentList, ListDocuments

if TYPE_CHECKING:
    from pathlib import Path


async def texswarm_server(*arguments: object) -> tuple[int, str, str]:
    """Run a command to its end; return status, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "texswarm_server",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@runs_async
async def test_a_server_starts_empty_lets_in_by_link_and_ends_when_asked(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    async with ServerProcess(data) as server:
        assert {path.name for path in data.iterdir()} >= {"texswarm.db"}
        assert stat.S_IMODE((data / "texswarm.db").stat().st_mode) == 0o600
        _status, link, _err = await texswarm_server("invite", "--data", data, "--role", "owner", "--uses", 2)
        invite = parse_invite_link(link.strip())
        assert invite.address.port == server.port
        async with signed_in_client(invite.address.url, invite.token) as ada:
            document = await ada.create_and_open("Hello")
        document_id = document.facts.document_id
        _status, link, _err = await texswarm_server("invite", "--data", data, "--document", document_id)
        invite = parse_invite_link(link.strip())
        assert invite.document_id == document_id
        async with signed_in_client(invite.address.url, invite.token) as bob:
            assert [each.role for each in (await bob.ask(ListDocuments(), DocumentList)).documents] == ["editor"]
        assert await server.stop() == 0


@runs_async
async def test_a_link_points_where_it_is_told_to(tmp_path: Path) -> None:
    _status, plain, _err = await texswarm_server("invite", "--data", tmp_path / "d")
    _status, told, _err = await texswarm_server("invite", "--data", tmp_path / "d", "--url", "wss://lab.example/ws")

    assert re.fullmatch(r"texswarm://localhost:8091/\?token=txi_[\w-]{32}\n", plain)
    assert re.fullmatch(r"texswarm://lab\.example:8091/\?token=txi_[\w-]{32}&tls=1\n", told)


@runs_async
async def test_a_port_in_use_is_said_with_its_owner_and_another_one(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "one") as server:
        status, out, err = await texswarm_server("serve", "--data", tmp_path / "two", "--port", server.port)

        assert (status, out, err.count("\n")) == (1, "", 1)
        assert f"port {server.port} is taken by " in err
        assert re.search(r"port (\d+) is free: --port \1", err)


@runs_async
async def test_what_cannot_be_used_is_one_line_and_a_status(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    junk = tmp_path / "junk"
    junk.mkdir()
    (junk / "texswarm.db").write_text("not a database, but long enough to be looked at as one " * 20)
    async with ServerProcess(tmp_path / "used"):
        for words, arguments in {
            "not a folder": ("serve", "--data", tmp_path / "file"),
            "not a database": ("serve", "--data", junk, "--port", 0),
            "another server uses": ("serve", "--data", tmp_path / "used", "--port", 0),
            "cannot use the certificate": ("serve", "--data", tmp_path / "t", "--tls-cert", "no", "--tls-key", "no"),
            "cannot listen on": ("serve", "--data", tmp_path / "t", "--host", "203.0.113.9"),
            "no such document": ("invite", "--data", tmp_path / "used", "--document", "nothing"),
        }.items():
            status, out, err = await texswarm_server(*arguments)
            assert (status, out, err.count("\n")) == (1, "", 1), err
            assert words in err


@pytest.mark.parametrize(
    ("file", "variables", "words"),
    [
        ("prot = 8091\n", {}, "unknown key 'prot'; did you mean 'port'?"),
        ("port = \n", {}, "is not TOML"),
        ("tls_cert = 'a.pem'\n", {}, "belong together"),
        ("trusted_proxies = ['the proxy']\n", {}, "trusted_proxies: not an address"),
        ("metrics_from = ['everybody']\n", {}, "metrics_from: not an address"),
        ("", {"TEXSWARM_GRACE": "soon"}, "TEXSWARM_GRACE: "),
        ("", {"TEXSWARM_CONFIG": "not-there.toml"}, "cannot read not-there.toml"),
    ],
)
def test_a_server_that_is_configured_wrongly_has_a_status_of_its_own(
    file: str,
    variables: dict[str, str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from texswarm_server.cli.program import main

    (tmp_path / "server.toml").write_text(file)
    for name, value in ({"TEXSWARM_CONFIG": str(tmp_path / "server.toml")} | variables).items():
        monkeypatch.setenv(name, value)

    assert main(["serve", "--data", str(tmp_path / "data")]) == 78
    said = capsys.readouterr().err
    assert (words in said, said.count("\n")) == (True, 1), said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dance",),
        ("serve", "--port", "99999"),
        ("serve", "--grace", "soon"),
        ("invite", "--ttl", "-1d"),
        ("invite", "--uses", "0"),
        ("invite", "--role", "king"),
    ],
)
def test_a_wrong_option_is_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    from texswarm_server.cli.program import main

    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("command", [(), ("serve",), ("invite",)])
def test_every_command_has_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    from texswarm_server.cli.program import main

    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])

    assert caught.value.code == 0
    assert "usage:" in capsys.readouterr().out


@runs_async
async def test_a_server_is_told_by_option_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server.toml").write_text("data = 'kept'\nport = 1\nname = 'From the file'\n")
    monkeypatch.setenv("TEXSWARM_CONFIG", str(tmp_path / "server.toml"))
    monkeypatch.setenv("TEXSWARM_GRACE", "2m")
    async with ServerProcess(tmp_path / "data") as server:
        link = await server.invite(f"ws://127.0.0.1:{server.port}")
        invite = parse_invite_link(link)
        async with signed_in_client(invite.address.url, invite.token) as ada:
            assert ada.welcome is not None
            assert ada.welcome.server is not None
            assert (ada.welcome.server.name, ada.welcome.grace_s) == ("From the file", 120.0)
    await texswarm_server("invite")
    assert (tmp_path / "kept" / "texswarm.db").exists()


@runs_async
async def test_a_service_manager_is_told_when_connections_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("no service manager of this kind here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with ServerProcess(tmp_path / "data"):
            assert manager.recv(100) == b"READY=1"
