"""What a connection needs from the rest of the desktop, as protocols: who signs in, and the replicas it serves.

Pure. Implemented in `services`, which this package does not know.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from texswarm_desktop.client.states import Rung
from texswarm_desktop.core.figure_travel import BlobTraffic, Kept
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.messages import AuthenticationResult, DocumentOpened, Participant, RoleName, TokenRenewed
from texswarm_server.protocol.version import Limits


class Credentials(Protocol):
    """Who this installation is at one server, and what proves it. Times are seconds since the epoch."""

    @property
    def user_id(self) -> str | None:
        """The stable id of the user; None until a server has given one."""

    @property
    def display_name(self) -> str:
        """What others read beside the caret."""

    @property
    def color(self) -> str:
        """What others see the caret in."""

    @property
    def access_token(self) -> str | None:
        """The short-lived proof, if there is one."""

    @property
    def access_expires_at(self) -> float | None:
        """When it ends, by the server's clock."""

    @property
    def refresh_token(self) -> str | None:
        """The long-lived proof, if there is one."""

    @property
    def invite(self) -> str | None:
        """The invite that lets a newcomer in, if there is one."""

    @property
    def is_shut(self) -> bool:
        """Whether there may be a refresh token, but where it is kept cannot be looked into."""

    @property
    def session_id(self) -> str | None:
        """The session to resume."""

    def describe(self, name: str, color: str) -> None:
        """Say how this user is to be shown."""

    async def catch_up(self) -> None:
        """Take over what has been kept since; asked before a refresh token is shown, or looked for again."""

    def signed_in(self, result: AuthenticationResult) -> None:
        """Keep what a successful sign-in brought."""

    def renewed(self, message: TokenRenewed) -> None:
        """Keep a fresh access token."""

    def refused(self, kind: Rung, code: str) -> None:
        """Forget a credential that the server turned down for good."""


class ReplicaPort(Protocol):
    """One document's replica as its DocumentSync sees it. Nothing here may wait for a disk."""

    @property
    def document_id(self) -> str:
        """The document's UUID."""

    @property
    def blobs(self) -> "BlobPort | None":
        """Where the contents of its binary files are; None where nobody wants them."""

    @property
    def lineage(self) -> str | None:
        """The identity of the history held here; None while it is empty."""

    def state_vector(self) -> bytes:
        """Return what this replica has."""

    def update_since(self, state_vector: bytes) -> bytes:
        """Return everything a replica with `state_vector` lacks, as one update."""

    def unacknowledged_updates(self) -> Sequence[tuple[int, bytes]]:
        """Return the local updates no server has confirmed as (outbox row, update), oldest first.

        Asked only when one update with everything would not fit into a frame.
        """

    def apply_remote(self, update: bytes) -> None:
        """Take in an update; may raise MalformedUpdateError or DamagedDocumentError."""

    def unacknowledged(self) -> int:
        """Return how many edits no server has confirmed."""

    def last_local_row(self) -> int:
        """Return the highest outbox row written or queued; 0 when there is none."""

    def when_kept(self, call: Callable[[], None]) -> None:
        """Call when nothing is in the replica that others may not hear of before it is durable; mostly at once."""

    def acknowledged(self, row: int) -> None:
        """Mark every outbox row up to `row` as stored durably by the server."""

    def apply_presence(self, update: bytes) -> None:
        """Take in the presence of others."""

    def presence_update(self) -> bytes:
        """Return one's own presence under a new clock, empty when there is nothing to show."""

    def others_left(self) -> None:
        """Forget the others: nobody tells any more where they are."""

    def participants_changed(self, participants: list[Participant]) -> None:
        """Take in who is in the document now."""

    def opened(self, fact: DocumentOpened) -> None:
        """The document is open on the link, with this role."""

    def role_changed(self, role: RoleName) -> None:
        """The user's role in the open document is another one."""

    def refused(self, error: RejectedError) -> None:
        """The server does not take this document, or edits of it; trying again by itself cannot help."""


class BlobPort(Protocol):
    """The contents of one document's binary files, as its BlobSync sees them. Nothing here may wait for a disk."""

    def attached(self, traffic: BlobTraffic | None) -> None:
        """Contents travel by `traffic` from now on; None: no more."""

    def limits_known(self, limits: Limits) -> None:
        """The server says how large a content may be."""

    def present(self) -> Sequence[BlobRef]:
        """Return the contents that the document names and that are here."""

    def lacking(self) -> Mapping[BlobRef, int]:
        """Return the contents that the document names and that are not here, and how much of each has come."""

    def read(self, blob: BlobRef, offset: int, length: int, then: Callable[[bytes | None], None]) -> None:
        """Read a part of a content; `then` gets None where that is not possible any more."""

    def keep(self, blob: BlobRef, offset: int, data: bytes, then: Callable[[int, Kept], None]) -> None:
        """Write what came of a content; `then` gets how much of it is here, and what came of it."""

    def refused(self, blob: BlobRef, code: str | None) -> None:
        """Note that the server does not take a content, or that it does not arrive; None: that is over."""

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call back after a while, if anybody is still there."""

    def progressed(self) -> None:
        """Hear that something may have moved."""
