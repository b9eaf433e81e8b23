"""A document on a server, looked at before a folder has anything to do with it: in memory only, and without a trace.

Nothing is ever written into it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from texswarm_desktop.client.server_talk import settled
from texswarm_desktop.core.file_differences import FileSet
from texswarm_server.document.project_document import ProjectDocument
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.messages import DocumentOpened, Participant, RoleName

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection


async def look_at(connection: "Connection", document_id: str, lineage: str) -> "DocumentPreview":
    """Return a document as it is on the server, over drops of the link; raises RejectedError."""
    preview = DocumentPreview(document_id, lineage)
    sync = connection.add(preview)
    try:
        await settled(connection, sync)
    finally:
        connection.remove(document_id)
    if preview.refusal is not None:
        raise preview.refusal
    return preview


def files_of(document: ProjectDocument) -> FileSet:
    """Return the files of a document, to be compared."""
    texts = {entry.path: str(document.text(file_id)) for file_id, entry in document.text_files.items()}
    figures = {entry.path: str(entry.blob.blob_hash) for entry in document.blob_files.values() if entry.blob}
    return FileSet(texts, figures)


class DocumentPreview:
    """The replica of `look_at`. `refusal` is why the server does not show the document, if it does not."""

    def __init__(self, document_id: str, lineage: str) -> None:
        self.document_id = document_id
        self.lineage = lineage
        self.document = ProjectDocument()
        self.blobs = None
        self.refusal: RejectedError | None = None

    @property
    def files(self) -> FileSet:
        """Everything that is in the document."""
        return files_of(self.document)

    # ── the replica, as the client sees it ──────────────────────────────────────────────────────────────

    def state_vector(self) -> bytes:
        """Return what has arrived."""
        return self.document.state_vector()

    def update_since(self, state_vector: bytes) -> bytes:
        """Return what a replica with `state_vector` lacks."""
        return self.document.update_since(state_vector)

    def apply_remote(self, update: bytes) -> None:
        """Take in an update; may raise MalformedUpdateError or DamagedDocumentError."""
        self.document.apply(update)

    def unacknowledged_updates(self) -> Sequence[tuple[int, bytes]]:
        """Return nothing: nobody writes here."""
        return ()

    def unacknowledged(self) -> int:
        """Return 0, as above."""
        return 0

    def last_local_row(self) -> int:
        """Return 0, as above."""
        return 0

    def when_kept(self, call: Callable[[], None]) -> None:
        """Nothing is kept here."""
        call()

    def acknowledged(self, row: int) -> None:
        """Nothing was sent."""

    def apply_presence(self, update: bytes) -> None:
        """Nobody is shown."""

    def presence_update(self) -> bytes:
        """Return nothing: who looks is nowhere."""
        return b""

    def others_left(self) -> None:
        """Nobody was shown."""

    def participants_changed(self, participants: list[Participant]) -> None:
        """Nobody is shown."""

    def opened(self, fact: DocumentOpened) -> None:
        """The document is about to arrive."""

    def role_changed(self, role: RoleName) -> None:
        """To look needs no role."""

    def refused(self, error: RejectedError) -> None:
        """The server does not show the document."""
        self.refusal = error
