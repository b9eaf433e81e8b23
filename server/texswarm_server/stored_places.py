"""Has it stored who is where: soon, but what a crowd does within a moment goes together.

That somebody has left is told to others once it is stored: a server that is killed right after would show them again.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from texswarm_server.protocol.ids import DocumentId, SessionId
from texswarm_server.rooms.places import Place, Places
from texswarm_server.sessions.records import Records
from texswarm_server.storage.store import Store, log_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOGETHER_S: Final = 0.1


class StoredPlaces:
    """Invariant: while there are changes that are not stored, `note_soon` was called since, or storage refused them.

    `on_given_up` is told of every place that was given up once that is stored, or refused.
    """

    def __init__(self, store: Store, places: Places, *, on_given_up: Callable[[SessionId, DocumentId], None]) -> None:
        self._store = store
        self._places = places
        self._on_given_up = on_given_up
        self._loop = asyncio.get_running_loop()
        self._is_due, self._noted_at = False, 0.0
        self._was_refused = False

    def note_soon(self) -> None:
        """Store what has changed, if anything has: at once, or a moment after the last time."""
        if self._places.has_changes and not self._is_due:
            self._is_due = True
            self._loop.call_at(self._noted_at + _TOGETHER_S, self.note)

    def note(self) -> None:
        """Store what has changed now."""
        self._is_due, self._noted_at = False, self._loop.time()
        if not self._places.has_changes:
            return
        taken, given_up = self._places.changes()

        def note(records: Records) -> None:
            records.put_places(taken)
            records.remove_places(given_up)

        self._store.run(note).add_done_callback(partial(self._on_noted, taken, given_up))

    def _on_noted(self, taken: "Sequence[Place]", given_up: "Sequence[Place]", future: "asyncio.Future[None]") -> None:
        was_refused, self._was_refused = self._was_refused, False
        if not future.cancelled() and future.exception() is not None:
            if not was_refused:
                log_failure(future)
            self._was_refused = True
            self._places.put_back(taken, given_up)
        for session_id, document_id in given_up:
            self._on_given_up(session_id, document_id)
