"""Who was in a document is shown by its next room as well: unloaded, loaded anew, or after a restart of the server."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.helpers.legacy_client import legacy_client
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from texswarm_server.cli.database import changing
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.frames import Update
from texswarm_server.protocol.messages import DocumentClosed, DocumentList, ListDocuments, OpenDocument, Participants
from texswarm_server.sessions.administration import change_role, close_session, remove_member
from texswarm_server.storage.sqlite_records import SqliteRecords
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def lists(client: WireClient) -> list[dict[str, str]]:
    """Who is in the document, in the order in which this client heard it."""
    heard = [fact for fact in client.facts if isinstance(fact, Participants)]
    return [{each.display_name: each.state for each in fact.participants} for fact in heard]


def sees(client: WireClient, name: str) -> bool:
    return name in lists(client)[-1]


def does_not_see(client: WireClient, name: str) -> bool:
    return not sees(client, name)


@asynccontextmanager
async def back(url: str, first: WireClient) -> AsyncIterator[WireClient]:
    """Sign in on a new connection as the user and session of another client."""
    welcome = first.welcome
    assert welcome is not None
    async with wire_client(url) as again:
        again.replicas = first.replicas
        await again.sign_in(welcome.access_token, user_id=welcome.user_id, session_id=welcome.session_id)
        assert again.welcome is not None
        assert again.welcome.resumed
        yield again


@asynccontextmanager
async def two_in_a_document(place) -> AsyncIterator[tuple[WireClient, WireClient, str]]:
    async with signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create_and_open("x")).facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            await bob.open(document_id)
            await ada.until(lambda: lists(ada)[-1:] == [{"Ada": "here", "Bob": "here"}])
            yield ada, bob, document_id


async def dropped(*clients: WireClient) -> None:
    for client in clients:
        client.cut()
        await client.closed()


def places_in(data: Path) -> int:
    return count_of("places", data)


def count_of(table: str, data: Path) -> int:
    with closing(sqlite3.connect(database_path(data))) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@runs_async
async def test_who_was_away_when_a_document_was_unloaded_is_away_when_it_is_opened_again(premises) -> None:
    async with premises.running(idle_document_s=0.02, presence_grace_s=0.1) as place:
        async with two_in_a_document(place) as (ada, bob, document_id):
            await dropped(ada, bob)
            await until(lambda: not place.server._documents._entries)
            await until(lambda: not len(place.server._documents._places._awaited))
        async with back(place.url, ada) as again:
            await again.open(document_id)
            await again.until(lambda: lists(again) != [])
            assert lists(again)[0] == {"Ada": "here", "Bob": "away"}


@runs_async
async def test_whoever_is_shown_to_others_is_stored_by_then(premises) -> None:
    async with premises.running() as place, two_in_a_document(place) as (ada, _bob, document_id):
        invite = await place.server.create_invite("editor", document_id)
        async with AsyncExitStack() as others:
            for number in (3, 4, 5):  # one right after another
                client = await others.enter_async_context(signed_in_client(place.url, invite, name=str(number)))
                await client.open(document_id)
                await ada.until(partial(sees, ada, str(number)))
                assert places_in(premises.config.data) == number


@runs_async
async def test_whoever_is_told_to_have_gone_is_not_stored_any_more_by_then(premises) -> None:
    async with premises.running() as place, two_in_a_document(place) as (ada, _bob, document_id):
        invite = await place.server.create_invite("editor", document_id)
        async with AsyncExitStack() as others:
            guests = [await others.enter_async_context(signed_in_client(place.url, invite, name=n)) for n in "345"]
            opened = [await guest.open(document_id) for guest in guests]
            await ada.until(lambda: len(lists(ada)[-1]) == 5)
            for number in range(3):  # one right after another
                await guests[number].close_document(opened[number])
                await ada.until(partial(does_not_see, ada, "345"[number]))
                assert places_in(premises.config.data) == 4 - number


@runs_async
async def test_a_place_that_was_stored_for_who_was_not_let_in_is_removed(premises) -> None:
    limits = premises.config.limits.__class__(max_open_documents=1)
    async with premises.running(limits=limits) as place, signed_in_client(place.url, place.host_invite) as ada:
        documents = [(await ada.create()).document_id for _ in range(2)]
        await ada.open(documents[0])
        assert await ada.refused(OpenDocument(document_id=documents[1])) == "limit_exceeded"
        await until(lambda: places_in(premises.config.data) == 1)


@runs_async
async def test_nobody_goes_and_comes_when_a_document_is_loaded_anew(premises) -> None:
    async with premises.running() as place, two_in_a_document(place) as (ada, bob, document_id):
        seen = len(lists(ada))
        mine = ada.documents[next(iter(ada.documents))]
        mine.replica.add_file("one.tex")
        mine.replica.add_file("two.tex")
        await mine.send(Update(mine.outgoing[1]))  # before its predecessor: the room is loaded anew
        assert (await ada.heard(DocumentClosed)).code == "document_reloaded"
        await ada.open(document_id)
        await ada.until(lambda: lists(ada)[-1] == {"Ada": "here", "Bob": "reconnecting"})
        await bob.open(document_id)
        await ada.until(lambda: lists(ada)[-1] == {"Ada": "here", "Bob": "here"})
        assert [names for names in lists(ada)[seen:] if set(names) != {"Ada", "Bob"}] == []


@runs_async
async def test_who_comes_back_without_opening_a_document_again_has_left_it(premises) -> None:
    async with (
        premises.running(presence_grace_s=0.2, heartbeat_s=0.2, dead_after_s=0.5) as place,
        two_in_a_document(place) as (ada, bob, _document_id),
    ):
        await dropped(bob)
        await ada.until(lambda: lists(ada)[-1] == {"Ada": "here", "Bob": "reconnecting"})
        async with back(place.url, bob) as again:
            await ada.until(lambda: lists(ada)[-1] == {"Ada": "here", "Bob": "away"})  # the answer may not have arrived
            await again.ask(ListDocuments(), DocumentList)
            await ada.until(lambda: lists(ada)[-1] == {"Ada": "here"})


@runs_async
async def test_a_place_that_nobody_came_back_to_counts_for_no_limit(premises) -> None:
    limits = premises.config.limits.__class__(max_open_documents=1)
    async with premises.running(limits=limits) as place, two_in_a_document(place) as (ada, _bob, document_id):
        await dropped(ada)
        async with back(place.url, ada) as again:
            other = await again.create_and_open("other")
            assert await again.refused(OpenDocument(document_id=document_id)) == "limit_exceeded"
            await again.close_document(other)
            await again.open(document_id)


@runs_async
async def test_who_was_removed_while_nothing_was_in_memory_is_not_shown(premises) -> None:
    async with premises.running(idle_document_s=0.02) as place:
        async with two_in_a_document(place) as (ada, bob, document_id):
            await dropped(ada, bob)
            await until(lambda: not place.server._documents._entries)
        with changing(premises.config.data) as change:
            who = {"actor": change.actor, "user_id": bob.welcome.user_id}
            remove_member(change.records, now=change.now, document_id=document_id, ban=False, **who)
        await until(lambda: len(place.server._documents._places) == 1)
        async with back(place.url, ada) as again:
            await again.open(document_id)
            await again.until(lambda: lists(again) == [{"Ada": "here"}])


@runs_async
async def test_after_a_restart_those_are_shown_who_may_still_come_and_as_what_they_are_now(premises) -> None:
    async with premises.running() as place, two_in_a_document(place) as (ada, bob, document_id):
        invite = partial(place.server.create_invite, "editor", document_id)
        async with (
            signed_in_client(place.url, await invite(), name="Eve") as eve,
            signed_in_client(place.url, await invite(), name="Joe") as joe,
        ):
            for client in (eve, joe):
                await client.open(document_id)
            await until(lambda: places_in(premises.config.data) == 4)
            await dropped(ada, bob, eve, joe)
    with changing(premises.config.data) as change:
        details = {"actor": change.actor, "now": change.now}
        remove_member(change.records, user_id=eve.welcome.user_id, document_id=document_id, ban=True, **details)
        change_role(change.records, user_id=bob.welcome.user_id, document_id=document_id, role="viewer", **details)
        close_session(change.records, session_id=joe.welcome.session_id, **details)
    async with premises.running() as place, back(place.url, ada) as again:
        await again.open(document_id)
        listed = (await again.heard(Participants)).participants
        assert {(each.display_name, each.role, each.state) for each in listed} == {
            ("Ada", "owner", "here"),
            ("Bob", "viewer", "reconnecting"),
        }
        assert places_in(premises.config.data) == 2


@runs_async
async def test_a_session_that_was_closed_just_before_a_server_stopped_stays_closed(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        session_id = ada.welcome.session_id
        with changing(premises.config.data) as change:
            close_session(change.records, session_id=session_id, actor=change.actor, now=change.now)
        await dropped(ada)  # before the server has looked at what was changed
    with changing(premises.config.data) as change:
        assert change.records.find_session(session_id) is None


@pytest.mark.expects_log
@runs_async
async def test_a_session_that_is_over_and_that_the_disk_kept_is_forgotten_when_the_server_stops(
    premises, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[object] = []

    def refuse(_records: SqliteRecords, session_ids: object) -> None:
        refused.append(session_ids)
        raise sqlite3.OperationalError("database or disk is full")

    async with premises.running(housekeeping_s=3600.0) as place:
        with monkeypatch.context() as patch:
            patch.setattr(SqliteRecords, "remove_sessions", refuse)
            async with legacy_client(place.url, place.host_invite):
                pass
            await until(lambda: refused != [])
        assert count_of("sessions", premises.config.data) == 1
    assert count_of("sessions", premises.config.data) == 0
    assert "not stored" in caplog.text


@runs_async
async def test_who_was_at_an_open_server_is_shown_after_a_restart_as_well(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None) as ada,
        signed_in_client(place.url, None, name="Bob") as bob,
    ):
        document_id = (await ada.create_and_open("x")).facts.document_id
        await bob.open(document_id)
        await dropped(ada, bob)
    async with premises.running(open=True) as place, back(place.url, ada) as again:
        await again.open(document_id)
        await again.until(lambda: lists(again) != [])
        assert lists(again)[0] == {"Ada": "here", "Bob": "reconnecting"}


@runs_async
async def test_nobody_is_expected_back_where_the_host_ended_the_session(premises) -> None:
    async with premises.running() as place, two_in_a_document(place) as (ada, bob, _):
        await until(lambda: places_in(premises.config.data) == 2)
        await place.server.stop(CloseCode.SESSION_ENDED)
        assert {await ada.closed(), await bob.closed()} == {4410}
    assert places_in(premises.config.data) == 0


@runs_async
async def test_a_server_that_was_killed_again_and_again_does_not_keep_a_session_for_ever(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite):
        pass
    with closing(sqlite3.connect(database_path(premises.config.data))) as database:
        database.execute("UPDATE sessions SET detached_at = NULL")  # as a kill leaves it
        database.commit()
    now = 1_000_000.0
    async with premises.running(wall_clock=lambda: now):
        pass
    async with premises.running(wall_clock=lambda: now + premises.config.grace_s + 1.0) as place:
        await until(lambda: len(place.server._front_desk._registry) == 0)
