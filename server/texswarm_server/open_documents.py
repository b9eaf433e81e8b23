"""The rooms of a server: which documents are in memory, and who is in them, on a connection or expected back.

A room is loaded when somebody opens its document and unloaded when it has been idle for a while. Everything that
arrives in one turn of the loop is handled in one turn of the room. A document whose load failed has no room, so
nothing is ever stored for it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from texswarm_server.config import ServerConfig
from texswarm_server.deliveries import Deliveries
from texswarm_server.net.peer import Peer
from texswarm_server.net.statistics import DocumentStatistics
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError, RemoteProtocolError, StorageError
from texswarm_server.protocol.frames import FrameBody, SyncStep2, Update
from texswarm_server.protocol.ids import DocumentId, Handle, SessionId
from texswarm_server.protocol.messages import (
    DocumentClosed,
    DocumentOpened,
    DocumentShared,
    Error,
    Fact,
    OpenDocument,
    RoleName,
)
from texswarm_server.room_effects import RoomEffects
from texswarm_server.room_factory import RoomFactory
from texswarm_server.rooms.effects import Effect, Tell
from texswarm_server.rooms.member import Profile
from texswarm_server.rooms.places import Places
from texswarm_server.rooms.room import Room
from texswarm_server.sessions.deadlines import Deadlines
from texswarm_server.sessions.records import DocumentRecord, ListedDocument, Records
from texswarm_server.storage.store import Store, StoredDocument
from texswarm_server.stored_places import StoredPlaces

_logger = logging.getLogger(__name__)

_RECORD_EVERY_S: Final = 30.0


@dataclass(slots=True)
class _Entry:
    """A loaded room. `touched_at`: wall time of the last change that the record does not tell yet."""

    room: Room
    record: DocumentRecord
    touched_at: float | None = None


class OpenDocuments:
    """Invariant: a document has at most one room, and a room's handle is its own for the life of the server.

    It is the `RoomKeeper` of the effects of its rooms.
    """

    def __init__(self, store: Store, config: ServerConfig, *, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._config = config
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self._entries: dict[DocumentId, _Entry] = {}
        self._by_handle: dict[Handle, Room] = {}
        self._loads: dict[DocumentId, asyncio.Future[_Entry]] = {}
        self._places = Places()
        self._stored_places = StoredPlaces(store, self._places, on_given_up=self._tell_left)
        self._dirty: dict[Room, None] = {}
        self._factory = RoomFactory(config.limits)
        self._idle: Deadlines[DocumentId] = Deadlines()
        self._renewals: Deadlines[DocumentId] = Deadlines()
        self.statistics = DocumentStatistics()
        self._deliveries = Deliveries(self.statistics)
        self._effects = RoomEffects(store, self._deliveries, self.statistics, self)
        self._next_record_at = 0.0

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────

    def restore(self, profile: Profile, document_id: DocumentId, remaining_s: float) -> None:
        """Take in where a session was before a restart, and how long it is to be expected back there."""
        self._places.restore(profile, document_id)
        if remaining_s > 0:
            self._expect(profile.session_id, document_id, remaining_s)

    def arrive(self, session_id: SessionId, peer: Peer) -> None:
        """Let `peer` be the connection of a session, which may open again what it had open."""
        self._deliveries.arrive(session_id, peer)
        for document_id in self._places.of(session_id):
            self._expect(session_id, document_id, self._opened_again_s)
        peer.outbox.on_held = partial(self._hold, session_id)
        peer.outbox.on_relieved = partial(self._catch_up, session_id)
        peer.outbox.on_presence_missed = partial(self._repeat_presence, session_id)

    def lose(self, session_id: SessionId) -> None:
        """Note that a session lost its connection: its places are kept."""
        self._deliveries.lose(session_id)
        for entry in self._entries_of(session_id):
            self._effects.execute(entry.room, entry.room.lose(session_id))
            self._expect(session_id, entry.room.document_id, self._config.presence_grace_s)
            self._note_idle(entry.room)

    def is_in(self, session_id: SessionId, document_id: DocumentId) -> bool:
        """Whether a session has a place in a document."""
        return self._places.has(session_id, document_id)

    def disown(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Forget a place that was stored for a session, unless it has opened the document by now."""
        self._places.disown(session_id, document_id)
        self._stored_places.note_soon()

    def leave_all(self, session_id: SessionId) -> None:
        """Give up every place of a session."""
        self._deliveries.lose(session_id)
        for document_id in self._places.of(session_id):
            self._give_up(session_id, document_id)

    def leave_everybody(self) -> None:
        """Give up every place: nobody is to come back."""
        for session_id in self._places.sessions:
            self.leave_all(session_id)

    def describe(self, session_id: SessionId, display_name: str, color: str) -> None:
        """Show a session's user under another name or colour."""
        self._places.describe(session_id, display_name, color)
        for entry in self._entries_of(session_id):
            self._effects.execute(entry.room, entry.room.describe(session_id, display_name, color))

    def change_role(self, session_id: SessionId, document_id: DocumentId, role: RoleName) -> None:
        """Give a session another role where it has the document open, and else let its client know that it may."""
        entry = self._entries.get(document_id)
        if entry is not None and self._places.has(session_id, document_id):
            self._effects.execute(entry.room, entry.room.change_role(session_id, role))
            return
        self._places.change_role(session_id, document_id, role)
        for peer in self._deliveries.connected((session_id,)):
            peer.tell(DocumentShared(document_id=document_id, role=role))

    def expel(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Take a session out of a document that it may not see any more, and let its client know."""
        entry = self._entries.get(document_id)
        if entry is not None and self._places.has(session_id, document_id):
            fact = DocumentClosed(document_id=document_id, handle=entry.room.handle, code=ErrorCode.REMOVED)
            for peer in self._deliveries.connected((session_id,)):
                peer.tell(fact)
        self._give_up(session_id, document_id)

    def owners_in(self, document_id: DocumentId) -> list[Peer]:
        """Return the connections of owners who have a document open."""
        entry = self._entries.get(document_id)
        if entry is None:
            return []
        return self._deliveries.connected(entry.room.owners())

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_storing(self) -> bool:
        """Whether storage takes updates."""
        return not (self._effects.is_in_trouble or self._store.damage)

    @property
    def loaded_count(self) -> int:
        """How many documents are in memory."""
        return len(self._entries)

    def refresh(self, listed: ListedDocument) -> tuple[DocumentRecord, int]:
        """Return a document's record as it is now, and how many members are connected."""
        entry = self._entries.get(listed.record.document_id)
        if entry is None:
            return listed.record, 0
        return self._current_record(entry), len(entry.room.present)

    def is_loaded(self, document_id: DocumentId) -> bool:
        """Whether a document can be opened at once."""
        return document_id in self._entries

    async def load(self, document_id: DocumentId) -> None:
        """Have a document ready for `open`; raises RejectedError or StorageError."""
        await self._entry(document_id)

    def open(self, peer: Peer, profile: Profile, document: DocumentRecord, order: OpenDocument) -> None:
        """Let a signed-in peer into a loaded document that it may see by now; raises RejectedError."""
        entry = self._entries[document.document_id]
        session_id = profile.session_id
        if not self._deliveries.reaches(session_id, peer):
            return
        others = [each for each in self._entries_of(session_id) if each is not entry and each.room.serves(session_id)]
        if len(others) >= self._config.limits.max_open_documents:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{self._config.limits.max_open_documents} open documents")
        effects = entry.room.join(profile, order.state_vector)
        self._places.take(session_id, document.document_id)
        self._stored_places.note_soon()
        self._idle.cancel(document.document_id)
        with peer.outbox.together():
            peer.tell(_opened(entry.room, document, profile.role, order))
            self._effects.execute(entry.room, effects)
        if peer.outbox.is_held:  # it was held before the order was carried out; the room knows of nobody who is new
            entry.room.hold(session_id)
        if profile.is_forgetful and document.document_id not in self._renewals:
            self._renewals.set(document.document_id, self._loop.time() + self._config.presence_renewal_s)

    def close(self, session_id: SessionId, handle: Handle) -> None:
        """Let a session leave a document; raises RejectedError(handle_unknown)."""
        self._give_up(session_id, self.room_of(session_id, handle).document_id)

    def room_of(self, session_id: SessionId, handle: Handle) -> Room:
        """Return the room behind a handle that a session has; raises RejectedError(handle_unknown)."""
        room = self._by_handle.get(handle)
        if room is None or not room.serves(session_id):
            raise RejectedError(ErrorCode.HANDLE_UNKNOWN)
        return room

    def tell_present(self, document_id: DocumentId, fact: Callable[[Room], Fact]) -> None:
        """Tell everybody who is in a document."""
        if entry := self._entries.get(document_id):
            self._effects.execute(entry.room, [Tell(tuple(entry.room.present), fact(entry.room))])

    def frame(self, peer: Peer, session_id: SessionId, handle: Handle, body: FrameBody) -> None:
        """Take in one frame; what is wrong with it is answered here."""
        if isinstance(body, (SyncStep2, Update)):
            if self._store.backlog_bytes > self._config.max_backlog_bytes:
                peer.shut(CloseCode.TRY_AGAIN_LATER, "storage is behind")
                return
            self.statistics.updates += 1
        try:
            room = self.room_of(session_id, handle)
        except RejectedError as error:
            peer.tell(Error(code=error.code, message=error.message, handle=handle))
            return
        try:
            if effects := room.receive(session_id, body):
                self._effects.execute(room, effects)
        except (RejectedError, RemoteProtocolError) as error:
            peer.tell(room.refusal(error))
        if not self._dirty:
            self._loop.call_soon(self.turn)
        self._dirty[room] = None

    # ── what effects need ───────────────────────────────────────────────────────────────────────────────

    def room(self, document_id: DocumentId) -> Room | None:
        """Return the room of a document that is loaded."""
        entry = self._entries.get(document_id)
        return None if entry is None else entry.room

    def changed(self, document_id: DocumentId) -> None:
        """Note that a document was changed."""
        if entry := self._entries.get(document_id):
            entry.touched_at = self._wall_clock()

    def settled(self, document_id: DocumentId) -> None:
        """Read a document that is waited for: all of it is stored by now."""
        if document_id in self._loads:
            self._read(document_id)

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────

    def turn(self) -> None:
        """Let every room that was written to take its turn."""
        try:
            while self._dirty:
                self._take_turn(next(iter(self._dirty)))
        finally:
            if self._dirty:
                self._loop.call_soon(self.turn)

    def tick(self, now: float) -> None:
        """Do what is due; costs as much as is due."""
        self._deliveries.tick()
        for session_id, document_id in self._places.overdue(now):
            self._give_up_waiting(session_id, document_id)
        for document_id in list(self._idle.pop_due(now)):
            self._unload_if_idle(document_id)
        for document_id in list(self._renewals.pop_due(now)):
            self._renew_presence(document_id, now)
        self._stored_places.note_soon()  # what storage refused
        if now >= self._next_record_at:
            self._next_record_at = now + _RECORD_EVERY_S
            self.record_changes()

    def record_changes(self) -> None:
        """Bring storage up to date: what changed, titles and times of change, and who is where."""
        for entry in list(self._entries.values()):
            self._effects.execute(entry.room, entry.room.settle())
            self._record(entry)
        self._stored_places.note()

    def _give_up_waiting(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Show as away who did not come back in time; who came back without opening the document has left it.

        Whoever said nothing after the sign-in may not have heard its answer: they are looked for once more.
        """
        entry = self._entries.get(document_id)
        is_here = entry is not None and entry.room.serves(session_id)
        peers = [] if is_here else self._deliveries.connected((session_id,))
        if any(peer.is_confirmed for peer in peers):
            self._give_up(session_id, document_id)
            return
        if peers:
            self._expect(session_id, document_id, self._opened_again_s)
        if entry is not None:
            self._effects.execute(entry.room, entry.room.give_up_waiting(session_id))

    def _renew_presence(self, document_id: DocumentId, now: float) -> None:
        entry = self._entries.get(document_id)
        if entry is not None and entry.room.has_forgetful:
            self._effects.execute(entry.room, entry.room.renew_presence())
            self._renewals.set(document_id, now + self._config.presence_renewal_s)

    # ── loading ─────────────────────────────────────────────────────────────────────────────────────────

    async def _entry(self, document_id: DocumentId) -> _Entry:
        """Return the loaded document, loading it when it is not; many may wait for one load."""
        while (entry := self._entries.get(document_id)) is None:
            load = self._loads.get(document_id) or self._begin_load(document_id)
            await asyncio.shield(load)
        return entry

    def _begin_load(self, document_id: DocumentId) -> "asyncio.Future[_Entry]":
        load: asyncio.Future[_Entry] = self._loop.create_future()
        load.add_done_callback(_retrieve)
        self._loads[document_id] = load
        if not self._effects.is_outstanding(document_id):
            self._read(document_id)
        return load

    def _read(self, document_id: DocumentId) -> None:
        self._store.load(document_id).add_done_callback(partial(self._on_loaded, document_id))

    def _on_loaded(self, document_id: DocumentId, stored: "asyncio.Future[StoredDocument | None]") -> None:
        load = self._loads.pop(document_id)
        if stored.cancelled():
            load.cancel()
            return
        try:
            entry = self._make_entry(stored.result())
        except (StorageError, RejectedError) as error:
            _logger.error("document %s cannot be loaded and is refused: %s", document_id, error)  # noqa: TRY400
            self.statistics.failed_loads += 1
            load.set_exception(error)
        else:
            self._entries[document_id] = entry
            self._by_handle[entry.room.handle] = entry.room
            self._recall(entry.room)
            self._note_idle(entry.room)
            self.statistics.loads += 1
            load.set_result(entry)

    def _recall(self, room: Room) -> None:
        """Have a new room show who was in the one before and has not come back yet."""
        for profile in self._places.recall(room.document_id):
            is_away = not self._places.is_awaited(profile.session_id, room.document_id)
            self._effects.execute(room, room.expect(profile, is_away=is_away))

    def _make_entry(self, stored: StoredDocument | None) -> _Entry:
        if stored is None:
            raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
        room = self._factory.make(stored, self._wall_clock(), is_database_damaged=bool(self._store.damage))
        return _Entry(room, stored.record)

    def _unload_if_idle(self, document_id: DocumentId) -> None:
        entry = self._entries.get(document_id)
        if entry is None:
            return
        if not entry.room.is_idle or entry.room in self._dirty:
            self._note_idle(entry.room)
            return
        self._record(entry)
        self._forget(entry.room)
        self._store.rest(document_id)

    def _forget(self, room: Room) -> None:
        for session_id in room.present:
            self._expect(session_id, room.document_id, self._opened_again_s)
        self._places.keep(room.document_id, room.profiles)
        self._entries.pop(room.document_id, None)
        self._by_handle.pop(room.handle, None)
        self._dirty.pop(room, None)
        self._effects.forget(room)

    def reload(self, room: Room, *, is_damaged: bool = True) -> None:
        """Close a room for all; the next to open the document loads it again, carefully if it is damaged."""
        if is_damaged:
            _logger.error("document %s was damaged by an update and is loaded again", room.document_id)
            self._factory.distrust(room.document_id)
        else:
            _logger.info(
                "document %s is loaded again: edits came in another order than they were made in", room.document_id
            )
        fact = DocumentClosed(document_id=room.document_id, handle=room.handle, code=ErrorCode.DOCUMENT_RELOADED)
        for peer in self._deliveries.connected(room.present):
            peer.tell(fact)
        self._forget(room)

    def _take_turn(self, room: Room) -> None:
        """Let one room take its turn; one that fails in a way nobody thought of is not trusted any more."""
        del self._dirty[room]
        effects: list[Effect] | None = None
        try:
            effects = room.turn()
        finally:
            if effects is None:
                self.reload(room)
        self._effects.execute(room, effects)

    # ── slow readers ────────────────────────────────────────────────────────────────────────────────────

    def _hold(self, session_id: SessionId) -> None:
        for entry in self._entries_of(session_id):
            entry.room.hold(session_id)

    def _catch_up(self, session_id: SessionId) -> None:
        for entry in self._entries_of(session_id):
            self._effects.execute(entry.room, entry.room.catch_up(session_id))

    def _repeat_presence(self, session_id: SessionId) -> None:
        for entry in self._entries_of(session_id):
            self._effects.execute(entry.room, entry.room.repeat_presence(session_id))

    # ── small helps ─────────────────────────────────────────────────────────────────────────────────────

    def _entries_of(self, session_id: SessionId) -> list[_Entry]:
        return [self._entries[each] for each in self._places.of(session_id) if each in self._entries]

    @property
    def _opened_again_s(self) -> float:
        """How long who is connected may take to open a document again; nothing may come through for as long as that."""
        return max(self._config.presence_grace_s, self._config.dead_after_s)

    def _expect(self, session_id: SessionId, document_id: DocumentId, within_s: float) -> None:
        self._places.wait_for(session_id, document_id, self._loop.time() + within_s)

    def _give_up(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Let a place end, also where its document is not in memory."""
        self._places.give_up(session_id, document_id)
        self._stored_places.note_soon()
        if entry := self._entries.get(document_id):
            self._effects.execute(entry.room, entry.room.leave(session_id))
            self._note_idle(entry.room)

    def _tell_left(self, session_id: SessionId, document_id: DocumentId) -> None:
        """Let others know who has left, now that a restart does not show them again."""
        if entry := self._entries.get(document_id):
            self._effects.execute(entry.room, entry.room.tell_left(session_id))

    def _note_idle(self, room: Room) -> None:
        if room.is_deserted:
            self._idle.set(room.document_id, self._loop.time() + self._config.idle_document_s)

    def _current_record(self, entry: _Entry) -> DocumentRecord:
        title = entry.room.title[: self._config.limits.max_title_chars] or entry.record.title
        return replace(entry.record, title=title, updated_at=entry.touched_at or entry.record.updated_at)

    def _record(self, entry: _Entry) -> None:
        if entry.touched_at is None:
            return
        entry.record = record = self._current_record(entry)
        entry.touched_at = None

        def put(records: Records) -> None:
            records.put_document(record)

        self._store.run(put).add_done_callback(_retrieve)


def _retrieve(future: "asyncio.Future[_Entry] | asyncio.Future[None]") -> None:
    """Look at a failure that has no other reader."""
    if not future.cancelled() and (error := future.exception()):
        _logger.debug("%s", error)


def _opened(room: Room, document: DocumentRecord, role: RoleName, order: OpenDocument) -> DocumentOpened:
    return DocumentOpened(
        document_id=document.document_id,
        handle=room.handle,
        role=role,
        lineage=document.lineage,
        title=room.title or document.title,
        sync_follows=order.state_vector is not None,
        read_only=room.read_only or None,
        request=order.request,
    )
