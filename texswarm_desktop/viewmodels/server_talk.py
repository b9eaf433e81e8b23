"""What is asked of a server around a project: to be let in, which documents there are, to take one, to invite to it.

Each raises RejectedError where the server says no, and LinkLostError where the link ends before the answer.
"""

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from texswarm_desktop.client.states import Closed, Idle, LinkState, Live, NeedsUser
from texswarm_desktop.services.project import Project
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
from texswarm_server.protocol.errors import LinkError, RejectedError
from texswarm_server.protocol.messages import (
    ChangeRole,
    CreateDocument,
    CreateInvite,
    DocumentInfo,
    DocumentList,
    InviteCreated,
    InviteInfo,
    InviteList,
    ListDocuments,
    ListInvites,
    ListMembers,
    MemberInfo,
    MemberList,
    Order,
    RedeemInvite,
    RemoveMember,
    RevokeInvite,
    RoleName,
    UnbanMember,
)

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection


class LinkCancelledError(LinkError):
    """The user ended an attempt, or a newer one replaced it."""


async def let_in(connection: "Connection") -> None:
    """Wait until a connection without documents is live; raises RejectedError or LinkCancelledError."""
    settled: asyncio.Future[LinkState] = asyncio.get_running_loop().create_future()

    def look(_old: LinkState, new: LinkState) -> None:
        if isinstance(new, Live | NeedsUser | Closed) and not settled.done():
            settled.set_result(new)

    unsubscribe = connection.subscribe(look)
    try:
        look(Idle(), connection.state)
        state = await settled
    finally:
        unsubscribe()
    if isinstance(state, NeedsUser):
        raise RejectedError(state.code, state.message)
    if isinstance(state, Closed):
        raise LinkCancelledError("cancelled")


async def listed(connection: "Connection") -> tuple[DocumentInfo, ...]:
    """Return the documents the user may see."""
    answer = await connection.request(ListDocuments())
    assert isinstance(answer, DocumentList)
    return tuple(answer.documents)


async def share(project: Project, connection: "Connection", invite: str | None) -> None:
    """Put a project where it is not yet; `invite` may say that what is there is ours, whoever we were before."""
    if await _has(connection, project):
        return
    if invite is not None:
        with suppress(RejectedError):
            await connection.request(RedeemInvite(token=invite))
        if await _has(connection, project):
            return
    title = project.document.title or project.folder.name
    await connection.request(CreateDocument(title=title, document_id=project.document_id, lineage=project.lineage))


async def invite_to(connection: "Connection", document_id: str, role: RoleName = "editor") -> str:
    """Return the secret of a new invite to a document."""
    answer = await connection.request(CreateInvite(document_id=document_id, role=role))
    assert isinstance(answer, InviteCreated)
    return answer.token


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
    return Invitation(told.invite_id, told.role, told.uses, told.max_uses, told.expires_at)


async def _has(connection: "Connection", project: Project) -> bool:
    """Say whether this history of the document is on the server, and we may see it."""
    documents = await listed(connection)
    return any((one.id, one.lineage) == (project.document_id, project.lineage) for one in documents)
