"""What is asked of a server around a project: to be let in, which documents there are, to take one, to invite to it.

Each raises RejectedError where the server says no, and LinkLostError where the link ends before the answer.
"""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from texswarm_desktop.client.states import Closed, Idle, LinkState, Live, NeedsUser, StopCode
from texswarm_desktop.client.waiting_room import OnWaiting, redeem
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import ErrorCode, LinkError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import (
    ChangeInvite,
    CreateDocument,
    CreateInvite,
    DescribeServer,
    DocumentInfo,
    DocumentList,
    InviteCreated,
    InviteList,
    ListDocuments,
    ListInvites,
    ListMembers,
    MemberList,
    RedeemInvite,
    RevokeInvite,
    RoleName,
    ServerDescribed,
)

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection
    from texswarm_desktop.client.document_sync import DocumentSync
    from texswarm_desktop.core.doctor import OtherSide

_log: Final = logging.getLogger(__name__)


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


async def settled(connection: "Connection", sync: "DocumentSync") -> None:
    """Wait until a document has caught up, over drops, or was refused; raises RejectedError when the user is needed."""
    news = asyncio.Event()
    unsubscribe = connection.subscribe(lambda _old, _new: news.set())
    try:
        while not sync.is_settled:
            if isinstance(connection.state, NeedsUser):
                raise RejectedError(connection.state.code, connection.state.message)
            await news.wait()
            news.clear()
    finally:
        unsubscribe()


async def listed(connection: "Connection") -> tuple[DocumentInfo, ...]:
    """Return the documents the user may see."""
    answer = await connection.request(ListDocuments())
    assert isinstance(answer, DocumentList)
    return tuple(answer.documents)


async def admitted(
    connection: "Connection", link: InviteLink, on_waiting: OnWaiting = nothing
) -> tuple[DocumentInfo, ...]:
    """Return what the user may see there, after the link's invitation was used for what it is good for.

    `on_waiting` is called when an owner has to let the user in first, which is waited for.
    """
    documents = await listed(connection)
    if link.token is None or link.document_id in {one.id for one in documents}:
        return documents
    try:
        await redeem(connection, link.token, on_waiting)
    except RejectedError as error:
        if link.document_id is not None:
            raise
        _log.info("the invitation brought nothing new: %s", error)
    return await listed(connection)


async def share(connection: "Connection", order: CreateDocument, invite: str | None) -> None:
    """Put a document where it is not yet; `invite` may say that what is there is ours, whoever we were before.

    Raises RejectedError: `may_not_create` where the server takes no new documents from us, or what else it says.
    """
    if await _has(connection, order):
        return
    if invite is not None:
        with suppress(RejectedError):
            await connection.request(RedeemInvite(token=invite))
        if await _has(connection, order):
            return
    try:
        await connection.request(order)
    except RejectedError as error:
        if error.code == ErrorCode.FORBIDDEN:
            raise RejectedError(StopCode.MAY_NOT_CREATE) from error
        raise


async def invite_to(connection: "Connection", document_id: str, role: RoleName = "editor") -> str:
    """Return the secret of a new invite to a document."""
    return (await new_invite(connection, document_id, role)).token


async def new_invite(
    connection: "Connection", document_id: str, role: RoleName = "editor", *, asks: bool = False
) -> InviteCreated:
    """Return a new invite to a document, with its secret; `asks`: owners decide about everybody who comes by it."""
    answer = await connection.request(CreateInvite(document_id=document_id, role=role, ask=asks))
    assert isinstance(answer, InviteCreated)
    return answer


async def same_or_new_invite(
    connection: "Connection", document_id: str, known: tuple[str, str] | None, *, asks: bool = False
) -> InviteCreated:
    """Return an invite of before, as it stands now, or where it lets nobody in any more, a new one.

    `known`: its id and its secret; None where there was none; an empty secret: it is over, and is withdrawn if it still
    stands. `asks`: owners decide about who comes by it from now on.
    """
    invite_id, token = known or ("", "")
    if invite_id and not token:
        with suppress(RejectedError):
            await connection.request(RevokeInvite(invite_id=invite_id))
    elif invite_id:
        answer = await connection.request(ListInvites(document_id=document_id))
        assert isinstance(answer, InviteList)
        for one in answer.invites:
            if one.invite_id == invite_id and one.max_uses is None and one.expires_at is None:
                if one.ask is not asks:
                    await change_invite(connection, invite_id, one.role, asks=asks)
                return InviteCreated(token=token, role=one.role, document_id=document_id, invite_id=invite_id, ask=asks)
    return await new_invite(connection, document_id, asks=asks)


async def change_invite(connection: "Connection", invite_id: str, role: RoleName, *, asks: bool | None = None) -> None:
    """Let an invite give another role from now on; `asks`: whether owners are asked first, None for as before."""
    await connection.request(ChangeInvite(invite_id=invite_id, role=role, ask=asks))


async def has_lock(connection: "Connection", document_id: str) -> bool:
    """Say whether in a document of ours everybody else only reads."""
    answer = await connection.request(ListMembers(document_id=document_id))
    assert isinstance(answer, MemberList)
    return answer.is_locked


async def other_side(connection: "Connection") -> "OtherSide | None":
    """Return what the server says of its own side; None where it does not, or the link ends before."""
    from texswarm_desktop.client.check_up import other_side_in  # noqa: PLC0415 - for those who have a check made

    try:
        answer = await connection.request(DescribeServer())
    except (RejectedError, LinkError):
        return None
    return other_side_in(answer) if isinstance(answer, ServerDescribed) else None


async def end_connection(connection: "Connection") -> None:
    """End a connection for good; returns when nothing of it runs."""
    connection.close()
    await connection.__aexit__(None, None, None)


async def _has(connection: "Connection", order: CreateDocument) -> bool:
    """Say whether this history of the document is on the server, and we may see it."""
    return any((one.id, one.lineage) == (order.document_id, order.lineage) for one in await listed(connection))
