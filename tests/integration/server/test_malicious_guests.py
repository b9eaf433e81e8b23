"""Guests who are in and want more: to speak in another's name, or to do what their role does not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import WireClient, signed_in_client
from texswarm_server.protocol.messages import (
    AnswerKnock,
    ChangeInvite,
    ChangeRole,
    CreateInvite,
    InviteList,
    ListInvites,
    ListKnocks,
    ListMembers,
    LockDocument,
    MemberList,
    Order,
    RemoveMember,
    RevokeInvite,
    UnbanMember,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def state(words: str) -> dict[str, Any]:
    return {"user": {"id": "somebody", "name": "Somebody"}, "says": words}


@runs_async
async def test_nobody_is_shown_where_another_says_they_are(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("start")
        document_id = mine.facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        async with (
            signed_in_client(place.url, invite, name="Bob") as bob,
            signed_in_client(place.url, invite, name="Mallory") as mallory,
        ):
            seen, forged = await bob.open(document_id), await mallory.open(document_id)
            me = mine.replica.client_id
            await mine.publish(state("I am here"))
            await bob.until(lambda: me in seen.presence)
            await forged.publish(state("Ada is elsewhere"), clock=99, client_id=me)
            await forged.publish(None, clock=100, client_id=me)
            own = {"user": {"id": ada.welcome.user_id, "name": "Ada"}, "says": "mine"}
            await forged.publish(own)
            await bob.until(lambda: forged.replica.client_id in seen.presence)
            told, hers = seen.presence[forged.replica.client_id], seen.presence[me]
            assert told is not None
            assert hers is not None
            assert (told["user"]["id"], told["user"]["name"]) == (mallory.welcome.user_id, "Mallory")
            assert (hers["says"], hers["user"]["id"]) == ("I am here", ada.welcome.user_id)


ORDERS: dict[str, Callable[[str, str, str, str], Order]] = {
    "make oneself owner": lambda document, me, _ada, _invite: ChangeRole(
        document_id=document, user_id=me, role="owner"
    ),
    "demote the owner": lambda document, _me, ada, _invite: ChangeRole(
        document_id=document, user_id=ada, role="viewer"
    ),
    "remove the owner": lambda document, _me, ada, _invite: RemoveMember(document_id=document, user_id=ada),
    "ban the owner": lambda document, _me, ada, _invite: RemoveMember(document_id=document, user_id=ada, ban=True),
    "unlock": lambda document, _me, _ada, _invite: LockDocument(document_id=document, is_locked=False),
    "let somebody back": lambda document, _me, ada, _invite: UnbanMember(document_id=document, user_id=ada),
    "see who is a member": lambda document, _me, _ada, _invite: ListMembers(document_id=document),
    "see the invitations": lambda document, _me, _ada, _invite: ListInvites(document_id=document),
    "see who knocks": lambda document, _me, _ada, _invite: ListKnocks(document_id=document),
    "let somebody in": lambda document, me, _ada, _invite: AnswerKnock(document_id=document, user_id=me, accept=True),
    "invite": lambda document, _me, _ada, _invite: CreateInvite(document_id=document, role="owner"),
    "make more of an invitation": lambda _document, _me, _ada, invite: ChangeInvite(invite_id=invite, role="owner"),
    "withdraw an invitation": lambda _document, _me, _ada, invite: RevokeInvite(invite_id=invite),
}


@pytest.mark.parametrize("role", ["viewer", "editor"])
@runs_async
async def test_whoever_is_no_owner_decides_nothing(premises, role: str) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create_and_open("start")).facts.document_id
        invite = await place.server.create_invite(role, document_id)
        async with signed_in_client(place.url, invite, name="Mallory") as mallory:
            await mallory.open(document_id)
            before = await held(ada, document_id)
            (invite_id,) = before[1]
            said = {
                name: await mallory.refused(make(document_id, mallory.welcome.user_id, ada.welcome.user_id, invite_id))
                for name, make in ORDERS.items()
            }
            assert set(said.values()) <= {"forbidden", "not_found"}, said
            assert await held(ada, document_id) == before


async def held(owner: WireClient, document_id: str) -> tuple[dict[str, str | None], dict[str, str]]:
    """Who may do what, and what the invitations give."""
    members = await owner.ask(ListMembers(document_id=document_id), MemberList)
    invites = await owner.ask(ListInvites(document_id=document_id), InviteList)
    return (
        {one.user_id: one.role for one in members.members},
        {one.invite_id: one.role for one in invites.invites},
    )
