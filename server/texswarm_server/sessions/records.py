"""What the server remembers about people and documents, and the interface to wherever it is remembered."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from texswarm_server.protocol.ids import BlobHash, DocumentId, Lineage, SessionId, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.audit import AuditAction, AuditEntry

INVITE_ID_CHARS: Final = 12


class InviteWay(StrEnum):
    """How an invite comes to people: in a link that somebody sends, by the list of hosts, or by a join code."""

    LINK = ""
    NEARBY = "nearby"
    CODE = "code"


OPEN_DOOR: Final = "open"
"""Stands for the hash of an invite where a server that was started open let somebody in without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. `is_confirmed`: a message came after the sign-in, so the answer with the tokens has arrived.

    `is_tokenless`: comes by a program that keeps no tokens, so that the same invite and id are the same person again.
    """

    user_id: UserId
    display_name: str = ""
    color: str = ""
    can_create: bool = False
    is_confirmed: bool = False
    is_removed: bool = False
    is_tokenless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A bearer secret, known by its hash. Times are seconds since the epoch; None means no limit.

    `asks`: owners of the document decide about everybody who comes by it. `for_user`: whom it signs in again, and
    nobody else; empty where it lets in whoever holds it. `way`: how people get to it, for those who look at the list.
    """

    token_hash: str
    role: RoleName
    document_id: DocumentId | None = None
    expires_at: float | None = None
    max_uses: int | None = None
    uses: int = 0
    is_revoked: bool = False
    issued_by: str = ""
    issued_at: float = 0.0
    asks: bool = False
    for_user: str = ""
    way: InviteWay = InviteWay.LINK

    @property
    def invite_id(self) -> str:
        """The name by which people speak of it; it lets nobody in."""
        return self.token_hash[:INVITE_ID_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCode:
    """A join code that an operator made, and the invite it leads to, both in the clear: to compare and to hand out.

    `given`: how often the invite was handed out; `wrong`: how many tried other words.
    """

    nameplate: str
    words: str
    token: str
    token_hash: str
    given: int = 0
    wrong: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One sign-in of one user: its current refresh token by hash, and what its access tokens stand on."""

    grant_id: str
    token_hash: str
    user_id: UserId
    used_at: float
    is_revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token that was given out. `parent_hash`: the one it was given for; `is_spent`: a later one was used."""

    token_hash: str
    grant_id: str
    parent_hash: str
    issued_at: float
    is_spent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as it survives a restart. `detached_at` is None while a connection serves it.

    `attached_at`, `address` and `client` tell of the latest connection. `wire`: by which one its client comes back,
    where it cannot name its session; else empty.
    """

    session_id: SessionId
    user_id: UserId
    grant_id: str
    detached_at: float | None = None
    attached_at: float = 0.0
    address: str = ""
    client: str = ""
    wire: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlace:
    """A document that a session has open, and what others are shown of its user. `role`: the one that was given."""

    session_id: SessionId
    document_id: DocumentId
    user_id: UserId
    display_name: str
    color: str
    role: RoleName | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A user and the role that was given in a document."""

    user: User
    role: RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A user was taken out of a document; invites made until then do not lead back, and with `is_ban` none does."""

    user_id: UserId
    document_id: DocumentId
    removed_at: float
    is_ban: bool = False


@dataclass(frozen=True, slots=True)
class BlobRecord:
    """A binary content that a document may use. Times are seconds since the epoch.

    `unreferenced_since`: since when neither the document nor a kept version of it names it, None while one does.
    """

    document_id: DocumentId
    blob_hash: BlobHash
    size_bytes: int
    stored_at: float
    unreferenced_since: float | None = None


class Records(Protocol):
    """Everything that is remembered, read and written inside one transaction."""

    def find_user(self, user_id: UserId) -> User | None:
        """Return the user, also one who was removed."""

    def put_user(self, user: User) -> None:
        """Add or replace a user."""

    def users(self) -> list[User]:
        """Return everybody, also those who were removed."""

    def find_invite(self, token_hash: str) -> Invite | None:
        """Return the invite with this hash."""

    def put_invite(self, invite: Invite) -> None:
        """Add or replace an invite."""

    def find_invite_by_id(self, invite_id: str) -> Invite | None:
        """Return the invite with this public name."""

    def invites(self) -> list[Invite]:
        """Return all invites, the latest first."""

    def invites_of(self, document_id: DocumentId) -> list[Invite]:
        """Return the invites to a document, the latest first."""

    def invites_issued_by(self, user_id: UserId) -> list[Invite]:
        """Return the invites a user made, the latest first."""

    def invites_used_by(self, user_id: UserId) -> list[Invite]:
        """Return the invites that registered a user or that the user redeemed."""

    def invites_for(self, user_id: UserId) -> list[Invite]:
        """Return the invites that sign a user in again, the latest first."""

    def join_codes(self) -> list[StoredCode]:
        """Return the codes that operators made, the latest first."""

    def put_join_code(self, code: StoredCode) -> None:
        """Add or replace a code."""

    def remove_join_code(self, nameplate: str) -> None:
        """Forget a code."""

    def users_of(self, token_hash: str) -> list[UserId]:
        """Return who was registered by an invite or redeemed it."""

    def is_registration(self, token_hash: str, user_id: UserId) -> bool:
        """Whether this invite is the one that registered this user."""

    def put_registration(self, token_hash: str, user_id: UserId, *, is_redeemed: bool = False) -> None:
        """Remember that this invite registered this user, or was redeemed by one who was registered."""

    def settle_registration(self, token_hash: str, user_id: UserId) -> None:
        """Remember that the answer to this registration has arrived: the invite registers this user no more."""

    def find_grant(self, grant_id: str) -> Grant | None:
        """Return a sign-in."""

    def grants_of(self, user_id: UserId) -> list[Grant]:
        """Return the sign-ins of a user, the one used last first."""

    def put_grant(self, grant: Grant) -> None:
        """Add or replace a sign-in."""

    def revoke_grants_of(self, user_id: UserId) -> None:
        """Revoke every sign-in of a user."""

    def find_refresh_token(self, token_hash: str) -> RefreshToken | None:
        """Return the refresh token with this hash."""

    def refresh_tokens_of(self, grant_id: str) -> list[RefreshToken]:
        """Return the refresh tokens of a sign-in, the latest first."""

    def put_refresh_token(self, token: RefreshToken) -> None:
        """Add or replace a refresh token."""

    def remove_refresh_tokens(self, token_hashes: Iterable[str]) -> None:
        """Forget refresh tokens."""

    def find_session(self, session_id: SessionId) -> StoredSession | None:
        """Return a session."""

    def sessions_of(self, user_id: UserId) -> list[StoredSession]:
        """Return the sessions of a user."""

    def put_session(self, session: StoredSession) -> None:
        """Add or replace a session."""

    def remove_sessions(self, session_ids: Iterable[SessionId]) -> None:
        """Forget sessions."""

    def sessions(self) -> list[StoredSession]:
        """Return all sessions."""

    def detach_session(self, session_id: SessionId, grant_id: str, now: float) -> None:
        """Note that a session lost its connection, and what it was signed in with; one that is not here stays so."""

    def detach_sessions(self, now: float) -> None:
        """Note that no session is attached: those that were are detached since `now`. Places of others are free."""

    def places(self) -> list[StoredPlace]:
        """Return which sessions have which documents open."""

    def put_places(self, places: Iterable[tuple[SessionId, DocumentId]]) -> None:
        """Note that sessions have documents open."""

    def remove_places(self, places: Iterable[tuple[SessionId, DocumentId]]) -> None:
        """Note that sessions have documents open no more."""

    def find_document(self, document_id: DocumentId) -> DocumentRecord | None:
        """Return a document."""

    def put_document(self, document: DocumentRecord) -> None:
        """Add or replace a document's record."""

    def role_of(self, user_id: UserId, document_id: DocumentId) -> RoleName | None:
        """Return the role a user was given in a document."""

    def put_role(
        self, user_id: UserId, document_id: DocumentId, role: RoleName, *, decided_at: float | None = None
    ) -> None:
        """Give a user a role in a document. `decided_at`: when somebody decided on it; None where an invite gave it."""

    def role_decided_at(self, user_id: UserId, document_id: DocumentId) -> float | None:
        """Return when somebody decided on a user's role, None where nobody did."""

    def remove_role(self, user_id: UserId, document_id: DocumentId) -> None:
        """Take a user's role in a document away."""

    def members_of(self, document_id: DocumentId) -> list[Membership]:
        """Return everybody who was given a role in a document."""

    def find_removal(self, user_id: UserId, document_id: DocumentId) -> Removal | None:
        """Return how a user was taken out of a document."""

    def removals_of(self, document_id: DocumentId) -> list[Removal]:
        """Return everybody who was taken out of a document."""

    def put_removal(self, removal: Removal) -> None:
        """Add or replace a removal."""

    def forget_removal(self, user_id: UserId, document_id: DocumentId) -> None:
        """Forget that a user was taken out of a document."""

    def count_owned(self, user_id: UserId) -> int:
        """Return how many documents a user owns."""

    def documents_of(self, user_id: UserId) -> list[ListedDocument]:
        """Return the documents in which a user has a role, the latest change first."""

    def documents(self) -> list[DocumentRecord]:
        """Return all documents, the latest change first."""

    def count_documents(self) -> int:
        """Return how many documents there are."""

    def blobs(self) -> list[BlobRecord]:
        """Return every blob of every document."""

    def blob_totals(self) -> tuple[int, int]:
        """Return how many contents there are and how large they are together; one in two documents is one."""

    def blobs_of(self, document_id: DocumentId) -> list[BlobRecord]:
        """Return the blobs of a document."""

    def put_blob(self, blob: BlobRecord) -> None:
        """Add or replace a blob of a document."""

    def remove_blob(self, document_id: DocumentId, blob_hash: BlobHash) -> None:
        """Forget a blob of a document."""

    def find_setting(self, key: str) -> str | None:
        """Return a value of the server itself."""

    def put_setting(self, key: str, value: str) -> None:
        """Set a value of the server itself."""

    def put_audit(self, entry: AuditEntry) -> AuditEntry:
        """Add an entry and return it with its number."""

    def audit(
        self,
        *,
        after: int = 0,
        limit: int | None = None,
        actions: Iterable[AuditAction] = (),
        user_id: str | None = None,
        document_id: str | None = None,
    ) -> list[AuditEntry]:
        """Return entries by number, of all actions when none is named; with `limit` the last ones."""

    def last_audit_number(self) -> int:
        """Return the number of the latest entry, 0 without one."""

    def prune_audit(self, before: float) -> int:
        """Forget entries from before a time, but never the latest one, and return how many."""
