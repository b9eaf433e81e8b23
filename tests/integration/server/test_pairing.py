"""`/pair` on a real server: the guest with the code gets in, and an attacker gets nothing, however they try."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.go_betweens import close_once, reverse_proxy
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import wire_client
from texswarm_desktop.client.link import LinkClosedError, WrongCertificateError
from texswarm_desktop.client.pairing import ask_for_invitation, look, pair
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import door_transport
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.pairing.channel import channel_of
from texswarm_server.pairing.exchange import GuestExchange
from texswarm_server.pairing.join_code import JoinCode, read_join_code
from texswarm_server.pairing.messages import (
    PairingAnswered,
    PairingRefused,
    ProvePairing,
    StartPairing,
    host_codec,
)
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import ErrorCode, LinkError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.version import PAIRING_PATH
from texswarm_server.sessions.code_tries import MAX_USES, MAX_WRONG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from texswarm_desktop.client.link import Link

#: The server's address, as the invitation in it says; guests put the one in its place that they came by.
ELSEWHERE = ServerAddress("192.0.2.1", 1, tls=True)


class Host:
    """A server whose door is open, and what it told whoever shows the code."""

    def __init__(self, server: CollabServer, der: bytes) -> None:
        self.server, self.der = server, der
        self.codes: list[JoinCode | None] = []
        self.invited = 0

    @property
    def address(self) -> ServerAddress:
        return self.server.address

    @property
    def code(self) -> JoinCode:
        assert self.codes[-1] is not None
        return self.codes[-1]

    def open(self, *, is_open: bool = False) -> None:
        self.server.open_door(self._invitation, nearby=self._invitation if is_open else None, on_code=self._take)

    def _take(self, code: str) -> None:
        self.codes.append(read_join_code(code))

    async def _invitation(self) -> str:
        self.invited += 1
        return str(InviteLink(ELSEWHERE, await self.server.create_invite("owner", uses=1), None, "ab" * 32))

    async def pair(self, code: JoinCode | None = None) -> InviteLink:
        return await pair(self.address, code or self.code, door_transport(), os.urandom)

    async def refusal(self, code: JoinCode) -> str:
        with pytest.raises(RejectedError) as refused:
            await self.pair(code)
        return refused.value.code

    def link(self) -> AbstractAsyncContextManager[Link]:
        return door_transport()(replace(self.address, path="/pair"), LAN, asyncio.get_running_loop().time)


@asynccontextmanager
async def host_in(folder: Path, *, tls: bool = True) -> AsyncIterator[Host]:
    files = certificate(folder) if tls else (None, None, b"")
    config = ServerConfig(data=folder / "data", port=0, tls_cert=files[0], tls_key=files[1], housekeeping_s=0.02)
    async with CollabServer(config) as server:
        host = Host(server, files[2])
        host.open()
        yield host


def wrong(code: JoinCode) -> JoinCode:
    return JoinCode(code.nameplate, (code.words[1], "zoo" if code.words[0] != "zoo" else "yak"))


@pytest.mark.parametrize("tls", [True, False])
@runs_async
async def test_the_code_leads_to_an_invitation_that_lets_in(tmp_path: Path, tls: bool) -> None:
    async with host_in(tmp_path, tls=tls) as host:
        link = await host.pair()
        assert (link.address, link.fingerprint) == (host.address, "ab" * 32)
        assert (await look(host.address, door_transport())).certificate == (host.der if tls else None)
        if not tls:
            async with wire_client(link.address.url) as client:
                assert (await client.sign_in(link.token)).ok


@runs_async
async def test_a_wrong_code_is_told_as_such_and_five_of_them_burn_it(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        first = host.code
        for _ in range(MAX_WRONG):
            assert await host.refusal(wrong(first)) == ErrorCode.CODE_WRONG
        await until(lambda: host.codes[-1] != first)
        assert await host.refusal(first) == ErrorCode.CODE_EXPIRED
        assert host.invited == 0
        await host.pair()


@runs_async
async def test_a_code_serves_a_few_and_then_a_new_one_is_shown(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        first = host.code
        for _ in range(MAX_USES):
            await host.pair(first)
        assert host.code != first
        assert await host.refusal(first) == ErrorCode.CODE_EXPIRED


@runs_async
async def test_codes_at_speed_are_held_up_and_none_of_the_guessers_gets_in(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        guesses = [wrong(host.code) for _ in range(60)]
        results = await asyncio.gather(*(host.pair(code) for code in guesses), return_exceptions=True)
        codes = [result.code for result in results if isinstance(result, RejectedError)]
        assert len(codes) == len(guesses)
        assert codes.count(ErrorCode.CODE_WRONG) <= MAX_WRONG
        assert ErrorCode.THROTTLED in codes
        assert host.invited == 0


@runs_async
async def test_guests_at_work_are_not_held_up_by_who_guesses(tmp_path: Path) -> None:
    async with host_in(tmp_path, tls=False) as host, wire_client(host.address.url) as client:
        await client.sign_in(await host.server.create_invite("owner"))
        opened = await client.create_and_open("paper")
        guessing = asyncio.gather(*(host.pair(wrong(host.code)) for _ in range(20)), return_exceptions=True)
        await opened.write("typed meanwhile")
        await until(lambda: opened.acknowledged == opened.sent)
        await guessing
        assert opened.text().endswith("typed meanwhile")


@runs_async
async def test_somebody_in_the_middle_with_another_certificate_gets_nothing(tmp_path: Path) -> None:
    """They pass on every message as it is; but the guest sees their certificate, and the host shows its own."""
    (tmp_path / "host").mkdir()
    (tmp_path / "middle").mkdir()
    async with host_in(tmp_path / "host") as host, relay_before(host, tmp_path / "middle") as middle:
        for _ in range(2 * MAX_WRONG):
            with pytest.raises(RejectedError, match=ErrorCode.CERTIFICATE_OTHER):
                await pair(middle, host.code, door_transport(), os.urandom)
        with pytest.raises(RejectedError, match=ErrorCode.CODE_WRONG):
            await pair_without_a_word(middle, host.code)
        assert host.invited == 0
        assert await host.pair(), "no try of the guest's was counted before the one with a proof"
        fingerprint = "cd" * 32
        with pytest.raises(WrongCertificateError):
            await pair(middle, host.code, door_transport(fingerprint), os.urandom)


@runs_async
async def test_through_a_proxy_that_speaks_tls_a_guest_is_told_so_and_loses_no_try(tmp_path: Path) -> None:
    (tmp_path / "proxy").mkdir()
    cert_file, key_file, _der = certificate(tmp_path / "proxy")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    async with (
        host_in(tmp_path, tls=False) as host,
        reverse_proxy(host.address.port, "/tex", context) as proxy,
    ):
        there = ServerAddress("127.0.0.1", proxy.port, tls=True, path="/tex/ws")
        for _ in range(2 * MAX_WRONG):
            with pytest.raises(RejectedError, match=ErrorCode.CERTIFICATE_OTHER):
                await pair(there, host.code, door_transport(), os.urandom)
        assert await host.pair()


@runs_async
async def test_a_handshake_that_was_heard_cannot_be_played_again(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        exchange = GuestExchange(host.code, channel_of(host.der), os.urandom)
        proof = b""
        for attempt in range(2):
            async with host.link() as link:
                link.send(encode(StartPairing(nameplate=host.code.nameplate, opening=exchange.opening)))
                answer = host_codec.decode(await link.receive())
                assert isinstance(answer, PairingAnswered)
                proof = proof or exchange.prove(answer.answer)
                link.send(encode(ProvePairing(proof=proof)))
                said = host_codec.decode(await link.receive())
            assert isinstance(said, PairingRefused) is bool(attempt)


@pytest.mark.parametrize(
    "messages",
    [
        [ProvePairing(proof=b"x" * 32)],
        [StartPairing(nameplate="CODE", opening=b"A" * 33), StartPairing(nameplate="CODE", opening=b"A" * 33)],
        [StartPairing(nameplate="CODE", opening=b"short")],
        [StartPairing(nameplate="CODE", opening=b"A" + bytes(32))],
        [StartPairing(nameplate="CODE", opening=b"A" * 33, version=9)],
        ["no message at all"],
        ['{"type": "Authentication", "payload": {}}'],
        [b"\x00\x01\x02"],
    ],
)
@runs_async
async def test_what_is_out_of_order_or_no_message_ends_in_a_refusal(tmp_path: Path, messages: list) -> None:
    async with host_in(tmp_path, tls=False) as host, host.link() as link:
        for message in messages:
            frame = message if isinstance(message, str | bytes) else encode(message)
            link.send(frame.replace("CODE", host.code.nameplate) if isinstance(frame, str) else frame)
        said = [host_codec.decode(await link.receive())]
        if isinstance(said[0], PairingAnswered):
            said = [host_codec.decode(await link.receive())]
        assert isinstance(said[0], PairingRefused)
        with pytest.raises(LinkClosedError):
            await link.receive()
        assert host.invited == 0


@runs_async
async def test_a_frame_that_is_too_large_ends_the_connection(tmp_path: Path) -> None:
    async with host_in(tmp_path, tls=False) as host, host.link() as link:
        link.send("x" * 5000)
        with pytest.raises(LinkClosedError) as closed:
            await link.receive()
    assert closed.value.code == 1009


@runs_async
async def test_without_a_code_one_gets_in_only_where_the_host_wishes_so(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        with pytest.raises(RejectedError, match=ErrorCode.TOKEN_MISSING):
            await ask_for_invitation(host.address, door_transport())
        host.open(is_open=True)
        assert (await ask_for_invitation(host.address, door_transport())).token
        host.open(is_open=False)
        with pytest.raises(RejectedError, match=ErrorCode.TOKEN_MISSING):
            await ask_for_invitation(host.address, door_transport())


@runs_async
async def test_a_server_whose_door_was_never_opened_has_no_code(tmp_path: Path) -> None:
    async with CollabServer(ServerConfig(data=tmp_path, port=0)) as server:
        for work in (
            pair(server.address, JoinCode("417", ("otter", "maple")), door_transport(), os.urandom),
            ask_for_invitation(server.address, door_transport()),
        ):
            with pytest.raises(RejectedError):
                await work


@runs_async
async def test_a_server_that_stops_waits_for_no_guest_at_the_door(tmp_path: Path) -> None:
    async with host_in(tmp_path, tls=False) as host, host.link() as link:
        await host.server.stop()
        with pytest.raises(LinkError):
            await link.receive()


async def pair_without_a_word(address: ServerAddress, code: JoinCode) -> None:
    """As a guest does of whom somebody in between hides which certificate they see."""
    async with door_transport()(replace(address, path=PAIRING_PATH), LAN, time.monotonic) as link:
        exchange = GuestExchange(code, channel_of(link.certificate), os.urandom)
        link.send(encode(StartPairing(nameplate=code.nameplate, opening=exchange.opening)))
        answered = host_codec.decode(await link.receive())
        assert isinstance(answered, PairingAnswered)
        link.send(encode(ProvePairing(proof=exchange.prove(answered.answer))))
        refused = host_codec.decode(await link.receive())
        assert isinstance(refused, PairingRefused)
        raise RejectedError(refused.code, refused.message)


@asynccontextmanager
async def relay_before(host: Host, folder: Path) -> AsyncIterator[ServerAddress]:
    """Somebody between guest and host, who shows the guest a certificate of their own."""
    cert_file, key_file, _der = certificate(folder)
    outside, inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outside.load_cert_chain(cert_file, key_file)
    inside.check_hostname, inside.verify_mode = False, ssl.CERT_NONE

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        close_once(writer)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_host = await asyncio.open_connection(host.address.host, host.address.port, ssl=inside)
        await asyncio.gather(pump(reader, to_host[1]), pump(to_host[0], writer), return_exceptions=True)
        for one in (writer, to_host[1]):
            one.transport.abort()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=outside)
    try:
        yield ServerAddress("127.0.0.1", server.sockets[0].getsockname()[1], tls=True)
    finally:
        server.close()
        await server.wait_closed()
