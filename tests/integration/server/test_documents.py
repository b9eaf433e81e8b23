"""Documents over real connections: roles, lineage, synchronising, what is refused and what goes on."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client
from texswarm_server.document import ProjectDocument
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.frames import Awareness, SyncStep1, SyncStep2, Update
from texswarm_server.protocol.messages import (
    CloseDocument,
    CreateDocument,
    DocumentClosed,
    DocumentCreated,
    DocumentInfo,
    DocumentList,
    DocumentOpened,
    Error,
    InviteRedeemed,
    ListDocuments,
    OpenDocument,
    RedeemInvite,
    RoleChanged,
)
from texswarm_server.protocol.version import Limits


@runs_async
async def test_what_one_types_the_other_reads_and_it_is_acknowledged(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("Hello")
        invite = await place.server.create_invite("editor", mine.facts.document_id)
        async with signed_in_client(place.url, invite) as bob:
            theirs = await bob.open(mine.facts.document_id, lineage=mine.facts.lineage)
            assert theirs.text() == "Hello"
            await theirs.write(" world é😀")
            await mine.shows("Hello world é😀")
            await theirs.acknowledged_all()
            assert theirs.handle == mine.handle


@runs_async
async def test_an_opening_that_says_what_it_has_is_answered_with_what_it_lacks(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("Hello")
        document_id = mine.facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        async with signed_in_client(place.url, invite) as bob:
            order = OpenDocument(document_id=document_id, state_vector=EMPTY_STATE)
            assert (await bob.ask(order, DocumentOpened)).sync_follows
            theirs = bob.documents[mine.handle]
            await bob.until(lambda: theirs.is_synced)
            assert [type(body) for _handle, body in bob.frames][:2] == [SyncStep1, SyncStep2]
            assert theirs.text() == "Hello"
            assert await bob.refused(OpenDocument(document_id=document_id, state_vector=b"\xff")) == "update_invalid"
            await bob.send(OpenDocument(document_id=document_id, state_vector=bytes(20_000)))
            await bob.heard(lambda fact: isinstance(fact, Error) and fact.code == "invalid_payload")


@runs_async
async def test_a_document_is_the_same_after_a_restart(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        before = await ada.create_and_open("Hello", title="Paper")
    async with (
        premises.running() as place,
        signed_in_client(place.url, ada.welcome.access_token, user_id=None) as again,
    ):
        listed = await again.ask(ListDocuments(), DocumentList)
        opened = await again.open(before.facts.document_id, lineage=before.facts.lineage)

    assert opened.text() == "Hello"
    assert opened.facts.title == "Paper"
    assert [(each.title, each.role, each.lineage) for each in listed.documents] == [
        ("Paper", "owner", before.facts.lineage)
    ]


@runs_async
async def test_the_list_shows_what_the_members_renamed_and_who_is_in_it(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open(title="Old")

        async def listed() -> DocumentInfo:
            return (await ada.ask(ListDocuments(), DocumentList)).documents[0]

        before = await listed()
        opened.replica.title = "New"
        await opened.flush()
        await opened.acknowledged_all()
        after = await listed()
        await ada.close_document(opened)
        closed = await listed()

    assert (before.title, after.title, closed.title) == ("Old", "New", "New")
    assert (before.active_collaborators, closed.active_collaborators) == (1, 0)
    assert after.updated_at > before.updated_at


@runs_async
async def test_creating_again_after_a_lost_answer_finds_the_same(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        order = CreateDocument(title="Paper", document_id=str(uuid4()), lineage="l-1")
        first, second = [await ada.ask(order, DocumentCreated) for _ in range(2)]
        assert (first.document_id, first.lineage) == (second.document_id, second.lineage)
        async with signed_in_client(place.url, place.host_invite) as bob:
            assert await bob.refused(order) == "document_exists"


@runs_async
async def test_a_document_that_is_not_yours_looks_like_none(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        created = await ada.create()
        async with signed_in_client(place.url, place.host_invite) as bob:
            answers = [
                await bob.ask(OpenDocument(document_id=document_id), Error)
                for document_id in (created.document_id, str(uuid4()))
            ]
            assert [(each.code, each.message) for each in answers] == [("document_not_found", "")] * 2
            assert (await bob.ask(ListDocuments(), DocumentList)).documents == []


@runs_async
async def test_another_lineage_is_refused_before_any_update_flows(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        created = await ada.create(lineage="l-1")
        order = OpenDocument(document_id=created.document_id, lineage="l-2")
        assert await ada.refused(order) == "lineage_mismatch"
        assert ada.frames == []


@runs_async
async def test_who_was_not_invited_to_create_is_refused(premises) -> None:
    async with premises.running() as place:
        guest = await place.server.create_invite("editor")
        async with signed_in_client(place.url, guest) as client:
            assert not client.welcome.can_create
            assert await client.refused(CreateDocument(title="x")) == "forbidden"


@runs_async
async def test_a_viewer_reads_and_does_not_write_until_the_role_is_higher(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("Hello")
        document_id = mine.facts.document_id
        viewing = await place.server.create_invite("viewer", document_id)
        editing = await place.server.create_invite("editor", document_id)
        async with signed_in_client(place.url, viewing) as eve:
            theirs = await eve.open(document_id)
            assert (theirs.text(), theirs.facts.role) == ("Hello", "viewer")
            await theirs.write(" from a viewer")
            error = await eve.heard(Error)
            assert (error.code, error.handle) == ("forbidden", theirs.handle)
            await theirs.acknowledged_all()
            await mine.write(" again")
            await theirs.shows("again")
            assert "viewer" not in mine.text()

            await eve.ask(RedeemInvite(token=editing), InviteRedeemed)
            assert (await eve.heard(RoleChanged)).role == "editor"
            await theirs.send(SyncStep2(theirs.replica.update_since()))
            await mine.shows("from a viewer")


@runs_async
async def test_junk_is_refused_and_changes_nothing_for_the_others(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("Hello")
        async with signed_in_client(place.url, ada.welcome.access_token, user_id=None) as other:
            theirs = await other.open(mine.facts.document_id)
            for body in (Update(b"junk"), Update(b""), SyncStep2(b"\xff" * 9), SyncStep1(b"\xff"), Awareness(b"\x05")):
                await theirs.send(body)
            await mine.write(" goes on")
            await theirs.shows("goes on")
            await theirs.acknowledged_all()
            codes = [fact.code for fact in other.facts if isinstance(fact, Error)]
            assert sorted(codes) == ["frame_invalid"] + ["update_invalid"] * 4


@runs_async
async def test_closing_a_document_ends_its_handle(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open("x")
        await ada.close_document(opened)
        await opened.send(SyncStep1(b"\x00"))
        assert (await ada.heard(Error)).code == "handle_unknown"
        assert await ada.refused(CloseDocument(handle=77)) == "handle_unknown"


@runs_async
async def test_an_idle_document_is_unloaded_and_opens_again_with_another_handle(premises) -> None:
    async with premises.running(idle_document_s=0.02) as place, signed_in_client(place.url, place.host_invite) as ada:
        before = await ada.create_and_open("kept")
        await ada.close_document(before)
        await until(lambda: not place.server._documents._entries)
        after = await ada.open(before.facts.document_id)

        assert after.text() == "kept"
        assert after.handle != before.handle


@runs_async
async def test_nothing_is_kept_for_a_session_that_expired_after_its_documents_were_unloaded(premises) -> None:
    async with premises.running(idle_document_s=0.02, grace_s=0.2) as place:
        async with signed_in_client(place.url, place.host_invite) as ada:
            await ada.create_and_open("kept")
            ada.cut()
            await ada.closed()
        await until(lambda: not place.server._documents._entries)
        await until(lambda: len(place.server._front_desk._registry) == 0)

        assert len(place.server._documents._places) == 0


@runs_async
async def test_many_open_a_document_that_is_not_loaded_at_the_same_moment(premises) -> None:
    async with premises.running(idle_document_s=0.01) as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create_and_open("kept")).facts.document_id

        async def visit() -> tuple[str, int]:
            async with signed_in_client(place.url, ada.welcome.access_token, user_id=None) as client:
                opened = await client.open(document_id)
                return opened.text(), opened.facts.handle

        visits = await asyncio.gather(*(visit() for _ in range(12)))
        assert {text for text, _handle in visits} == {"kept"}


@pytest.mark.parametrize(
    ("limits", "order"),
    [
        (Limits(max_documents_per_user=1), CreateDocument(title="two")),
        (Limits(max_open_documents=0), OpenDocument(document_id="ID")),
    ],
)
@runs_async
async def test_limits_have_their_answer(premises, limits, order) -> None:
    async with premises.running(limits=limits) as place, signed_in_client(place.url, place.host_invite) as ada:
        created = await ada.create("one")
        if isinstance(order, OpenDocument):
            order = OpenDocument(document_id=created.document_id)
        assert await ada.refused(order) == "limit_exceeded"


@runs_async
async def test_an_update_that_came_before_its_predecessor_survives_a_restart(premises) -> None:
    author, updates = ProjectDocument(), list[bytes]()
    author.on_update = lambda update, is_local: updates.append(update)
    author.add_file("main.tex", "first")
    file_id = author.file_at("main.tex")
    assert file_id is not None
    author.text(file_id).replace_u16(5, 5, " second")
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create()).document_id
        opened = await ada.open(document_id)
        await opened.send(Update(updates[1]))
        assert (await ada.heard(DocumentClosed)).code == "document_reloaded"
        opened = await ada.open(document_id)
        await opened.send(Update(updates[1]))
        await opened.acknowledged_all()
    async with (
        premises.running() as place,
        signed_in_client(place.url, ada.welcome.access_token, user_id=None) as again,
    ):
        opened = await again.open(document_id)
        assert opened.text() == ""
        await opened.send(Update(updates[0]))
        await opened.shows("first second")
