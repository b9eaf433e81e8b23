"""One open document: takes in what members send, says what others must hear, what to store, what to acknowledge.

Document updates and presence are gathered until `turn`, which the driver calls once per turn of its loop: however
many messages arrived, the document is touched once and each member is written to once. What changed is stored with what
changes in the next moment, in `settle`. An acknowledgement follows only when storage has reported the batch. Members
who read too slowly are held: they get nothing of the document until `catch_up`, and then one update with all they
missed.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import Final, NamedTuple

from texswarm_server.document.presence import PresenceEntry, encode_entry, encode_presence, join_entries
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import EMPTY_UPDATE, check_update, merge_updates
from texswarm_server.protocol.errors import (
    DocumentError,
    ErrorCode,
    MalformedUpdateError,
    RejectedError,
    RemoteProtocolError,
)
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    FrameBody,
    SyncStep1,
    SyncStep2,
    Update,
    encode_frame,
)
from texswarm_server.protocol.ids import DocumentId, Handle, Lineage, SessionId
from texswarm_server.protocol.messages import Error, RoleChanged, RoleName
from texswarm_server.protocol.version import Limits
from texswarm_server.rooms.acknowledgements import Acknowledgements, Counts
from texswarm_server.rooms.announcements import Announcements
from texswarm_server.rooms.effects import (
    Broadcast,
    Effect,
    Reload,
    SendDocument,
    SendPresence,
    Tell,
)
from texswarm_server.rooms.gathered_changes import GatheredChanges, Taken
from texswarm_server.rooms.member import Member, Profile
from texswarm_server.rooms.room_presence import RoomPresence
from texswarm_server.rooms.sync_answers import SyncAnswers
from texswarm_server.sessions.roles import can_edit

_KNOWN_UPDATES: Final = 256
#: Applying many updates of one person at once costs more than their number: each is joined to all that follow it.
_PORTION: Final = 512


class _Pending(NamedTuple):
    member: Member
    update: bytes


class Room:
    """Invariant: what a member that keeps up was sent since it synchronised equals what the document shows."""

    def __init__(
        self,
        document_id: DocumentId,
        lineage: Lineage,
        handle: Handle,
        document: SharedDocument,
        *,
        limits: Limits,
        size_bytes: int = 0,
        is_cautious: bool = False,
        read_only: str = "",
        first_presence_clock: int = 1,
    ) -> None:
        """`size_bytes`: what storage holds; `is_cautious`: the document mends itself, so updates come one by one.

        `read_only`: why no update is taken; what is shown then is what could be read. `first_presence_clock`: above
        all that this document's rooms have used before.
        """
        self.document_id = document_id
        self.lineage = lineage
        self.handle = handle
        self.read_only = read_only
        self._document = document
        self._limits = limits
        self._size_bytes = size_bytes
        self._is_cautious = is_cautious
        self._members: dict[SessionId, Member] = {}
        self._announcements = Announcements(handle, self._members)
        self._presence = RoomPresence(first_presence_clock)
        self._acknowledgements = Acknowledgements()
        self._updates: list[_Pending] = []
        self._answered: set[Member] = set()
        self._changes = GatheredChanges(self._acknowledgements)
        self._moves: list[tuple[Member, list[PresenceEntry]]] = []
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._sync = SyncAnswers(handle, document)
        self._title: str | None = None
        self._readers: tuple[SessionId, ...] | None = None
        self._present: tuple[SessionId, ...] | None = None

    # ── what is known ───────────────────────────────────────────────────────────────────────────────────

    @property
    def title(self) -> str:
        """The title as the members set it; empty when nobody did."""
        if self._title is None:
            self._title = self._document.title
        return self._title

    @property
    def is_idle(self) -> bool:
        """Whether nobody is connected and nothing waits for storage."""
        is_stored = self._changes.is_empty and not self._acknowledgements.is_waiting
        return not self._updates and is_stored and self.is_deserted

    @property
    def present(self) -> tuple[SessionId, ...]:
        """The members that a connection serves; the same tuple until one comes or goes."""
        if self._present is None:
            self._present = tuple(member.session_id for member in self._members.values() if member.is_here)
        return self._present

    @property
    def is_deserted(self) -> bool:
        """Whether no member is connected."""
        return not any(member.is_here for member in self._members.values())

    def owners(self) -> tuple[SessionId, ...]:
        """Return the members that own the document and are here."""
        members = self._members.values()
        return tuple(each.session_id for each in members if each.is_here and each.profile.role == "owner")

    def role_of(self, session_id: SessionId) -> RoleName | None:
        """Return a member's role, None for who has not opened the document."""
        member = self._members.get(session_id)
        return member.profile.role if member and member.is_here else None

    def serves(self, session_id: SessionId) -> bool:
        """Whether a member is here, so that it may send."""
        member = self._members.get(session_id)
        return member is not None and member.state == "here"

    @property
    def profiles(self) -> list[Profile]:
        """All members as they are known."""
        return [member.profile for member in self._members.values()]

    # ── coming and going ────────────────────────────────────────────────────────────────────────────────

    def expect(self, profile: Profile, *, is_away: bool) -> list[Effect]:
        """Show a member of an earlier room of this document, who has not come back yet."""
        member = self._members[profile.session_id] = Member(profile, state="away" if is_away else "reconnecting")
        return self._announcements.shown(member)

    def join(self, profile: Profile, state_vector: bytes | None = None) -> list[Effect]:
        """Let a session in, or in again with fresh counts; `DocumentOpened` must be sent before what is returned.

        `state_vector`: what its client has, if it said so. Raises RejectedError where it is none.
        """
        old = self._members.get(profile.session_id)
        member = Member(profile)
        sync = [] if state_vector is None else [self._sync_step_2(member, state_vector)]
        if old:
            self._presence.hand_over(old, member)
        self._members[profile.session_id] = member
        self._forget_who_reads()
        me = (profile.session_id,)
        effects: list[Effect] = [SendDocument(me, self._sync.step_1()), *sync]
        if entries := self._presence.welcome(member):
            effects.append(SendPresence(me, self._presence_frame(entries)))
        return [*effects, *self._announcements.joined(member)]

    def leave(self, session_id: SessionId) -> list[Effect]:
        """Let a member go for good. It is listed until `tell_left`: others are told what no restart takes back."""
        member = self._members.pop(session_id, None)
        if member is None:
            return []
        self._forget_who_reads()
        self._announcements.leaving(member)
        return self._broadcast_presence(self._presence.remove_of(member))

    def tell_left(self, session_id: SessionId) -> list[Effect]:
        """Tell that somebody has left, unless they came again."""
        return self._announcements.left(session_id)

    def lose(self, session_id: SessionId) -> list[Effect]:
        """Note that a member's connection dropped; it stays visible as reconnecting.

        Where it was goes for now, if its client says that again under a clock by which it cannot be told from an echo.
        """
        member = self._members.get(session_id)
        if member is None or not member.is_here:
            return []
        member.state, member.held_at = "reconnecting", None
        self._forget_who_reads()
        gone = self._presence.remove_of(member) if member.profile.is_forgetful else []
        return [*self._broadcast_presence(gone), *self._announcements.shown(member)]

    def give_up_waiting(self, session_id: SessionId) -> list[Effect]:
        """Note that the time for coming back is over: who did not is away, and what is not told anew is not shown."""
        member = self._members.get(session_id)
        if member is None or member.state == "away":
            return []
        if member.is_here:
            return self._broadcast_presence(self._presence.remove_former_of(member))
        member.state = "away"
        return [*self._broadcast_presence(self._presence.remove_of(member)), *self._announcements.shown(member)]

    def describe(self, session_id: SessionId, display_name: str, color: str) -> list[Effect]:
        """Show a member under another name or colour."""
        member = self._members.get(session_id)
        if member is None or (member.profile.display_name, member.profile.color) == (display_name, color):
            return []
        member.profile = replace(member.profile, display_name=display_name, color=color)
        return self._announcements.shown(member)

    def change_role(self, session_id: SessionId, role: RoleName) -> list[Effect]:
        """Give a member another role from here on; a client that knows of no roles is asked for what was refused."""
        member = self._members.get(session_id)
        if member is None or member.profile.role == role:
            return []
        is_promoted = can_edit(role) and not can_edit(member.profile.role)
        member.profile = replace(member.profile, role=role)
        told: list[Effect] = [
            Tell((session_id,), RoleChanged(handle=self.handle, role=role)),
            *self._announcements.shown(member),
        ]
        if is_promoted and member.profile.is_forgetful and member.is_here:
            told.append(SendDocument((session_id,), self._sync.step_1()))
        return told

    def announce(self) -> list[Effect]:
        """Tell everybody who is here; those who are held hear it when they catch up."""
        return self._announcements.announce()

    def greet(self) -> list[Effect]:
        """Tell those who came lately, or who were not told yet, who is here."""
        return self._announcements.greet()

    # ── what members send ───────────────────────────────────────────────────────────────────────────────

    def receive(self, session_id: SessionId, body: FrameBody) -> list[Effect]:
        """Take in one frame of a member and return what cannot wait for the turn.

        Raises RejectedError or RemoteProtocolError for the sender; a refused update counts as answered.
        """
        member = self._members[session_id]
        match body:
            case Update(update) | SyncStep2(update):
                if self.read_only:
                    self._refuse_as_read_only(member, body, update)
                member.received += 1
                self._answered.add(member)
                self._check(member, body, update)
                self._updates.append(_Pending(member, update))
            case Awareness(update):
                self._take_presence(member, update)
            case SyncStep1(state_vector):
                return [self._sync_step_2(member, state_vector)]
            case _:
                raise RemoteProtocolError(ErrorCode.FRAME_INVALID, "not for a server")
        return []

    def refusal(self, error: RejectedError | RemoteProtocolError) -> Error:
        """Return the answer to a sender whose frame was refused."""
        return Error(code=error.code, message=str(error), document_id=self.document_id, handle=self.handle)

    def turn(self) -> list[Effect]:
        """Apply everything gathered since the last turn and return what follows."""
        pending, self._updates = self._updates, []
        counts = {member: member.received for member in self._answered}
        self._answered = set()
        is_alone = self._is_cautious or self._document.has_waiting  # what has to wait keeps back what it is merged with
        taken, effects = self._apply_in_portions(pending, 1 if is_alone else _PORTION)
        if taken:
            self._size_bytes += sum(len(each.update) for each in taken)
            effects += self._changes.add(taken, counts)
        elif counts and not _has_reload(effects):
            effects += self._acknowledge(self._changes.ride_along(counts))
        if _has_reload(effects):
            effects += self.settle()
        return [*effects, *self._turn_presence()]

    def settle(self) -> list[Effect]:
        """Have stored what changed lately, if that is not under way."""
        return self._changes.store()

    def durable(self, batch: int) -> list[Effect]:
        """Note that a batch is stored and return the acknowledgements."""
        return self._acknowledge(self._acknowledgements.durable(batch))

    # ── presence ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_forgetful(self) -> bool:
        """Whether somebody is here who forgets presence that is not told anew."""
        return bool(self._forgetful())

    def renew_presence(self) -> list[Effect]:
        """Tell those who forget what nobody told since the last call; about every twelve seconds is enough."""
        readers = dict.fromkeys(self._forgetful())
        shared: list[PresenceEntry] = []
        own: dict[Member, list[PresenceEntry]] = {}
        for owner, entry in self._presence.renew() if readers else ():
            (own.setdefault(owner, []) if owner in readers else shared).append(entry)
        return [
            SendPresence(names, self._presence_frame(entries))
            for owner, entries in [(None, shared), *own.items()]
            if entries and (names := tuple(each.session_id for each in readers if each is not owner))
        ]

    # ── slow readers ────────────────────────────────────────────────────────────────────────────────────

    def hold(self, session_id: SessionId) -> None:
        """Send a member nothing more of the document; all that it was sent so far must be on its way."""
        member = self._members.get(session_id)
        if member and member.is_here and member.held_at is None:
            member.held_at = self._document.state_vector
            self._forget_who_reads()

    def catch_up(self, session_id: SessionId) -> list[Effect]:
        """Send a member what it missed of the document, in one update, and of who is here; nothing it has already.

        What is told here may make it slow again, so anything that is told every time would be told for ever.
        """
        member = self._members.get(session_id)
        if member is None or member.held_at is None:
            return []
        held_at, member.held_at = member.held_at, None
        self._forget_who_reads()
        missed = self._document.update_since(held_at)
        news: list[Effect] = (
            [] if missed == EMPTY_UPDATE else [SendDocument((session_id,), self._frame(Update(missed)))]
        )
        return [*news, *self._announcements.tell([member])]

    def repeat_presence(self, session_id: SessionId) -> list[Effect]:
        """Send a member who is where, and who left lately: some of it was dropped on the way."""
        member, history = self._members.get(session_id), self._presence.history()
        if member is not None and member.profile.is_forgetful:
            history = self._presence.without(member, history)
        return [SendPresence((session_id,), self._presence_frame(history))]

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _forget_answers(self) -> None:
        """The document is about to change: what was said of it will not be true."""
        self._sync.forget()
        self._title = None

    def _forget_who_reads(self) -> None:
        """Somebody came, went, fell behind or caught up."""
        self._readers = self._present = None

    def _everybody_who_keeps_up(self) -> tuple[SessionId, ...]:
        if self._readers is None:
            self._readers = tuple(member.session_id for member in self._members.values() if member.is_keeping_up)
        return self._readers

    def _sync_step_2(self, member: Member, state_vector: bytes) -> Effect:
        return SendDocument((member.session_id,), self._sync.step_2(state_vector))

    def _refuse_as_read_only(self, member: Member, body: FrameBody, update: bytes) -> None:
        """Refuse what would change a damaged document. It is not counted, so that its sender goes on keeping it."""
        try:
            says_nothing = self._says_nothing(body, update)
        except MalformedUpdateError as error:
            raise RejectedError(ErrorCode.UPDATE_INVALID) from error
        if member.is_withheld or not says_nothing:
            member.is_withheld = True
            raise RejectedError(ErrorCode.DOCUMENT_READ_ONLY, self.read_only)

    def _check(self, member: Member, body: FrameBody, update: bytes) -> None:
        if not can_edit(member.profile.role):
            self._check_viewer(body, update)
        if self._size_bytes + len(update) > self._limits.max_document_bytes:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{self._limits.max_document_bytes} bytes per document")

    def _check_viewer(self, body: FrameBody, update: bytes) -> None:
        try:
            check_update(update)
            is_edit = not self._says_nothing(body, update)
        except MalformedUpdateError as error:
            raise RejectedError(ErrorCode.UPDATE_INVALID) from error
        if is_edit:
            raise RejectedError(ErrorCode.FORBIDDEN, "viewers do not edit")

    def _says_nothing(self, body: FrameBody, update: bytes) -> bool:
        return update == EMPTY_UPDATE or (isinstance(body, SyncStep2) and self._document.contains(update))

    def _apply_merged(self, pending: list[_Pending]) -> tuple[list[Taken], list[Effect]]:
        updates = [each.update for each in pending if each.update != EMPTY_UPDATE and not self._is_known(each.update)]
        if not updates:
            return [], []
        try:
            merged = merge_updates(updates)
            self._forget_answers()
            change = self._document.apply(merged)
        except DocumentError as error:
            return self._after_failure(pending, error)
        if self._document.is_torn:
            return self._taken(updates, merged, change), [Reload(is_damaged=False)]
        if change is None and self._document.contains(merged):
            self._remember(updates)
            return [], []
        return self._taken(updates, merged, change), self._tell_change(merged, change, pending)

    def _after_failure(self, pending: list[_Pending], error: DocumentError) -> tuple[list[Taken], list[Effect]]:
        if isinstance(error, MalformedUpdateError) and len(pending) > 1:
            return self._apply_readable(pending)
        if isinstance(error, MalformedUpdateError) or self._is_cautious:
            return [], [self._refuse_late(pending[0], error)]
        return [], [Reload()]

    def _taken(self, updates: list[bytes], merged: bytes, change: bytes | None) -> list[Taken]:
        is_shown = not self._document.is_torn and (change == merged or not self._document.has_waiting)
        if is_shown:
            return [Taken(merged, len(updates), is_shown=True)]
        return [Taken(each, 1, is_shown=False) for each in updates]

    def _apply_in_portions(self, pending: list[_Pending], size: int) -> tuple[list[Taken], list[Effect]]:
        taken: list[Taken] = []
        effects: list[Effect] = []
        for start in range(0, len(pending), size):
            more_taken, more_effects = self._apply_merged(pending[start : start + size])
            taken += more_taken
            effects += more_effects
            if _has_reload(effects):
                break
        return taken, effects

    def _apply_readable(self, pending: list[_Pending]) -> tuple[list[Taken], list[Effect]]:
        """Refuse what cannot be read, so that the rest still goes together."""
        readable: list[_Pending] = []
        refusals: list[Effect] = []
        for each in pending:
            try:
                check_update(each.update)
                readable.append(each)
            except MalformedUpdateError as error:
                refusals.append(self._refuse_late(each, error))
        taken, effects = self._apply_in_portions(readable, _PORTION if refusals else 1)
        return taken, [*refusals, *effects]

    def _refuse_late(self, pending: _Pending, error: DocumentError) -> Effect:
        refusal = RejectedError(ErrorCode.UPDATE_INVALID, str(error))
        return Tell((pending.member.session_id,), self.refusal(refusal))

    def _tell_change(self, update: bytes, change: bytes | None, pending: list[_Pending]) -> list[Effect]:
        """Tell others what became visible. A sole sender knows it, unless it set free what somebody else had sent."""
        if change is None:
            return []
        senders = {each.member for each in pending}
        besides = tuple(each.session_id for each in senders) if len(senders) == 1 and change == update else ()
        readers = self._everybody_who_keeps_up()
        return [Broadcast(readers, self._frame(Update(change)), besides)] if readers not in {besides, ()} else []

    def _is_known(self, update: bytes) -> bool:
        return bool(self._known) and blake2b(update).digest() in self._known

    def _remember(self, updates: Iterable[bytes]) -> None:
        """Remember updates that are contained here; they stay so, and clients that return send the same ones."""
        for update in updates:
            self._known[blake2b(update).digest()] = None
        while len(self._known) > _KNOWN_UPDATES:
            self._known.popitem(last=False)

    def _take_presence(self, member: Member, update: bytes) -> None:
        if len(update) > self._limits.max_presence_bytes:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{self._limits.max_presence_bytes} bytes of presence")
        if news := self._presence.publish(member, update):
            self._moves.append((member, news))

    def _turn_presence(self) -> list[Effect]:
        """Tell the others. A sender was told of its own former places at joining, and must hear that they are void."""
        moves, self._moves = self._moves, []
        if not moves:
            return []
        entries = self._presence.latest(entry.client_id for _member, entries in moves for entry in entries)
        senders = {member for member, _entries in moves}
        is_news_to_all = len(senders) > 1 or any(entry.state is None for entry in entries)
        if not is_news_to_all:
            return self._broadcast_presence(entries, senders)
        forgetful = {member for member in senders if member.profile.is_forgetful and member.is_here}
        return [*self._broadcast_presence(entries, forgetful), *self._presence_of_others(entries, forgetful)]

    def _presence_of_others(self, entries: list[PresenceEntry], members: set[Member]) -> list[Effect]:
        """Send each of `members` what is not its own; an entry is encoded once, however many there are."""
        encoded = {entry.client_id: encode_entry(entry) for entry in entries} if members else {}
        told = [(each, [encoded[e.client_id] for e in self._presence.without(each, entries)]) for each in members]
        return [
            SendPresence((member.session_id,), self._frame(Awareness(join_entries(others))))
            for member, others in told
            if others
        ]

    def _forgetful(self) -> list[Member]:
        return [member for member in self._members.values() if member.profile.is_forgetful and member.is_here]

    def _broadcast_presence(self, entries: list[PresenceEntry], without: set[Member] | None = None) -> list[Effect]:
        if not entries:
            return []
        besides = tuple(member.session_id for member in without or ())
        if not self.present or (len(self.present) == 1 and self.present[0] in besides):
            return []
        return [Broadcast(self.present, self._presence_frame(entries), besides, may_be_dropped=True)]

    def _acknowledge(self, counts: Counts) -> list[Effect]:
        return [
            SendDocument((member.session_id,), self._frame(Acknowledged(count)))
            for member, count in counts.items()
            if member.is_here and self._members.get(member.session_id) is member
        ]

    def _frame(self, body: FrameBody) -> bytes:
        return encode_frame(self.handle, body)

    def _presence_frame(self, entries: list[PresenceEntry]) -> bytes:
        return self._frame(Awareness(encode_presence(entries)))


def _has_reload(effects: list[Effect]) -> bool:
    return any(isinstance(effect, Reload) for effect in effects)
