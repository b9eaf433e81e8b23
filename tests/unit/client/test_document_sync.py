"""One document on a link that may be cut anywhere, against a model of the server's room."""

import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.model_replica import ModelReplica
from tests.helpers.room_model import RoomModel
from texswarm_desktop.client import document_sync
from texswarm_desktop.client.document_sync import DocumentSync
from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import decode_presence
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    ErrorCode,
    MalformedUpdateError,
    RejectedError,
    RemoteProtocolError,
)
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    SyncStep1,
    SyncStep2,
    Update,
    decode_frame,
)
from texswarm_server.protocol.messages import CloseDocument, DocumentClosed, DocumentOpened, OpenDocument, Participant
from texswarm_server.protocol.version import Limits

DOCUMENT = "11111111-1111-4111-8111-111111111111"
LINEAGE = "lineage-a"


class ModelLink:
    """The client's end of a link: what is on its way in both directions, in order."""

    def __init__(self, limits=None):
        self.limits = limits or Limits()
        self.up, self.down, self.given_up, self.settled = deque(), deque(), [], 0

    def send_order(self, order, document_id):
        self.up.append(order)

    def send_frame(self, frame):
        assert len(frame) <= self.limits.max_frame_bytes
        self.up.append(frame)

    def document_settled(self):
        self.settled += 1

    def give_up(self, reason):
        self.given_up.append(reason)

    def sent(self, kind=object):
        bodies = [decode_frame(frame)[1] if isinstance(frame, bytes) else frame for frame in self.up]
        return [body for body in bodies if isinstance(body, kind)]


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Desk:
    """A replica with its sync, and the link while there is one."""

    def __init__(self, *, clock=None, limits=None):
        self.clock, self.limits = clock or Clock(), limits
        self.replica, self.link, self.key_presses = ModelReplica(DOCUMENT), None, 0
        self.start()

    def start(self):
        self.sync = self.replica.sync = DocumentSync(self.replica, clock=self.clock, on_edit=self.on_edit)

    def on_edit(self):
        self.key_presses += 1

    def connect(self):
        self.link = ModelLink(self.limits)
        self.sync.link_up(self.link)
        return self.link

    def opened(self, role="editor", lineage=LINEAGE, handle=1, **more):
        fact = DocumentOpened(document_id=DOCUMENT, handle=handle, role=role, lineage=lineage, title="Paper", **more)
        self.sync.document_opened(fact)

    def live(self, role="editor"):
        link = self.connect()
        self.opened(role)
        self.sync.receive(SyncStep1(EMPTY_STATE))
        self.sync.receive(SyncStep2(ProjectDocument().update_since(EMPTY_STATE)))
        return link

    def cut(self):
        self.link = None
        self.sync.link_lost()


@pytest.fixture
def desk():
    desk = Desk()
    desk.replica.create(LINEAGE)
    return desk


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_is_opened_with_its_lineage(desk):
    ours = desk.replica.state_vector()
    assert desk.connect().sent() == [OpenDocument(document_id=DOCUMENT, lineage=LINEAGE, state_vector=ours)]


def test_an_empty_replica_names_no_lineage():
    assert Desk().connect().sent() == [OpenDocument(document_id=DOCUMENT, state_vector=EMPTY_STATE)]


def test_once_open_it_says_what_it_has(desk):
    link = desk.connect()
    desk.opened()
    assert [type(body) for body in link.sent()[1:]] == [SyncStep1]
    assert [fact.role for fact in desk.replica.openings] == ["editor"]
    assert not desk.sync.is_synced


def test_a_server_that_answers_the_opening_is_not_asked_again(desk):
    link = desk.connect()
    desk.opened(sync_follows=True)
    assert link.sent()[1:] == []
    assert not desk.sync.is_synced
    desk.sync.receive(SyncStep1(EMPTY_STATE))
    desk.sync.receive(SyncStep2(ProjectDocument().update_since(EMPTY_STATE)))
    assert desk.sync.is_synced
    assert [type(body) for body in link.sent()[1:]] == [SyncStep2, Awareness], "what the server lacks, who is here"


def test_what_too_many_people_wrote_is_asked_for_when_the_handle_is_known(desk, monkeypatch):
    monkeypatch.setattr(document_sync, "MAX_STATE_VECTOR_BYTES", 3)
    link = desk.connect()
    assert link.sent() == [OpenDocument(document_id=DOCUMENT, lineage=LINEAGE)]
    desk.opened()
    assert [type(body) for body in link.sent()[1:]] == [SyncStep1]


def test_it_is_synced_when_the_servers_answer_has_arrived(desk):
    link = desk.live()
    assert desk.sync.is_synced
    assert desk.sync.is_settled
    assert link.settled == 1


def test_the_server_gets_what_it_lacks(desk):
    link = desk.live()
    server = ProjectDocument()
    server.apply(link.sent(SyncStep2)[0].update)
    assert server.title == "Paper"


def test_equal_replicas_with_nothing_waiting_send_nothing(desk):
    desk.replica.acknowledged(desk.replica.last_local_row())
    link = desk.connect()
    desk.opened()
    desk.sync.receive(SyncStep1(desk.replica.state_vector()))
    assert link.sent(SyncStep2) == []


def test_an_edit_that_only_deletes_is_sent_though_the_vectors_are_equal(desk):
    desk.replica.replace(0, 0, "abc")
    desk.replica.acknowledged(desk.replica.last_local_row())
    desk.replica.replace(0, 2, "")
    link = desk.connect()
    desk.opened()
    desk.sync.receive(SyncStep1(desk.replica.state_vector()))
    assert len(link.sent(SyncStep2)) == 1


def test_what_others_deleted_is_returned_to_a_server_that_may_have_lost_it(desk):
    desk.replica.replace(0, 0, "abc")
    desk.replica.acknowledged(desk.replica.last_local_row())
    server = ProjectDocument()
    server.apply(desk.replica.update_since(EMPTY_STATE))
    stored = server.update_since(EMPTY_STATE)
    desk.live()
    server.text(server.file_at("main.tex")).replace_u16(0, 2, "")
    desk.sync.receive(Update(server.update_since(server.state_vector())))
    assert desk.replica.text == "c"

    desk.cut()
    link = desk.connect()
    desk.opened()
    lame = ProjectDocument()
    lame.apply(stored)
    desk.sync.receive(SyncStep1(lame.state_vector()))
    lame.apply(link.sent(SyncStep2)[0].update)
    assert str(lame.text(lame.file_at("main.tex"))) == "c"


def test_another_lineage_is_refused_on_our_side_too(desk):
    link = desk.connect()
    desk.opened(lineage="lineage-b")
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.LINEAGE_MISMATCH]
    assert link.sent(SyncStep1) == []
    assert link.sent(CloseDocument) == [CloseDocument(handle=1)]
    assert desk.sync.is_settled


@pytest.mark.parametrize("code", [ErrorCode.DOCUMENT_NOT_FOUND, ErrorCode.LINEAGE_MISMATCH, ErrorCode.FORBIDDEN, "new"])
def test_a_final_refusal_reaches_the_replica_and_settles(desk, code):
    link = desk.connect()
    desk.sync.order_refused(RejectedError(code))
    assert [error.code for error in desk.replica.refusals] == [code]
    assert desk.sync.is_settled
    assert not desk.sync.is_synced
    assert link.settled == 1


def test_a_passing_refusal_drops_the_link_to_begin_again_later(desk):
    link = desk.connect()
    desk.sync.order_refused(RejectedError(ErrorCode.STORAGE_UNAVAILABLE))
    assert len(link.given_up) == 1
    assert desk.replica.refusals == []


def test_a_refused_document_is_tried_again_on_the_next_link(desk):
    desk.connect()
    desk.sync.order_refused(RejectedError(ErrorCode.DOCUMENT_NOT_FOUND))
    desk.cut()
    assert not desk.sync.is_settled
    assert len(desk.connect().sent(OpenDocument)) == 1


# ── edits and acknowledgements ──────────────────────────────────────────────────────────────────────────────


def test_an_edit_goes_out_at_once_when_synced(desk):
    link = desk.live()
    desk.replica.replace(0, 0, "a")
    assert len(link.sent(Update)) == 1


def test_an_edit_before_the_servers_vector_waits_for_it(desk):
    link = desk.connect()
    desk.opened()
    desk.replica.replace(0, 0, "early")
    assert link.sent(Update) == []
    desk.sync.receive(SyncStep1(EMPTY_STATE))
    server = ProjectDocument()
    server.apply(link.sent(SyncStep2)[0].update)
    assert str(server.text(server.file_at("main.tex"))) == "early"


def test_what_others_may_not_hear_of_yet_is_sent_when_it_is_durable(desk):
    desk.replica.unkept = []
    link = desk.live()
    desk.replica.replace(0, 0, "typed meanwhile")
    assert link.sent(SyncStep2) == link.sent(Update) == []
    desk.replica.keep()
    assert (len(link.sent(SyncStep2)), link.sent(Update)) == (1, [])
    desk.replica.replace(0, 0, "x")
    assert len(link.sent(Update)) == 1


def test_who_lost_the_link_meanwhile_sends_nothing_on_the_next_one(desk):
    desk.replica.unkept = []
    desk.live()
    desk.cut()
    link = desk.connect()
    desk.opened()
    desk.replica.keep()
    assert link.sent(SyncStep2) == []


def test_counts_are_translated_to_rows(desk):
    desk.live()
    rows = desk.replica.last_local_row()
    desk.replica.replace(0, 0, "a")
    desk.replica.replace(0, 0, "b")
    desk.sync.receive(Acknowledged(1))
    assert desk.replica.acknowledged_row == rows
    desk.sync.receive(Acknowledged(3))
    assert desk.replica.unacknowledged() == 0


def test_counting_begins_anew_with_each_opening(desk):
    desk.live()
    desk.sync.receive(Acknowledged(1))
    desk.cut()
    desk.replica.replace(0, 0, "offline")
    desk.live()
    assert desk.replica.unacknowledged() == 1
    desk.sync.receive(Acknowledged(1))
    assert desk.replica.unacknowledged() == 0


def test_an_acknowledgement_of_what_was_never_sent_is_nonsense(desk):
    desk.live()
    with pytest.raises(RemoteProtocolError):
        desk.sync.receive(Acknowledged(2))


def test_the_age_of_the_oldest_unsaved_edit_is_known(desk):
    desk.clock.now += 5
    desk.replica.replace(0, 0, "a")
    assert desk.sync.oldest_unacknowledged_since == 1000.0
    desk.live()
    desk.clock.now += 5
    desk.replica.replace(0, 0, "b")
    desk.sync.receive(Acknowledged(1))
    assert desk.sync.oldest_unacknowledged_since == 1010.0
    desk.sync.receive(Acknowledged(2))
    assert desk.sync.oldest_unacknowledged_since is None


def test_edits_of_an_earlier_run_are_as_old_as_this_one(desk):
    desk.clock.now = 2000.0
    desk.start()
    assert desk.sync.oldest_unacknowledged_since == 2000.0


def test_an_edit_without_a_link_is_a_reason_to_try(desk):
    before = desk.key_presses
    desk.replica.replace(0, 0, "a")
    assert desk.key_presses == before + 1


# ── roles and refusals ──────────────────────────────────────────────────────────────────────────────────────


def test_a_document_that_the_server_shows_read_only_gets_no_edits_whatever_the_role(desk):
    desk.replica.replace(0, 0, "kept ")
    desk.connect()
    fact = DocumentOpened(document_id=DOCUMENT, handle=1, role="owner", lineage=LINEAGE, title="", read_only="damaged")
    desk.sync.document_opened(fact)
    desk.sync.receive(SyncStep1(EMPTY_STATE))
    desk.sync.receive(SyncStep2(ProjectDocument().update_since()))
    desk.replica.replace(0, 0, "more ")
    assert desk.link.sent(Update) == desk.link.sent(SyncStep2) == []
    assert (desk.replica.refusals, desk.sync.is_synced) == ([], True)


@pytest.fixture
def removed(desk):
    desk.live()
    desk.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=1, code=ErrorCode.REMOVED))
    return desk


def test_who_was_removed_looks_on_the_next_link_and_is_told_nothing_new_as_long_as_it_is_so(removed):
    removed.cut()
    assert len(removed.connect().sent(OpenDocument)) == 1
    removed.sync.order_refused(RejectedError(ErrorCode.DOCUMENT_NOT_FOUND))
    assert removed.sync.is_settled
    assert removed.link.settled == 1  # else the connection would wait for it for ever
    assert [error.code for error in removed.replica.refusals] == [ErrorCode.REMOVED] * 2


def test_who_is_taken_back_opens_the_document_on_the_link_that_stands(removed):
    removed.replica.replace(0, 0, "meanwhile ")
    settled = removed.link.settled
    removed.sync.shared()
    assert len(removed.link.sent(OpenDocument)) == 2
    assert (removed.sync.is_settled, removed.link.settled) == (False, settled + 1)
    removed.opened(handle=2)
    removed.sync.receive(SyncStep1(EMPTY_STATE))
    removed.sync.receive(SyncStep2(ProjectDocument().update_since(EMPTY_STATE)))
    assert removed.sync.is_synced
    assert len(removed.link.sent(SyncStep2)) == 2


def test_a_document_that_is_gone_after_all_was_not_found(removed):
    removed.sync.shared()
    removed.opened(handle=2)
    removed.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=2, code=ErrorCode.DOCUMENT_RELOADED))
    removed.sync.order_refused(RejectedError(ErrorCode.DOCUMENT_NOT_FOUND))
    assert removed.replica.refusals[-1].code == ErrorCode.DOCUMENT_NOT_FOUND


def test_that_an_open_document_can_be_opened_is_nothing_new(desk):
    desk.live()
    desk.sync.shared()
    assert len(desk.link.sent(OpenDocument)) == 1
    desk.cut()
    desk.sync.shared()
    assert desk.link is None


def test_the_replica_hears_of_another_role(desk):
    desk.live("viewer")
    desk.sync.role_changed("editor")
    assert desk.replica.roles == ["editor"]


def participant(participant_id: str, name: str = "N") -> Participant:
    return Participant(
        participant_id=participant_id, user_id="u", display_name=name, color="#123456", role="editor", state="here"
    )


def test_who_is_refused_sees_nobody_in_the_document_any_more(desk):
    desk.live()
    desk.sync.participants_told([participant("p")])
    desk.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=1, code="removed"))
    assert desk.replica.participants == []


def test_a_viewer_sends_no_updates_and_is_told_when_edits_wait(desk):
    link = desk.live("viewer")
    desk.replica.replace(0, 0, "mine")
    assert link.sent((SyncStep2, Update)) == []
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.FORBIDDEN]


def test_a_viewer_with_nothing_of_their_own_is_told_nothing():
    desk = Desk()
    desk.live("viewer")
    assert desk.replica.refusals == []
    assert desk.sync.is_synced


def test_a_viewer_who_becomes_editor_sends_what_waited(desk):
    link = desk.live("viewer")
    desk.replica.replace(0, 0, "mine")
    desk.sync.role_changed("editor")
    assert len(link.sent(SyncStep2)) == 1
    desk.sync.receive(Acknowledged(1))
    assert desk.replica.unacknowledged() == 0


def test_a_forbidden_edit_is_never_taken_for_saved(desk):
    link = desk.live()
    desk.replica.replace(0, 0, "mine")
    waiting = desk.replica.unacknowledged()
    desk.sync.frame_refused(RejectedError(ErrorCode.FORBIDDEN))
    desk.sync.receive(Acknowledged(2))
    desk.replica.replace(0, 0, "more")
    assert desk.replica.unacknowledged() == waiting + 1
    assert len(link.sent(Update)) == 1
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.FORBIDDEN]


def test_an_edit_refused_for_another_reason_is_sent_again_by_opening_again(desk):
    link = desk.live()
    desk.sync.frame_refused(RejectedError(ErrorCode.UPDATE_INVALID))
    assert len(link.sent(OpenDocument)) == 2
    assert link.sent(CloseDocument) == []  # or the others would see one go and come
    assert not desk.sync.is_synced
    assert desk.replica.refusals == []


def test_a_document_whose_edits_are_refused_every_time_is_closed(desk):
    link = desk.live()
    for _ in range(10):
        if not desk.replica.refusals:
            desk.sync.frame_refused(RejectedError(ErrorCode.UPDATE_INVALID))
            desk.opened()
    assert len(link.sent(OpenDocument)) == 4
    assert link.sent(CloseDocument) == [CloseDocument(handle=1)]
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.UPDATE_INVALID]


def test_a_reloaded_document_is_opened_again(desk):
    link = desk.live()
    desk.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=1, code=ErrorCode.DOCUMENT_RELOADED))
    assert len(link.sent(OpenDocument)) == 2
    assert desk.replica.others_left_count == 1
    desk.opened(handle=2)
    desk.sync.receive(SyncStep1(EMPTY_STATE))
    assert len(link.sent(SyncStep2)) == 2


def test_an_update_that_breaks_the_servers_copy_every_time_ends_in_a_refusal(desk):
    link = desk.live()
    for _ in range(10):
        if not desk.replica.refusals:
            desk.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=1, code=ErrorCode.DOCUMENT_RELOADED))
            desk.opened()
    assert len(link.sent(OpenDocument)) == 4
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.DOCUMENT_RELOADED]


def test_reloads_far_apart_are_nobodys_fault(desk):
    desk.live()
    for _ in range(10):
        desk.clock.now += 61
        desk.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=1, code=ErrorCode.DOCUMENT_RELOADED))
        desk.opened()
    assert desk.replica.refusals == []


def test_a_document_taken_away_is_reported(desk):
    desk.live()
    desk.sync.document_closed(DocumentClosed(document_id=DOCUMENT, handle=1, code=ErrorCode.FORBIDDEN))
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.FORBIDDEN]
    assert desk.sync.handle is None


def test_a_malformed_update_is_the_servers_fault(desk):
    desk.live()

    def fail(update):
        raise MalformedUpdateError("junk")

    desk.replica.on_apply = fail
    with pytest.raises(RemoteProtocolError):
        desk.sync.receive(Update(b"junk"))


def test_a_damaged_replica_is_left_alone(desk):
    link = desk.live()

    def fail(update):
        raise DamagedDocumentError("broken")

    desk.replica.on_apply = fail
    desk.sync.receive(Update(b"junk"))
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.DOCUMENT_RELOADED]
    desk.replica.replace(0, 0, "a")
    assert link.sent(Update) == []


# ── presence ────────────────────────────────────────────────────────────────────────────────────────────────


def test_presence_is_published_again_after_every_resume(desk):
    first = desk.live().sent(Awareness)
    desk.cut()
    again = desk.live().sent(Awareness)
    clocks = [decode_presence(body.update)[0].clock for body in first + again]
    assert len(clocks) == 2
    assert clocks[0] < clocks[1]


def test_a_moved_caret_is_published_only_on_a_link(desk):
    desk.sync.presence_changed()
    link = desk.live()
    desk.sync.presence_changed()
    assert len(link.sent(Awareness)) == 2


def test_one_tells_where_one_is_after_what_one_wrote(desk):
    desk.replica.replace(0, 0, "away ")
    link = desk.connect()
    desk.opened()
    desk.sync.presence_changed()
    desk.sync.receive(SyncStep1(EMPTY_STATE))
    desk.sync.receive(SyncStep2(ProjectDocument().update_since(EMPTY_STATE)))
    assert [type(body) for body in link.sent()[1:]] == [SyncStep1, SyncStep2, Awareness]


def test_where_others_are_waits_for_what_they_wrote(desk):
    desk.connect()
    desk.opened()
    desk.sync.receive(Awareness(b"\x00"))
    assert desk.replica.presence == []
    desk.sync.receive(SyncStep2(ProjectDocument().update_since(EMPTY_STATE)))
    assert desk.replica.presence == [b"\x00"]


def test_presence_over_the_limit_stays_here():
    desk = Desk(limits=Limits(max_presence_bytes=4))
    assert desk.live().sent(Awareness) == []


def test_others_are_forgotten_with_the_link(desk):
    desk.live()
    desk.sync.receive(Awareness(b"\x00"))
    assert desk.replica.presence == [b"\x00"]
    desk.cut()
    assert desk.replica.presence == []


def test_participants_are_passed_on(desk):
    desk.live()
    desk.sync.participants_told([participant("p")])
    assert desk.replica.participants == [participant("p")]


def test_changes_of_a_crowd_are_added_to_what_is_known(desk):
    desk.live()
    desk.sync.participants_told([participant("p"), participant("q")])
    desk.sync.participants_changed([participant("p", "Countess"), participant("r")], ["q", "nobody"])
    assert desk.replica.participants == [participant("p", "Countess"), participant("r")]


def test_of_a_crowd_nobody_vanishes_until_all_are_told(desk):
    def listed():
        return sorted(each.participant_id for each in desk.replica.participants)

    desk.live()
    desk.sync.participants_told([participant(name) for name in "pqrs"])
    desk.sync.participants_told([participant("p")], more=True)
    assert listed() == ["p", "q", "r", "s"]
    desk.sync.participants_changed([participant("q", "Countess"), participant("t")], ["r"], more=True)
    assert listed() == ["p", "q", "s", "t"]
    assert {each.display_name for each in desk.replica.participants if each.participant_id == "q"} == {"Countess"}
    desk.sync.participants_told([participant("p")], more=True)
    assert listed() == ["p", "q", "s", "t"]
    desk.sync.participants_changed([participant("q")], [])
    assert listed() == ["p", "q"]


def test_a_new_list_replaces_all_that_was_known(desk):
    desk.live()
    desk.sync.participants_told([participant("p")])
    desk.cut()
    desk.live()
    desk.sync.participants_told([participant("q")])
    assert desk.replica.participants == [participant("q")]


# ── frames that would be too big ────────────────────────────────────────────────────────────────────────────


def test_a_difference_over_the_limit_goes_out_edit_by_edit():
    desk = Desk(limits=Limits(max_frame_bytes=1024))
    desk.replica.create(LINEAGE)
    for _ in range(40):
        desk.replica.replace(0, 0, "x" * 200)
    link = desk.live()
    assert link.sent(SyncStep2) == []
    server = ProjectDocument()
    for body in link.sent(Update):
        server.apply(body.update)
    assert str(server.text(server.file_at("main.tex"))) == desk.replica.text
    desk.sync.receive(Acknowledged(len(link.sent(Update))))
    assert desk.replica.unacknowledged() == 0


def test_a_single_edit_over_the_limit_is_refused_here_and_does_not_cost_the_link():
    desk = Desk(limits=Limits(max_frame_bytes=1024))
    desk.replica.create(LINEAGE)
    link = desk.live()
    desk.replica.replace(0, 0, "x" * 2000)
    assert [error.code for error in desk.replica.refusals] == [ErrorCode.LIMIT_EXCEEDED]
    assert link.sent(Update) == []
    assert desk.replica.unacknowledged() > 0


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_leaving_gives_the_handle_back(desk):
    link = desk.live()
    desk.sync.leave()
    assert link.sent(CloseDocument) == [CloseDocument(handle=1)]
    desk.replica.replace(0, 0, "a")
    assert link.sent(Update) == []


# ── two and more, over links that break anywhere ────────────────────────────────────────────────────────────


class World:
    """Desks around one room; every message waits until a step delivers it, or a cut swallows it."""

    def __init__(self, desks=3, limits=None):
        self.clock, self.room = Clock(), RoomModel(DOCUMENT, LINEAGE)
        self.desks = [Desk(clock=self.clock, limits=limits) for _ in range(desks)]
        self.desks[0].replica.create(LINEAGE)
        self.next_char, self.typed, self.deleted = 0x4E00, set(), set()

    # one step each

    def type(self, desk):
        if desk.replica.lineage and desk.replica.document.file_at("main.tex"):
            new = chr(self.next_char)
            self.next_char += 1
            self.typed.add(new)
            at = self.next_char * 7 % (len(desk.replica.text) + 1)
            desk.replica.replace(at, at, new)

    def delete(self, desk):
        if text := desk.replica.text:
            at = self.next_char * 5 % len(text)
            self.deleted.update(text[at : at + 2])
            desk.replica.replace(at, min(len(text), at + 2), "")

    def connect(self, desk):
        if desk.link is None:
            desk.connect()

    def up(self, desk):
        if desk.link is None or not desk.link.up:
            return
        message = desk.link.up.popleft()
        if isinstance(message, OpenDocument):
            is_old = self.next_char % 3 == 0  # a server that does not look at what the client has
            member = self.room.open(desk, state_vector=None if is_old else message.state_vector)
            desk.link.down = self._joined(member, desk.link.down)
        elif isinstance(message, CloseDocument):
            self.room.leave(desk)
        else:
            self.room.receive(desk, decode_frame(message)[1])

    def _joined(self, member, earlier):
        """What was on its way before the opening still arrives before it."""
        down = deque(earlier)
        first, member.outbox = member.outbox, down
        down.extend(first)
        return down

    def down(self, desk):
        if desk.link is None or not desk.link.down:
            return
        message = desk.link.down.popleft()
        if isinstance(message, DocumentOpened):
            desk.sync.document_opened(message)
        elif isinstance(message, DocumentClosed):
            desk.sync.document_closed(message)
        else:
            desk.sync.receive(decode_frame(message)[1])

    def cut(self, desk):
        if desk.link is not None:
            self.room.leave(desk)
            desk.cut()

    def quit(self, desk):
        self.cut(desk)
        desk.replica.restart()
        desk.start()

    def commit(self, _desk):
        self.room.commit()

    def crash(self, _desk):
        self.check_acknowledged()
        self.room.crash()
        for desk in self.desks:
            self.cut(desk)

    def reload(self, _desk):
        """The server loads its copy again and sends everybody away from the handle."""
        self.clock.now += 61
        members = dict(self.room.members)
        self.room.crash()
        for member in members.values():
            member.outbox.append(
                DocumentClosed(document_id=DOCUMENT, handle=self.room.handle, code=ErrorCode.DOCUMENT_RELOADED)
            )

    # what must hold

    def check_acknowledged(self):
        durable = ProjectDocument()
        durable.apply(self.room.durable)
        for desk in self.desks:
            for update in desk.replica.rows[: desk.replica.acknowledged_row]:
                assert not durable.apply(update), "an acknowledged edit is not on the server's disk"

    def rest(self):
        for desk in self.desks:
            self.connect(desk)
        while any(desk.link.up or desk.link.down for desk in self.desks):
            for desk in self.desks:
                self.up(desk)
                self.down(desk)
            self.commit(None)
            for desk in self.desks:
                self.down(desk)

    def check_rest(self):
        self.check_acknowledged()
        texts = {desk.replica.text for desk in self.desks}
        assert len(texts) == 1
        text = texts.pop()
        assert len(text) == len(set(text)), "something is doubled"
        assert set(text) == self.typed - self.deleted
        for desk in self.desks:
            assert desk.replica.unacknowledged() == 0
            assert desk.sync.oldest_unacknowledged_since is None
            assert desk.sync.is_synced
            assert desk.replica.refusals == []
            assert desk.link.given_up == []


STEPS = {
    "type": 6, "delete": 2, "connect": 4, "up": 12, "down": 12, "cut": 2,
    "quit": 1, "commit": 3, "crash": 1, "reload": 1,
}  # fmt: skip
NAMES = [name for name, weight in STEPS.items() for _ in range(weight)]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 2)), max_size=150), st.booleans())
def test_at_rest_all_copies_are_equal_and_nothing_is_lost_or_doubled(plan, has_small_frames):
    world = World(limits=Limits(max_frame_bytes=512) if has_small_frames else None)
    for name, number in plan:
        getattr(world, name)(world.desks[number])
    world.rest()
    world.check_rest()


@pytest.mark.parametrize("seed", range(20))
def test_long_seeded_plans_end_well(seed):
    dice, world = random.Random(seed), World()
    for _ in range(1500):
        getattr(world, dice.choice(NAMES))(dice.choice(world.desks))
    world.rest()
    world.check_rest()
    assert world.typed
