"""Which documents a user may see, open and make. An answer never tells a document that is not theirs from none."""

from dataclasses import dataclass

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import DocumentId, Lineage, SessionId, UserId, is_uuid
from texswarm_server.protocol.messages import CreateDocument, CreateInvite, OpenDocument, RoleName
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.audit import OPERATOR, AuditAction, AuditEntry
from texswarm_server.sessions.credentials import RandomBytes, hash_token, new_invite_token, new_uuid
from texswarm_server.sessions.records import DocumentRecord, Invite, InviteWay, ListedDocument, Records
from texswarm_server.sessions.roles import can_invite


@dataclass(frozen=True, slots=True)
class IssuedInvite:
    """An invite and its secret, which is told once."""

    token: str
    invite: Invite


class DocumentAccess:
    """Decides inside one transaction of the records. `is_open`: every user may see, edit and make every document."""

    def __init__(self, random: RandomBytes, limits: Limits, *, is_open: bool) -> None:
        self._random = random
        self._limits = limits
        self._is_open = is_open

    def role(self, records: Records, user_id: UserId, document_id: DocumentId) -> RoleName | None:
        """Return what the user may do in a document, None for nothing."""
        role = records.role_of(user_id, document_id)
        if role is None and self._is_open and records.find_removal(user_id, document_id) is None:
            return "editor"
        return role

    def listed(self, records: Records, user_id: UserId) -> list[ListedDocument]:
        """Return the documents the user may see."""
        mine = records.documents_of(user_id)
        if not self._is_open:
            return mine
        known = {each.record.document_id: each for each in mine}
        everything = [(each, self.role(records, user_id, each.document_id)) for each in records.documents()]
        return [
            known.get(record.document_id) or ListedDocument(record=record, role=role)
            for record, role in everything
            if role
        ]

    def find(self, records: Records, user_id: UserId, document_id: str) -> ListedDocument:
        """Return a document and the user's role in it; raises RejectedError(document_not_found)."""
        record = records.find_document(DocumentId(document_id))
        role = self.role(records, user_id, DocumentId(document_id))
        if record is None or role is None:
            raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
        return ListedDocument(record=record, role=role)

    def find_asked(self, records: Records, user_id: UserId, order: OpenDocument) -> ListedDocument:
        """As `find`; raises also RejectedError(lineage_mismatch)."""
        found = self.find(records, user_id, order.document_id)
        if order.lineage not in {None, found.record.lineage}:
            raise RejectedError(ErrorCode.LINEAGE_MISMATCH)
        return found

    def admit(self, records: Records, user_id: UserId, order: OpenDocument, session_id: SessionId) -> ListedDocument:
        """As `find_asked`, and store that a session has the document open.

        It is stored before anybody is shown it: a server that is killed right after would let them go and come.
        """
        found = self.find_asked(records, user_id, order)
        records.put_places([(session_id, found.record.document_id)])
        return found

    def create(self, records: Records, user_id: UserId, order: CreateDocument, now: float) -> DocumentRecord:
        """Make a document, or find the one that the same order made before; raises RejectedError."""
        if order.document_id is not None:
            if not is_uuid(order.document_id):
                raise RejectedError(ErrorCode.NAME_INVALID, "document_id is not a UUID")
            existing = records.find_document(DocumentId(order.document_id))
            if existing:
                role = records.role_of(user_id, existing.document_id)
                return _same(existing, user_id, order, is_owner=role == "owner")
        self._check_may_create(records, user_id, order.title)
        record = DocumentRecord(
            document_id=DocumentId(order.document_id or new_uuid(self._random)),
            title=order.title,
            lineage=Lineage(order.lineage or new_uuid(self._random)),
            owner_id=user_id,
            updated_at=now,
        )
        records.put_document(record)
        records.put_role(user_id, record.document_id, "owner")
        return record

    def invite(self, records: Records, user_id: UserId, order: CreateInvite, now: float) -> IssuedInvite:
        """Make an invite by an owner's wish; raises RejectedError."""
        if order.document_id is not None:
            allowed = can_invite(self.find(records, user_id, order.document_id).role)
        else:
            user = records.find_user(user_id)
            allowed = user is not None and user.can_create
        if not allowed:
            raise RejectedError(ErrorCode.FORBIDDEN)
        if (order.uses is not None and order.uses < 1) or (order.ttl_s is not None and not 0 < order.ttl_s < 1e10):
            raise RejectedError(ErrorCode.INVALID_PAYLOAD, "uses and ttl_s are positive")
        if order.ask and order.document_id is None:
            raise RejectedError(ErrorCode.INVALID_PAYLOAD, "only owners of a document can be asked")
        return issue_invite(
            records,
            self._random,
            now,
            role=order.role,
            document_id=order.document_id,
            ttl_s=order.ttl_s,
            uses=order.uses,
            issued_by=user_id,
            asks=order.ask,
        )

    def _check_may_create(self, records: Records, user_id: UserId, title: str) -> None:
        user = records.find_user(user_id)
        if not self._is_open and (user is None or not user.can_create):
            raise RejectedError(ErrorCode.FORBIDDEN, "this invite lets nobody create documents")
        if not 0 < len(title.strip()) <= self._limits.max_title_chars or not title.isprintable():
            raise RejectedError(ErrorCode.NAME_INVALID)
        if records.count_owned(user_id) >= self._limits.max_documents_per_user:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{self._limits.max_documents_per_user} documents")


def issue_invite(
    records: Records,
    random: RandomBytes,
    now: float,
    *,
    role: RoleName,
    document_id: str | None = None,
    ttl_s: float | None = None,
    uses: int | None = None,
    issued_by: str = "",
    asks: bool = False,
    way: InviteWay = InviteWay.LINK,
) -> IssuedInvite:
    """Make an invite, by the wish of whoever runs the server where no user is named.

    Raises RejectedError(document_not_found).
    """
    if document_id is not None and records.find_document(DocumentId(document_id)) is None:
        raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND, document_id)
    token = new_invite_token(random)
    invite = Invite(
        token_hash=hash_token(token),
        role=role,
        document_id=None if document_id is None else DocumentId(document_id),
        expires_at=None if ttl_s is None else now + ttl_s,
        max_uses=uses,
        issued_by=issued_by,
        issued_at=now,
        asks=asks,
        way=way,
    )
    records.put_invite(invite)
    records.put_audit(
        AuditEntry(
            at=now,
            action=AuditAction.INVITE_ISSUED,
            actor=issued_by or OPERATOR,
            document_id=document_id or "",
            reference=invite.invite_id,
            role=role,
        )
    )
    return IssuedInvite(token, invite)


def issue_return(
    records: Records, random: RandomBytes, now: float, *, user_id: str, ttl_s: float, actor: str = OPERATOR
) -> IssuedInvite:
    """Make an invite that signs one user in again, once, with the roles of before.

    Whoever holds it can be that user, so that only who runs the server may make one. Raises RejectedError: not_found,
    or removed.
    """
    user = records.find_user(UserId(user_id))
    if user is None:
        raise RejectedError(ErrorCode.NOT_FOUND, f"no user {user_id}")
    if user.is_removed:
        raise RejectedError(ErrorCode.REMOVED, f"{user_id} was removed from the server")
    token = new_invite_token(random)
    invite = Invite(
        token_hash=hash_token(token),
        role="viewer",
        expires_at=now + ttl_s,
        max_uses=1,
        issued_at=now,
        for_user=user_id,
    )
    records.put_invite(invite)
    action = AuditAction.USER_INVITED_BACK
    records.put_audit(AuditEntry(at=now, action=action, actor=actor, user_id=user_id, reference=invite.invite_id))
    return IssuedInvite(token, invite)


def _same(existing: DocumentRecord, user_id: UserId, order: CreateDocument, *, is_owner: bool) -> DocumentRecord:
    if existing.owner_id != user_id or not is_owner or order.lineage not in {None, existing.lineage}:
        raise RejectedError(ErrorCode.DOCUMENT_EXISTS)
    return existing
