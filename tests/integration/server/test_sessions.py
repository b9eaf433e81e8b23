"""Sessions over real connections: resumed, taken over, side by side, expired."""

from __future__ import annotations

import asyncio
import threading

from tests.helpers.patience import felt_time
from tests.helpers.run_async import runs_async, until
from tests.helpers.tcp_proxy import TcpProxy
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    DocumentList,
    ListDocuments,
    Participants,
)
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.audit import AuditAction


def who(client: WireClient) -> list[tuple[str, str]]:
    """Who is in the document, as this client heard last."""
    heard = [fact for fact in client.facts if isinstance(fact, Participants)]
    return [(each.display_name, each.state) for each in heard[-1].participants] if heard else []


async def back(client: WireClient, first: WireClient) -> None:
    """Sign in on a new connection as the user and session of another client."""
    assert first.welcome is not None
    await client.sign_in(first.welcome.access_token, user_id=first.welcome.user_id, session_id=first.welcome.session_id)


@runs_async
async def test_a_session_is_resumed_on_a_new_connection(premises) -> None:
    async with premises.running() as place:
        async with signed_in_client(place.url, place.host_invite) as first:
            first.cut()
            await first.closed()
        async with wire_client(place.url) as again:
            await back(again, first)
            assert again.welcome.resumed
            assert again.welcome.session_id == first.welcome.session_id


@runs_async
async def test_a_connection_that_still_holds_the_session_gives_way(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as first,
        wire_client(place.url) as again,
    ):
        await back(again, first)
        assert again.welcome.resumed
        assert await first.closed() == 4409
        assert await again.ask(ListDocuments(), DocumentList)


@runs_async
async def test_what_a_client_said_over_a_connection_it_gave_up_does_not_end_its_new_one(premises) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as first,
        wire_client(place.url) as stuck,
        wire_client(place.url) as newest,
    ):
        await back(newest, first)
        await stuck.send_text(encode(Authentication(protocol=2, token="spent", session_id=first.welcome.session_id)))

        assert await stuck.closed() == 4409
        assert await newest.ask(ListDocuments(), DocumentList)


@runs_async
async def test_a_session_is_resumed_after_a_restart_of_the_server(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as first:
        pass
    async with premises.running() as place, wire_client(place.url) as again:
        await back(again, first)
        assert again.welcome.resumed


@runs_async
async def test_a_session_that_expired_is_a_new_one_and_no_error(premises) -> None:
    async with premises.running(grace_s=0.05) as place:
        async with signed_in_client(place.url, place.host_invite) as first:
            pass
        await until(lambda: len(place.server._front_desk._registry) == 0)
        async with wire_client(place.url) as again:
            await again.sign_in(first.welcome.access_token, session_id=first.welcome.session_id)
            assert not again.welcome.resumed
        assert again.welcome.session_id != first.welcome.session_id
        assert again.welcome.user_id == first.welcome.user_id


@runs_async
async def test_anothers_session_is_not_resumed(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        async with signed_in_client(place.url, place.host_invite, session_id=ada.welcome.session_id) as mallory:
            assert not mallory.welcome.resumed
            assert mallory.welcome.session_id != ada.welcome.session_id
        assert await ada.ask(ListDocuments(), DocumentList)


@runs_async
async def test_two_windows_of_one_user_write_side_by_side(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as one:
        document = await one.create_and_open("One")
        async with signed_in_client(place.url, one.welcome.access_token, user_id=one.welcome.user_id) as two:
            same = await two.open(document.facts.document_id)
            await same.write(" and two")
            await document.shows("One and two")
            await one.until(lambda: who(one) == [("Ada", "here"), ("Ada", "here")])


@runs_async
async def test_more_sessions_than_allowed_are_refused_and_may_be_tried_again(premises) -> None:
    limits = Limits(max_sessions_per_user=1)
    async with (
        premises.running(limits=limits) as place,
        signed_in_client(place.url, place.host_invite) as one,
        wire_client(place.url) as two,
    ):
        answer = await two.ask(Authentication(protocol=2, token=one.welcome.access_token), AuthenticationResult)

        assert (answer.ok, answer.code, answer.retryable) == (False, "limit_exceeded", True)
        assert await two.closed() == 1013


@runs_async
async def test_the_others_see_reconnecting_then_away_then_back_then_gone(premises) -> None:
    async with (
        premises.running(presence_grace_s=0.2) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        document = await ada.create_and_open("x")
        invite = await place.server.create_invite("editor", document.facts.document_id)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            mine = await bob.open(document.facts.document_id)
            await mine.publish({"user": {"name": "Bob"}, "caret": 1})
            await ada.until(lambda: mine.replica.client_id in document.presence)
            assert who(ada) == [("Ada", "here"), ("Bob", "here")]
            bob.cut()
            await ada.until(lambda: who(ada)[1:] == [("Bob", "reconnecting")])
            assert document.presence[mine.replica.client_id] is not None
            await ada.until(lambda: who(ada)[1:] == [("Bob", "away")])
            await ada.until(lambda: document.presence[mine.replica.client_id] is None)
        async with wire_client(place.url) as again:
            await back(again, bob)
            again.replicas = bob.replicas
            mine = await again.open(document.facts.document_id)
            await ada.until(lambda: who(ada)[1:] == [("Bob", "here")])
            await mine.publish({"user": {"name": "Bob"}, "caret": 2}, clock=2)
            await ada.until(lambda: (document.presence[mine.replica.client_id] or {}).get("caret") == 2)
        await ada.until(lambda: who(ada) == [("Ada", "here")])


@runs_async
async def test_who_dropped_out_is_reconnecting_for_as_long_as_is_set_and_no_longer(premises) -> None:
    grace_s, look_s, told_s = 0.5, 0.1, 0.4
    clock = asyncio.get_running_loop().time
    async with (
        premises.running(presence_grace_s=grace_s, housekeeping_s=look_s) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        document = await ada.create_and_open("x")
        invite = await place.server.create_invite("editor", document.facts.document_id)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            await bob.open(document.facts.document_id)
            await ada.until(lambda: who(ada)[1:] == [("Bob", "here")])
            cut_at = clock()
            bob.cut()
            with felt_time() as felt:
                await ada.until(lambda: who(ada)[1:] == [("Bob", "away")])
            away_s = clock() - cut_at
    assert away_s >= grace_s
    assert felt.seconds <= grace_s + look_s + told_s


@runs_async
async def test_a_guest_from_whom_nothing_comes_is_missed_in_time_and_one_who_only_listens_is_not(premises) -> None:
    """A cable without a sign; and one on which pings are all there is to answer."""
    ping_s, dead_s, told_s = 0.2, 0.8, 0.4
    clock = asyncio.get_running_loop().time
    async with (
        premises.running(heartbeat_s=ping_s, dead_after_s=dead_s) as place,
        signed_in_client(place.url, place.host_invite) as ada,
        TcpProxy(place.server.address.port) as cable,
    ):
        document = await ada.create_and_open("x")
        invite = await place.server.create_invite("editor", document.facts.document_id)
        async with signed_in_client(f"ws://127.0.0.1:{cable.port}/ws", invite, name="Bob") as bob:
            await bob.open(document.facts.document_id)
            await ada.until(lambda: who(ada)[1:] == [("Bob", "here")])
            listens_until = clock() + 2 * dead_s
            await until(lambda: clock() > listens_until)
            assert who(ada)[1:] == [("Bob", "here")]
            cable.half_open()
            cut_at = clock()
            with felt_time() as felt:
                await ada.until(lambda: who(ada)[1:] == [("Bob", "reconnecting")])
            missed_s = clock() - cut_at
            bob.cut()
    assert missed_s >= dead_s - ping_s
    assert felt.seconds <= dead_s + ping_s + told_s


@runs_async
async def test_a_return_in_time_leaves_no_gap(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document = await ada.create_and_open("x")
        invite = await place.server.create_invite("editor", document.facts.document_id)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            await bob.open(document.facts.document_id)
            async with wire_client(place.url) as again:
                await back(again, bob)
                await again.open(document.facts.document_id)
                await ada.until(lambda: who(ada)[1:] == [("Bob", "here")])
                lists = [fact for fact in ada.facts if isinstance(fact, Participants)]
                ids = {each.participant_id for fact in lists for each in fact.participants}
                assert len(ids) == 2


@runs_async
async def test_what_is_stored_of_a_session_is_what_was_told_of_it(premises) -> None:
    async with premises.running() as place:
        store = place.server._store
        async with signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
            async with signed_in_client(
                place.url, place.host_invite, user_id="eve", session_id=ada.welcome.session_id
            ) as eve:
                told = {(each.welcome.session_id, each.welcome.user_id) for each in (ada, eve)}
                stored = await store.run(lambda records: records.sessions())
                assert {(each.session_id, each.user_id) for each in stored} == told
                assert [each.detached_at for each in stored] == [None, None]
            ada.cut()
            await ada.closed()
        async with wire_client(place.url) as again:
            await back(again, ada)
            stored = await store.run(lambda records: records.sessions())
            assert again.welcome.session_id in [each.session_id for each in stored if each.detached_at is None]


@runs_async
async def test_who_was_shut_out_before_the_disk_answered_leaves_no_session_behind(premises) -> None:
    async with premises.running(auth_timeout_s=0.05) as place:
        store, may_go_on = place.server._store, threading.Event()
        waiting = store.run(lambda _records: may_go_on.wait())
        try:
            async with wire_client(place.url) as slow:
                await slow.send_text(encode(Authentication(protocol=2, token=place.host_invite, user_id="ada")))
                assert await slow.closed() == 4408
        finally:
            may_go_on.set()
        await waiting
        await until(lambda: not place.server._peers)

        entries, sessions = await store.run(lambda records: (records.audit(), records.sessions()))
        assert AuditAction.SIGNED_IN in [each.action for each in entries]
        assert not sessions
