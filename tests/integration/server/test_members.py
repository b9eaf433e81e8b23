"""Owners manage people and invites over the wire, and everybody concerned hears of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import signed_in_again, signed_in_client
from texswarm_server import audit_feed
from texswarm_server.protocol.messages import (
    ChangeRole,
    CreateInvite,
    DocumentClosed,
    DocumentLocked,
    Error,
    InviteCreated,
    InviteList,
    InviteRevoked,
    ListInvites,
    ListMembers,
    LockDocument,
    MemberChanged,
    MemberList,
    OpenDocument,
    RedeemInvite,
    RemoveMember,
    RevokeInvite,
    RoleChanged,
    UnbanMember,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


@runs_async
async def test_what_is_answered_to_an_owner_is_so_already(premises, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that is sent after the owner heard that somebody may only read is refused, however slow the disk is."""
    monkeypatch.setattr(audit_feed, "_news", _slowly(audit_feed._news))
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
        document = await ada.create_and_open("Hello")
        paper = document.facts.document_id
        invite = await ada.ask(CreateInvite(document_id=paper, role="editor"), InviteCreated)
        async with signed_in_client(place.url, invite.token, name="Bob", user_id="bob") as bob:
            opened = await bob.open(paper)
            await ada.ask(ChangeRole(document_id=paper, user_id="bob", role="viewer"), MemberChanged)
            await opened.write(" and Bob")
            assert (await bob.heard(Error)).code == "forbidden"
        assert document.text() == "Hello"


def _slowly(look: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*args: Any, **details: Any) -> Any:
        time.sleep(0.05)
        return look(*args, **details)

    return slow


@runs_async
async def test_a_lock_outlives_the_server_and_its_end_lets_write_who_came_meanwhile(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
        paper = (await ada.create_and_open("Hello")).facts.document_id
        invite = await ada.ask(CreateInvite(document_id=paper, role="editor"), InviteCreated)
        assert await ada.ask(LockDocument(document_id=paper, is_locked=True), DocumentLocked)
        async with signed_in_client(place.url, invite.token, name="Bob", user_id="bob") as bob:
            assert (await bob.open(paper)).facts.role == "viewer"
            assert await bob.refused(LockDocument(document_id=paper, is_locked=False)) == "forbidden"
    async with premises.running() as place, signed_in_again(place.url, ada) as ada:
        assert (await ada.ask(ListMembers(document_id=paper), MemberList)).is_locked
        document = await ada.open(paper)
        async with signed_in_again(place.url, bob) as bob:
            opened = await bob.open(paper)
            assert opened.facts.role == "viewer"
            await ada.ask(LockDocument(document_id=paper, is_locked=False), DocumentLocked)
            assert (await bob.heard(RoleChanged)).role == "editor"
            await opened.write(" and Bob")
            await document.shows("Hello and Bob")


@runs_async
async def test_an_owner_manages_the_people_of_a_document(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
        document = await ada.create_and_open("Hello")
        paper = document.facts.document_id
        invite = await ada.ask(CreateInvite(document_id=paper, role="viewer"), InviteCreated)
        async with signed_in_client(place.url, invite.token, name="Bob", user_id="bob") as bob:
            opened = await bob.open(paper)
            members = (await ada.ask(ListMembers(document_id=paper), MemberList)).members
            assert [(each.user_id, each.role) for each in members] == [("ada", "owner"), ("bob", "viewer")]
            assert await bob.refused(ListMembers(document_id=paper)) == "forbidden"

            changed = await ada.ask(ChangeRole(document_id=paper, user_id="bob", role="editor"), MemberChanged)
            assert changed.member.role == "editor"
            assert (await bob.heard(RoleChanged)).role == "editor"
            await opened.write(" and Bob")
            await opened.acknowledged_all()

            gone = await ada.ask(RemoveMember(document_id=paper, user_id="bob", ban=True), MemberChanged)
            assert (gone.member.role, gone.member.is_banned) == (None, True)
            assert (await bob.heard(DocumentClosed)).code == "removed"
            later = await ada.ask(CreateInvite(document_id=paper), InviteCreated)
            assert await bob.refused(RedeemInvite(token=later.token)) == "removed"
            await ada.ask(UnbanMember(document_id=paper, user_id="bob"), MemberChanged)
            await bob.answer(RedeemInvite(token=later.token))
            assert (await bob.open(paper)).text() == document.text() == "Hello and Bob"


@runs_async
async def test_the_owner_cannot_go_and_a_member_can_leave(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
        paper = (await ada.create_and_open("Hello")).facts.document_id
        assert await ada.refused(RemoveMember(document_id=paper, user_id="ada")) == "last_owner"
        token = await place.server.create_invite("viewer", paper)
        async with signed_in_client(place.url, token, user_id="bob") as bob:
            await bob.open(paper)
            await bob.ask(RemoveMember(document_id=paper, user_id="bob"), MemberChanged)
            assert (await bob.heard(DocumentClosed)).code == "removed"
            assert await bob.refused(OpenDocument(document_id=paper)) == "document_not_found"


@runs_async
async def test_invites_are_listed_and_taken_back(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
        paper = (await ada.create_and_open()).facts.document_id
        made = await ada.ask(CreateInvite(document_id=paper, role="viewer", uses=3), InviteCreated)
        async with signed_in_client(place.url, made.token, user_id="bob") as bob:
            listed = (await ada.ask(ListInvites(document_id=paper), InviteList)).invites
            assert [(each.invite_id, each.uses, each.max_uses, each.issued_by) for each in listed] == [
                (made.invite_id, 1, 3, "ada")
            ]
            assert made.invite_id not in made.token
            assert await bob.refused(RevokeInvite(invite_id=made.invite_id)) == "not_found"
            await ada.ask(RevokeInvite(invite_id=made.invite_id), InviteRevoked)
            assert (await bob.open(paper)).facts.role == "viewer"
        assert (await ada.ask(ListInvites(document_id=paper), InviteList)).invites == []
        assert await ada.refused(RedeemInvite(token=made.token)) == "invite_revoked"
