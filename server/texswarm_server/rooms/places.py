"""Which session has a place in which document, also while nothing of the document is in memory.

A place begins when a session opens a document. It outlives connections, and the room as well: one that is unloaded,
loaded anew or ended with its server leaves its members here, and the next room of the document shows them as before. A
place ends when its session closes the document, ends, or comes back and does not open it again in time.

Time is any steady clock in seconds. What a restart must not forget is asked for with `changes`.
"""

from collections.abc import Iterable
from dataclasses import replace

from texswarm_server.protocol.ids import DocumentId, SessionId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.rooms.member import Profile
from texswarm_server.sessions.deadlines import Deadlines

Place = tuple[SessionId, DocumentId]


class Places:
    """Invariant: who is kept for a document, or awaited in one, has a place in it."""

    def __init__(self) -> None:
        self._documents: dict[SessionId, dict[DocumentId, None]] = {}
        self._kept: dict[DocumentId, dict[SessionId, Profile]] = {}
        self._awaited: Deadlines[Place] = Deadlines()
        self._changes: dict[Place, bool] = {}

    def __len__(self) -> int:
        return sum(map(len, self._documents.values()))

    @property
    def sessions(self) -> list[SessionId]:
        """Who has a place anywhere."""
        return list(self._documents)

    def of(self, session_id: SessionId) -> list[DocumentId]:
        """Return the documents in which a session has a place."""
        return list(self._documents.get(session_id, ()))

    def has(self, session_id: SessionId, document_id: DocumentId) -> bool:
        """Whether a session has a place in a document."""
        return document_id in self._documents.get(session_id, ())

    def take(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Give a session a place."""
        if not self.has(session_id, document_id):
            self._changes[session_id, document_id] = True
            self._documents.setdefault(session_id, {})[document_id] = None

    def disown(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Note that a place which was stored for somebody to come is none, unless it is one by now."""
        if not self.has(session_id, document_id):
            self._changes[session_id, document_id] = False

    def give_up(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Let a place end."""
        mine = self._documents.get(session_id, {})
        if document_id in mine:
            del mine[document_id]
            self._changes[session_id, document_id] = False
        if not mine:
            self._documents.pop(session_id, None)
        self._awaited.cancel((session_id, document_id))
        if kept := self._kept.get(document_id):
            kept.pop(session_id, None)
            if not kept:
                del self._kept[document_id]

    # ── who is out ──────────────────────────────────────────────────────────────────────────────────────

    def wait_for(self, session_id: SessionId, document_id: DocumentId, until: float) -> None:
        """Expect a session in a document until then."""
        self._awaited.set((session_id, document_id), until)

    def is_awaited(self, session_id: SessionId, document_id: DocumentId) -> bool:
        """Whether a session is expected back still."""
        return (session_id, document_id) in self._awaited

    def overdue(self, now: float) -> list[Place]:
        """Expect those no more whose time is over, and return them."""
        return list(self._awaited.pop_due(now))

    # ── while there is no room ──────────────────────────────────────────────────────────────────────────

    def restore(self, profile: Profile, document_id: DocumentId) -> None:
        """Take in a place of before a restart."""
        self._documents.setdefault(profile.session_id, {})[document_id] = None
        self.keep(document_id, [profile])

    def keep(self, document_id: DocumentId, profiles: Iterable[Profile]) -> None:
        """Keep the members of a room that goes."""
        members = {profile.session_id: profile for profile in profiles if self.has(profile.session_id, document_id)}
        if members:
            self._kept.setdefault(document_id, {}).update(members)

    def recall(self, document_id: DocumentId) -> list[Profile]:
        """Return those who were kept, for the next room."""
        return list(self._kept.pop(document_id, {}).values())

    def describe(self, session_id: SessionId, display_name: str, color: str) -> None:
        """Keep a session's user under another name or colour."""
        for document_id in self.of(session_id):
            if profile := self._kept.get(document_id, {}).get(session_id):
                self.keep(document_id, [replace(profile, display_name=display_name, color=color)])

    def change_role(self, session_id: SessionId, document_id: DocumentId, role: RoleName) -> None:
        """Keep a session with another role."""
        if profile := self._kept.get(document_id, {}).get(session_id):
            self.keep(document_id, [replace(profile, role=role)])

    # ── what a restart must not forget ──────────────────────────────────────────────────────────────────

    @property
    def has_changes(self) -> bool:
        """Whether there is something to store."""
        return bool(self._changes)

    def put_back(self, taken: Iterable[Place], given_up: Iterable[Place]) -> None:
        """Note that changes could not be stored, unless they are overtaken by now."""
        self._changes = dict.fromkeys(taken, True) | dict.fromkeys(given_up, False) | self._changes

    def changes(self) -> tuple[list[Place], list[Place]]:
        """Return, once, the places that were taken and those that were given up since this was last asked."""
        changed, self._changes = self._changes, {}
        return [each for each, is_there in changed.items() if is_there], [
            each for each, is_there in changed.items() if not is_there
        ]
