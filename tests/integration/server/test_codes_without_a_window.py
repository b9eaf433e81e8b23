"""A server without a window lets people in by a join code: made beside it, found on the network, burned by guesses."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.multicast import looking_for
from tests.helpers.run_async import runs_async, until
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import signed_in_client, wire_client
from texswarm_desktop.client.pairing import pair
from texswarm_desktop.client.transport import door_transport
from texswarm_desktop.core.nearby import with_nameplate
from texswarm_server.pairing.join_code import JoinCode, read_join_code
from texswarm_server.protocol.certificates import key_fingerprint
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link
from texswarm_server.protocol.messages import Authentication, AuthenticationResult
from texswarm_server.sessions.code_tries import MAX_WRONG

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"server without a window {os.getpid()}"


async def operator(server: ServerProcess, *words: str) -> tuple[int, str]:
    """What the operator's command ends with and says, beside the running server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "texswarm_server", *words, "--data", str(server.data),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode().strip()


async def new_code(server: ServerProcess, *options: str) -> JoinCode:
    status, said = await operator(server, "invite", "--code", *options)
    code = read_join_code(said)
    assert (status, str(code)) == (0, said)
    assert code is not None
    return code


async def printed_link(server: ServerProcess) -> InviteLink:
    status, said = await operator(server, "invite")
    assert status == 0
    return parse_invite_link(said)


def place(server: ServerProcess) -> ServerAddress:
    return ServerAddress("127.0.0.1", server.port, tls=server.tls)


async def guest_with(server: ServerProcess, code: JoinCode) -> InviteLink:
    return await pair(place(server), code, door_transport(), os.urandom)


async def refusal(server: ServerProcess, code: JoinCode) -> str:
    with pytest.raises(RejectedError) as refused:
        await guest_with(server, code)
    return refused.value.code


async def taken_in(server: ServerProcess, code: JoinCode) -> InviteLink:
    """What a guest gets once the running server has heard of the code."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await guest_with(server, code)
            except RejectedError as error:
                if error.code not in {ErrorCode.NOT_FOUND, ErrorCode.THROTTLED}:
                    raise
                await asyncio.sleep(error.retry_after_s or 0.05)


@runs_async
async def test_a_guest_finds_the_server_by_the_number_and_comes_in_by_the_words(tmp_path: Path) -> None:
    with looking_for(NAME) as seen:
        async with ServerProcess(tmp_path / "data", "--advertise", NAME) as server:
            code = await new_code(server, "--role", "owner", "--uses", "1")
            other = await new_code(server)
            both = (code.nameplate, other.nameplate)  # the server hears of one after the other
            await until(lambda: all(with_nameplate(seen.hosts, number) for number in both))
            (host,) = with_nameplate(seen.hosts, code.nameplate)
            assert with_nameplate(seen.hosts, other.nameplate) == (host,)
            link = await pair(host.addresses[0], code, door_transport(), os.urandom)
            async with signed_in_client(f"ws://127.0.0.1:{server.port}/ws", link.token) as ada:
                mine = await ada.create_and_open("start")
                assert (ada.welcome.can_create, mine.facts.role) == (True, "owner")
            await until(  # an answer that was on its way may still say what held before either
                lambda: [len(with_nameplate(seen.hosts, each.nameplate)) for each in (code, other)] == [0, 1]
            )
            assert await refusal(server, code) == ErrorCode.CODE_EXPIRED


@runs_async
async def test_a_code_for_a_document_gives_its_role_there(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        owner = await taken_in(server, await new_code(server, "--role", "owner"))
        async with signed_in_client(url, owner.token) as ada:
            document_id = (await ada.create_and_open("start")).facts.document_id
            link = await taken_in(server, await new_code(server, "--document", document_id, "--role", "viewer"))
            assert (link.document_id, link.address) == (document_id, place(server))
            async with signed_in_client(url, link.token) as bob:
                assert (await bob.open(document_id)).facts.role == "viewer"


@runs_async
async def test_a_revoked_code_lets_nobody_in(tmp_path: Path) -> None:
    name = f"{NAME}, revoked"
    with looking_for(name) as seen:
        async with ServerProcess(tmp_path / "data", "--advertise", name) as server:
            code = await new_code(server)
            first = await taken_in(server, code)
            await until(lambda: with_nameplate(seen.hosts, code.nameplate))
            assert await operator(server, "revoke", str(code)) == (0, ANY)
            await until(lambda: not with_nameplate(seen.hosts, code.nameplate))
            assert await refusal(server, code) == ErrorCode.CODE_EXPIRED
            async with wire_client(f"ws://127.0.0.1:{server.port}/ws") as late:
                order = Authentication(protocol=2, token=first.token)
                assert (await late.ask(order, AuthenticationResult)).code == ErrorCode.INVITE_REVOKED


@runs_async
async def test_guesses_burn_it_also_where_the_server_is_killed_between_them(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server:
        code = await new_code(server)
        wrong = JoinCode(code.nameplate, (code.words[1], "zoo" if code.words[0] != "zoo" else "oak"))
        await taken_in(server, code)
        said = [await refusal(server, wrong) for _ in range(MAX_WRONG - 1)]
        assert said == [ErrorCode.CODE_WRONG] * (MAX_WRONG - 1)
        await taken_in(server, code)  # what is told to the disk before this is on it after
        await server.kill()
        await server.start()
        assert await refusal(server, wrong) == ErrorCode.CODE_WRONG
        assert await refusal(server, code) == ErrorCode.CODE_EXPIRED
    status, said_then = await operator(server, "invites", "list", "--all")
    assert (status, "join code" in said_then) == (0, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--uses", "6"), "5 people at most"),
        (("--ttl", "2d"), "a day"),
        (("--url", "ws://lab.example.org:8091"), "--url is for links"),
        (("--document", "24c0ed54-d5f6-45aa-a95a-88a00b497f36"), "no such document"),
    ],
)
@runs_async
async def test_what_no_code_can_be_is_said(tmp_path: Path, options: tuple[str, ...], why: str) -> None:
    server = ServerProcess(tmp_path / "data")
    status, said = await operator(server, "invite", "--code", *options)
    assert status != 0
    assert why in said


@runs_async
async def test_what_the_operator_hands_out_names_certificate_and_key(tmp_path: Path) -> None:
    """Link and code alike, and after a renewal at once."""
    cert_file, key_file, der = certificate(tmp_path)
    tls = ("--tls-cert", str(cert_file), "--tls-key", str(key_file))
    async with ServerProcess(tmp_path / "data", *tls) as server:
        link = await printed_link(server)
        assert (link.certificate, link.fingerprint) == (hashlib.sha256(der).hexdigest(), key_fingerprint(der))
        by_code = await taken_in(server, await new_code(server))
        assert (by_code.certificate, by_code.fingerprint) == (link.certificate, link.fingerprint)

        *_, renewed = certificate(tmp_path, keeps_key=True)
        server.send(signal.SIGHUP)
        async with asyncio.timeout(10):
            while hashlib.sha256(renewed).hexdigest() != link.certificate:
                link = await printed_link(server)
        assert link.fingerprint == key_fingerprint(der)
