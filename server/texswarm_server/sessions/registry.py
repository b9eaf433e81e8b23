"""The sessions of a server: attached to a connection, detached for a grace period, or expired.

One machine per session, all in one table because takeover, the limit per user and expiry look across it:

    (none) ──attach──> attached ──detach──> detached ──time──> (expired: gone from the table)
                        ^   │  └──attach: the older connection is replaced          │
                        └───┴────────────────────attach─────────────────────────────┘

Attaching never fails because a session exists. A client of some wires cannot name its session: it is given one that its
user left behind on that wire, within a brief grace period. Where a session is asked for that has expired, another one
stands for it from then on: whoever asks again, because the answer was lost or the question was long on its way, comes
to the same.

Time is any steady clock in seconds; connections are any hashable
token of the caller.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.sessions.deadlines import Deadlines

Connection = Hashable


@dataclass(slots=True)
class Session:
    """One user's place. `connection` is None while it is detached. `stands_for`: the expired one that was asked for.

    `wire`: by which one its client comes back, where it cannot name its session; else empty.
    """

    session_id: SessionId
    user_id: UserId
    grant_id: str
    connection: Connection | None = None
    stands_for: SessionId | None = None
    wire: str = ""

    @property
    def is_attached(self) -> bool:
        """Whether a connection serves it now."""
        return self.connection is not None


@dataclass(frozen=True, slots=True)
class Attachment:
    """What attaching came to: `replaced` is the connection that must give way, `ended` were pushed out."""

    session: Session
    is_resumed: bool
    replaced: Connection | None = None
    ended: list[Session] = field(default_factory=list)


class SessionRegistry:
    """All sessions that are not expired. Invariant: a connection serves at most one session.

    `new_id` makes the id of a session to come.
    """

    def __init__(
        self,
        *,
        grace_s: float,
        max_per_user: int,
        new_id: Callable[[], SessionId],
        brief_grace_s: float = 0.0,
    ) -> None:
        self._grace_s = grace_s
        self._brief_grace_s = brief_grace_s
        self._max_per_user = max_per_user
        self.new_id = new_id
        self._sessions: dict[SessionId, Session] = {}
        self._successors: dict[SessionId, Session] = {}
        self._by_user: dict[UserId, dict[SessionId, Session]] = {}
        self._deadlines: Deadlines[SessionId] = Deadlines()

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, session_id: SessionId) -> Session | None:
        """Return a session that has not expired, or the one that stands for it."""
        return self._sessions.get(session_id) or self._successors.get(session_id)

    def sessions_of(self, user_id: UserId) -> list[Session]:
        """Return a user's sessions, the oldest first."""
        return list(self._by_user.get(user_id, {}).values())

    def left_behind(self, user_id: UserId, wire: str) -> list[Session]:
        """Return what a client that cannot name its session may go on with, the one that it left last first."""
        mine = [each for each in self.sessions_of(user_id) if each.wire == wire and not each.is_attached]
        return sorted(mine, key=lambda session: self._deadlines.when(session.session_id), reverse=True)

    def grace_s(self, wire: str) -> float:
        """Return how long a session outlives its connection; `wire` as in `Session`."""
        return self._brief_grace_s if wire else self._grace_s

    def has_room(self, user_id: UserId) -> bool:
        """Whether a user may have one more session without losing one."""
        return len(self._by_user.get(user_id, ())) < self._max_per_user

    @property
    def attached_count(self) -> int:
        """How many sessions a connection serves."""
        return len(self._sessions) - len(self._deadlines)

    def restore(self, session: Session, *, now: float, remaining_s: float) -> None:
        """Take in a session of before a restart, detached, with what is left of its grace period."""
        session.connection = None
        self._add(session)
        self._deadlines.set(session.session_id, now + min(max(remaining_s, 0.0), self.grace_s(session.wire)))

    def attach(
        self,
        user_id: UserId,
        wanted: SessionId | None,
        connection: Connection,
        *,
        grant_id: str,
        new_id: SessionId | None = None,
        wire: str = "",
    ) -> Attachment:
        """Give `connection` the session `wanted` if it is this user's, else a new one, under `new_id` if that is given.

        Raises RejectedError(limit_exceeded) when the user has no place left and every one is attached. With
        a `wire`, see `Session`, it takes no place.
        """
        session = self.find(wanted) if wanted else None
        if session is None or session.user_id != user_id:
            stands_for = wanted if session is None else None
            ended = [] if wire else self._make_room(user_id)
            session = Session(new_id or self.new_id(), user_id, grant_id, connection, stands_for, wire)
            self._add(session)
            return Attachment(session, is_resumed=False, ended=ended)
        replaced, session.connection, session.grant_id = session.connection, connection, grant_id
        self._deadlines.cancel(session.session_id)
        is_resumed = session.session_id == wanted
        return Attachment(session, is_resumed, replaced=None if replaced == connection else replaced)

    def detach(self, session_id: SessionId, connection: Connection, now: float) -> bool:
        """Note that `connection` is gone; False when it did not serve the session any more."""
        session = self._sessions.get(session_id)
        if session is None or not session.is_attached or session.connection != connection:
            return False
        session.connection = None
        self._deadlines.set(session_id, now + self.grace_s(session.wire))
        return True

    def end(self, session_id: SessionId) -> Session | None:
        """Remove a session by somebody's wish and return it."""
        self._deadlines.cancel(session_id)
        return self._remove(session_id)

    def expire(self, now: float) -> list[Session]:
        """Remove and return the sessions whose grace period is over."""
        expired = [self._remove(session_id) for session_id in self._deadlines.pop_due(now)]
        return [session for session in expired if session]

    def _make_room(self, user_id: UserId) -> list[Session]:
        """End the sessions of a user that would expire first until one more fits."""
        ended = []
        mine = self._by_user.get(user_id, {})
        while len(mine) >= self._max_per_user:
            detached = [session for session in mine.values() if not session.is_attached]
            if not detached:
                raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{len(mine)} sessions")
            first = min(detached, key=lambda session: self._deadlines.when(session.session_id))
            self.end(first.session_id)
            ended.append(first)
        return ended

    def _add(self, session: Session) -> None:
        self._sessions[session.session_id] = session
        self._by_user.setdefault(session.user_id, {})[session.session_id] = session
        if session.stands_for is not None:
            self._successors[session.stands_for] = session

    def _remove(self, session_id: SessionId) -> Session | None:
        session = self._sessions.pop(session_id, None)
        if session is not None:
            mine = self._by_user[session.user_id]
            del mine[session_id]
            if not mine:
                del self._by_user[session.user_id]
            if session.stands_for is not None:
                del self._successors[session.stands_for]
        return session
