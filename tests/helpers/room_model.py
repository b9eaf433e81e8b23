"""A little model of the server's room: one document, its members, and what is durable. No sockets, no clock.

The counterpart in tests of the client; it does the same as the server's contract says in the simplest way: every
message is applied and passed on at once, one by one, and acknowledged at the next `commit`.
"""

from dataclasses import dataclass, field

from texswarm_server.document import ProjectDocument
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    FrameBody,
    SyncStep1,
    SyncStep2,
    Update,
    encode_frame,
)
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import DocumentOpened, Error, Message


@dataclass
class Member:
    """One connection in the room; `outbox` is what goes to it, in order."""

    role: str = "editor"
    sent: int = 0
    acknowledged: int = 0
    outbox: list[bytes | Message] = field(default_factory=list)


class RoomModel:
    """One document on a server that may crash. Invariant: nothing is acknowledged that a crash would lose."""

    def __init__(self, document_id: str, lineage: str, handle: int = 1) -> None:
        self.document_id, self.lineage, self.handle = document_id, lineage, Handle(handle)
        self.document = ProjectDocument()
        self.durable = EMPTY_STATE_UPDATE
        self.members: dict[object, Member] = {}

    def open(
        self, key: object, *, request: int | None = None, role: str = "editor", state_vector: bytes | None = None
    ) -> Member:
        """Let a member in; without a `state_vector` it is answered as by a server that does not look at one."""
        member = self.members[key] = Member(role)
        member.outbox.append(
            DocumentOpened(
                request=request,
                document_id=self.document_id,
                handle=self.handle,
                role=role,
                lineage=self.lineage,
                title="",
                sync_follows=state_vector is not None,
            )
        )
        self._tell(member, SyncStep1(self.document.state_vector()))
        if state_vector is not None:
            self.receive(key, SyncStep1(state_vector))
        return member

    def leave(self, key: object) -> None:
        self.members.pop(key, None)

    def receive(self, key: object, body: FrameBody) -> None:
        member = self.members.get(key)
        if member is None:
            return
        match body:
            case SyncStep1(state_vector):
                self._tell(member, SyncStep2(self.document.update_since(state_vector)))
            case SyncStep2(update) | Update(update):
                member.sent += 1
                self._take(key, member, update)
            case Awareness():
                self._tell_others(key, body)
            case Acknowledged():
                raise AssertionError("a client acknowledges nothing")

    def commit(self) -> None:
        """Make everything durable, then acknowledge it."""
        self.durable = self.document.update_since(EMPTY_STATE)
        for member in self.members.values():
            if member.acknowledged < member.sent:
                member.acknowledged = member.sent
                self._tell(member, Acknowledged(member.sent))

    def crash(self) -> None:
        """Lose the members and everything that is not durable."""
        self.members.clear()
        self.document = ProjectDocument()
        self.document.apply(self.durable)

    def _take(self, key: object, member: Member, update: bytes) -> None:
        if member.role == "viewer":
            member.outbox.append(Error(code="forbidden", message="viewers do not edit", handle=self.handle))
            return
        if self.document.apply(update):
            self._tell_others(key, Update(update))

    def _tell(self, member: Member, body: FrameBody) -> None:
        member.outbox.append(encode_frame(self.handle, body))

    def _tell_others(self, key: object, body: FrameBody) -> None:
        for other, member in self.members.items():
            if other is not key:
                self._tell(member, body)


EMPTY_STATE_UPDATE = ProjectDocument().update_since(EMPTY_STATE)
