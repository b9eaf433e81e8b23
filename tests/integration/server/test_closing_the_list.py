"""A host that lets in only with link or code: from the list one gets nothing, also by what was fetched before."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from texswarm_desktop.client.pairing import ask_for_invitation, pair
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import door_transport
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.pairing.join_code import read_join_code
from texswarm_server.pairing.messages import AskForInvitation, PairingRefused, host_codec
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CreateInvite,
    InviteCreated,
    RedeemInvite,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from texswarm_desktop.client.link import Link


class Host:
    """Ada, who shares a paper: by a link and a code, and as long as she likes from the list."""

    def __init__(self, server: CollabServer, ada: WireClient, document_id: str) -> None:
        self.server, self.ada, self.document_id = server, ada, document_id
        self.code = ""

    async def begin(self) -> None:
        self.by_link = await self.ada.ask(CreateInvite(document_id=self.document_id), InviteCreated)
        self.open_list()

    def open_list(self) -> None:
        self.server.open_door(
            self._invitation, nearby=partial(self._invitation, is_nearby=True), on_code=self._take_code
        )

    def close_list(self) -> None:
        self.server.open_door(self._invitation, on_code=self._take_code)
        self.server.end_nearby_invite()

    def _take_code(self, code: str) -> None:
        self.code = code

    async def _invitation(self, *, is_nearby: bool = False) -> str:
        token = await self.server.door_invite("editor", self.document_id, asks=False, is_nearby=is_nearby)
        return str(InviteLink(self.server.address, token, self.document_id))

    async def paired(self) -> str:
        """Return what who has the code is given."""
        code = read_join_code(self.code)
        assert code is not None
        token = (await pair(self.server.address, code, door_transport(), os.urandom)).token
        assert token is not None
        return token

    def door(self) -> AbstractAsyncContextManager[Link]:
        """A connection over which a test says what it likes."""
        return door_transport()(replace(self.server.address, path="/pair"), LAN, asyncio.get_running_loop().time)

    async def fetched(self) -> str:
        """Return what the list gives to whoever asks."""
        token = (await ask_for_invitation(self.server.address, door_transport())).token
        assert token is not None
        return token

    async def lets_in(self, token: str | None, name: str) -> str:
        """Return the text that somebody new reads who comes by this."""
        async with signed_in_client(self.server.address.url, token, user_id=name) as guest:
            return (await guest.open(self.document_id)).text()

    async def refusal(self, token: str, name: str) -> str | None:
        """Return why somebody new is not let in."""
        async with wire_client(self.server.address.url) as guest:
            order = Authentication(protocol=2, token=token, user_id=name)
            answer = await guest.ask(order, AuthenticationResult)
            assert not answer.ok
            return answer.code


@asynccontextmanager
async def host_in(folder: Path) -> AsyncIterator[Host]:
    async with (
        CollabServer(ServerConfig(data=folder, port=0)) as server,
        signed_in_client(server.address.url, await server.create_invite("owner"), user_id="ada") as ada,
    ):
        host = Host(server, ada, (await ada.create_and_open("Hello")).facts.document_id)
        await host.begin()
        yield host


@runs_async
async def test_while_the_list_is_closed_a_request_from_it_is_answered_with_nothing_but_a_refusal(
    tmp_path: Path,
) -> None:
    async with host_in(tmp_path) as host:
        tokens = {host.by_link.token, await host.fetched(), await host.paired()}
        assert len(tokens) == 3
        host.close_list()
        for _ in range(3):
            async with host.door() as link:
                link.send(encode(AskForInvitation()))
                frame = await link.receive()
                said = host_codec.decode(frame)
                assert isinstance(said, PairingRefused)
                assert said.code == ErrorCode.TOKEN_MISSING
                assert not [secret for secret in (*tokens, *host.code.split("-")[1:]) if secret in str(frame)]


@runs_async
async def test_what_was_fetched_before_the_list_was_closed_lets_nobody_in_after_it(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        token = await host.fetched()
        assert await host.lets_in(token, "early") == "Hello"
        host.close_list()
        assert await host.refusal(token, "mallory") == ErrorCode.INVITE_REVOKED
        async with signed_in_client(host.server.address.url, await host.server.create_invite("viewer")) as known:
            assert await known.refused(RedeemInvite(token=token)) == ErrorCode.INVITE_REVOKED
        host.open_list()
        assert await host.refusal(token, "mallory") == ErrorCode.INVITE_REVOKED
        assert await host.lets_in(await host.fetched(), "late") == "Hello"


@runs_async
async def test_the_link_and_the_code_of_before_go_on_letting_in(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        before = await host.paired()
        host.close_list()
        for at, token in enumerate((host.by_link.token, before, await host.paired())):
            assert await host.lets_in(token, f"guest {at}") == "Hello"
        with pytest.raises(RejectedError, match=ErrorCode.TOKEN_MISSING):
            await host.fetched()


@runs_async
async def test_what_the_list_gave_in_one_run_lets_nobody_into_the_next_one(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        token, address = await host.fetched(), host.server.address
    async with CollabServer(ServerConfig(data=tmp_path, port=address.port)) as server:
        assert await Host(server, host.ada, host.document_id).refusal(token, "mallory") == ErrorCode.INVITE_REVOKED
