"""The simulation can fail: each mistake that is put in on purpose is found within a few hundred plans.

What only shows when rare things meet is looked for in plans about those things.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fault.simulation.disk import SimulatedStore
from tests.fault.simulation.script import ANYTHING, GUESTS, Subject, make_script
from tests.fault.simulation.world import run_script
from texswarm_desktop.client.document_sync import DocumentSync
from texswarm_server.front_desk import FrontDesk
from texswarm_server.net.legacy_peer import LegacyPeer
from texswarm_server.net.outbox import Outbox
from texswarm_server.net.peer import Peer
from texswarm_server.net.yjs_peer import YjsPeer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.messages import Authentication
from texswarm_server.resumption import Resumption
from texswarm_server.rooms import room
from texswarm_server.rooms.acknowledgements import Acknowledgements
from texswarm_server.rooms.room import Room
from texswarm_server.rooms.room_presence import RoomPresence
from texswarm_server.sessions import sign_in
from texswarm_server.sessions.registry import SessionRegistry
from texswarm_server.sessions.sign_in import SignIn
from texswarm_server.sessions.throttle import Throttle
from texswarm_server.storage.sqlite_records import SqliteRecords

LIMIT = 400
Mistake = Callable[[pytest.MonkeyPatch], None]


def acknowledges_before_it_is_durable(patch: pytest.MonkeyPatch) -> None:
    append = SimulatedStore.append

    def too_soon(store: SimulatedStore, document_id: Any, update: bytes, on_durable: Callable[[], None]) -> None:
        append(store, document_id, update, lambda: None)
        store._loop.call_soon(on_durable)

    patch.setattr(SimulatedStore, "append", too_soon)


def acknowledges_what_rides_along_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Acknowledgements, "ride_along", lambda self, counts: self._settled(counts))


def leaves_the_older_connection_of_a_session(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FrontDesk, "_clear_the_way", lambda self, attachment: None)


def lets_a_belated_connection_take_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Resumption, "gives_way", lambda self, peer, message: False)


def forgets_to_catch_up_a_slow_reader(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Room, "catch_up", lambda self, session_id: [])


def holds_nobody_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Outbox, "congested", lambda self: None)


def expires_no_session(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SessionRegistry, "expire", lambda self, now: [])


def unloads_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OpenDocuments, "_unload_if_idle", lambda self, document_id: None)


def leaves_carets_of_who_has_gone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RoomPresence, "_remove", lambda self, client_ids: [])


def shows_no_carets_after_a_reconnect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DocumentSync, "presence_changed", lambda self: None)


def sends_only_what_is_typed_while_connected(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DocumentSync, "_send_missing", lambda self, door, state_vector: None)


def takes_the_first_acknowledgement_for_all(patch: pytest.MonkeyPatch) -> None:
    def all_of_it(sync: DocumentSync, door: Any, count: int) -> None:
        sync._replica.acknowledged(sync._replica.last_local_row())

    patch.setattr(DocumentSync, "_on_acknowledged", all_of_it)


def never_gives_up_a_silent_greeting(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Peer, "_end", lambda self: None)


def leaves_a_removed_member_where_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OpenDocuments, "expel", lambda self, session_id, document_id: None)


def leaves_a_role_as_it_was(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OpenDocuments, "change_role", lambda self, session_id, document_id, role: None)


def lets_viewers_write(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "can_edit", lambda role: True)


def lets_removed_users_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sign_in, "_living", lambda user: user)


def takes_revoked_tokens(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqliteRecords, "revoke_grants_of", lambda self, user_id: None)


def does_not_follow_the_audit_log(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FrontDesk, "apply", lambda self, entry: None)


def tells_nobody_that_a_document_may_be_opened_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DocumentSync, "shared", lambda self: None)


def gives_browsers_no_sign_of_life(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(YjsPeer, "_beat", lambda self: None)


def passes_on_to_browsers_what_only_desktops_know(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(YjsPeer, "deliver", lambda self, traffic: self.outbox.write(traffic.bare_frame))


def shows_the_first_generation_only_its_own_edits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LegacyPeer, "_apply", lambda self, document, update: None)


def lets_the_first_generation_write_what_was_refused(patch: pytest.MonkeyPatch) -> None:
    async def go_on(self: LegacyPeer, document: Any) -> None:
        document.is_refused = False
        self._touch(document)

    patch.setattr(LegacyPeer, "_open_anew", go_on)


def takes_what_browsers_say_again_for_their_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RoomPresence, "_is_echo", lambda self, member, entry: False)


def tells_browsers_clocks_that_they_know(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RoomPresence, "welcome", lambda self, member: self.entries())


def begins_clocks_of_presence_anew(patch: pytest.MonkeyPatch) -> None:
    begin = RoomPresence.__init__
    patch.setattr(RoomPresence, "__init__", lambda self, first_clock: begin(self))


def looks_at_every_guess(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Throttle, "check", lambda self, address, user_id, now: None)


def lets_guests_who_are_invited_back_in_as_somebody_new(patch: pytest.MonkeyPatch) -> None:
    def as_new(self: SignIn, records: Any, invite: Any, visitor: Any) -> Any:
        return self._register(records, Authentication(protocol=2), replace(invite, for_user=""), visitor)

    patch.setattr(SignIn, "_take_back", as_new)


MISTAKES: dict[Mistake, Subject] = {
    tells_nobody_that_a_document_may_be_opened_again: Subject(("remove_member",)),
    gives_browsers_no_sign_of_life: ANYTHING,
    passes_on_to_browsers_what_only_desktops_know: ANYTHING,
    shows_the_first_generation_only_its_own_edits: ANYTHING,
    lets_the_first_generation_write_what_was_refused: Subject(("demote", "remove_member"), guests=GUESTS[1:]),
    takes_what_browsers_say_again_for_their_own: Subject(guests=GUESTS[:1]),
    tells_browsers_clocks_that_they_know: ANYTHING,
    begins_clocks_of_presence_anew: Subject(guests=GUESTS[:1]),
    looks_at_every_guess: ANYTHING,
    lets_guests_who_are_invited_back_in_as_somebody_new: ANYTHING,
    acknowledges_before_it_is_durable: ANYTHING,
    acknowledges_what_rides_along_at_once: Subject(("kill_server", "fill_disk", "stall_disk")),
    leaves_the_older_connection_of_a_session: ANYTHING,
    lets_a_belated_connection_take_over: Subject(("stray", "lag", "freeze")),
    forgets_to_catch_up_a_slow_reader: ANYTHING,
    holds_nobody_back: Subject(("read_slowly",)),
    expires_no_session: ANYTHING,
    unloads_nothing: ANYTHING,
    leaves_carets_of_who_has_gone: ANYTHING,
    shows_no_carets_after_a_reconnect: ANYTHING,
    sends_only_what_is_typed_while_connected: ANYTHING,
    takes_the_first_acknowledgement_for_all: ANYTHING,
    never_gives_up_a_silent_greeting: ANYTHING,
    leaves_a_removed_member_where_it_is: ANYTHING,
    leaves_a_role_as_it_was: ANYTHING,
    lets_viewers_write: Subject(("demote",)),
    lets_removed_users_in: ANYTHING,
    takes_revoked_tokens: ANYTHING,
    does_not_follow_the_audit_log: ANYTHING,
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_found(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    mistake(monkeypatch)
    for seed in range(LIMIT):
        try:
            run_script(make_script(seed, about=MISTAKES[mistake]))
        except AssertionError as error:
            print(f"plan {seed}: {error}"[:200])
            return
    pytest.fail(f"not found in {LIMIT} plans")
