"""A full server: nobody who is in suffers, and everybody else is told, in the words of his wire, to come later."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.helpers.legacy_client import legacy_client
from tests.helpers.plain_http import get
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client, wire_client
from tests.helpers.yjs_client import yjs_client
from texswarm_server.protocol.messages import Authentication, AuthenticationResult


async def refused_handshake(url: str, **options: object) -> tuple[int, str]:
    """The status and code a handshake is answered with."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, **options)
    response = refused.value.response
    assert int(response.headers["Retry-After"]) > 0
    return response.status_code, json.loads(response.body)["code"]


@runs_async
async def test_who_comes_to_a_full_server_is_told_so_and_may_come_later(premises) -> None:
    async with premises.running(max_connections=2) as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open("Hello")
        document_id, invite = opened.facts.document_id, await place.server.create_invite("editor")
        async with signed_in_client(place.url, place.host_invite):
            async with wire_client(place.url) as bob:
                answer = await bob.answer(Authentication(protocol=2, token=invite))
                assert isinstance(answer, AuthenticationResult)
                assert (answer.ok, answer.code, answer.retryable) == (False, "over_capacity", True)
                assert answer.retry_after_s
                assert await bob.closed() == 1013
            async with yjs_client(place.url, document_id, ada.welcome.access_token) as browser:
                assert await browser.closed() == 1013
            async with legacy_client(place.url) as old:
                refused = await old.refused("Authentication", {"user_id": "old", "token": invite})
                assert refused["code"] == "auth_failed"
                assert "over_capacity" in refused["message"]
            await opened.write(", undisturbed")
            await opened.acknowledged_all()
        await until(lambda: len(place.server._peers) == 1)
        async with wire_client(place.url) as bob:
            await bob.sign_in(invite)


@runs_async
async def test_a_session_is_taken_over_also_where_no_place_is_free(premises) -> None:
    async with (
        premises.running(max_connections=1) as place,
        signed_in_client(place.url, place.host_invite) as ada,
        wire_client(place.url) as again,
    ):
        welcome = await again.sign_in(ada.welcome.refresh_token, session_id=ada.welcome.session_id)
        assert welcome.resumed
        assert await ada.closed() == 4409
        async with wire_client(place.url) as bob:
            await bob.send(Authentication(protocol=2, token=place.host_invite))
            assert await bob.closed() == 1013


@runs_async
async def test_a_refused_sign_in_takes_nobodys_place(premises) -> None:
    async with premises.running(max_connections=1) as place:
        for _ in range(3):
            async with wire_client(place.url) as stranger:
                await stranger.send(Authentication(protocol=2, token="txi_nonsense"))
                assert await stranger.closed() == 4401
        async with wire_client(place.url) as ada:
            await ada.sign_in(place.host_invite)


@runs_async
async def test_connections_without_a_sign_in_are_bounded(premises) -> None:
    async with premises.running(max_unauthenticated=2) as place:
        async with wire_client(place.url) as ada, wire_client(place.url):
            assert await refused_handshake(place.url) == (503, "over_capacity")
            assert (await get(place.url, "/healthz")).status == 200
            await ada.sign_in(place.host_invite)
            async with wire_client(place.url) as bob:
                await bob.sign_in(place.host_invite)
        metrics = (await get(place.url, "/metrics")).body.decode()
        assert 'texswarm_handshakes_refused_total{reason="unauthenticated"} 1.0' in metrics


@runs_async
async def test_one_address_may_not_take_all_places(premises) -> None:
    async with (
        premises.running(max_connections_per_address=1, trusted_proxies=("127.0.0.1",)) as place,
        wire_client(place.url, additional_headers={"X-Forwarded-For": "203.0.113.7"}),
    ):
        same = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
        assert await refused_handshake(place.url, additional_headers=same) == (503, "over_capacity")
        async with wire_client(place.url, additional_headers={"X-Forwarded-For": "203.0.113.8"}) as other:
            await other.sign_in(place.host_invite)


@runs_async
async def test_sockets_that_say_nothing_are_bounded(premises) -> None:
    async with premises.running(max_connections=1, max_unauthenticated=1) as place:
        host, port = place.server.address.host, place.server.address.port
        sockets = [await asyncio.open_connection(host, port) for _ in range(70)]
        try:
            ended = [reader for reader, _ in sockets]
            await until(lambda: sum(reader.at_eof() or reader.exception() is not None for reader in ended) == 4)
            assert len(place.server._listener._siblings.members) == 66
        finally:
            for _, writer in sockets:
                writer.transport.abort()
