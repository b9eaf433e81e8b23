"""What an owner decides about the others in the open project, and about those who want to come in.

Everything here raises RejectedError where the server says no or where nobody here is an owner, and LinkLostError where
there is no link.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from texswarm_desktop.client.server_talk import change_invite, invite_to, new_invite
from texswarm_desktop.client.states import StopCode
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.viewmodels.lobby_view import Answer, LetIn
from texswarm_desktop.viewmodels.member_talk import carry_out, membership
from texswarm_desktop.viewmodels.membership import Decision, Membership
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.sharing import Sharing
from texswarm_server.protocol.errors import LinkLostError, RejectedError, TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import AnswerKnock, LockDocument, RoleName

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection


class OwnerDesk:
    """Speaks for whoever owns the open project. `opened` says which one that is at each moment."""

    def __init__(self, *, opened: Callable[[], OpenedProject | None], sharing: Sharing) -> None:
        self._opened, self._sharing = opened, sharing
        self._choosing = asyncio.Lock()

    async def invite(self, role: RoleName = "editor") -> InviteLink:
        """Return a link that lets somebody else in where the project is shared."""
        opened, connection = self._owned()
        link = self._sharing.link or opened.project.server_link
        if link is None:
            raise LinkLostError("the project is not on a server")
        return replace(link, token=await invite_to(connection, opened.project.document_id, role))

    async def membership(self) -> Membership:
        """Return who may do what in the project, and its invitations."""
        opened, connection = self._owned()
        held = await membership(connection, opened.project.document_id, opened.me)
        mine = self._sharing.invite_id
        invitations = (msgspec.structs.replace(one, is_shared_link=one.invite_id == mine) for one in held.invitations)
        return msgspec.structs.replace(held, invitations=tuple(invitations))

    async def decide(self, decision: Decision) -> Membership:
        """Carry out what an owner decided, and return what holds then."""
        opened, connection = self._owned()
        await carry_out(connection, opened.project.document_id, decision)
        held = await self.membership()
        hosting, known = self._sharing.hosting, {one.invite_id for one in held.invitations}
        if hosting is None or self._sharing.invite_id in known:
            return held
        # to ban somebody, or to withdraw it, ends the link that is passed on from here: there is another one at once
        invite = await new_invite(connection, opened.project.document_id, hosting.role, asks=hosting.asks)
        self._sharing.show_invite(invite)
        return await self.membership()

    async def answer(self, answer: Answer) -> None:
        """Let somebody in who knocked, or send them away."""
        opened, connection = self._owned()
        role = answer.role if isinstance(answer, LetIn) else None
        await connection.request(
            AnswerKnock(
                document_id=opened.project.document_id, user_id=answer.user_id, accept=role is not None, role=role
            )
        )

    async def set_access(self, role: RoleName) -> None:
        """Say what joining what is shared from here gives from now on."""
        _, connection = self._owned()
        if self._sharing.invite_id:
            await change_invite(connection, self._sharing.invite_id, role)
            self._sharing.show_access(role)

    async def set_who_joins(self, who: WhoJoins) -> None:
        """Say who may join what is shared from here from now on; who has joined stays."""
        _, connection = self._owned()
        async with self._choosing:
            hosting = self._sharing.hosting
            if hosting is None or not self._sharing.invite_id:
                return
            self._sharing.let_join(who)  # heard by the server before what follows: when that is done, the list is shut
            try:
                await change_invite(connection, self._sharing.invite_id, hosting.role, asks=who.asks)
            except TexSwarmError:
                self._sharing.let_join(hosting.who)
                raise
            self._sharing.show_who_joins()

    async def set_locked(self, *, is_locked: bool) -> None:
        """Let everybody else only read, those who come later too, or give all of them back what that withholds."""
        opened, connection = self._owned()
        await connection.request(LockDocument(document_id=opened.project.document_id, is_locked=is_locked))
        self._sharing.show_locked(is_locked=is_locked)

    def _owned(self) -> "tuple[OpenedProject, Connection]":
        opened = self._opened()
        if opened is None or opened.connection is None:
            raise LinkLostError("the project is not on a server")
        if opened.project.role not in {None, "owner"}:
            raise RejectedError(StopCode.NOT_AN_OWNER)
        return opened, opened.connection
