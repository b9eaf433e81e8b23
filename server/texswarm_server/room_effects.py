"""Carries out what rooms order: deliveries to members, updates to storage, and what is due a moment later.

Acknowledgements follow once storage has reported, and members are told once where it takes no updates for a while.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Protocol

from texswarm_server.deliveries import Deliveries
from texswarm_server.net.statistics import DocumentStatistics
from texswarm_server.protocol.errors import ErrorCode, StorageError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.protocol.messages import Error
from texswarm_server.rooms.effects import (
    Announce,
    Broadcast,
    Effect,
    Greet,
    Persist,
    Reload,
    SendDocument,
    SendPresence,
    Settle,
    Tell,
)
from texswarm_server.rooms.room import Room
from texswarm_server.storage.store import Store

_logger = logging.getLogger(__name__)


class RoomKeeper(Protocol):
    """Who has the rooms."""

    def room(self, document_id: DocumentId) -> Room | None:
        """Return the room of a document that is loaded."""

    def changed(self, document_id: DocumentId) -> None:
        """Note that a document was changed."""

    def reload(self, room: Room, *, is_damaged: bool) -> None:
        """Close a room for all, so that its document is loaded anew."""

    def settled(self, document_id: DocumentId) -> None:
        """Note that nothing of a document waits for storage any more."""


class RoomEffects:
    """Invariant: what was ordered by a room that is closed by now reaches storage, and nobody else."""

    def __init__(
        self, store: Store, deliveries: Deliveries, statistics: DocumentStatistics, keeper: RoomKeeper
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._statistics = statistics
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._outstanding: Counter[DocumentId] = Counter()
        self._stored: dict[Room, int] = {}
        self._changed_at: dict[Room, float] = {}
        self._told_of_trouble: set[Room] = set()
        self.is_in_trouble = False
        store.listener.on_trouble = self._on_trouble
        store.listener.on_recovered = self._on_recovered

    def execute(self, room: Room, effects: list[Effect]) -> None:
        """Carry out what a room orders, in this order."""
        for effect in effects:
            match effect:
                case SendDocument():
                    self._deliveries.send_document(room.handle, effect)
                case SendPresence():
                    self._deliveries.send_presence(room.handle, effect)
                case Broadcast():
                    self._deliveries.broadcast(room.handle, effect)
                case Tell():
                    self._deliveries.tell(effect)
                case Persist():
                    self._persist(room, effect)
                case Settle(delay_s):
                    self._changed_at[room] = self._loop.time()
                    self._loop.call_later(delay_s, self._execute_later, room, room.settle)
                case Reload(is_damaged):
                    self._keeper.reload(room, is_damaged=is_damaged)
                case Announce(delay_s):
                    self._loop.call_later(delay_s, self._execute_later, room, room.announce)
                case Greet(delay_s):
                    self._loop.call_later(delay_s, self._execute_later, room, room.greet)

    def is_outstanding(self, document_id: DocumentId) -> bool:
        """Whether something of a document waits for storage, so that what is stored is not all of it."""
        return document_id in self._outstanding

    def forget(self, room: Room) -> None:
        """Note that a room is closed."""
        self._deliveries.forget(room.handle)
        self._changed_at.pop(room, None)
        self._told_of_trouble.discard(room)

    def _is_open(self, room: Room) -> bool:
        return self._keeper.room(room.document_id) is room

    def _execute_later(self, room: Room, effects: Callable[[], list[Effect]]) -> None:
        if self._is_open(room):
            self.execute(room, effects())

    def _persist(self, room: Room, effect: Persist) -> None:
        since = self._changed_at.pop(room, None) or self._loop.time()
        self._keeper.changed(room.document_id)
        self._outstanding[room.document_id] += 1
        if self.is_in_trouble:
            self._tell_trouble(room)
        on_durable = partial(self._on_durable, room, effect.batch, since)
        self._store.append(room.document_id, effect.update, on_durable, edits=effect.edits)

    def _on_durable(self, room: Room, batch: int, since: float) -> None:
        self._statistics.acknowledgement_s.observe(self._loop.time() - since)
        document_id = room.document_id
        self._outstanding[document_id] -= 1
        if not self._stored:
            self._loop.call_soon(self._acknowledge)
        self._stored[room] = batch
        if not self._outstanding[document_id]:
            del self._outstanding[document_id]
            self._keeper.settled(document_id)

    def _acknowledge(self) -> None:
        """Tell everybody once what storage reported together; a count stands for all before it."""
        stored, self._stored = self._stored, {}
        for room, batch in stored.items():
            if self._is_open(room):
                self.execute(room, room.durable(batch))

    def _on_trouble(self, error: StorageError) -> None:
        _logger.error("storage does not take updates: %s", error)
        self.is_in_trouble = True
        for document_id in self._outstanding:
            if room := self._keeper.room(document_id):
                self._tell_trouble(room)

    def _on_recovered(self) -> None:
        _logger.warning("storage takes updates again")
        self.is_in_trouble = False
        self._told_of_trouble.clear()

    def _tell_trouble(self, room: Room) -> None:
        if room in self._told_of_trouble:
            return
        self._told_of_trouble.add(room)
        error = Error(
            code=ErrorCode.STORAGE_UNAVAILABLE,
            message="changes are kept in memory and stored when it works again",
            document_id=room.document_id,
            handle=room.handle,
        )
        self._deliveries.tell(Tell(tuple(room.present), error))
