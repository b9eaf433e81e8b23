"""What owners do about the people in their documents and the invites to them, by the orders of their clients."""

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.protocol.messages import (
    GUEST_NAME,
    AnswerKnock,
    ChangeInvite,
    ChangeRole,
    InviteInfo,
    Knock,
    LockDocument,
    MemberInfo,
    MemberList,
    RemoveMember,
    RoleName,
    UnbanMember,
)
from texswarm_server.sessions.administration import (
    change_invite,
    change_role,
    decline_entry,
    remove_member,
    revoke_invite,
    unban_member,
)
from texswarm_server.sessions.document_access import DocumentAccess
from texswarm_server.sessions.document_lock import is_locked, lock_document, unlock_document, withhold, withholds
from texswarm_server.sessions.records import Invite, Records, User
from texswarm_server.sessions.roles import can_administer


class DocumentMembers:
    """Decides inside one transaction of the records. Whoever may not see a document is told there is none."""

    def __init__(self, access: DocumentAccess) -> None:
        self._access = access

    def members(self, records: Records, user_id: UserId, document_id: str) -> MemberList:
        """Return everybody with a role in an owner's document, then everybody who was taken out of it."""
        document = self._owned(records, user_id, document_id)
        members = records.members_of(document)
        removed = [records.find_user(each.user_id) for each in records.removals_of(document)]
        users = [each.user for each in members if not each.user.is_removed] + [user for user in removed if user]
        told = [self._info(records, user, document) for user in users]
        return MemberList(document_id=document, members=told, is_locked=is_locked(records, document))

    def change_role(self, records: Records, user_id: UserId, order: ChangeRole, now: float) -> MemberInfo:
        """Give a member of an owner's document another role; raises RejectedError."""
        document = self._owned(records, user_id, order.document_id)
        self._insist_on_member(records, order.user_id, document)
        change_role(
            records,
            actor=user_id,
            user_id=order.user_id,
            document_id=document,
            role=order.role,
            now=now,
        )
        return self._info_of(records, order.user_id, document)

    def remove(self, records: Records, user_id: UserId, order: RemoveMember, now: float) -> MemberInfo:
        """Take somebody out of an owner's document, or the user out of any; raises RejectedError."""
        is_leaving = order.user_id == user_id and not order.ban
        document = DocumentId(order.document_id)
        if is_leaving:
            self._access.find(records, user_id, document)
        else:
            self._owned(records, user_id, document)
            if records.find_removal(UserId(order.user_id), document) is None:
                self._insist_on_member(records, order.user_id, document)
        remove_member(records, actor=user_id, user_id=order.user_id, document_id=document, now=now, ban=order.ban)
        return self._info_of(records, order.user_id, document)

    def unban(self, records: Records, user_id: UserId, order: UnbanMember, now: float) -> MemberInfo:
        """Let somebody who was taken out of an owner's document be invited again; raises RejectedError."""
        document = self._owned(records, user_id, order.document_id)
        unban_member(records, actor=user_id, user_id=order.user_id, document_id=document, now=now)
        return self._info_of(records, order.user_id, document)

    def set_locked(self, records: Records, user_id: UserId, order: LockDocument, now: float) -> None:
        """Let only the owners of an owner's document write, or end that; raises RejectedError."""
        document = self._owned(records, user_id, order.document_id)
        change = lock_document if order.is_locked else unlock_document
        change(records, actor=user_id, document_id=document, now=now)

    def insist_on_owner(self, records: Records, user_id: UserId, document_id: str) -> None:
        """Raise RejectedError where the user does not own the document."""
        self._owned(records, user_id, document_id)

    def answer_knock(
        self, records: Records, user_id: UserId, order: AnswerKnock, knock: Knock | None, now: float
    ) -> RoleName | None:
        """Give somebody who knocked a role in an owner's document, or note the refusal; raises RejectedError.

        `knock`: what is known of whoever waits; None when nobody of that id does.
        """
        document = self._owned(records, user_id, order.document_id)
        if knock is None:
            raise RejectedError(ErrorCode.NOT_FOUND, "nobody of that id waits")
        if not order.accept:
            decline_entry(records, actor=user_id, user_id=order.user_id, document_id=document, now=now)
            return None
        role = order.role or knock.role
        is_withheld = role == knock.role and withholds(records, document, role)
        given: RoleName = "viewer" if is_withheld else role
        change_role(records, actor=user_id, user_id=order.user_id, document_id=document, role=given, now=now)
        if is_withheld:  # by an invite that does not ask it would be no other
            withhold(records, UserId(order.user_id), document)
        return given

    def invites(self, records: Records, user_id: UserId, document_id: str | None) -> list[InviteInfo]:
        """Return the invites to an owner's document, or those to the server the user made; not the revoked ones."""
        if document_id is not None:
            found = records.invites_of(self._owned(records, user_id, document_id))
        else:
            found = [each for each in records.invites_issued_by(user_id) if each.document_id is None]
        return [_invite_info(each) for each in found if not each.is_revoked]

    def revoke_invite(self, records: Records, user_id: UserId, invite_id: str, now: float) -> None:
        """Take back an invite that the user made, or one to an owner's document; raises RejectedError(not_found)."""
        invite = records.find_invite_by_id(invite_id)
        if invite is None or not self._may_revoke(records, user_id, invite):
            raise RejectedError(ErrorCode.NOT_FOUND, "no invite")
        revoke_invite(records, actor=user_id, invite_id=invite_id, now=now)

    def change_invite(self, records: Records, user_id: UserId, order: ChangeInvite, now: float) -> InviteInfo:
        """Let an invite that the user may take back give something else; raises RejectedError."""
        invite = records.find_invite_by_id(order.invite_id)
        if invite is None or invite.is_revoked or not self._may_revoke(records, user_id, invite):
            raise RejectedError(ErrorCode.NOT_FOUND, "no invite")
        if order.ask and invite.document_id is None:
            raise RejectedError(ErrorCode.INVALID_PAYLOAD, "only owners of a document can be asked")
        return _invite_info(
            change_invite(records, actor=user_id, invite=invite, role=order.role, asks=order.ask, now=now)
        )

    def _owned(self, records: Records, user_id: UserId, document_id: str) -> DocumentId:
        if not can_administer(self._access.find(records, user_id, document_id).role):
            raise RejectedError(ErrorCode.FORBIDDEN, "for owners")
        return DocumentId(document_id)

    def _insist_on_member(self, records: Records, user_id: str, document_id: DocumentId) -> None:
        user = records.find_user(UserId(user_id))
        if user is None or self._access.role(records, user.user_id, document_id) is None:
            raise RejectedError(ErrorCode.NOT_FOUND, "no member")

    def _may_revoke(self, records: Records, user_id: UserId, invite: Invite) -> bool:
        if invite.document_id is not None and can_administer(self._access.role(records, user_id, invite.document_id)):
            return True
        return invite.issued_by == user_id

    def _info_of(self, records: Records, user_id: str, document_id: DocumentId) -> MemberInfo:
        user = records.find_user(UserId(user_id))
        assert user is not None
        return self._info(records, user, document_id)

    def _info(self, records: Records, user: User, document_id: DocumentId) -> MemberInfo:
        removal = records.find_removal(user.user_id, document_id)
        return MemberInfo(
            user_id=user.user_id,
            display_name=user.display_name or GUEST_NAME,
            color=user.color,
            role=self._access.role(records, user.user_id, document_id),
            is_banned=removal is not None and removal.is_ban,
        )


def _invite_info(invite: Invite) -> InviteInfo:
    return InviteInfo(
        invite_id=invite.invite_id,
        role=invite.role,
        document_id=invite.document_id,
        expires_at=invite.expires_at,
        uses=invite.uses,
        max_uses=invite.max_uses,
        issued_by=invite.issued_by,
        issued_at=invite.issued_at,
        ask=invite.asks,
        way=invite.way,
    )
