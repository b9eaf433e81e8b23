"""A project's replica as the client sees it: what goes to a server and what comes from there, of one document.

Implements the replica port of the client.
"""

from collections.abc import Callable
from typing import Protocol

from texswarm_desktop.core.figure_travel import BlobTraffic
from texswarm_desktop.services.belonging import Belonging
from texswarm_desktop.services.edit_handover import EditHandover
from texswarm_desktop.services.own_presence import OwnPresence
from texswarm_desktop.services.project_blobs import ProjectBlobs
from texswarm_desktop.services.project_news import ProjectNews
from texswarm_desktop.services.server_word import ServerWord
from texswarm_server.document.presence import PresenceData
from texswarm_server.document.project_document import ProjectDocument
from texswarm_server.protocol.errors import DamagedDocumentError, RejectedError
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import DocumentOpened, Participant, RoleName


class SyncPort(Protocol):
    """The traffic of this document with a server, as the project sees it."""

    @property
    def is_synced(self) -> bool:
        """Whether everything the server had at the opening has arrived, and edits flow."""

    @property
    def handle(self) -> Handle | None:
        """The document's number on the link while it is open: another one after each opening."""

    @property
    def blobs(self) -> BlobTraffic | None:
        """The traffic of figures; None where the server takes none."""

    def local_update(self, update: bytes, row: int) -> None:
        """Send an edit that is kept under `row`."""

    def presence_changed(self) -> None:
        """Publish where the user is now."""


class SharedReplica:
    """Nothing here waits for a disk. Without a sync that is attached, edits and presence stay here."""

    def __init__(
        self,
        document: ProjectDocument,
        *,
        belonging: Belonging,
        edits: EditHandover,
        server: ServerWord,
        presence: OwnPresence,
        blobs: ProjectBlobs,
        news: ProjectNews,
    ) -> None:
        self._document = document
        self._belonging = belonging
        self._edits = edits
        self._server = server
        self._presence = presence
        self._news = news
        self._sync: SyncPort | None = None
        self.blobs = blobs

    # ── what it is attached to ──────────────────────────────────────────────────────────────────────────

    @property
    def sync(self) -> SyncPort | None:
        """What it is attached to."""
        return self._sync

    def attach(self, sync: SyncPort) -> None:
        """Send edits and presence through `sync` from now on."""
        self._sync = sync
        self._edits.send_through(sync.local_update)

    def detach(self) -> None:
        """Keep edits here."""
        self._sync = None
        self._edits.send_through(None)
        self._server.out_of_reach()
        self.others_left()

    def set_presence(self, state: PresenceData | None) -> None:
        """Tell the others where this user is; None: nowhere."""
        self._presence.set(state)
        if self._sync is not None:
            self._sync.presence_changed()

    # ── the document ────────────────────────────────────────────────────────────────────────────────────

    @property
    def document_id(self) -> str:
        """The document's UUID."""
        return self._belonging.document_id

    @property
    def lineage(self) -> str | None:
        """The identity of the history held here; None while there is none."""
        return self._belonging.lineage or self._document.lineage

    def state_vector(self) -> bytes:
        """Return what this replica has."""
        return self._document.state_vector()

    def update_since(self, state_vector: bytes) -> bytes:
        """Return everything a replica with `state_vector` lacks; raises MalformedUpdateError."""
        return self._document.update_since(state_vector)

    def apply_remote(self, update: bytes) -> None:
        """Take in an update; raises MalformedUpdateError, or DamagedDocumentError: then it must be opened anew."""
        try:
            self._document.apply(update)
        except DamagedDocumentError as error:
            self._news.set_problem("document", error)
            raise

    # ── what waits for the server ───────────────────────────────────────────────────────────────────────

    def unacknowledged_updates(self) -> list[tuple[int, bytes]]:
        """Return the local updates no server has confirmed as (outbox row, update), oldest first."""
        return self._edits.unconfirmed_updates

    def unacknowledged(self) -> int:
        """Return how many edits no server has confirmed."""
        return self._edits.unconfirmed

    def last_local_row(self) -> int:
        """Return the highest outbox row written or queued; 0 when there is none."""
        return self._edits.last_row

    def when_kept(self, call: Callable[[], None]) -> None:
        """Call when nothing is held back here: see `EditHandover`."""
        self._edits.when_kept(call)

    def acknowledged(self, row: int) -> None:
        """Mark every outbox row up to `row` as stored durably by the server."""
        self._edits.confirm(row)

    # ── what the server says ────────────────────────────────────────────────────────────────────────────

    def opened(self, fact: DocumentOpened) -> None:
        """The document is open on the link, with this role; who had none has its history from now on."""
        if self._belonging.lineage is None:
            self._belonging.identify(self.document_id, fact.lineage)
            self._belonging.note()
        self._server.opened(fact)

    def refused(self, error: RejectedError) -> None:
        """The server does not take this document, or edits of it; trying again by itself cannot help."""
        self._server.refused(error)

    def role_changed(self, role: RoleName) -> None:
        """One may do more here than before, or less; edits that were refused for the old role go out now."""
        self._server.role_changed(role)

    def participants_changed(self, participants: list[Participant]) -> None:
        """Take in who is in the document now."""
        self._server.participants_changed(participants)

    # ── presence ────────────────────────────────────────────────────────────────────────────────────────

    def presence_update(self) -> bytes:
        """Return one's own presence under a new clock, empty when there is nothing to show."""
        return self._presence.update()

    def apply_presence(self, update: bytes) -> None:
        """Take in the presence of others; raises RemoteProtocolError for bytes that are none."""
        has_changed, must_answer = self._presence.apply(update)
        if must_answer and self._sync is not None:
            self._sync.presence_changed()
        if has_changed:
            self._news.tell("presence_changed")

    def others_left(self) -> None:
        """Forget the others: nobody tells any more where they are."""
        if self._presence.forget_others():
            self._news.tell("presence_changed")
