"""Which order goes where: the desk that every connection serves."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import msgspec

from texswarm_server.blob_desk import BlobDesk, Caller
from texswarm_server.front_desk import FrontDesk
from texswarm_server.net.peer import Peer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError, StorageError
from texswarm_server.protocol.frames import BlobChunk, FrameBody
from texswarm_server.protocol.ids import Handle, SessionId
from texswarm_server.protocol.messages import (
    AnswerKnock,
    Authentication,
    ChangeInvite,
    ChangeRole,
    CloseDocument,
    CreateDocument,
    CreateInvite,
    DescribeServer,
    DocumentCreated,
    DocumentInfo,
    DocumentList,
    DocumentLocked,
    FetchBlob,
    InviteChanged,
    InviteCreated,
    InviteList,
    InviteRedeemed,
    InviteRevoked,
    KnockAnswered,
    ListDocuments,
    ListInvites,
    ListKnocks,
    ListMembers,
    LockDocument,
    MemberChanged,
    MemberInfo,
    OfferBlobs,
    OpenDocument,
    Order,
    RedeemInvite,
    RemoveMember,
    RevokeInvite,
    SignedOut,
    SignOut,
    UnbanMember,
)
from texswarm_server.self_description import SelfDescription
from texswarm_server.sessions.document_access import DocumentAccess
from texswarm_server.sessions.document_members import DocumentMembers
from texswarm_server.sessions.records import Invite, ListedDocument, Records, User
from texswarm_server.storage.store import Store, excused
from texswarm_server.welcome import Guest

SomeOrder = TypeVar("SomeOrder", bound=Order)


class Dispatcher:
    """Implements `net.peer.Desk`, whose docstrings hold here."""

    def __init__(
        self,
        store: Store,
        front_desk: FrontDesk,
        blobs: BlobDesk,
        documents: OpenDocuments,
        access: DocumentAccess,
        *,
        description: SelfDescription,
        wall_clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._front_desk = front_desk
        self._blobs = blobs
        self._documents = documents
        self._access = access
        self._members = DocumentMembers(access)
        self._wall_clock = wall_clock
        self._description = description

    async def authenticate(self, peer: Peer, message: Authentication) -> None:  # noqa: D102
        for order in await self._front_desk.authenticate(peer, message):
            if peer.is_signed_in:
                await peer.carry_out(order, partial(self._excusing, self._open, peer))

    def is_serving(self, session_id: str | None) -> bool:  # noqa: D102
        return self._front_desk.is_serving(session_id)

    def frame(self, peer: Peer, handle: Handle, body: FrameBody) -> None:  # noqa: D102
        if not peer.is_confirmed:
            self._front_desk.confirm(peer)
        assert peer.session_id is not None
        if isinstance(body, BlobChunk):
            self._blobs.chunk(self._caller(peer, peer.session_id), handle, body)
        else:
            self._documents.frame(peer, peer.session_id, handle, body)

    def lost(self, peer: Peer, *, is_clean: bool) -> None:  # noqa: D102
        self._front_desk.lost(peer, is_clean=is_clean)

    async def order(self, peer: Peer, order: Order) -> None:  # noqa: D102
        await self._excusing(self._order, peer, order)

    async def _excusing(
        self, perform: Callable[[Peer, SomeOrder], Awaitable[None]], peer: Peer, order: SomeOrder
    ) -> None:
        """Perform an order; what is unknown to a damaged database is refused for now, and not for good."""
        try:
            await perform(peer, order)
        except RejectedError as error:
            if (excuse := excused(error, self._store.damage)) is error:
                raise
            raise excuse from error

    async def _order(self, peer: Peer, order: Order) -> None:
        if isinstance(order, DescribeServer):  # before anything that an invitation is used up by
            await self._describe(peer, order)
            return
        self._confirm(peer)
        match order:
            case ListDocuments():
                await self._list(peer, order)
            case CreateDocument():
                await self._create(peer, order)
            case OpenDocument():
                await self._open(peer, order)
            case CloseDocument(handle=handle) if peer.session_id:
                self._documents.close(peer.session_id, Handle(handle))
            case CreateInvite():
                await self._invite(peer, order)
            case RedeemInvite():
                await self._redeem(peer, order)
            case OfferBlobs() | FetchBlob() if peer.session_id:
                await self._order_blob(self._caller(peer, peer.session_id), order)
            case SignOut():
                await self._sign_out(peer, order)
            case _:
                await self._order_about_people(peer, order)

    async def _order_about_people(self, peer: Peer, order: Order) -> None:
        """Carry out what owners order about who may come in, and do what."""
        match order:
            case ListMembers():
                await self._list_members(peer, order)
            case ChangeRole() | RemoveMember() | UnbanMember():
                await self._change_member(peer, order)
            case LockDocument():
                await self._lock(peer, order)
            case ListInvites():
                await self._list_invites(peer, order)
            case ChangeInvite():
                await self._change_invite(peer, order)
            case RevokeInvite():
                await self._revoke_invite(peer, order)
            case ListKnocks():
                await self._list_knocks(peer, order)
            case AnswerKnock():
                await self._answer_knock(peer, order)
            case _:
                raise RejectedError(ErrorCode.UNKNOWN_MESSAGE, type(order).__name__)

    def _confirm(self, peer: Peer) -> None:
        if not peer.is_confirmed:
            self._front_desk.confirm(peer)

    def _caller(self, peer: Peer, session_id: SessionId) -> Caller:
        return Caller(peer, session_id, self._front_desk.guest(peer).user_id)

    async def _list(self, peer: Peer, order: ListDocuments) -> None:
        user_id = self._front_desk.guest(peer).user_id
        listed = await self._store.run(lambda records: self._access.listed(records, user_id))
        peer.tell(DocumentList(documents=[self._info(each) for each in listed], request=order.request))

    def _info(self, listed: ListedDocument) -> DocumentInfo:
        record, present = self._documents.refresh(listed)
        return DocumentInfo(
            id=record.document_id,
            title=record.title,
            owner=record.owner_id,
            updated_at=record.updated_at,
            active_collaborators=present,
            role=listed.role,
            lineage=record.lineage,
        )

    async def _create(self, peer: Peer, order: CreateDocument) -> None:
        if self._store.damage:
            raise RejectedError(ErrorCode.STORAGE_UNAVAILABLE, "the database is damaged")
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        record = await self._store.run(lambda records: self._access.create(records, user_id, order, now))
        peer.tell(
            DocumentCreated(
                document_id=record.document_id,
                title=record.title,
                lineage=record.lineage,
                role="owner",
                request=order.request,
            )
        )

    async def _open(self, peer: Peer, order: OpenDocument) -> None:
        guest = self._front_desk.guest(peer)
        try:
            found = await self._admit(guest, order)
        except RejectedError as error:
            if self._front_desk.doorkeeper.find(order.document_id, guest.user_id) is not None:
                raise RejectedError(ErrorCode.APPROVAL_PENDING) from error
            raise
        document_id = found.record.document_id
        try:
            while not self._documents.is_loaded(document_id):
                await self._documents.load(document_id)
                found = await self._admit(guest, order)  # the role may have been changed or taken away meanwhile
            self._front_desk.enter(guest, order, found)
        finally:
            self._documents.disown(guest.session.session_id, document_id)

    async def _admit(self, guest: Guest, order: OpenDocument) -> ListedDocument:
        """Return what a guest may open, its place stored if the disk takes it; raises RejectedError or StorageError."""
        user_id, session_id = guest.user_id, guest.session.session_id
        try:
            return await self._store.run(lambda records: self._access.admit(records, user_id, order, session_id))
        except StorageError:
            return await self._store.run(lambda records: self._access.find_asked(records, user_id, order))

    async def _invite(self, peer: Peer, order: CreateInvite) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        issued = await self._store.run(lambda records: self._access.invite(records, user_id, order, now))
        invite = issued.invite
        peer.tell(
            InviteCreated(
                token=issued.token,
                role=invite.role,
                document_id=invite.document_id,
                expires_at=invite.expires_at,
                uses=invite.max_uses,
                invite_id=invite.invite_id,
                ask=invite.asks,
                request=order.request,
            )
        )

    async def _redeem(self, peer: Peer, order: RedeemInvite) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        rules = self._front_desk.rules

        def redeem(records: Records) -> tuple[Invite, User | None]:
            invite = rules.redeem(records, order.token, user_id, now)
            return invite, records.find_user(user_id) if rules.must_ask(records, user_id, invite) else None

        with self._front_desk.guarding(peer):
            invite, asking = await self._store.run(redeem)
        if asking is not None:
            self._front_desk.doorkeeper.knock(asking, invite)
            raise RejectedError(ErrorCode.APPROVAL_PENDING)
        peer.tell(InviteRedeemed(role=invite.role, document_id=invite.document_id, request=order.request))
        self._front_desk.feed.follow()

    async def _list_knocks(self, peer: Peer, order: ListKnocks) -> None:
        user_id, document_id = self._front_desk.guest(peer).user_id, order.document_id
        await self._store.run(lambda records: self._members.insist_on_owner(records, user_id, document_id))
        peer.tell(self._front_desk.doorkeeper.knocks(document_id, order.request))

    async def _answer_knock(self, peer: Peer, order: AnswerKnock) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        knock = self._front_desk.doorkeeper.find(order.document_id, order.user_id)
        role = await self._store.run(lambda records: self._members.answer_knock(records, user_id, order, knock, now))
        peer.tell(
            KnockAnswered(
                document_id=order.document_id,
                user_id=order.user_id,
                accepted=order.accept,
                role=role,
                code=None if order.accept else ErrorCode.APPROVAL_DECLINED,
                request=order.request,
            )
        )
        if not order.accept:
            self._front_desk.doorkeeper.decline(order.document_id, order.user_id)
        self._front_desk.feed.follow()

    async def _change_invite(self, peer: Peer, order: ChangeInvite) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        changed = await self._store.run(lambda records: self._members.change_invite(records, user_id, order, now))
        peer.tell(InviteChanged(invite=changed, request=order.request))

    async def _order_blob(self, caller: Caller, order: OfferBlobs | FetchBlob) -> None:
        if isinstance(order, OfferBlobs):
            await self._blobs.offer(caller, order)
        else:
            await self._blobs.fetch(caller, order)

    async def _list_members(self, peer: Peer, order: ListMembers) -> None:
        user_id, document_id = self._front_desk.guest(peer).user_id, order.document_id
        told = await self._store.run(lambda records: self._members.members(records, user_id, document_id))
        peer.tell(msgspec.structs.replace(told, request=order.request))

    async def _change_member(self, peer: Peer, order: ChangeRole | RemoveMember | UnbanMember) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()

        def change(records: Records) -> MemberInfo:
            match order:
                case ChangeRole():
                    return self._members.change_role(records, user_id, order, now)
                case RemoveMember():
                    return self._members.remove(records, user_id, order, now)
                case UnbanMember():
                    return self._members.unban(records, user_id, order, now)

        member = await self._store.run(change)
        await self._act_on_changes()
        peer.tell(MemberChanged(document_id=order.document_id, member=member, request=order.request))

    async def _lock(self, peer: Peer, order: LockDocument) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        await self._store.run(lambda records: self._members.set_locked(records, user_id, order, now))
        await self._act_on_changes()
        peer.tell(DocumentLocked(document_id=order.document_id, is_locked=order.is_locked, request=order.request))

    async def _act_on_changes(self) -> None:
        """Let a change that is stored hold on living connections; at the latest as soon as it can be read."""
        with suppress(StorageError):
            await self._front_desk.feed.follow()

    async def _list_invites(self, peer: Peer, order: ListInvites) -> None:
        user_id, document_id = self._front_desk.guest(peer).user_id, order.document_id
        invites = await self._store.run(lambda records: self._members.invites(records, user_id, document_id))
        peer.tell(InviteList(invites=invites, request=order.request))

    async def _revoke_invite(self, peer: Peer, order: RevokeInvite) -> None:
        user_id, now = self._front_desk.guest(peer).user_id, self._wall_clock()
        await self._store.run(lambda records: self._members.revoke_invite(records, user_id, order.invite_id, now))
        peer.tell(InviteRevoked(invite_id=order.invite_id, request=order.request))

    async def _describe(self, peer: Peer, order: DescribeServer) -> None:
        peer.tell(await self._description.tell(order, peer.address))

    async def _sign_out(self, peer: Peer, order: SignOut) -> None:
        await self._front_desk.sign_out(peer)
        peer.tell(SignedOut(request=order.request))
        peer.shut(CloseCode.NORMAL, "signed out")
