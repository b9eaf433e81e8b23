"""Who is in a document, as the others are told over a restart of the server: coming back, then away, and no leaving."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.legacy_client import legacy_client
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import runs_async, until
from tests.helpers.server_process import ServerProcess
from tests.helpers.tcp_proxy import TcpProxy
from tests.helpers.yjs_client import yjs_client
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.events import TransportLost
from texswarm_desktop.client.states import Live
from texswarm_desktop.client.timing import LAN
from texswarm_server.protocol.invite_link import ServerAddress, parse_invite_link
from texswarm_server.protocol.messages import CreateDocument, CreateInvite, InviteCreated
from texswarm_server.storage.read_only import open_read_only
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from texswarm_server.protocol.messages import Participant

LINEAGE = "33333333-3333-4333-8333-333333333333"
HASTY = replace(LAN, backoff_s=(0.0, 0.02, 0.05), close_timeout_s=0.2, probe_timeout_s=0.3)
#: How long the server waits for who does not come back before they are away.
SOON_AWAY_S = 2.0
HERE = {"Ada": "here", "Bob": "here", "Eve": "here"}


class Reader(ModelReplica):
    """A copy that keeps every list it is told, as names and states."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, str]] = []

    def participants_changed(self, participants: list[Participant]) -> None:
        super().participants_changed(participants)
        self.told.append({each.display_name: each.state for each in participants})


class Person:
    """One installation, its document open as long as it runs."""

    def __init__(self, name: str, port: int, invite: str) -> None:
        credentials = self.credentials = FakeCredentials(invite=invite)
        credentials.describe(name, "#336699")
        self.reader = Reader()
        self.connection = Connection(address=ServerAddress("127.0.0.1", port), credentials=credentials, profile=HASTY)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Person]:
        async with self.connection:
            self.connection.connect()
            await until(lambda: isinstance(self.connection.state, Live))
            yield self

    def open(self) -> None:
        self.reader.sync = self.connection.add(self.reader)

    @property
    def sees(self) -> dict[str, str]:
        return self.reader.told[-1] if self.reader.told else {}

    def has_seen(self, name: str) -> bool:
        return name in self.sees

    def misses(self, name: str) -> bool:
        return name not in self.sees

    def heard_since(self, moment: int) -> list[set[str]]:
        """Who was named in each list, in the order in which they came."""
        return [set(names) for names in self.reader.told[moment:]]


def stored_places(data: Path) -> list[tuple[str, str]]:
    """Return session and document of everybody who is somewhere, as far as a power cut would leave it."""
    with closing(open_read_only(database_path(data))) as database:
        return database.execute("SELECT session_id, document_id FROM places").fetchall()


async def shared(ada: Person) -> InviteCreated:
    """Make a document, open it, and return an invite for others."""
    ada.reader.create(LINEAGE)
    document_id = ada.reader.document_id
    await ada.connection.request(CreateDocument(title="Paper", document_id=document_id, lineage=LINEAGE))
    ada.open()
    invite = await ada.connection.request(CreateInvite(document_id=document_id, role="editor"))
    assert isinstance(invite, InviteCreated)
    return invite


@asynccontextmanager
async def three_people(server: ServerProcess, cable: TcpProxy) -> AsyncIterator[tuple[Person, Person, Person]]:
    """Ada and Bob at the server, and Eve behind a cable of her own."""
    token = parse_invite_link(await server.invite(f"ws://127.0.0.1:{server.port}/ws")).token
    async with Person("Ada", server.port, token).running() as ada:
        invite = await shared(ada)
        async with (
            Person("Bob", server.port, invite.token).running() as bob,
            Person("Eve", cable.port, invite.token).running() as eve,
        ):
            bob.open()
            eve.open()
            await until(lambda: all(each.sees == HERE for each in (ada, bob, eve)))
            await until(lambda: len(stored_places(server.data)) == len(HERE))
            yield ada, bob, eve


@pytest.mark.parametrize("end", ["kill", "stop"])
@runs_async
async def test_nobody_leaves_and_joins_while_a_server_restarts(tmp_path: Path, end: str) -> None:
    async with (
        ServerProcess(tmp_path / "data", "--drain", "0.2s") as server,
        TcpProxy(server.port) as cable,
        three_people(server, cable) as people,
    ):
        since = [len(each.reader.told) for each in people]
        cable.refuse()
        await until(lambda: all(each.sees["Eve"] == "reconnecting" for each in people[:2]))
        await getattr(server, end)()
        await server.start()
        await until(lambda: all(each.sees == HERE | {"Eve": "reconnecting"} for each in people[:2]))
        cable.restore()
        await until(lambda: all(each.sees == HERE for each in people))
        for person, moment in zip(people, since, strict=True):
            assert [names for names in person.heard_since(moment) if names != set(HERE)] == []


@pytest.mark.parametrize("end", ["kill", "stop"])
@runs_async
async def test_nor_do_those_on_the_other_wires_who_come_back_as_the_same_user(tmp_path: Path, end: str) -> None:
    everybody = {"Ada": "here", "Guest": "here", "Kim": "here"}
    async with ServerProcess(tmp_path / "data", "--drain", "0.2s") as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        token = parse_invite_link(await server.invite(url)).token
        async with Person("Ada", server.port, token).running() as ada:
            invite = await shared(ada)
            old = partial(legacy_client, url, invite.token, user_id="old")
            browser = partial(yjs_client, url, invite.document_id, invite.token, user_id="kim", name="Kim")
            async with old() as guest, browser():
                await guest.open(ada.reader.document_id)
                await until(lambda: ada.sees == everybody)
                since = len(ada.reader.told)
                await getattr(server, end)()
            await server.start()
            await until(lambda: ada.sees == everybody | {"Guest": "reconnecting", "Kim": "reconnecting"})
            async with old() as guest, browser():
                await guest.open(ada.reader.document_id)
                await until(lambda: ada.sees == everybody)
                assert [names for names in ada.heard_since(since) if names != set(everybody)] == []
            await until(lambda: set(ada.sees) == {"Ada"})


@runs_async
async def test_who_opened_a_document_just_before_a_server_was_killed_is_expected_back(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server:
        token = parse_invite_link(await server.invite(f"ws://127.0.0.1:{server.port}/ws")).token
        async with Person("Ada", server.port, token).running() as ada:
            invite = (await shared(ada)).token
            async with (
                Person("Bob", server.port, invite).running() as bob,
                Person("Eve", server.port, invite).running() as eve,
            ):
                for person, name in ((bob, "Bob"), (eve, "Eve")):  # one right after the other
                    person.open()
                    await until(partial(ada.has_seen, name))
                since = len(ada.reader.told)
                await server.kill()
                await server.start()
                await until(lambda: ada.sees == HERE and len(ada.reader.told) > since)
                assert [names for names in ada.heard_since(since) if names != set(HERE)] == []


@runs_async
async def test_who_left_just_before_a_server_was_killed_is_not_expected_back(tmp_path: Path) -> None:
    async with (
        ServerProcess(tmp_path / "data") as server,
        TcpProxy(server.port) as cable,
        three_people(server, cable) as (ada, bob, eve),
    ):
        for person, name in ((bob, "Bob"), (eve, "Eve")):  # one right after the other
            person.connection.remove(person.reader.document_id)
            await until(partial(ada.misses, name))
        since = len(ada.reader.told)
        await server.kill()
        await server.start()
        await until(lambda: len(ada.reader.told) > since and ada.sees == {"Ada": "here"})
        assert [names for names in ada.heard_since(since) if names != {"Ada"}] == []


@runs_async
async def test_who_gives_up_a_link_that_works_is_not_seen_to_go_and_come(tmp_path: Path) -> None:
    async with (
        ServerProcess(tmp_path / "data") as server,
        TcpProxy(server.port) as cable,
        three_people(server, cable) as (ada, _bob, eve),
    ):
        since, welcomes = len(ada.reader.told), len(eve.credentials.results)
        eve.connection._driver.post(TransportLost(eve.connection.state.generation))
        await until(lambda: len(eve.credentials.results) > welcomes and eve.sees == HERE)
        await until(lambda: "reconnecting" in {told["Eve"] for told in ada.reader.told[since:]} and ada.sees == HERE)
        assert [names for names in ada.heard_since(since) if names != set(HERE)] == []


@runs_async
async def test_who_does_not_come_back_after_a_restart_is_away_and_then_gone(tmp_path: Path) -> None:
    async with (
        ServerProcess(tmp_path / "data", "--presence-grace", f"{SOON_AWAY_S:.0f}s", "--grace", "4s") as server,
        TcpProxy(server.port) as cable,
        three_people(server, cable) as (ada, _bob, _eve),
    ):
        since = len(ada.reader.told)
        await server.kill()
        cable.refuse()
        begun = time.monotonic()
        await server.start()
        await until(lambda: len(ada.reader.told) > since)
        is_early = time.monotonic() - begun < SOON_AWAY_S  # on a busy machine she may have missed the first
        await until(lambda: "Eve" not in ada.sees)
        states = [told.get("Eve", "gone") for told in ada.reader.told[since:]]
        seen = sorted(set(states), key=states.index)
        assert seen == ["reconnecting", "away", "gone"] or (seen == ["away", "gone"] and not is_early)
