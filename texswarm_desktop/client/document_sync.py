"""One document on a link: opening it, catching up both ways, sending edits, and knowing which of them are safe.

Pure: it is told what happened and calls its replica and its link. It keeps no edits itself. Whatever was typed is in
the replica, and what the server lacks is found by state vector when the document is opened again; so a cut at any
point loses nothing and sends nothing twice that would matter.

Every message with an update (sync step 2 or edit) has a number on its handle, counted from 1 at each opening. The
server acknowledges by that number, and `_Door.in_flight` translates it to the replica's outbox row.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Final, Protocol

from texswarm_desktop.client.blob_sync import BlobSync
from texswarm_desktop.client.ports import ReplicaPort
from texswarm_server.document.updates import merge_updates, read_state_vector
from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    ErrorCode,
    MalformedUpdateError,
    RejectedError,
    RemoteProtocolError,
    Verdict,
    code_of,
    code_verdict,
    verdict,
)
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    BlobChunk,
    FrameBody,
    SyncStep1,
    SyncStep2,
    Update,
    encode_frame,
)
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import (
    MAX_STATE_VECTOR_BYTES,
    CloseDocument,
    DocumentClosed,
    DocumentOpened,
    OpenDocument,
    Order,
    Participant,
    RoleName,
)
from texswarm_server.protocol.version import Limits

#: How often a document may be opened again on one link within this many seconds.
_MAX_REOPENINGS: Final = 3
_REOPENING_WINDOW_S: Final = 60.0
#: The most a frame adds to the update in it: handle, kinds, length.
_FRAME_OVERHEAD_BYTES: Final = 24
#: Edits closer together than this count as equally old.
_AGE_GRAIN_S: Final = 1.0


class DocumentLink(Protocol):
    """The link as a document sees it."""

    @property
    def limits(self) -> Limits:
        """What the server lets a frame grow to."""

    def send_order(self, order: Order, document_id: str) -> None:
        """Send an order; a refusal of it comes back to `DocumentSync.order_refused`."""

    def send_frame(self, frame: bytes) -> None:
        """Send a binary frame."""

    def document_settled(self) -> None:
        """Hear that a document has become settled, or is so no more."""

    def give_up(self, reason: str) -> None:
        """Drop the link and begin again after a while."""


class _Stage(Enum):
    AWAY = "away"
    OPENING = "opening"
    OPEN = "open"
    REFUSED = "refused"


@dataclass(slots=True)
class _Door:
    """What lasts as long as a handle. `returned`: a message, and how many edits of others the server has with it."""

    handle: Handle
    role: RoleName
    is_read_only: bool = False
    their_vector: bytes | None = None
    has_caught_up: bool = False
    early_presence: list[bytes] = field(default_factory=list)
    sent: int = 0
    returned: tuple[int, int] | None = None
    in_flight: deque[tuple[int, int]] = field(default_factory=deque)

    @property
    def can_write(self) -> bool:
        return self.role != "viewer" and not self.is_read_only


class DocumentSync:
    """The traffic of one document. Invariant: an outbox row is acknowledged only if the server said it is durable.

    A server tells edits before it stores them. One that is killed in between may have lost what others deleted, which
    no state vector shows, and who deleted it may never come back: so what was heard is returned after the next opening.
    """

    def __init__(self, replica: ReplicaPort, *, clock: Callable[[], float], on_edit: Callable[[], None]) -> None:
        self._replica = replica
        port = replica.blobs
        self.blobs = BlobSync(port, replica.document_id, clock=clock) if port is not None else None
        self._clock = clock
        self._on_edit = on_edit
        self._link: DocumentLink | None = None
        self._stage = _Stage.AWAY
        self._door: _Door | None = None
        self._is_removed = False
        self._participants: dict[str, Participant] = {}
        self._untold: dict[str, Participant] = {}
        self._reopenings: list[float] = []
        self._heard = self._returned = 0
        self._ages: deque[tuple[int, float]] = deque()
        if replica.unacknowledged():
            self._ages.append((replica.last_local_row(), clock()))

    # ── for the project ─────────────────────────────────────────────────────────────────────────────────

    @property
    def document_id(self) -> str:
        """The document's UUID."""
        return self._replica.document_id

    @property
    def is_synced(self) -> bool:
        """Whether everything the server had at the opening has arrived, and edits flow."""
        return self._door is not None and self._door.has_caught_up

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to wait for: synced, or refused for good."""
        return self.is_synced or self._stage is _Stage.REFUSED

    @property
    def role(self) -> RoleName | None:
        """This user's role while the document is open."""
        return self._door.role if self._door else None

    @property
    def handle(self) -> Handle | None:
        """The document's number on the link while it is open."""
        return self._door.handle if self._door else None

    @property
    def oldest_unacknowledged_since(self) -> float | None:
        """When the oldest edit that the server has not confirmed was made, by the injected clock; else None."""
        return self._ages[0][1] if self._ages else None

    def local_update(self, update: bytes, row: int) -> None:
        """Send an edit that is in the replica already, under its outbox row; without a link it just waits there."""
        self._grow_older(row)
        door = self._door
        if door is None:
            self._on_edit()
        elif door.their_vector is not None and door.can_write:
            self._send_update(door, update, row)

    def presence_changed(self) -> None:
        """Publish where the user is now; while catching up it waits, since places count in the text of both ends."""
        if self.is_synced and self._door and self._link:
            update = self._replica.presence_update()
            if update and len(update) <= self._link.limits.max_presence_bytes:
                self._link.send_frame(encode_frame(self._door.handle, Awareness(update)))

    # ── for the connection ──────────────────────────────────────────────────────────────────────────────

    def link_up(self, link: DocumentLink, *, is_asked: bool = False) -> None:
        """Open the document on a link that has just signed in; `is_asked`: the sign-in has asked for it already."""
        self._link = link
        self._reopenings.clear()
        self._open(is_asked=is_asked)

    def shared(self) -> None:
        """The user may open the document: who was refused it asks again."""
        if self._link is not None and self._stage is _Stage.REFUSED:
            self._open()
            self._link.document_settled()

    def link_lost(self) -> None:
        """Forget handle and numbering; what was not acknowledged stays in the replica."""
        was_here = self._door is not None
        self._link, self._door, self._stage = None, None, _Stage.AWAY
        self._stop_blobs()
        if was_here:
            self._replica.others_left()

    def leave(self) -> None:
        """Give the handle back; the connection forgets this document."""
        if self._link and self._door:
            self._link.send_order(CloseDocument(handle=self._door.handle), self.document_id)
        self.link_lost()
        if self.blobs is not None:
            self.blobs.close()

    def document_opened(self, fact: DocumentOpened) -> None:
        """The server answered: ask for what is missing, unless that is on its way."""
        link = self._link
        if link is None or self._stage is not _Stage.OPENING:
            return
        self._door = _Door(Handle(fact.handle), fact.role, is_read_only=fact.read_only is not None)
        self._stage = _Stage.OPEN
        self._is_removed = False
        if self._replica.lineage not in {None, fact.lineage}:
            link.send_order(CloseDocument(handle=fact.handle), self.document_id)
            self._refuse(RejectedError(ErrorCode.LINEAGE_MISMATCH, fact.lineage))
            return
        self._replica.opened(fact)
        if not fact.sync_follows:
            link.send_frame(encode_frame(self._door.handle, SyncStep1(self._replica.state_vector())))

    def document_closed(self, fact: DocumentClosed) -> None:
        """The handle is void: open again where that can help."""
        if self._door is None or self._door.handle != fact.handle:
            return
        if code_verdict(fact.code) is Verdict.RETRY:
            self._open_again(RejectedError(fact.code, fact.message))
        else:
            self._refuse(RejectedError(fact.code, fact.message))

    def order_refused(self, error: RejectedError) -> None:
        """The server refused to open the document; who was taken out of it is told nothing else than that."""
        if self._is_removed and error.code == ErrorCode.DOCUMENT_NOT_FOUND:
            error = RejectedError(ErrorCode.REMOVED)
        if self._link is None or self._stage is not _Stage.OPENING:
            return
        if verdict(error) is Verdict.RETRY:
            self._link.give_up(f"{self.document_id}: {error}")
        else:
            self._refuse(error)

    def frame_refused(self, error: RejectedError) -> None:
        """The server refused an update on this handle; which one is not known, so none in flight may count as safe."""
        door, link = self._door, self._link
        if door is None or link is None:
            return
        door.in_flight.clear()
        if error.code == ErrorCode.FORBIDDEN:
            door.role = "viewer"
            self._replica.refused(error)
            return
        self._open_again(error)
        if self._stage is _Stage.REFUSED:  # opened again it begins anew by itself, and nobody sees it closed
            link.send_order(CloseDocument(handle=door.handle), self.document_id)

    def role_changed(self, role: RoleName) -> None:
        """The user's role is another one; edits held back while it was `viewer` go out."""
        door = self._door
        if door is None:
            return
        could_write, door.role = door.can_write, role
        self._replica.role_changed(role)
        if door.can_write and not could_write and door.their_vector is not None:
            self._replica.when_kept(partial(self._answer, door, door.their_vector))
        if self.blobs is not None and door.has_caught_up:
            self.blobs.role_changed(can_write=door.can_write)

    def participants_told(self, participants: list[Participant], *, more: bool = False) -> None:
        """Pass on who is in the document; who was there stays listed until all of a crowd are told."""
        known = self._untold | self._participants
        self._participants = {each.participant_id: each for each in participants}
        self._untold = known if more else {}
        self._pass_on_participants()

    def participants_changed(self, changed: list[Participant], gone: list[str], *, more: bool = False) -> None:
        """Pass on who is in the document after what changed."""
        self._participants |= {each.participant_id: each for each in changed}
        for participant_id in gone:
            self._participants.pop(participant_id, None)
            self._untold.pop(participant_id, None)
        if not more:
            self._untold = {}
        self._pass_on_participants()

    def _pass_on_participants(self) -> None:
        listed = self._participants | {key: each for key, each in self._untold.items() if key not in self._participants}
        self._replica.participants_changed(list(listed.values()))

    def receive(self, body: FrameBody) -> None:
        """Take in a frame of this handle; raises RemoteProtocolError when the server talks nonsense."""
        door = self._door
        if door is None:
            return
        match body:
            case SyncStep1(state_vector):
                read_state_vector(state_vector)
                self._replica.when_kept(partial(self._answer, door, state_vector))
            case SyncStep2(update):
                self._apply(update)
                self._on_caught_up(door)
            case Update(update):
                self._heard += 1
                self._apply(update)
            case Awareness(update):
                if door.has_caught_up:
                    self._replica.apply_presence(update)
                else:
                    door.early_presence.append(update)
            case Acknowledged(count):
                self._on_acknowledged(door, count)
            case BlobChunk() if self.blobs is not None:
                self.blobs.receive(body)
            case BlobChunk():
                pass

    def opening(self) -> OpenDocument:
        """Return the order that opens the document as it is here now."""
        ours = self._replica.state_vector()
        return OpenDocument(
            document_id=self.document_id,
            lineage=self._replica.lineage,
            state_vector=ours if len(ours) <= MAX_STATE_VECTOR_BYTES else None,
        )

    # ── opening ─────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, *, is_asked: bool = False) -> None:
        assert self._link is not None
        self._door, self._stage = None, _Stage.OPENING
        if not is_asked:
            self._link.send_order(self.opening(), self.document_id)

    def _open_again(self, error: RejectedError) -> None:
        """Bounded: an update that breaks the server's copy would break it every time."""
        assert self._link is not None
        self._replica.others_left()
        self._stop_blobs()
        now = self._clock()
        self._reopenings = [at for at in self._reopenings if now - at < _REOPENING_WINDOW_S] + [now]
        if len(self._reopenings) > _MAX_REOPENINGS:
            self._refuse(error)
            return
        self._open()
        self._link.document_settled()

    def _refuse(self, error: RejectedError) -> None:
        if self._door:
            self._replica.others_left()
            self.participants_told([])
        self._door, self._stage = None, _Stage.REFUSED
        self._stop_blobs()
        self._is_removed = error.code == ErrorCode.REMOVED
        self._replica.refused(error)
        if self._link:
            self._link.document_settled()

    def _stop_blobs(self) -> None:
        if self.blobs is not None:
            self.blobs.stop()

    # ── what comes in ───────────────────────────────────────────────────────────────────────────────────

    def _answer(self, door: _Door, state_vector: bytes) -> None:
        """Send what the server lacks, who has what is in `state_vector`; edits from now on go out one by one."""
        if self._door is not door:
            return
        theirs = read_state_vector(state_vector)
        door.their_vector = state_vector
        has_edits = self._replica.unacknowledged() > 0
        has_all = self._heard == self._returned
        if not has_edits and has_all and theirs == read_state_vector(self._replica.state_vector()):
            return
        if door.can_write:
            self._send_missing(door, state_vector)
        elif has_edits and not door.is_read_only:
            self._replica.refused(RejectedError(ErrorCode.FORBIDDEN, "edits of a viewer stay here"))

    def _on_caught_up(self, door: _Door) -> None:
        """Show the others, and oneself to them: only now does a place mean the same at both ends."""
        if self._door is not door or door.has_caught_up:
            return
        door.has_caught_up = True
        for update in door.early_presence:
            self._replica.apply_presence(update)
        door.early_presence.clear()
        self.presence_changed()
        if self.blobs is not None and self._link and self._door is door:
            self.blobs.start(self._link, door.handle, can_write=door.can_write)
        if self._link:
            self._link.document_settled()

    def _on_acknowledged(self, door: _Door, count: int) -> None:
        if count > door.sent:
            raise RemoteProtocolError(ErrorCode.FRAME_INVALID, f"{count} of {door.sent} messages acknowledged")
        row = 0
        while door.in_flight and door.in_flight[0][0] <= count:
            row = max(row, door.in_flight.popleft()[1])
        if door.returned is not None and door.returned[0] <= count:
            self._returned = door.returned[1]
        if row:
            while self._ages and self._ages[0][0] <= row:
                self._ages.popleft()
            self._replica.acknowledged(row)

    def _apply(self, update: bytes) -> None:
        try:
            self._replica.apply_remote(update)
        except MalformedUpdateError as error:
            raise RemoteProtocolError(ErrorCode.UPDATE_INVALID, str(error)) from error
        except DamagedDocumentError as error:
            self._refuse(RejectedError(code_of(error), str(error)))

    # ── what goes out ───────────────────────────────────────────────────────────────────────────────────

    def _send_missing(self, door: _Door, state_vector: bytes) -> None:
        """Send what the server lacks in one message, or edit by edit where that would be too big."""
        row = self._replica.last_local_row()
        update = self._replica.update_since(state_vector)
        if len(update) <= self._room():
            self._send_numbered(door, SyncStep2(update), row)
            door.returned = door.sent, self._heard
            return
        for last_row, part in _gathered(self._replica.unacknowledged_updates(), self._room()):
            if self._door is door:
                self._send_update(door, part, last_row)

    def _send_update(self, door: _Door, update: bytes, row: int) -> None:
        if len(update) > self._room():
            self._refuse(RejectedError(ErrorCode.LIMIT_EXCEEDED, f"an edit of {len(update)} bytes"))
        else:
            self._send_numbered(door, Update(update), row)

    def _send_numbered(self, door: _Door, body: SyncStep2 | Update, row: int) -> None:
        assert self._link is not None
        door.sent += 1
        door.in_flight.append((door.sent, row))
        self._link.send_frame(encode_frame(door.handle, body))

    def _room(self) -> int:
        assert self._link is not None
        return self._link.limits.max_frame_bytes - _FRAME_OVERHEAD_BYTES

    def _grow_older(self, row: int) -> None:
        now = self._clock()
        if self._ages and now - self._ages[-1][1] < _AGE_GRAIN_S:
            self._ages[-1] = (max(row, self._ages[-1][0]), self._ages[-1][1])
        else:
            self._ages.append((row, now))


def _gathered(updates: Sequence[tuple[int, bytes]], room_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield merged updates with the last row in each, none over `room_bytes` unless a single edit is."""
    batch: list[bytes] = []
    size = last_row = 0
    for row, update in updates:
        if batch and size + len(update) > room_bytes:
            yield last_row, merge_updates(batch)
            batch, size = [], 0
        batch.append(update)
        size += len(update)
        last_row = row
    if batch:
        yield last_row, merge_updates(batch)
