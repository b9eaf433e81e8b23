"""What an owner asks of a server about the people of a document, and orders there.

Each raises RejectedError where the server says no, and LinkLostError where the link ends before the answer.
"""

import time
from typing import TYPE_CHECKING

from texswarm_desktop.viewmodels.membership import (
    Decision,
    GiveRole,
    Invitation,
    LetBack,
    Member,
    Membership,
    TakeOut,
    Withdraw,
    sorted_members,
)
from texswarm_desktop.viewmodels.people import Person, person
from texswarm_server.protocol.messages import (
    ChangeRole,
    InviteInfo,
    InviteList,
    ListInvites,
    ListMembers,
    MemberInfo,
    MemberList,
    Order,
    RemoveMember,
    RevokeInvite,
    UnbanMember,
)

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection


async def membership(connection: "Connection", document_id: str, me: Person) -> Membership:
    """Return who may do what in a document of ours, and by which invites others can come."""
    members = await connection.request(ListMembers(document_id=document_id))
    invites = await connection.request(ListInvites(document_id=document_id))
    assert isinstance(members, MemberList)
    assert isinstance(invites, InviteList)
    return Membership(
        sorted_members(_member(one, me) for one in members.members),
        tuple(_invitation(one) for one in invites.invites if _is_open(one, time.time())),
    )


async def carry_out(connection: "Connection", document_id: str, decision: Decision) -> None:
    """Order what an owner decided about a document."""
    await connection.request(_order(document_id, decision))


def _order(document_id: str, decision: Decision) -> Order:
    match decision:
        case GiveRole(user_id, role):
            return ChangeRole(document_id=document_id, user_id=user_id, role=role)
        case TakeOut(user_id, for_good):
            return RemoveMember(document_id=document_id, user_id=user_id, ban=for_good)
        case LetBack(user_id):
            return UnbanMember(document_id=document_id, user_id=user_id)
        case Withdraw(invite_id):
            return RevokeInvite(invite_id=invite_id)


def _member(told: MemberInfo, me: Person) -> Member:
    is_me = told.user_id == me.user_id
    shown = me if is_me else person(told.user_id, told.display_name, told.color)
    is_out = told.role is None
    return Member(shown, told.role or "viewer", is_me=is_me, is_out=is_out, is_banned=told.is_banned)


def _is_open(told: InviteInfo, now: float) -> bool:
    is_used_up = told.max_uses is not None and told.uses >= told.max_uses
    return not is_used_up and (told.expires_at is None or now < told.expires_at)


def _invitation(told: InviteInfo) -> Invitation:
    return Invitation(told.invite_id, told.role, told.uses, told.max_uses, told.expires_at, told.way)
