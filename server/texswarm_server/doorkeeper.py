"""Between those who wait to be let into a document and its owners: who knocks, and what becomes of it."""

import asyncio
from collections.abc import Callable, Sequence

from texswarm_server.net.peer import Peer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.protocol.messages import GUEST_NAME, Knock, KnockAnswered, KnockList, RoleName
from texswarm_server.sessions.lobby import Lobby, Waiting
from texswarm_server.sessions.records import Invite, User


class DoorKeeper:
    """Invariant: owners who have a document open were told who waits for it now."""

    def __init__(
        self,
        documents: OpenDocuments,
        peers_of: Callable[[UserId], Sequence[Peer]],
        *,
        patience_s: float,
        wall_clock: Callable[[], float],
    ) -> None:
        self._documents = documents
        self._peers_of = peers_of
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self._lobby = Lobby(patience_s)

    def knock(self, user: User, invite: Invite) -> None:
        """Let a user wait at the door of the invite's document, and its owners know; raises RejectedError."""
        assert invite.document_id is not None
        knock = Knock(
            user_id=user.user_id,
            display_name=user.display_name or GUEST_NAME,
            color=user.color,
            role=invite.role,
            asked_at=self._wall_clock(),
        )
        who = Waiting(document_id=invite.document_id, knock=knock, since=self._loop.time())
        if self._lobby.enter(who):
            self._tell_owners(who.document_id)

    def find(self, document_id: str, user_id: str) -> Knock | None:
        """Return who waits there, None when nobody of that id does."""
        who = self._lobby.find(document_id, user_id)
        return None if who is None else who.knock

    def knocks(self, document_id: str, request: int | None = None) -> KnockList:
        """Return who waits at the door of a document."""
        waiting = self._lobby.waiting(DocumentId(document_id))
        return KnockList(document_id=document_id, knocks=[who.knock for who in waiting], request=request)

    def admitted(self, user_id: UserId, document_id: DocumentId, role: RoleName) -> None:
        """Tell somebody who waited that the door is open: an owner said so, or whoever runs the server."""
        self._answer(self._lobby.leave(user_id, document_id), None, role)

    def decline(self, document_id: str, user_id: str) -> None:
        """Send somebody away who waits."""
        if who := self._lobby.decline(document_id, user_id, self._loop.time()):
            self._answer([who], ErrorCode.APPROVAL_DECLINED)

    def left(
        self, user_id: UserId, code: ErrorCode = ErrorCode.APPROVAL_EXPIRED, document_id: DocumentId | None = None
    ) -> None:
        """Note that somebody waits no longer, and why."""
        self._answer(self._lobby.leave(user_id, document_id), code)

    def tick(self, now: float) -> None:
        """Send away who has waited for too long."""
        self._answer(self._lobby.expire(now), ErrorCode.APPROVAL_EXPIRED)

    def _answer(self, gone: list[Waiting], code: ErrorCode | None, role: RoleName | None = None) -> None:
        for who in gone:
            fact = KnockAnswered(
                document_id=who.document_id, user_id=who.user_id, accepted=code is None, role=role, code=code
            )
            for peer in self._peers_of(who.user_id):
                peer.tell(fact)
        for document_id in {who.document_id for who in gone}:
            self._tell_owners(document_id)

    def _tell_owners(self, document_id: DocumentId) -> None:
        fact = self.knocks(document_id)
        for peer in self._documents.owners_in(document_id):
            peer.tell(fact)
