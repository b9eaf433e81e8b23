"""What storage is told of sessions while the server runs: who lost a connection, and which sessions are over.

Nobody waits for it. A session that is over and that a full disk kept is one that a restart would show again, so it is
asked for again until it is gone.
"""

from functools import partial
from typing import TYPE_CHECKING

from texswarm_server.protocol.ids import SessionId
from texswarm_server.sessions.records import Records
from texswarm_server.sessions.registry import Session
from texswarm_server.storage.store import Store, log_failure

if TYPE_CHECKING:
    import asyncio


class StoredSessions:
    """Invariant: whoever was to be forgotten is, or stands in `_kept`, or storage is at it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[SessionId, None] = {}

    def detach(self, session: Session, now: float) -> None:
        """Note when (wall time) a session lost its connection, unless somebody has ended it beside this server."""

        def note(records: Records) -> None:
            records.detach_session(session.session_id, session.grant_id, now)

        self._store.run(note).add_done_callback(log_failure)

    def forget(self, sessions: list[Session]) -> None:
        """Remove sessions that are over."""
        self._remove([session.session_id for session in sessions])

    def try_again(self) -> None:
        """Remove what could not be removed so far."""
        if self._kept:
            kept, self._kept = list(self._kept), {}
            self._remove(kept, is_first_try=False)

    def _remove(self, gone: list[SessionId], *, is_first_try: bool = True) -> None:
        def remove(records: Records) -> None:
            records.remove_sessions(gone)

        future = self._store.run(remove)
        if is_first_try:
            future.add_done_callback(log_failure)
        future.add_done_callback(partial(self._on_removed, gone))

    def _on_removed(self, gone: list[SessionId], future: "asyncio.Future[None]") -> None:
        if not future.cancelled() and future.exception() is not None:
            self._kept |= dict.fromkeys(gone)
