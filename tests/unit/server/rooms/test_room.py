"""One room: what members hear, what is stored, what is acknowledged and when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import PresenceEntry, decode_presence, encode_presence
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import EMPTY_STATE, EMPTY_UPDATE, merge_updates
from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    MalformedUpdateError,
    RejectedError,
    RemoteProtocolError,
    code_of,
)
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    FrameBody,
    SyncStep1,
    SyncStep2,
    Update,
    decode_frame,
)
from texswarm_server.protocol.ids import DocumentId, Handle, Lineage, SessionId, UserId
from texswarm_server.protocol.messages import (
    Error,
    Participant,
    Participants,
    ParticipantsChanged,
    RoleChanged,
    RoleName,
)
from texswarm_server.protocol.version import Limits
from texswarm_server.rooms.effects import (
    Announce,
    Broadcast,
    Effect,
    Greet,
    Persist,
    Reload,
    SendDocument,
    SendPresence,
    Settle,
    Tell,
)
from texswarm_server.rooms.member import Profile
from texswarm_server.rooms.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ADA, BOB, EVE = SessionId("ada"), SessionId("bob"), SessionId("eve")
E = TypeVar("E")


class Heard:
    """Carries out the effects of a room: what each member got, what is to be stored."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.frames: dict[SessionId, list[FrameBody]] = {}
        self.facts: dict[SessionId, list[Any]] = {}
        self.stored: list[Persist] = []
        self.reloads: list[Reload] = []

    def __call__(self, effects: list[Effect]) -> Heard:
        for effect in effects:
            match effect:
                case SendDocument(members, payload) | SendPresence(members, payload):
                    self._write(members, payload)
                case Broadcast(members, payload, besides):
                    self._write([each for each in members if each not in besides], payload)
                case Tell(members, fact):
                    for member in members:
                        self.facts.setdefault(member, []).append(fact)
                case Persist():
                    self.stored.append(effect)
                case Reload():
                    self.reloads.append(effect)
                case Announce():
                    self(self.room.announce())
                case Greet():
                    self(self.room.greet())
                case Settle():
                    self(self.room.settle())
        return self

    def _write(self, members: Iterable[SessionId], payload: bytes) -> None:
        handle, body = decode_frame(payload)
        assert handle == self.room.handle
        for member in members:
            self.frames.setdefault(member, []).append(body)

    def of(self, member: SessionId, kind: type[E]) -> list[E]:
        everything = [*self.frames.get(member, []), *self.facts.get(member, [])]
        return [each for each in everything if isinstance(each, kind)]

    def counts(self, member: SessionId) -> list[int]:
        return [each.count for each in self.of(member, Acknowledged)]

    def people(self, member: SessionId) -> dict[str, str]:
        """Who is there in which state, by all that a member heard."""
        known: dict[str, Participant] = {}
        for fact in self.facts[member]:
            match fact:
                case Participants(participants=participants):
                    known = {each.participant_id: each for each in participants}
                case ParticipantsChanged(participants=participants, gone=gone):
                    known |= {each.participant_id: each for each in participants}
                    known = {name: each for name, each in known.items() if name not in gone}
        return {each.user_id: each.state for each in known.values()}

    def states(self, member: SessionId = ADA) -> list[tuple[str, str]]:
        """Who is there in which state, as a member heard last."""
        return [(each.user_id, each.state) for each in self.of(member, Participants)[-1].participants]


def profile(session_id: SessionId, role: RoleName = "editor") -> Profile:
    return Profile(
        session_id=session_id, user_id=UserId(session_id), display_name=session_id.title(), color="", role=role
    )


def make_room(*, document: SharedDocument | None = None, **options: Any) -> Room:
    limits = options.pop("limits", Limits())
    shared = document or SharedDocument()
    return Room(DocumentId("d"), Lineage("l"), Handle(3), shared, limits=limits, **options)


def room_with(*members: SessionId, **options: Any) -> Room:
    room = make_room(**options)
    for member in members:
        room.join(profile(member))
    room.announce()
    return room


def typed(count: int = 4) -> tuple[ProjectDocument, list[bytes]]:
    """A document, and the updates that made it: one that adds a file, then one per letter."""
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    file_id = document.add_file("main.tex")
    for number in range(count):
        document.text(file_id).replace_u16(number, number, "abcdefgh"[number])
    return document, updates


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises((RejectedError, RemoteProtocolError)) as caught:
        call()
    return code_of(caught.value)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_update_goes_to_the_others_and_to_storage_and_not_back() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    room.receive(ADA, Update(updates[0]))
    heard = Heard(room)(room.turn())

    assert heard.of(BOB, Update) == [Update(updates[0])]
    assert heard.of(ADA, Update) == []
    assert [each.update for each in heard.stored] == [updates[0]]


def test_it_is_acknowledged_when_it_is_durable_and_not_before() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    room.receive(ADA, Update(updates[0]))
    heard = Heard(room)(room.turn())
    assert heard.counts(ADA) == []
    heard(room.durable(heard.stored[0].batch))

    assert (heard.counts(ADA), heard.counts(BOB)) == ([1], [])


def test_everything_of_one_turn_is_one_update_for_all() -> None:
    room, (document, updates), (other, more) = room_with(ADA, BOB, EVE), typed(), typed()
    for update in updates:
        room.receive(ADA, Update(update))
    for update in more:
        room.receive(BOB, SyncStep2(update))
    heard = Heard(room)(room.turn())
    heard(room.durable(heard.stored[0].batch))

    assert [len(heard.of(member, Update)) for member in (ADA, BOB, EVE)] == [1, 1, 1]
    assert len(heard.stored) == 1
    assert (heard.counts(ADA), heard.counts(BOB)) == ([5], [5])
    copy = ProjectDocument()
    copy.apply(heard.of(EVE, Update)[0].update)
    document.apply(other.update_since())
    assert copy.files == document.files


def test_others_see_an_edit_at_once_and_its_sender_is_told_when_all_that_was_gathered_is_stored() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    effects: list[Effect] = []
    for update in updates:
        room.receive(ADA, Update(update))
        effects += room.turn()
    told = [type(effect) for effect in effects]

    assert told.count(Broadcast) == len(updates)
    assert (told.count(Settle), told.count(Persist), room.is_idle) == (1, 0, False)
    heard = Heard(room)(room.settle())
    assert [each.update for each in heard.stored] == [merge_updates(updates)]
    assert heard.counts(ADA) == []
    assert heard(room.durable(heard.stored[0].batch)).counts(ADA) == [len(updates)]


def test_what_was_gathered_is_stored_before_a_room_is_closed_by_an_update_that_breaks_it() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    room.receive(ADA, Update(updates[0]))
    room.turn()
    room.receive(BOB, Update(updates[2]))
    heard = Heard(room)(room.turn())

    assert [each.update for each in heard.stored] == [updates[0], updates[2]]
    assert heard.reloads == [Reload(is_damaged=False)]
    assert room.settle() == []


def test_an_update_that_waits_keeps_back_no_edit_of_its_turn_and_is_stored_apart() -> None:
    (_document, updates), (_other, more) = typed(), typed()
    room = room_with(ADA, BOB, EVE, document=SharedDocument([updates[3]]))
    room.receive(ADA, Update(updates[1]))
    room.receive(BOB, Update(more[0]))
    heard = Heard(room)(room.turn())

    assert [each.update for each in heard.stored] == [updates[1], more[0]]
    assert [heard.of(member, Update) for member in (ADA, BOB, EVE)] == [[Update(more[0])], [], [Update(more[0])]]


def test_a_sole_member_is_written_nothing() -> None:
    room, (_document, updates) = room_with(ADA), typed()
    room.receive(ADA, Update(updates[0]))

    assert [type(effect) for effect in room.turn()] == [Settle]
    assert [type(effect) for effect in room.settle()] == [Persist]


def test_what_is_no_update_is_refused_and_the_rest_of_the_turn_goes_on() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    room.receive(ADA, Update(b"\xff\xff nonsense"))
    room.receive(BOB, Update(updates[0]))
    room.receive(BOB, Update(updates[1]))
    heard = Heard(room)(room.turn())
    heard(room.durable(heard.stored[0].batch))

    assert [each.code for each in heard.of(ADA, Error)] == ["update_invalid"]
    assert heard.of(BOB, Error) == []
    assert heard.of(ADA, Update) == [Update(merge_updates(updates[:2]))]
    assert (heard.counts(ADA), heard.counts(BOB)) == ([1], [2])


def test_a_refused_update_counts_as_answered_at_once_when_nothing_waits() -> None:
    room = room_with(ADA)
    for junk in ([b"junk"], [b"more", b"and more"]):
        for update in junk:
            room.receive(ADA, Update(update))
        heard = Heard(room)(room.turn())
        assert [each.code for each in heard.of(ADA, Error)] == ["update_invalid"] * len(junk)
    assert heard.counts(ADA) == [3]


def test_a_viewer_who_sends_what_is_no_update_is_refused() -> None:
    room = make_room()
    room.join(profile(ADA, role="viewer"))
    assert refusal(lambda: room.receive(ADA, Update(b"junk"))) == "update_invalid"


def test_an_update_sent_again_is_acknowledged_and_neither_stored_nor_sent() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    room.receive(ADA, Update(updates[0]))
    first = Heard(room)(room.turn())
    room.receive(ADA, Update(updates[0]))
    again = Heard(room)(room.turn())
    assert (again.stored, again.frames) == ([], {})

    assert first(room.durable(first.stored[0].batch)).counts(ADA) == [2]
    for count in (3, 4):
        room.receive(ADA, Update(updates[0]))
        assert Heard(room)(room.turn()).counts(ADA) == [count]


def test_an_empty_update_is_acknowledged_and_nothing_else() -> None:
    room = room_with(ADA, BOB)
    room.receive(ADA, SyncStep2(EMPTY_UPDATE))
    heard = Heard(room)(room.turn())

    assert (heard.counts(ADA), heard.of(BOB, Update), heard.stored) == ([1], [], [])


def test_an_update_that_tears_the_document_is_stored_and_the_document_loaded_again() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    room.receive(ADA, Update(updates[1]))
    heard = Heard(room)(room.turn())

    assert [each.update for each in heard.stored] == [updates[1]]
    assert heard.reloads == [Reload(is_damaged=False)]
    assert heard.frames == {}


def test_an_update_whose_predecessor_is_missing_is_stored_and_shown_when_that_arrives() -> None:
    document, updates = typed()
    room = room_with(ADA, BOB, document=SharedDocument([updates[3]]))
    room.receive(ADA, Update(updates[1]))
    early = Heard(room)(room.turn())
    assert [each.update for each in early.stored] == [updates[1]]
    assert early.of(BOB, Update) == []
    room.join(profile(EVE))

    room.receive(BOB, Update(merge_updates([updates[0], *updates[2:]])))
    heard = Heard(room)(room.turn())

    for member in (ADA, BOB, EVE):
        copy = ProjectDocument()
        copy.apply(heard.of(member, Update)[0].update)
        assert copy.update_since() == document.update_since()


def test_an_update_over_the_limit_of_the_document_is_refused() -> None:
    _document, updates = typed()
    room = room_with(ADA, limits=Limits(max_document_bytes=50), size_bytes=45)

    assert refusal(lambda: room.receive(ADA, Update(updates[0]))) == "limit_exceeded"


def test_acknowledgements_are_for_servers_to_send() -> None:
    room = room_with(ADA)

    assert refusal(lambda: room.receive(ADA, Acknowledged(5))) == "frame_invalid"


# ── viewers ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_viewer_is_refused_and_the_others_go_on() -> None:
    room, (_document, updates) = room_with(ADA), typed()
    room.join(profile(EVE, "viewer"))
    assert refusal(lambda: room.receive(EVE, Update(updates[0]))) == "forbidden"
    room.receive(ADA, Update(updates[0]))
    heard = Heard(room)(room.turn())
    heard(room.durable(heard.stored[0].batch))

    assert heard.of(EVE, Update) == [Update(updates[0])]
    assert heard.counts(EVE) == [1]


def test_a_viewer_who_answers_the_sync_with_nothing_new_is_not_refused() -> None:
    room, (document, updates) = room_with(ADA), typed()
    room.receive(ADA, Update(merge_updates(updates)))
    room.turn()
    room.join(profile(EVE, "viewer"))
    room.receive(EVE, SyncStep2(document.update_since()))
    room.receive(EVE, SyncStep2(EMPTY_UPDATE))
    file_id = next(iter(document.files))
    document.text(file_id).replace_u16(0, 1, "")

    assert refusal(lambda: room.receive(EVE, SyncStep2(document.update_since()))) == "forbidden"


def test_a_role_changes_while_the_document_is_open() -> None:
    room, (_document, updates) = room_with(ADA, BOB), typed()
    heard = Heard(room)(room.change_role(ADA, "viewer"))
    assert heard.of(ADA, RoleChanged) == [RoleChanged(handle=3, role="viewer")]
    assert refusal(lambda: room.receive(ADA, Update(updates[0]))) == "forbidden"
    room.change_role(ADA, "editor")

    room.receive(ADA, Update(updates[0]))
    assert room.change_role(ADA, "editor") == room.change_role(EVE, "owner") == []


def test_a_browser_that_may_edit_again_is_asked_for_what_was_refused_and_a_desktop_is_not() -> None:
    room = room_with(BOB)
    room.join(replace(profile(ADA), is_forgetful=True))
    for member, questions in ((ADA, 1), (BOB, 0)):
        demoted = Heard(room)(room.change_role(member, "viewer"))
        promoted = Heard(room)(room.change_role(member, "editor"))

        assert demoted.of(member, SyncStep1) == []
        assert len(promoted.of(member, SyncStep1)) == questions


# ── synchronising ───────────────────────────────────────────────────────────────────────────────────────


def test_who_joins_is_asked_what_it_has_and_told_what_it_lacks() -> None:
    room, (document, updates) = room_with(ADA), typed()
    room.receive(ADA, Update(merge_updates(updates)))
    room.turn()
    heard = Heard(room)(room.join(profile(BOB)))
    assert heard.of(BOB, SyncStep1) == [SyncStep1(document.state_vector())]
    heard(room.receive(BOB, SyncStep1(b"\x00")))

    assert heard.of(BOB, SyncStep2) == [SyncStep2(document.update_since())]


def test_who_says_what_it_has_is_told_what_it_lacks_on_joining() -> None:
    room, (document, updates) = room_with(ADA), typed()
    room.receive(ADA, Update(merge_updates(updates)))
    room.turn()
    heard = Heard(room)(room.join(profile(BOB), EMPTY_STATE))

    assert [type(each) for each in heard.frames[BOB]] == [SyncStep1, SyncStep2]
    assert heard.of(BOB, SyncStep2) == [SyncStep2(document.update_since())]
    assert Heard(room)(room.join(profile(EVE), document.state_vector())).of(EVE, SyncStep2) == [SyncStep2(EMPTY_UPDATE)]


def test_who_says_nonsense_of_what_it_has_does_not_come_in() -> None:
    room = room_with(ADA)

    assert refusal(lambda: room.join(profile(BOB), b"\xff")) == "update_invalid"
    assert room.profiles == [profile(ADA)]


def test_the_answer_comes_also_when_nothing_is_lacking() -> None:
    room = room_with(ADA)

    assert Heard(room)(room.receive(ADA, SyncStep1(b"\x00"))).of(ADA, SyncStep2) == [SyncStep2(EMPTY_UPDATE)]
    assert refusal(lambda: room.receive(ADA, SyncStep1(b"\xff"))) == "update_invalid"


def test_counts_begin_anew_with_each_opening() -> None:
    room, (_document, updates) = room_with(ADA), typed()
    for update in updates[:3]:
        room.receive(ADA, Update(update))
    heard = Heard(room)(room.turn())
    room.lose(ADA)
    room.join(profile(ADA))
    heard(room.durable(heard.stored[0].batch))
    assert heard.counts(ADA) == []
    room.receive(ADA, Update(updates[3]))
    heard(room.turn())

    assert heard(room.durable(heard.stored[1].batch)).counts(ADA) == [1]


# ── slow readers ────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_held_misses_nothing_and_gets_it_in_one_update() -> None:
    room, (document, updates) = room_with(ADA, BOB), typed()
    copy = ProjectDocument()
    heard = Heard(room)
    for number, update in enumerate(updates):
        if number == 2:
            room.hold(BOB)
            room.hold(BOB)
        room.receive(ADA, Update(update))
        heard(room.turn())
    assert len(heard.of(BOB, Update)) == 2
    heard(room.catch_up(BOB))
    for each in heard.of(BOB, Update):
        copy.apply(each.update)

    assert len(heard.of(BOB, Update)) == 3
    assert copy.update_since() == document.update_since()


def test_who_is_held_is_told_afterwards_who_is_there() -> None:
    room = room_with(ADA, BOB)
    room.hold(BOB)
    heard = Heard(room)(room.join(profile(EVE)))
    assert heard.of(BOB, Participants) == []

    heard(room.catch_up(BOB))

    assert heard.states(BOB) == [("ada", "here"), ("bob", "here"), ("eve", "here")]


def test_nobody_who_left_catches_up() -> None:
    room = room_with(ADA)
    room.hold(BOB)
    room.lose(ADA)
    room.hold(ADA)

    assert room.catch_up(ADA) == room.catch_up(BOB) == []


# ── damage ──────────────────────────────────────────────────────────────────────────────────────────────


class Brittle(SharedDocument):
    """Breaks, or refuses, when an update with certain bytes is applied."""

    def __init__(self, poison: bytes, error: type[Exception] = DamagedDocumentError) -> None:
        super().__init__()
        self.poison = poison
        self.error = error

    def apply(self, update: bytes) -> bytes | None:
        if self.poison in update:
            raise self.error
        return super().apply(update)


def test_a_damaged_document_is_loaded_again_and_nothing_of_the_turn_is_stored() -> None:
    _document, updates = typed()
    room = room_with(ADA, BOB, document=Brittle(b"main.tex"))
    room.receive(ADA, Update(updates[0]))
    heard = Heard(room)(room.turn())

    assert heard.reloads == [Reload()]
    assert (heard.stored, heard.frames) == ([], {})


def test_a_cautious_room_refuses_what_does_harm_and_takes_the_rest() -> None:
    (_document, updates), innocent = typed(), ProjectDocument()
    innocent.add_file("other.tex")
    room = room_with(ADA, BOB, document=Brittle(b"main.tex"), is_cautious=True)
    room.receive(ADA, Update(updates[0]))
    room.receive(BOB, Update(innocent.update_since()))
    heard = Heard(room)(room.turn())

    assert heard.reloads == []
    assert [each.code for each in heard.of(ADA, Error)] == ["update_invalid"]
    assert heard.of(ADA, Update) == [Update(innocent.update_since())]
    assert [each.update for each in heard.stored] == [innocent.update_since()]


def test_an_update_that_turns_out_unreadable_only_when_applied_is_refused_alone() -> None:
    (_document, updates), innocent = typed(), ProjectDocument()
    innocent.add_file("other.tex")
    room = room_with(ADA, BOB, document=Brittle(b"main.tex", MalformedUpdateError))
    room.receive(ADA, Update(updates[0]))
    room.receive(BOB, Update(innocent.update_since()))
    heard = Heard(room)(room.turn())

    assert [each.code for each in heard.of(ADA, Error)] == ["update_invalid"]
    assert len(heard.of(ADA, Update)) == 1
    assert len(heard.stored) == 1


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_hears_who_is_here() -> None:
    room = make_room()
    heard = Heard(room)(room.join(profile(ADA)))(room.join(profile(BOB)))
    assert heard.states() == [("ada", "here"), ("bob", "here")]
    heard(room.lose(BOB))
    assert heard.states() == [("ada", "here"), ("bob", "reconnecting")]
    heard(room.give_up_waiting(BOB))
    assert heard.states() == [("ada", "here"), ("bob", "away")]
    heard(room.join(profile(BOB)))
    assert heard.states() == [("ada", "here"), ("bob", "here")]
    heard(room.leave(BOB))
    assert heard.states() == [("ada", "here"), ("bob", "here")]
    heard(room.tell_left(BOB))

    assert heard.states() == [("ada", "here")]
    assert room.leave(BOB) == room.tell_left(BOB) == room.lose(BOB) == room.give_up_waiting(BOB) == []


def test_changes_at_the_same_moment_are_told_once() -> None:
    room = make_room()
    effects = [*room.join(profile(ADA)), *room.join(profile(BOB)), *room.lose(BOB)]

    assert len([effect for effect in effects if isinstance(effect, Announce)]) == 1


def test_a_crowd_is_told_later() -> None:
    room = make_room()
    delays = []
    for number in range(1000):
        effects = room.join(profile(SessionId(f"s{number}")))
        delays += [effect.delay_s for effect in effects if isinstance(effect, Announce)]
        room.announce()

    assert delays[5] == 0
    assert 1 < delays[-1] < 5


def test_a_crowd_of_newcomers_is_greeted_together_and_some_at_a_time() -> None:
    room, sessions = make_room(), [SessionId(f"s{number}") for number in range(200)]
    effects = [effect for each in sessions for effect in room.join(profile(each))]
    effects, largest = [*effects, *room.announce()], 0
    heard = Heard(room)([effect for effect in effects if isinstance(effect, Tell)])
    while any(isinstance(effect, Greet) for effect in effects):
        effects = room.greet()
        told = [effect for effect in effects if isinstance(effect, Tell)]
        largest = max(largest, sum(len(effect.members) for effect in told))
        heard(told)

    assert [heard.people(each) for each in sessions] == [dict.fromkeys(sessions, "here")] * 200
    assert largest < 50


def test_who_fell_behind_in_a_crowd_hears_of_everybody_after_catching_up() -> None:
    room, sessions = make_room(), [SessionId(f"s{number}") for number in range(300)]
    heard = Heard(room)(room.join(profile(ADA)))
    room.hold(ADA)
    for each in sessions:
        room.join(profile(each))
    assert len(heard.people(ADA)) == 1
    effects = [*room.catch_up(ADA), *room.announce(), Greet(0.0)]  # the one that the others had asked for
    while any(isinstance(effect, Greet) for effect in effects):
        heard([effect for effect in effects if isinstance(effect, Tell)])
        effects = room.greet()
    heard([effect for effect in effects if isinstance(effect, Tell)])

    assert heard.people(ADA) == dict.fromkeys([ADA, *sessions], "here")


def test_who_asks_again_is_answered_with_what_is_true_now() -> None:
    room, (document, updates) = room_with(ADA, BOB), typed()
    first = Heard(room)(room.receive(ADA, SyncStep1(EMPTY_STATE))).of(ADA, SyncStep2)
    again = Heard(room)(room.receive(BOB, SyncStep1(EMPTY_STATE))).of(BOB, SyncStep2)
    room.receive(ADA, Update(merge_updates(updates)))
    room.turn()
    after = Heard(room)(room.receive(BOB, SyncStep1(EMPTY_STATE))).of(BOB, SyncStep2)

    assert first == again
    assert after != again
    assert Heard(room)(room.join(profile(EVE))).of(EVE, SyncStep1)[-1].state_vector == document.state_vector()


def test_another_name_is_told_and_the_same_is_not() -> None:
    room = room_with(ADA, BOB)
    heard = Heard(room)(room.describe(ADA, "Countess", "#ffffff"))

    assert heard.of(BOB, Participants)[-1].participants[0].display_name == "Countess"
    assert room.describe(ADA, "Countess", "#ffffff") == []


def test_participants_do_not_learn_each_others_session_ids() -> None:
    room = make_room()
    heard = Heard(room)(room.join(profile(SessionId("secret-session"))))
    (fact,) = [fact for facts in heard.facts.values() for fact in facts][:1]

    assert "secret-session" not in fact.participants[0].participant_id


def test_presence_is_told_to_the_others_once_a_turn() -> None:
    room = room_with(ADA, BOB, EVE)
    for clock in (1, 2, 3):
        room.receive(ADA, Awareness(encode_presence([PresenceEntry(7, clock, {"at": clock})])))
    heard = Heard(room)(room.turn())

    (told,) = heard.of(BOB, Awareness)
    assert decode_presence(told.update) == [PresenceEntry(7, 3, {"at": 3})]
    assert heard.of(ADA, Awareness) == []


def test_presence_stays_for_a_while_and_goes_when_time_is_over() -> None:
    room = room_with(ADA, BOB)
    room.receive(ADA, Awareness(encode_presence([PresenceEntry(7, 1, {"at": 1})])))
    room.turn()
    room.lose(ADA)
    joined = Heard(room)(room.join(profile(EVE)))
    assert len(decode_presence(joined.of(EVE, Awareness)[0].update)) == 1
    heard = Heard(room)(room.give_up_waiting(ADA))

    assert decode_presence(heard.of(EVE, Awareness)[0].update) == [PresenceEntry(7, 2, None)]


def test_presence_that_is_not_told_anew_after_a_return_goes_as_well() -> None:
    room = room_with(ADA, BOB)
    room.receive(ADA, Awareness(encode_presence([PresenceEntry(7, 1, {"at": 1})])))
    room.turn()
    room.lose(ADA)
    room.join(profile(ADA))
    heard = Heard(room)(room.give_up_waiting(ADA))

    assert decode_presence(heard.of(BOB, Awareness)[0].update)[0].state is None
    assert room.role_of(ADA) == "editor"


def test_who_returns_under_another_id_hears_that_its_former_place_is_void() -> None:
    room = room_with(ADA, BOB)
    room.receive(ADA, Awareness(encode_presence([PresenceEntry(1, 1, {"user": {}})])))
    room.turn()
    heard = Heard(room)(room.join(profile(ADA)))
    room.receive(ADA, Awareness(encode_presence([PresenceEntry(2, 1, {"user": {}})])))
    heard(room.turn())

    told = [entry for each in heard.of(ADA, Awareness) for entry in decode_presence(each.update)]
    assert {entry.client_id: entry.state for entry in told}[1] is None


def test_who_shows_a_caret_and_leaves_at_once_is_not_shown_afterwards() -> None:
    room = room_with(ADA, BOB)
    room.receive(ADA, Awareness(encode_presence([PresenceEntry(7, 1, {"at": 1})])))
    heard = Heard(room)([*room.leave(ADA), *room.turn()])

    told = [entry for each in heard.of(BOB, Awareness) for entry in decode_presence(each.update)]
    assert {entry.state for entry in told} == {None}


def test_too_much_presence_is_refused() -> None:
    room = room_with(ADA, limits=Limits(max_presence_bytes=100))
    update = encode_presence([PresenceEntry(7, 1, {"words": "x" * 100})])

    assert refusal(lambda: room.receive(ADA, Awareness(update))) == "limit_exceeded"
    assert refusal(lambda: room.receive(ADA, Awareness(b"\x05"))) == "frame_invalid"


def test_a_room_is_idle_when_nobody_is_connected_and_nothing_waits_for_storage() -> None:
    room, (_document, updates) = room_with(ADA), typed()
    room.receive(ADA, Update(updates[0]))
    heard = Heard(room)(room.turn())
    room.lose(ADA)
    assert not room.is_idle
    room.durable(heard.stored[0].batch)

    assert room.is_idle
    assert room.role_of(ADA) is None
    assert room.profiles == [profile(ADA)]


# ── damaged documents ───────────────────────────────────────────────────────────────────────────────────


def damaged_room(*members: SessionId) -> tuple[Room, ProjectDocument]:
    """A read-only room, and a replica that has more than the room."""
    replica, shared = ProjectDocument(), SharedDocument()
    file_id = replica.add_file("main.tex", "what could be read")
    shared.apply(replica.update_since())
    replica.text(file_id).replace_u16(0, 0, "and more: ")
    return room_with(*members, document=shared, read_only="document_damaged"), replica


def test_a_damaged_document_takes_nothing_and_keeps_nobody_from_sending_it_again() -> None:
    room, replica = damaged_room(ADA, BOB)
    heard = Heard(room)
    lacking = replica.update_since(room._document.state_vector)
    for body in (SyncStep2(lacking), Update(lacking), SyncStep2(EMPTY_UPDATE)):
        with pytest.raises(RejectedError, match="document_damaged") as refusal:
            room.receive(ADA, body)
        assert code_of(refusal.value) == "document_read_only"
    heard(room.turn())

    assert (heard.stored, heard.counts(ADA), heard.of(BOB, Update)) == ([], [], [])


def test_who_has_nothing_more_than_a_damaged_document_is_answered_as_ever() -> None:
    room, replica = damaged_room(ADA)
    heard = Heard(room)
    heard(room.receive(ADA, SyncStep1(replica.state_vector())))
    heard(room.receive(ADA, SyncStep2(room._document.update_since())))
    heard(room.turn())

    assert heard.counts(ADA) == [1]
    assert len(heard.of(ADA, SyncStep2)) == 1


def test_opening_a_damaged_document_again_begins_anew() -> None:
    room, replica = damaged_room(ADA)
    with pytest.raises(RejectedError):
        room.receive(ADA, Update(replica.update_since()))
    room.join(profile(ADA))
    heard = Heard(room)
    heard(room.receive(ADA, SyncStep2(EMPTY_UPDATE)))

    assert heard(room.turn()).counts(ADA) == [1]


# ── presence that is forgotten ──────────────────────────────────────────────────────────────────────────


def forgetful(session_id: SessionId) -> Profile:
    return replace(profile(session_id), is_forgetful=True)


def published(room: Room, session_id: SessionId, client_id: int, clock: int = 1) -> None:
    room.receive(session_id, Awareness(encode_presence([PresenceEntry(client_id, clock, {"at": clock})])))


def ids_told(heard: Heard, member: SessionId) -> list[list[int]]:
    return [[entry.client_id for entry in decode_presence(each.update)] for each in heard.of(member, Awareness)]


def test_presence_is_told_anew_to_those_who_forget_it_except_their_own() -> None:
    room = room_with(ADA)
    room.join(forgetful(BOB))
    room.join(forgetful(EVE))
    for client_id, member in ((1, ADA), (2, BOB), (3, EVE)):
        published(room, member, client_id)
    room.turn()
    assert room.renew_presence() == []
    heard = Heard(room)(room.renew_presence())

    assert {member: sorted(ids_told(heard, member)) for member in (ADA, BOB, EVE)} == {
        ADA: [],
        BOB: [[1], [3]],
        EVE: [[1], [2]],
    }


def test_where_nobody_forgets_nothing_is_told_anew() -> None:
    room = room_with(ADA, BOB)
    published(room, ADA, 1)
    room.turn()
    assert not room.has_forgetful
    assert room.renew_presence() == room.renew_presence() == []


def test_who_forgets_never_hears_of_itself() -> None:
    room = room_with(ADA)
    room.join(forgetful(BOB))
    published(room, ADA, 1)
    published(room, BOB, 2)
    heard = Heard(room)([*room.turn(), *room.repeat_presence(BOB)])

    assert ids_told(heard, BOB) == [[1], [1]]
    assert sorted(ids_told(heard, ADA)[0]) == [1, 2]
