"""What the server says of a document and of one's place in it."""

from collections.abc import Mapping
from typing import Final

from texswarm_desktop.services.project_news import ProjectNews
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.messages import DocumentOpened, Participant, RoleName

#: What `read_only` says of somebody whose role is to read.
VIEWER: Final = "viewer"
_SERVER: Final = "server"


class ServerWord:
    """Invariant: that one may not write here holds while the server is away, until it says something else.

    `refusal`: why the server does not take the document, or edits of it; `read_only`: why nothing is to be written, as
    `VIEWER` or in the server's words. Role, refusal and who else is there are known only while it is reached.
    """

    def __init__(self, store: ReplicaStore, news: ProjectNews) -> None:
        self._store = store
        self._news = news
        self.participants: list[Participant] = []
        self.role: RoleName | None = None
        self.refusal: RejectedError | None = None
        self.read_only: str | None = None

    def load(self, meta: Mapping[str, str]) -> None:
        """Take in what it said at the last time."""
        self.read_only = meta.get("read_only") if "server" in meta else None

    def opened(self, fact: DocumentOpened) -> None:
        """The document is open on the link, with this role."""
        self.role, self.refusal = fact.role, None
        self._set_read_only(fact.read_only or (VIEWER if fact.role == VIEWER else None))
        self._news.set_problem(_SERVER, None)
        self._tell()

    def refused(self, error: RejectedError) -> None:
        """It does not take this document, or edits of it; trying again by itself cannot help."""
        self.refusal = error
        if error.code == ErrorCode.FORBIDDEN:
            self._set_read_only(VIEWER)
        self._news.set_problem(_SERVER, error)
        self._tell()

    def role_changed(self, role: RoleName) -> None:
        """One may do more here than before, or less; edits that were refused for the old role go out now."""
        self.role = role
        if self.refusal is not None and self.refusal.code == ErrorCode.FORBIDDEN and role != VIEWER:
            self.refusal = None
            self._news.set_problem(_SERVER, None)
        if self.read_only in {None, VIEWER}:
            self._set_read_only(VIEWER if role == VIEWER else None)
        self._tell()

    def participants_changed(self, participants: list[Participant]) -> None:
        """Take in who is in the document now."""
        if participants != self.participants:
            self.participants = participants
            self._tell()

    def out_of_reach(self) -> None:
        """Nothing more is heard of it for now."""
        self.role = self.refusal = None
        self._news.set_problem(_SERVER, None)
        self.participants_changed([])

    def forget(self) -> None:
        """There is no server any more: everything may be written."""
        self._set_read_only(None)
        self._tell()

    def _set_read_only(self, reason: str | None) -> None:
        if reason != self.read_only:
            self.read_only = reason
            self._store.set_meta("read_only", reason)

    def _tell(self) -> None:
        self._news.tell("participants_changed")
