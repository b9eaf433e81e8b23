"""The lobby over the wire: an invite that asks lets nobody in by itself, whatever the guest tries."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from tests.helpers.yjs_client import yjs_client
from texswarm_server.protocol.messages import (
    AnswerKnock,
    ChangeInvite,
    CreateInvite,
    DocumentList,
    InviteChanged,
    InviteCreated,
    InviteRedeemed,
    KnockAnswered,
    KnockList,
    ListDocuments,
    ListKnocks,
    MemberChanged,
    OpenDocument,
    RedeemInvite,
    RemoveMember,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def door(premises, **config: object) -> AsyncIterator[tuple[WireClient, str, InviteCreated, str]]:
    """A server on which Ada owns a paper, and an invite that asks her."""
    async with (
        premises.running(**config) as place,
        signed_in_client(place.url, place.host_invite, user_id="ada") as ada,
    ):
        paper = (await ada.create_and_open("Hello")).facts.document_id
        invite = await ada.ask(CreateInvite(document_id=paper, ask=True), InviteCreated)
        assert invite.ask
        yield ada, paper, invite, place.url


def somebody_waits(count: int = 1):
    return lambda fact: isinstance(fact, KnockList) and len(fact.knocks) == count


@runs_async
async def test_who_knocks_sees_nothing_until_an_owner_says_so(premises) -> None:
    async with (
        door(premises) as (ada, paper, invite, url),
        signed_in_client(url, invite.token, name="Bob", user_id="bob") as bob,
    ):
        assert bob.welcome is not None
        assert bob.welcome.awaiting == paper
        assert (await bob.ask(ListDocuments(), DocumentList)).documents == []
        for attempt in (OpenDocument(document_id=paper), RedeemInvite(token=invite.token)):
            assert await bob.refused(attempt) == "approval_pending"
        assert await bob.refused(ListKnocks(document_id=paper)) == "document_not_found"
        mine = AnswerKnock(document_id=paper, user_id="bob", accept=True)
        assert await bob.refused(mine) == "document_not_found"

        (knock,) = (await ada.heard(somebody_waits())).knocks
        assert (knock.user_id, knock.display_name, knock.role) == ("bob", "Bob", "editor")
        answer = await ada.ask(mine, KnockAnswered)
        assert (answer.accepted, answer.role) == (True, "editor")
        assert (await bob.heard(KnockAnswered)).accepted
        assert (await bob.open(paper)).text() == "Hello"
        await ada.heard(somebody_waits(0), after=len(ada.facts) - 3)


@runs_async
async def test_who_is_declined_hears_it_and_cannot_knock_again_at_once(premises) -> None:
    async with (
        door(premises) as (ada, paper, invite, url),
        signed_in_client(url, invite.token, user_id="bob") as bob,
    ):
        await ada.ask(AnswerKnock(document_id=paper, user_id="bob", accept=False), KnockAnswered)
        told = await bob.heard(KnockAnswered)
        assert (told.accepted, told.code) == (False, "approval_declined")
        assert await bob.refused(RedeemInvite(token=invite.token)) == "approval_declined"
        assert await bob.refused(OpenDocument(document_id=paper)) == "document_not_found"
        assert (await ada.ask(ListKnocks(document_id=paper), KnockList)).knocks == []


@runs_async
async def test_an_owner_may_let_somebody_in_to_read_only(premises) -> None:
    async with (
        door(premises) as (ada, paper, invite, url),
        signed_in_client(url, invite.token, user_id="bob") as bob,
    ):
        await ada.ask(AnswerKnock(document_id=paper, user_id="bob", accept=True, role="viewer"), KnockAnswered)
        assert (await bob.heard(KnockAnswered)).role == "viewer"
        assert (await bob.open(paper)).facts.role == "viewer"
        assert isinstance(await bob.answer(RedeemInvite(token=invite.token)), InviteRedeemed)
        assert (await bob.open(paper)).facts.role == "viewer"


@runs_async
async def test_a_place_in_the_lobby_outlives_a_lost_connection_and_the_door_may_open_meanwhile(premises) -> None:
    async with door(premises) as (ada, paper, invite, url):
        async with signed_in_client(url, invite.token, user_id="bob") as bob:
            welcome = bob.welcome
            await ada.heard(somebody_waits())
            bob.cut()
            await bob.closed()
        assert welcome is not None
        assert len((await ada.ask(ListKnocks(document_id=paper), KnockList)).knocks) == 1
        await ada.ask(AnswerKnock(document_id=paper, user_id="bob", accept=True), KnockAnswered)
        async with wire_client(url) as again:
            await again.sign_in(welcome.refresh_token, user_id="bob")
            assert (await again.open(paper)).text() == "Hello"


@runs_async
async def test_who_says_goodbye_waits_no_longer(premises) -> None:
    async with door(premises) as (ada, _paper, invite, url):
        async with signed_in_client(url, invite.token, user_id="bob"):
            await ada.heard(somebody_waits())
        await ada.heard(somebody_waits(0), after=len(ada.facts) - 1)


@runs_async
async def test_who_waits_for_too_long_hears_it(premises) -> None:
    async with (
        door(premises, lobby_s=0.05, housekeeping_s=0.02) as (_ada, _paper, invite, url),
        signed_in_client(url, invite.token, user_id="bob") as bob,
    ):
        told = await bob.heard(KnockAnswered)
        assert (told.accepted, told.code) == (False, "approval_expired")


@runs_async
async def test_an_owner_who_opens_the_document_later_is_told_who_waits(premises) -> None:
    async with door(premises) as (ada, paper, invite, url):
        await ada.close_document(next(iter(ada.documents.values())))
        await ada.answer(ListDocuments())
        async with signed_in_client(url, invite.token, user_id="bob"):
            await ada.open(paper)
            await ada.heard(somebody_waits())


@runs_async
async def test_somebody_who_is_in_already_need_not_ask(premises) -> None:
    async with door(premises) as (ada, paper, invite, url):
        plain = await ada.ask(CreateInvite(document_id=paper, role="viewer"), InviteCreated)
        async with signed_in_client(url, plain.token, user_id="bob") as bob:
            assert isinstance(await bob.answer(RedeemInvite(token=invite.token)), InviteRedeemed)
            assert (await bob.open(paper)).facts.role == "viewer"
        assert (await ada.ask(ListKnocks(document_id=paper), KnockList)).knocks == []


@runs_async
async def test_who_was_banned_cannot_even_knock(premises) -> None:
    async with door(premises) as (ada, paper, invite, url):
        plain = await ada.ask(CreateInvite(document_id=paper), InviteCreated)
        async with signed_in_client(url, plain.token, user_id="bob") as bob:
            await ada.ask(RemoveMember(document_id=paper, user_id="bob", ban=True), MemberChanged)
            assert await bob.refused(RedeemInvite(token=invite.token)) == "removed"


@runs_async
async def test_an_invite_may_begin_to_ask_and_give_less_while_it_is_in_use(premises) -> None:
    async with door(premises) as (ada, paper, invite, url):
        order = ChangeInvite(invite_id=invite.invite_id, role="viewer", ask=False)
        changed = (await ada.ask(order, InviteChanged)).invite
        assert (changed.role, changed.ask) == ("viewer", False)
        async with signed_in_client(url, invite.token, user_id="bob") as bob:
            assert (await bob.open(paper)).facts.role == "viewer"
            assert await bob.refused(order) == "not_found"
        await ada.ask(ChangeInvite(invite_id=invite.invite_id, ask=True), InviteChanged)
        async with signed_in_client(url, invite.token, user_id="cy") as cy:
            assert await cy.refused(OpenDocument(document_id=paper)) == "approval_pending"


@runs_async
async def test_only_owners_of_a_document_can_be_asked(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        assert await ada.refused(CreateInvite(ask=True)) == "invalid_payload"
        server_invite = await ada.ask(CreateInvite(), InviteCreated)
        assert await ada.refused(ChangeInvite(invite_id=server_invite.invite_id, ask=True)) == "invalid_payload"


@runs_async
async def test_a_yjs_client_comes_in_when_it_connects_again_after_it_was_let_in(premises) -> None:
    async with door(premises) as (ada, paper, invite, url):
        async with yjs_client(url, paper, invite.token, user_id="yo", name="Yo") as early:
            assert await early.closed() == 4403
        await ada.heard(somebody_waits())
        await ada.ask(AnswerKnock(document_id=paper, user_id="yo", accept=True), KnockAnswered)
        async with yjs_client(url, paper, invite.token, user_id="yo", name="Yo") as yo:
            await yo.shows("Hello")


@pytest.mark.parametrize("accept", [True, False])
@runs_async
async def test_nobody_is_let_in_who_does_not_wait(premises, accept: bool) -> None:
    async with door(premises) as (ada, paper, _invite, url):
        plain = await ada.ask(CreateInvite(document_id=paper, role="viewer"), InviteCreated)
        async with signed_in_client(url, plain.token, user_id="bob"):
            for user_id in ("bob", "nobody"):
                order = AnswerKnock(document_id=paper, user_id=user_id, accept=accept)
                assert await ada.refused(order) == "not_found"
