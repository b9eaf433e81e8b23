"""The y-websocket wire over real connections, with a client that says what a test tells it to."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client
from tests.helpers.yjs_client import YjsClient, yjs_client
from texswarm_server.document import ProjectDocument
from texswarm_server.net.yjs_peer import YjsPeer
from texswarm_server.protocol.messages import Participants


async def published(client: YjsClient, client_id: int) -> dict[str, Any]:
    await client.until(lambda: client.presence.get(client_id) is not None)
    return client.presence[client_id] or {}


@runs_async
async def test_edits_go_both_ways_and_are_stored(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        async with yjs_client(place.url, document_id, invite) as browser:
            await browser.shows("Hello")
            await browser.insert(5, " é😀")
            await opened.shows("Hello é😀")
            await opened.write("!")
            await browser.shows("Hello é😀!")
    async with premises.running() as place:
        invite = await place.server.create_invite("viewer", document_id)
        async with yjs_client(place.url, document_id, invite) as browser:
            await browser.shows("Hello é😀!")


@runs_async
async def test_what_was_written_while_away_arrives_with_the_sync(premises) -> None:
    async with premises.running(open=True) as place, signed_in_client(place.url, None) as desktop:
        opened = await desktop.create_and_open("Hello")
        replica = ProjectDocument()
        async with yjs_client(place.url, opened.facts.document_id, None, replica) as browser:
            await browser.shows("Hello")
        replica.text(replica.file_at("main.tex")).replace_u16(5, 5, " again")
        async with yjs_client(place.url, opened.facts.document_id, None, replica):
            await opened.shows("Hello again")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@runs_async
async def test_a_users_own_tokens_let_in(premises, kind) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        async with yjs_client(place.url, opened.facts.document_id, getattr(desktop.welcome, kind)) as browser:
            await browser.shows("Hello")


@runs_async
async def test_who_may_not_see_a_document_is_closed_before_anything_is_said(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Secret")
        document_id = opened.facts.document_id
        mine = desktop.welcome.access_token
        for wanted, token, code in (
            (document_id, None, 4401),
            (document_id, "nothing", 4401),
            (document_id, "txi_wrong", 4401),
            (document_id, place.host_invite, 4403),
            (str(uuid4()), mine, 4403),
            ("", mine, 4403),
            ("a/b%2F..", mine, 4403),
        ):
            async with yjs_client(place.url, wanted, token) as stranger:
                assert await stranger.closed() == code
                assert not stranger.is_synced
                assert stranger.replica.is_empty
                assert stranger.presence == {}


@runs_async
async def test_a_viewers_edits_are_ignored_and_the_rest_goes_on(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        invite = await place.server.create_invite("viewer", document_id)
        async with yjs_client(place.url, document_id, invite) as viewer:
            await viewer.shows("Hello")
            await viewer.insert(0, "not ")
            await viewer.publish({"user": {"name": "Vi"}})
            await desktop.until(lambda: opened.presence.get(viewer.replica.client_id) is not None)
            await opened.write("!")
            await viewer.shows("not Hello!")
            assert opened.text() == "Hello!"


@runs_async
async def test_what_is_no_message_of_yjs_is_passed_over(premises) -> None:
    async with premises.running(open=True) as place, signed_in_client(place.url, None) as desktop:
        opened = await desktop.create_and_open("Hello")
        async with yjs_client(place.url, opened.facts.document_id, None) as browser:
            await browser.shows("Hello")
            for nonsense in (b"", b"\xff", b"\x00\x02\x05abc", b"\x00\x02\x03abc", b"\x64\x01", b"\x2a", "text"):
                await browser.connection.send(nonsense)
            await browser.insert(0, "Oh ")
            await opened.shows("Oh Hello")


@runs_async
async def test_presence_is_told_and_can_be_asked_for(premises) -> None:
    async with premises.running(open=True) as place, signed_in_client(place.url, None, name="Ada") as desktop:
        opened = await desktop.create_and_open("Hello")
        await opened.publish({"user": {}})
        async with yjs_client(place.url, opened.facts.document_id, None) as browser:
            ada = opened.replica.client_id
            assert (await published(browser, ada))["user"]["name"] == "Ada"
            browser.presence.clear()
            await browser.connection.send(b"\x03")
            assert (await published(browser, ada))["user"]["name"] == "Ada"
            await browser.publish({"user": {"name": "Browser"}})
            await desktop.until(lambda: opened.presence.get(browser.replica.client_id) is not None)
        await desktop.until(lambda: opened.presence[browser.replica.client_id] is None)


@runs_async
async def test_who_is_alone_hears_signs_of_life(premises) -> None:
    async with premises.running(open=True, heartbeat_s=0.02) as place, signed_in_client(place.url, None) as desktop:
        created = await desktop.create()
        async with yjs_client(place.url, created.document_id, None) as browser:
            await browser.until(lambda: browser.awareness_messages >= 3)
            assert browser.presence == {}


@runs_async
async def test_who_is_alone_hears_them_in_time_however_seldom_the_server_pings(premises) -> None:
    async with (
        premises.running(open=True, heartbeat_s=60.0, dead_after_s=120.0) as place,
        signed_in_client(place.url, None) as desktop,
    ):
        created = await desktop.create()
        async with yjs_client(place.url, created.document_id, None):
            await until(lambda: any(isinstance(each, YjsPeer) and each._heartbeat for each in place.server._peers))
            (peer,) = (each for each in place.server._peers if isinstance(each, YjsPeer))
            assert 0 < peer._heartbeat.when() - asyncio.get_running_loop().time() < 10


@runs_async
async def test_who_does_not_move_is_not_forgotten(premises) -> None:
    async with (
        premises.running(open=True, presence_renewal_s=0.02) as place,
        signed_in_client(place.url, None) as desktop,
    ):
        opened = await desktop.create_and_open("Hello")
        await opened.publish({"user": {}, "at": 1})
        ada, document_id = opened.replica.client_id, opened.facts.document_id
        async with yjs_client(place.url, document_id, None) as one, yjs_client(place.url, document_id, None) as two:
            await one.publish({"user": {"name": "one"}})
            await two.publish({"user": {"name": "two"}})
            mine, theirs = one.replica.client_id, two.replica.client_id
            await one.until(lambda: min(one.clocks.get(ada, 0), one.clocks.get(theirs, 0)) > 3)
            await two.until(lambda: min(two.clocks.get(ada, 0), two.clocks.get(mine, 0)) > 3)
            assert (one.presence[ada] or {})["at"] == 1
            assert mine not in one.clocks
            assert theirs not in two.clocks
            moved = one.clocks[ada]
            await opened.publish({"user": {}, "at": 2}, clock=2)
            await one.until(lambda: (one.presence[ada] or {})["at"] == 2)
            assert one.clocks[ada] > moved


@runs_async
async def test_a_browser_that_is_lost_and_back_is_not_seen_to_go_and_come_and_shows_its_caret_again(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        replica = ProjectDocument()

        def states() -> list[str]:
            lists = [fact.participants for fact in desktop.facts if isinstance(fact, Participants)]
            told = ["".join(each.state for each in people[1:]) for people in lists]
            return [each for each, before in pairwise([*told[::-1], ""]) if each != before][::-1]

        async with yjs_client(place.url, document_id, invite, replica) as browser:
            await browser.publish({"user": {"name": "Eve"}, "caret": 1})
            await desktop.until(lambda: opened.presence.get(replica.client_id) is not None)
            browser.connection.transport.abort()
            await desktop.until(lambda: states()[-1:] == ["reconnecting"])
            await desktop.until(lambda: opened.presence[replica.client_id] is None)
        async with yjs_client(place.url, document_id, invite, replica) as browser:
            await browser.publish({"user": {"name": "Eve"}, "caret": 1})  # a browser's clock stands still
            await desktop.until(lambda: opened.presence[replica.client_id] is not None)
            await desktop.until(lambda: states()[-1:] == ["here"])
            assert states() == ["here", "reconnecting", "here"]
            browser.connection.protocol.send_close()  # without a code, as a browser says goodbye
            browser.connection.send_data()
        await desktop.until(lambda: states()[-1:] == [""])


@runs_async
async def test_one_of_two_windows_of_a_browser_that_are_lost_goes_on_with_what_was_in_its_document(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        documents = [(await desktop.create_and_open(text)).facts.document_id for text in ("one", "two")]
        token = desktop.welcome.access_token
        async with yjs_client(place.url, documents[0], token) as one, yjs_client(place.url, documents[1], token) as two:
            await until(lambda: place.server._front_desk.session_counts == {"attached": 3, "detached": 0})
            for each in (one, two):
                await each.shows("one" if each is one else "two")
                each.connection.transport.abort()
            await until(lambda: place.server._front_desk.session_counts == {"attached": 1, "detached": 2})
        async with yjs_client(place.url, documents[0], token) as one:
            await one.until(lambda: one.is_synced)
            assert place.server._front_desk.session_counts == {"attached": 2, "detached": 1}
            async with yjs_client(place.url, documents[0], token) as another:
                await another.until(lambda: another.is_synced)
                assert place.server._front_desk.session_counts == {"attached": 3, "detached": 1}
