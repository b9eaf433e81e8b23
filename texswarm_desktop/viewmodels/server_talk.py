"""What is asked of a server around a project: to be let in, which documents there are, to take one, to invite to it.

Each raises RejectedError where the server says no, and LinkLostError where the link ends before the answer.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from texswarm_desktop.client.states import Closed, Idle, LinkState, Live, NeedsUser
from texswarm_desktop.services.project import Project
from texswarm_server.protocol.errors import LinkError, RejectedError
from texswarm_server.protocol.messages import (
    CreateDocument,
    CreateInvite,
    DocumentInfo,
    DocumentList,
    InviteCreated,
    ListDocuments,
    RedeemInvite,
    RoleName,
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


async def _has(connection: "Connection", project: Project) -> bool:
    """Say whether this history of the document is on the server, and we may see it."""
    documents = await listed(connection)
    return any((one.id, one.lineage) == (project.document_id, project.lineage) for one in documents)
