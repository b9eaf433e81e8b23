"""The JSON messages of protocol 2, one class each, as they stand on the wire.

Orders travel from client to server, facts from server to client. `request` is chosen by the client, is
echoed in the answer to that order (also in an `Error`), and means nothing to the server. Unknown fields are
ignored, so that both ends may grow.
"""

from typing import Annotated, Final, Literal

import msgspec

from texswarm_server.protocol.ids import MAX_ID_CHARS
from texswarm_server.protocol.version import Limits

RoleName = Literal["owner", "editor", "viewer"]
PresenceState = Literal["here", "reconnecting", "away"]
ShortText = Annotated[str, msgspec.Meta(max_length=512)]
Token = Annotated[str, msgspec.Meta(max_length=4096)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_CHARS)]
#: What others see of somebody who gave no name.
GUEST_NAME: Final = "Guest"
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
MAX_STATE_VECTOR_BYTES: Final = 16 * 1024
StateVector = Annotated[bytes, msgspec.Meta(max_length=MAX_STATE_VECTOR_BYTES)]
MAX_OFFERED_BLOBS: Final = 1000
#: What every JSON reader keeps exact, and every database holds.
Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Any JSON message; its class name is its `type` on the wire."""


class Order(Message, frozen=True, kw_only=True):
    """A message from a client; answered with the same `request` where it has an answer."""

    request: Number | None = None


class Fact(Message, frozen=True, kw_only=True):
    """A message from a server."""

    request: int | None = None


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────


class OpenDocument(Order, frozen=True, kw_only=True):
    """Join a document; a `lineage` that is not the stored one is refused before any update flows.

    `state_vector`, base64 on the wire, says what the client has: a sync step 1 that needs no round trip of its own.
    """

    document_id: Id
    lineage: Id | None = None
    state_vector: StateVector | None = None


class Authentication(Order, frozen=True, kw_only=True):
    """Prove who is there; the first message on a connection. `token`: invite, access or refresh token.

    `open`: what to open at once, which saves who comes again a round trip.
    """

    protocol: Number = 1
    token: Token | None = None
    user_id: Id | None = None
    display_name: ShortText | None = None
    color: ShortText | None = None
    session_id: Id | None = None
    client: ShortText | None = None
    open: tuple[OpenDocument, ...] = ()


class ListDocuments(Order, frozen=True, kw_only=True):
    """Ask for the documents this user may see."""


class CreateDocument(Order, frozen=True, kw_only=True):
    """Make an empty document. Sent again by its owner with the same id and lineage, it is answered again."""

    title: ShortText
    document_id: Id | None = None
    lineage: Id | None = None
    repository_url: str | None = None


class CloseDocument(Order, frozen=True, kw_only=True):
    """Leave a document; its handle ends."""

    handle: Number


class CreateInvite(Order, frozen=True, kw_only=True):
    """Ask for an invite; only an owner of the document (or of the server, without one) gets it."""

    document_id: Id | None = None
    role: RoleName = "editor"
    ttl_s: float | None = None
    uses: Number | None = None
    ask: bool = False


class ChangeInvite(Order, frozen=True, kw_only=True):
    """Let an invite give another role from now on, or ask the owners first; who came by it keeps what they have."""

    invite_id: Id
    role: RoleName | None = None
    ask: bool | None = None


class RedeemInvite(Order, frozen=True, kw_only=True):
    """Use an invite as a user who is signed in already."""

    token: Token


class ListMembers(Order, frozen=True, kw_only=True):
    """Ask who has a role in a document, and who was taken out of it; for owners."""

    document_id: Id


class ChangeRole(Order, frozen=True, kw_only=True):
    """Give a member of a document another role; for owners."""

    document_id: Id
    user_id: Id
    role: RoleName


class RemoveMember(Order, frozen=True, kw_only=True):
    """Take a member out of a document; for owners, and for everybody to leave it. `ban`: no invite leads back."""

    document_id: Id
    user_id: Id
    ban: bool = False


class UnbanMember(Order, frozen=True, kw_only=True):
    """Let somebody who was taken out of a document be invited again; for owners."""

    document_id: Id
    user_id: Id


class LockDocument(Order, frozen=True, kw_only=True):
    """Let everybody but its owners only read a document, or give back what that took; for owners."""

    document_id: Id
    is_locked: bool


class ListInvites(Order, frozen=True, kw_only=True):
    """Ask for the invites to a document, for owners; without one for those to the server that this user made."""

    document_id: Id | None = None


class RevokeInvite(Order, frozen=True, kw_only=True):
    """Let nobody else in by an invite; who came by it stays."""

    invite_id: Id


class ListKnocks(Order, frozen=True, kw_only=True):
    """Ask who waits to be let into a document; for owners."""

    document_id: Id


class AnswerKnock(Order, frozen=True, kw_only=True):
    """Let in somebody who waits, as `role` if one is named, or not; for owners."""

    document_id: Id
    user_id: Id
    accept: bool
    role: RoleName | None = None


class BlobOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A file's content that the client has: SHA-256 in hexadecimal digits, and size in bytes."""

    hash: Hash
    size: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class OfferBlobs(Order, frozen=True, kw_only=True):
    """Ask which of these blobs the server lacks in a document; for editors."""

    handle: Number
    blobs: Annotated[list[BlobOffer], msgspec.Meta(max_length=MAX_OFFERED_BLOBS)]


class FetchBlob(Order, frozen=True, kw_only=True):
    """Ask for `length` bytes of a blob of an open document from `offset` on; answered by one binary frame."""

    handle: Number
    hash: Hash
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    length: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class DescribeServer(Order, frozen=True, kw_only=True):
    """Ask how the server is doing on its own side; uses nothing up, and is no sign that an invite has arrived."""


class SignOut(Order, frozen=True, kw_only=True):
    """End this session and revoke the refresh token it was signed in with."""


class Heartbeat(Order, frozen=True, kw_only=True):
    """A sign of life, in both directions; `timestamp` is the sender's, in seconds or as it likes."""

    timestamp: float | str | None = None


# ── facts ───────────────────────────────────────────────────────────────────────────────────────────────


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers."""

    name: str
    version: str


class AuthenticationResult(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """The explicit answer to `Authentication`. Times are seconds since the epoch, by the server's clock.

    With `ok` false only `code`, `message`, `retryable` and `retry_after_s` mean something, and a typed
    close follows. `awaiting`: a document whose owners are asked first. `documents_follow`: so do the answers to what
    the client asked to open.
    """

    ok: bool
    protocol: int = 2
    user_id: str | None = None
    session_id: str | None = None
    resumed: bool = False
    access_token: str | None = None
    expires_at: float | None = None
    refresh_token: str | None = None
    can_create: bool = False
    server: ServerInfo | None = None
    limits: Limits | None = None
    heartbeat_s: float | None = None
    grace_s: float | None = None
    code: str | None = None
    message: str | None = None
    retryable: bool = False
    retry_after_s: float | None = None
    awaiting: str | None = None
    documents_follow: bool = False


class TokenRenewed(Fact, frozen=True, kw_only=True):
    """A fresh access token, sent before the old one expires."""

    access_token: str
    expires_at: float


class DocumentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the document list. `updated_at`: seconds since the epoch."""

    id: str
    title: str
    owner: str
    updated_at: float
    active_collaborators: int
    role: RoleName
    lineage: str


class DocumentList(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """The documents this user may see."""

    documents: list[DocumentInfo]


class DocumentCreated(Fact, frozen=True, kw_only=True):
    """The document exists, stored durably."""

    document_id: str
    title: str
    lineage: str
    role: RoleName


class DocumentOpened(Fact, frozen=True, kw_only=True):
    """The door to a document's binary traffic; the server's sync step 1 follows at once.

    `sync_follows`: so does its sync step 2, which answers the state vector in the order. `read_only`: why nobody may
    edit it, one of `ReadOnlyReason`; what a newer server invents means the same.
    """

    document_id: str
    handle: int
    role: RoleName
    lineage: str
    title: str
    sync_follows: bool = False
    read_only: str | None = None


class DocumentClosed(Fact, frozen=True, kw_only=True):
    """The handle is void. With a retryable code (`document_reloaded`) the client opens it again."""

    document_id: str
    handle: int
    code: str
    message: str = ""


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One user's place in a document: once per session, so twice for a user with two windows."""

    participant_id: str
    user_id: str
    display_name: str
    color: str
    role: RoleName
    state: PresenceState


class Participants(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """Who is in a document; of a crowd some, and the others follow in `ParticipantsChanged`: then there is `more`."""

    handle: int
    participants: list[Participant]
    more: bool = False


class ParticipantsChanged(Fact, frozen=True, kw_only=True):
    """Who came to a crowd, or is shown otherwise now, and the `participant_id` of each who has gone."""

    handle: int
    participants: list[Participant] = []
    gone: list[str] = []
    more: bool = False


class RoleChanged(Fact, frozen=True, kw_only=True):
    """This user's role in an open document is another one from here on."""

    handle: int
    role: RoleName


class DocumentShared(Fact, frozen=True, kw_only=True):
    """This user may open a document that the session has not open: for the first time, or again."""

    document_id: str
    role: RoleName


class InviteCreated(Fact, frozen=True, kw_only=True):
    """A new invite; its secret is told this once and stored hashed."""

    token: str
    role: RoleName
    document_id: str | None = None
    expires_at: float | None = None
    uses: int | None = None
    invite_id: str = ""
    ask: bool = False


class InviteRedeemed(Fact, frozen=True, kw_only=True):
    """The invite's rights are this user's now."""

    role: RoleName
    document_id: str | None = None


class MemberInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a document. `role` is None for who was taken out; with `is_banned` no invite leads back."""

    user_id: str
    display_name: str
    color: str
    role: RoleName | None
    is_banned: bool


class MemberList(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """Who has a role in a document, and who was taken out of it; `is_locked`: all but its owners only read it now."""

    document_id: str
    members: list[MemberInfo]
    is_locked: bool = False


class MemberChanged(Fact, frozen=True, kw_only=True):
    """What was ordered about a member is done: how it is now."""

    document_id: str
    member: MemberInfo


class InviteInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An invite without its secret. `uses`: how often it was used; `issued_by`: a user id, empty for the operator.

    `ask`: owners of the document decide about everybody who comes by it. `way`: how it comes to people: empty for a
    link that is sent, `nearby` for who found the server on the network, `code` for who has the join code.
    """

    invite_id: str
    role: RoleName
    document_id: str | None
    expires_at: float | None
    uses: int
    max_uses: int | None
    issued_by: str
    issued_at: float
    ask: bool = False
    way: str = ""


class DocumentLocked(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """What was ordered about a lock is done."""

    document_id: str
    is_locked: bool


class InviteList(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """Invites that were not revoked, the latest first."""

    invites: list[InviteInfo]


class InviteChanged(Fact, frozen=True, kw_only=True):
    """What was ordered about an invite is done: how it is now."""

    invite: InviteInfo


class InviteRevoked(Fact, frozen=True, kw_only=True):
    """Nobody else comes in by this invite."""

    invite_id: str


class Knock(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who waits to be let in. `role`: what the invite would give; `asked_at`: seconds since the epoch."""

    user_id: str
    display_name: str
    color: str
    role: RoleName
    asked_at: float


class KnockList(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """Who waits to be let into a document, the longest first; told its owners whole on every change."""

    document_id: str
    knocks: list[Knock]


class KnockAnswered(Fact, frozen=True, kw_only=True):
    """Somebody who waited was let in, with `role`, or was not, and `code` says why; told who decided and who waited."""

    document_id: str
    user_id: str
    accepted: bool
    role: RoleName | None = None
    code: str | None = None


class BlobGap(msgspec.Struct, frozen=True, kw_only=True):
    """A blob that the server lacks; `offset`: from where on."""

    hash: str
    offset: int


class BlobRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A blob that the server does not take, and why: an error code."""

    hash: str
    code: str


class BlobsWanted(Fact, frozen=True, kw_only=True, omit_defaults=False):
    """What to send of the blobs that were offered; those that are named in neither list are there already."""

    handle: int
    wanted: list[BlobGap]
    refused: list[BlobRefusal]


class BlobReceived(Fact, frozen=True, kw_only=True):
    """The bytes of a blob up to `offset` have arrived; told to who sends them."""

    handle: int
    hash: str
    offset: int


class BlobStored(Fact, frozen=True, kw_only=True):
    """A blob of the document is complete, checked and stored durably; told to everybody in the document."""

    handle: int
    hash: str


class InterfaceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An address under which a server is reached, its interface, and how long the prefix of its network is."""

    name: str
    address: str
    prefix: int


class ServerDescribed(Fact, frozen=True, kw_only=True):
    """How a server is doing on its own side. `client_address`: who asks, as it looks from there.

    `firewall`: the one that is active, as in `protocol.firewall`; a newer server may know others. `announced`: the
    local network was told of it.
    """

    port: int
    client_address: str
    protocol: int
    oldest_protocol: int
    firewall: str | None = None
    announced: bool = False
    interfaces: list[InterfaceInfo] = []


class SignedOut(Fact, frozen=True, kw_only=True):
    """The session has ended by its user's wish; a close with 1000 follows."""


class Error(Fact, frozen=True, kw_only=True):
    """An order was refused, or could not be understood; the connection stays open. `blob`: the hash it is about."""

    code: str
    message: str
    document_id: str | None = None
    handle: int | None = None
    blob: str | None = None


ORDERS: tuple[type[Order], ...] = (
    Authentication,
    ListDocuments,
    CreateDocument,
    OpenDocument,
    CloseDocument,
    CreateInvite,
    ChangeInvite,
    RedeemInvite,
    ListKnocks,
    AnswerKnock,
    ListMembers,
    ChangeRole,
    RemoveMember,
    UnbanMember,
    LockDocument,
    ListInvites,
    RevokeInvite,
    OfferBlobs,
    FetchBlob,
    DescribeServer,
    SignOut,
    Heartbeat,
)
FACTS: tuple[type[Message], ...] = (
    AuthenticationResult,
    TokenRenewed,
    DocumentList,
    DocumentCreated,
    DocumentOpened,
    DocumentClosed,
    Participants,
    ParticipantsChanged,
    RoleChanged,
    DocumentShared,
    InviteCreated,
    InviteRedeemed,
    MemberList,
    MemberChanged,
    DocumentLocked,
    InviteList,
    InviteChanged,
    InviteRevoked,
    KnockList,
    KnockAnswered,
    BlobsWanted,
    BlobReceived,
    BlobStored,
    ServerDescribed,
    SignedOut,
    Error,
    Heartbeat,
)
