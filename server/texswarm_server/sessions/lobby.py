"""Who waits to be let into a document: those who came by an invite that asks its owners first.

They are signed in and have no role, so that nothing is shown to them. Whoever waits keeps the place through lost
connections, until an owner answers, the guest leaves, or it has lasted too long; a restart of the server forgets it,
and the guest's client knocks again. Whoever was declined may knock again when as much time has passed. Time is any
steady clock in seconds. Pure.
"""

from dataclasses import dataclass
from typing import Final

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.protocol.messages import Knock

MOST_WAITING: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody at the door of a document, as its owners are told."""

    document_id: DocumentId
    knock: Knock
    since: float

    @property
    def user_id(self) -> UserId:
        """Who it is."""
        return UserId(self.knock.user_id)


class Lobby:
    """Invariant: one place for each user and document, and no more than `most` for a document."""

    def __init__(self, patience_s: float, *, most: int = MOST_WAITING) -> None:
        self._patience_s = patience_s
        self._most = most
        self._waiting: dict[tuple[DocumentId, UserId], Waiting] = {}
        self._declined: dict[tuple[DocumentId, UserId], float] = {}

    def enter(self, who: Waiting) -> bool:
        """Take a place; returns whether owners have something new to see.

        Raises RejectedError: approval_declined for who was declined a while ago, limit_exceeded when too many wait.
        """
        key = (who.document_id, who.user_id)
        declined_at = self._declined.get(key)
        if declined_at is not None and who.since - declined_at < self._patience_s:
            raise RejectedError(ErrorCode.APPROVAL_DECLINED)
        before = self._waiting.get(key)
        if before is None and len(self.waiting(who.document_id)) >= self._most:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, "too many wait")
        if before is not None:
            who = Waiting(document_id=who.document_id, knock=_later(before.knock, who.knock), since=before.since)
        self._waiting[key] = who
        return before != who

    def waiting(self, document_id: DocumentId) -> list[Waiting]:
        """Return who waits for a document, the longest first."""
        return [who for who in self._waiting.values() if who.document_id == document_id]

    def find(self, document_id: str, user_id: str) -> Waiting | None:
        """Return who waits there, None when nobody does."""
        return self._waiting.get((DocumentId(document_id), UserId(user_id)))

    def leave(self, user_id: UserId, document_id: DocumentId | None = None) -> list[Waiting]:
        """Give up a user's places, or the one for a document, and return them."""
        gone = [
            who for who in self._waiting.values() if who.user_id == user_id and document_id in {None, who.document_id}
        ]
        return self._drop(gone)

    def decline(self, document_id: str, user_id: str, now: float) -> Waiting | None:
        """Send somebody away, and return who it was; for a while that user may not knock here again."""
        who = self.find(document_id, user_id)
        if who is not None:
            self._drop([who])
            self._declined[who.document_id, who.user_id] = now
        return who

    def expire(self, now: float) -> list[Waiting]:
        """Give up the places that were held for too long, and return them."""
        self._declined = {key: at for key, at in self._declined.items() if now - at < self._patience_s}
        return self._drop([who for who in self._waiting.values() if now - who.since >= self._patience_s])

    def _drop(self, gone: list[Waiting]) -> list[Waiting]:
        for who in gone:
            del self._waiting[who.document_id, who.user_id]
        return gone


def _later(before: Knock, now: Knock) -> Knock:
    """Somebody who knocks again may have another name, and has still asked when it began."""
    return Knock(
        user_id=now.user_id,
        display_name=now.display_name,
        color=now.color,
        role=now.role,
        asked_at=before.asked_at,
    )
