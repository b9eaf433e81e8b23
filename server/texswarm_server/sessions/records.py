"""What the server remembers about people and documents, and the interface to wherever it is remembered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from texswarm_server.protocol.ids import DocumentId, Lineage, SessionId, UserId
from texswarm_server.protocol.messages import RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. `is_confirmed`: a message came after the sign-in, so the answer with the tokens has arrived."""

    user_id: UserId
    display_name: str = ""
    color: str = ""
    can_create: bool = False
    is_confirmed: bool = False
    is_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A bearer secret, known by its hash. Times are seconds since the epoch; None means no limit."""

    token_hash: str
    role: RoleName
    document_id: DocumentId | None = None
    expires_at: float | None = None
    max_uses: int | None = None
    uses: int = 0
    is_revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One sign-in of one user: its refresh token by hash, and what its access tokens stand on."""

    grant_id: str
    token_hash: str
    user_id: UserId
    used_at: float
    is_revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as it survives a restart. `detached_at` is None while a connection serves it."""

    session_id: SessionId
    user_id: UserId
    grant_id: str
    detached_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """A document without its content."""

    document_id: DocumentId
    title: str
    lineage: Lineage
    owner_id: UserId
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDocument:
    """A document as one user sees it."""

    record: DocumentRecord
    role: RoleName


class Records(Protocol):
    """Everything that is remembered, read and written inside one transaction."""

    def find_user(self, user_id: UserId) -> User | None:
        """Return the user, also one who was removed."""

    def put_user(self, user: User) -> None:
        """Add or replace a user."""

    def find_invite(self, token_hash: str) -> Invite | None:
        """Return the invite with this hash."""

    def put_invite(self, invite: Invite) -> None:
        """Add or replace an invite."""

    def is_registration(self, token_hash: str, user_id: UserId) -> bool:
        """Whether this invite is the one that registered this user."""

    def put_registration(self, token_hash: str, user_id: UserId) -> None:
        """Remember that this invite registered this user."""

    def find_grant(self, grant_id: str) -> Grant | None:
        """Return a sign-in."""

    def find_grant_by_token(self, token_hash: str) -> Grant | None:
        """Return the sign-in whose refresh token has this hash."""

    def put_grant(self, grant: Grant) -> None:
        """Add or replace a sign-in."""

    def revoke_grants_of(self, user_id: UserId) -> None:
        """Revoke every sign-in of a user."""

    def put_session(self, session: StoredSession) -> None:
        """Add or replace a session."""

    def remove_sessions(self, session_ids: Iterable[SessionId]) -> None:
        """Forget sessions."""

    def sessions(self) -> list[StoredSession]:
        """Return all sessions."""

    def find_document(self, document_id: DocumentId) -> DocumentRecord | None:
        """Return a document."""

    def put_document(self, document: DocumentRecord) -> None:
        """Add or replace a document's record."""

    def role_of(self, user_id: UserId, document_id: DocumentId) -> RoleName | None:
        """Return the role a user was given in a document."""

    def put_role(self, user_id: UserId, document_id: DocumentId, role: RoleName) -> None:
        """Give a user a role in a document."""

    def count_owned(self, user_id: UserId) -> int:
        """Return how many documents a user owns."""

    def documents_of(self, user_id: UserId) -> list[ListedDocument]:
        """Return the documents in which a user has a role, the latest change first."""

    def documents(self) -> list[DocumentRecord]:
        """Return all documents, the latest change first."""

    def count_documents(self) -> int:
        """Return how many documents there are."""

    def find_setting(self, key: str) -> str | None:
        """Return a value of the server itself."""

    def put_setting(self, key: str, value: str) -> None:
        """Set a value of the server itself."""
