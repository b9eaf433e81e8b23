"""A ReplicaPort over a real ProjectDocument, with an outbox in memory that survives a restart of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import PresenceEntry, encode_presence
from texswarm_server.document.updates import merge_updates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from texswarm_desktop.client.document_sync import DocumentSync
    from texswarm_desktop.client.ports import BlobPort
    from texswarm_server.protocol.errors import RejectedError
    from texswarm_server.protocol.messages import DocumentOpened, Participant, RoleName

FILE = "main.tex"


class ModelReplica:
    """One person's copy. `rows` are local updates by outbox row; those up to `acknowledged_row` are safe.

    `unkept`: who waits until what is here is durable, while it is not; else None.
    """

    def __init__(
        self, document_id: str = "11111111-1111-4111-8111-111111111111", client_ids: Iterator[int] | None = None
    ) -> None:
        """`client_ids`: one for each start of the program; random ones unless given."""
        self.document_id = document_id
        self._client_ids = client_ids
        self.document = self._new_document()
        self.sync: DocumentSync | None = None
        self.rows: list[bytes] = []
        self.blobs: BlobPort | None = None
        self.acknowledged_row = 0
        self.unkept: list[Callable[[], None]] | None = None
        self.presence: list[bytes] = []
        self.participants: list[Participant] = []
        self.refusals: list[RejectedError] = []
        self.roles: list[RoleName] = []
        self.openings: list[DocumentOpened] = []
        self.on_apply: Callable[[bytes], None] = lambda update: None
        self.others_left_count = self.presence_clock = 0
        self._unsent: list[tuple[bytes, int]] = []
        self._remote: list[bytes] = []

    # ── the person ──────────────────────────────────────────────────────────────────────────────────────

    def create(self, lineage: str) -> None:
        self.document.initialise("Paper", lineage)
        self.document.add_file(FILE)
        self.flush()

    @property
    def text(self) -> str:
        file_id = self.document.file_at(FILE)
        return "" if file_id is None else str(self.document.text(file_id))

    def replace(self, start: int, end: int, new: str) -> None:
        file_id = self.document.file_at(FILE)
        assert file_id is not None
        self.document.text(file_id).replace_u16(start, end, new)
        self.flush()

    def flush(self) -> None:
        """Hand over what was typed, as the project does once per tick."""
        unsent, self._unsent = self._unsent, []
        for update, row in unsent:
            if self.sync is not None:
                self.sync.local_update(update, row)

    def restart(self) -> None:
        """Start the program again: only what is on disk is there."""
        document = self._new_document()
        document.on_update = lambda update, is_local: None
        if stored := [*self._remote, *self.rows]:
            document.apply(merge_updates(stored))
        document.on_update = self._on_update
        self.document = document
        self.sync = None

    # ── ReplicaPort ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def lineage(self) -> str | None:
        return self.document.lineage

    def state_vector(self) -> bytes:
        return self.document.state_vector()

    def update_since(self, state_vector: bytes) -> bytes:
        return self.document.update_since(state_vector)

    def unacknowledged_updates(self) -> list[tuple[int, bytes]]:
        return [(row, self.rows[row - 1]) for row in range(self.acknowledged_row + 1, len(self.rows) + 1)]

    def apply_remote(self, update: bytes) -> None:
        self.on_apply(update)
        self.document.apply(update)
        self._remote.append(update)

    def unacknowledged(self) -> int:
        return len(self.rows) - self.acknowledged_row

    def last_local_row(self) -> int:
        return len(self.rows)

    def when_kept(self, call: Callable[[], None]) -> None:
        if self.unkept is None:
            call()
        else:
            self.unkept.append(call)

    def keep(self) -> None:
        """Everything is durable now."""
        calls, self.unkept = self.unkept or [], None
        for call in calls:
            call()

    def acknowledged(self, row: int) -> None:
        assert row <= len(self.rows)
        self.acknowledged_row = max(row, self.acknowledged_row)

    def apply_presence(self, update: bytes) -> None:
        self.presence.append(update)

    def presence_update(self) -> bytes:
        self.presence_clock += 1
        return encode_presence([PresenceEntry(self.document.client_id, self.presence_clock, {"user": {}})])

    def others_left(self) -> None:
        self.presence.clear()
        self.others_left_count += 1

    def participants_changed(self, participants: list[Participant]) -> None:
        self.participants = participants

    def opened(self, fact: DocumentOpened) -> None:
        self.openings.append(fact)

    def role_changed(self, role: RoleName) -> None:
        self.roles.append(role)

    def refused(self, error: RejectedError) -> None:
        self.refusals.append(error)

    def _new_document(self) -> ProjectDocument:
        document = ProjectDocument(client_id=next(self._client_ids) if self._client_ids else None)
        document.on_update = self._on_update
        return document

    def _on_update(self, update: bytes, is_local: bool) -> None:
        if is_local:
            self.rows.append(update)
            self._unsent.append((update, len(self.rows)))
