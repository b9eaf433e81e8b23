"""Three people, two guests, a server and a plan of what goes wrong, in virtual time; and what must hold, when.

always     a session has one connection; what a client holds for saved is on the disk when the server is killed;
           nobody is asked to act; what waits for a slow reader stays bounded; nothing fails unexpectedly
           nobody is seen to go and come again who was not shut out in between
at rest    everybody who may is connected; all copies and the disk are equal and hold every word once, and no deleted
           one; everybody sees everybody and their carets (a browser does not where the clock of the server was set
           back); who was shut out has written nothing since, and cannot
at the end nothing is left in the server of people who have gone
"""

import asyncio
import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from unittest.mock import patch

import pycrdt

from tests.fault.simulation.disk import Disk
from tests.fault.simulation.guests import Browser, FirstGeneration, Guest
from tests.fault.simulation.intruder import break_in, guess
from tests.fault.simulation.machine import HOLD_ABOVE_BYTES, Machine, Server, config_of
from tests.fault.simulation.network import HIGH_MARK_BYTES, Cable, ServerEnd
from tests.fault.simulation.person import Person
from tests.fault.simulation.script import ROLES, Script, Step
from tests.fault.simulation.virtual_loop import VirtualLoop, run_virtually
from texswarm_desktop.client.states import LinkState, NeedsUser, StopCode
from texswarm_server import audit_feed
from texswarm_server.document.file_text import TEXT_ROOT
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.protocol.errors import NotWritableError, RejectedError
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.protocol.messages import GUEST_NAME
from texswarm_server.room_effects import RoomEffects
from texswarm_server.sessions import administration
from texswarm_server.sessions.deadlines import Deadlines
from texswarm_server.sessions.document_access import issue_invite, issue_return
from texswarm_server.sessions.idle_watch import IdleWatch
from texswarm_server.sessions.records import DocumentRecord, Records
from texswarm_server.sessions.registry import SessionRegistry

DOCUMENT: Final = DocumentId("11111111-1111-4111-8111-111111111111")
LINEAGE: Final = Lineage("22222222-2222-4222-8222-222222222222")
REST_LIMIT_S: Final = 300.0
_LOGGERS: Final = ("texswarm_server", "texswarm_desktop", "asyncio")


def run_script(script: Script) -> "World":
    """Let a plan happen; raises AssertionError for whatever must not be."""
    worlds: list[World] = []

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            world = World(script, group)
            worlds.append(world)
            try:
                await world.run()
            finally:
                world.close()

    with _listening_to_logs() as failures, patch.object(audit_feed, "_LOOK_EVERY_S", 1.0):  # half of all turns else
        try:
            run_virtually(main())
        except BaseExceptionGroup as group:
            raise _first(group) from group
    assert not failures, failures[0]
    return worlds[0]


class World:
    """The stage of one plan."""

    def __init__(self, script: Script, group: asyncio.TaskGroup) -> None:
        self.script = script
        self._group = group
        self._loop = asyncio.get_running_loop()
        assert isinstance(self._loop, VirtualLoop)
        chance = random.Random(f"world {script.seed}")
        self.disk = Disk()
        self.config = config_of(chance, len(script.people) + len(script.guests))
        self.machine = Machine(self._loop, self.disk, self.config, script.seed)
        invites = self.disk.transact(lambda records: _furnish(records, chance, (*script.people, *script.guests)))
        self.ends: list[ServerEnd] = []
        self.people = {
            name: self._person(name, number, invites[name], random.Random(chance.random()))
            for number, name in enumerate(script.people)
        }
        self.guests = {
            name: self._guest(name, len(script.people) + number, invites[name], random.Random(chance.random()))
            for number, name in enumerate(script.guests)
        }
        self._words = 0
        self._last_words: set[str] = set()
        self.out: dict[str, str] = {}
        self._unsure: set[str] = set()
        self._emptied_at = -math.inf
        self.forbidden: set[str] = set()
        self._is_resting = self._is_clock_set_back = False

    def _person(self, name: str, number: int, invite: str, chance: random.Random) -> Person:
        cable = Cable(self._loop, chance, self._accept, f"192.168.7.{number + 10}")
        person = Person(name, DOCUMENT, invite, _user_id(number), cable, self._group, self.script.seed)
        person.on_state = lambda state: self._look_at_state(name, state)
        return person

    def _guest(self, name: str, number: int, invite: str, chance: random.Random) -> Guest:
        cable = Cable(self._loop, chance, self._accept, f"192.168.7.{number + 10}")
        kind = Browser if name == "web" else FirstGeneration
        return kind(name, DOCUMENT, invite, _user_id(number), cable, self._group, self.script.seed)

    @property
    def _everybody(self) -> dict[str, Person | Guest]:
        return {**self.people, **self.guests}

    def _accept(self, end: ServerEnd) -> bool:
        self.ends.append(end)
        return self.machine.accept(end)

    def close(self) -> None:
        for person in self._everybody.values():
            person.stop()
        self.machine.kill()
        self.disk.close()

    # ── the plan ────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        self.people["ann"].replica.create(LINEAGE)
        await self.machine.start()
        for person in self._everybody.values():
            person.start()
        for step in self.script.steps:
            await asyncio.sleep(step.after)
            self._do(step)
            self._look()
        await self._come_to_rest()
        self._look_at_rest()
        for name, kind in self.out.items():
            if name in self.people:
                await break_in(self.people[name], kind)
        assert "evil" not in self._words_on_disk(), "an intruder has written"
        await self._let_everybody_go()

    def _do(self, step: Step) -> None:
        person = self._everybody.get(step.who)
        getattr(self, f"_{step.do}")(*([person] if person else []), step)

    def _later(self, delay_s: float, call: Any, *values: Any) -> None:
        self._loop.call_later(delay_s, call, *values)

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────

    def _type(self, person: Person | Guest, step: Step) -> None:
        if person.can_type:
            self._words += 1
            person.type(f"{person.name[0]}{self._words:03}", step.n)

    def _delete(self, person: Person | Guest, step: Step) -> None:
        if isinstance(person, Person) and person.can_type:
            person.delete(step.n)

    def _caret(self, person: Person | Guest, _step: Step) -> None:
        if isinstance(person, Person | Browser):
            person.show_caret()

    def _kill_desktop(self, person: Person, step: Step) -> None:
        if person.is_running:
            person.kill()
            if step.n % 3 == 0:
                person.forget_session()
            self._later(step.x, self._start_desktop, person)

    def _start_desktop(self, person: Person) -> None:
        if not person.is_running:
            person.start()

    def _lose_network(self, person: Person, step: Step) -> None:
        self._say_network(person, False)
        person.cable.freeze(self.config.dead_after_s, up=True, down=True)
        person.cable.is_out = True
        self._later(step.x, self._find_network, person)

    def _find_network(self, person: Person) -> None:
        person.cable.restore()
        self._say_network(person, True)

    @staticmethod
    def _say_network(person: Person, is_online: bool) -> None:
        if person.connection is not None:
            person.connection.network_changed(is_online)

    def _set_clock(self, person: Person, step: Step) -> None:
        person.wall_skew_s += step.x

    # ── access, changed by another process on the same disk ─────────────────────────────────────────────

    def _operate(self, change: Callable[..., object], **details: Any) -> bool:
        """Have an operator change something; False where it cannot be changed now."""
        try:
            self.disk.transact(partial(change, actor="operator", now=self.machine.wall_clock(), **details))
        except (RejectedError, NotWritableError):
            return False
        return True

    def _demote(self, person: Person | Guest, step: Step) -> None:
        self._bar(person, "viewer", administration.change_role, document_id=DOCUMENT, role="viewer")
        if step.n % 2:
            self._later(step.x, self._readmit, person)

    def _remove_member(self, person: Person | Guest, step: Step) -> None:
        self._bar(person, "member", administration.remove_member, document_id=DOCUMENT, ban=step.n % 3 == 0)
        if step.n % 2:
            self._later(step.x, self._readmit, person)

    def _remove_user(self, person: Person | Guest, _step: Step) -> None:
        self._bar(person, "user", administration.remove_user)

    def _revoke_tokens(self, person: Person, _step: Step) -> None:
        if person.credentials.invite is None:  # else the invitation, which nobody revoked, lets the person in
            self._bar(person, "tokens", administration.revoke_tokens)

    def _bar(self, person: Person | Guest, kind: str, change: Callable[..., object], **details: Any) -> None:
        if person.name not in self.out and self._operate(change, user_id=person.user_id, **details):
            self.out[person.name] = kind
            person.was_barred = True

    def _readmit(self, person: Person | Guest) -> None:
        """Let somebody edit again, who then looks whether that is so."""
        if self._is_resting:
            return
        if self.out.get(person.name) in {"viewer", "member"} and self._operate(
            administration.change_role, user_id=person.user_id, document_id=DOCUMENT, role="editor"
        ):
            del self.out[person.name]
            if isinstance(person, Guest) or person.credentials.refresh_token is None:
                self._operate(partial(self._take_back, person), user_id=person.user_id)

    @staticmethod
    def _take_back(person: Person | Guest, records: Records, *, now: float, **details: Any) -> None:
        """Give somebody a way in: who has no tokens (yet) has none where the only invitation went with a ban."""
        chance = random.Random(f"back {person.name}")
        person.use_invite(issue_return(records, chance.randbytes, now, ttl_s=1e6, **details).token)

    def _guess(self, person: Person | Guest, step: Step) -> None:
        """Somebody at the same address says to be this person and tries one invitation after the other."""
        self._group.create_task(guess(person, int(step.x)), name="guesses")

    def _close_session(self, person: Person, step: Step) -> None:
        session_id = person.credentials.session_id
        if session_id and self._operate(administration.close_session, session_id=session_id):
            person.may_be_asked = True

    def _rotate_keys(self, step: Step) -> None:
        self._operate(administration.rotate_keys, random=random.Random(step.n).randbytes, drop_old=step.n % 2 == 0)

    # ── cables ──────────────────────────────────────────────────────────────────────────────────────────

    def _cut(self, person: Person, step: Step) -> None:
        person.cable.cut()
        person.cable.is_out = step.n % 2 == 0
        self._later(step.x, person.cable.restore)

    def _refuse(self, person: Person, step: Step) -> None:
        person.cable.cut()
        person.cable.is_out = True
        self._later(step.x, person.cable.restore)

    def _hang(self, person: Person, step: Step) -> None:
        person.cable.freeze(self.config.dead_after_s, up=True, down=True)
        person.cable.is_hanging = True
        self._later(step.x, person.cable.restore)

    def _freeze(self, person: Person, _step: Step) -> None:
        person.cable.freeze(self.config.dead_after_s, up=True, down=True)

    def _freeze_up(self, person: Person, _step: Step) -> None:
        person.cable.freeze(self.config.dead_after_s, up=True, down=False)

    def _freeze_down(self, person: Person, _step: Step) -> None:
        person.cable.freeze(self.config.dead_after_s, up=False, down=True)

    def _lag(self, person: Person, step: Step) -> None:
        person.cable.lag(step.x)

    def _stray(self, person: Person, step: Step) -> None:
        """What is said over the next wire arrives after what is said over the one behind it."""
        person.cable.cut()
        person.cable.next_lag_s = step.x

    def _read_slowly(self, person: Person, step: Step) -> None:
        person.cable.read_slowly(step.x)

    # ── the server ──────────────────────────────────────────────────────────────────────────────────────

    def _kill_server(self, step: Step) -> None:
        if self.machine.server is not None:
            self._look_at_places(self.machine.server)
            self.machine.kill()
            self._look_at_disk()
            self._later(step.x, self._start_server)

    def _start_server(self) -> None:
        if self.machine.server is None:
            self._group.create_task(self.machine.start(), name="start")

    def _restart_server(self, _step: Step) -> None:
        server = self.machine.server
        if server is not None and server.is_listening and not self.disk.is_full:
            self._group.create_task(self.machine.restart(), name="restart")

    def _fill_disk(self, step: Step) -> None:
        self.disk.is_full = True
        self._later(step.x, self._empty_disk)

    def _empty_disk(self) -> None:
        self.disk.is_full = False
        self._emptied_at = self._loop.time()

    def _stall_disk(self, step: Step) -> None:
        self.disk.stall_s = step.x
        self._later(step.x * 3, self._speed_disk)

    def _speed_disk(self) -> None:
        self.disk.stall_s = 0.0

    def _compact(self, _step: Step) -> None:
        self.disk.compact()

    def _set_server_clock(self, step: Step) -> None:
        self.machine.wall_skew_s += step.x
        self._is_clock_set_back |= step.x < 0

    # ── what holds always ───────────────────────────────────────────────────────────────────────────────

    def _look(self) -> None:
        assert isinstance(self._loop, VirtualLoop)
        assert not self._loop.failures, self._loop.failures
        server = self.machine.server
        if server is not None:
            assert not server.double_sessions(), "two connections serve one session"

    def _look_at_disk(self) -> None:
        """What any client calls saved is on the disk."""
        there = self._words_on_disk()
        deleted = {word for person in self.people.values() for word in person.deleted}
        for person in self.people.values():
            missing = person.acknowledged - deleted - there
            assert not missing, f"acknowledged and lost: {missing}"
            back = person.acknowledged_deletions & there
            assert not back, f"a deletion was acknowledged and lost: {back}"

    def _look_at_places(self, server: Server) -> None:
        """Who came while the disk was full may be forgotten, and who went be shown again, until that is tried again."""
        documents, stored = server.documents, self.disk.records.places()
        if self.disk.is_full or self._loop.time() - self._emptied_at < 2 * self.config.housekeeping_s:
            known = {place.display_name or GUEST_NAME for place in stored}
            self._unsure |= {_shown_as(each) for each in self._everybody.values()} - known
            for place in stored if documents else ():
                if not documents.is_in(place.session_id, place.document_id):
                    self._unsure.add(place.display_name or GUEST_NAME)

    def _words_on_disk(self) -> set[str]:
        return set(_text_of(self.disk.updates[DOCUMENT]).split())

    def _look_at_state(self, name: str, state: LinkState) -> None:
        if not isinstance(state, NeedsUser) or self.out.get(name) in {"user", "tokens"}:
            return
        person = self.people[name]
        may_be_ended = person.may_be_asked or self.config.idle_s > 0
        is_expected = person.was_barred or (may_be_ended and state.code == StopCode.SESSION_ENDED)
        assert is_expected, f"{name} is asked to act: {state}"
        self._later(1.0, person.insist)

    # ── at rest ─────────────────────────────────────────────────────────────────────────────────────────

    async def _come_to_rest(self) -> None:
        """Mend everything and wait until everybody says that all is well."""
        await asyncio.sleep(0.5)
        self._is_resting = True
        self._empty_disk()
        self._speed_disk()
        self._start_server()
        for person in self.people.values():
            person.cable.restore()
            self._start_desktop(person)
            self._say_network(person, True)
        for guest in self.guests.values():
            guest.cable.restore()
        await asyncio.sleep(3.0)  # by then a server that was just started acts on what operators did
        for name in self.out:
            self._type_what_is_forbidden(self._everybody[name])
        await self._rest(self.config.dead_after_s + self.config.presence_grace_s)
        if self._admitted_guests:
            self._type_last_words()
            heard_at = max(guest.cable.heard_at for guest in self._admitted_guests.values())
            await asyncio.sleep(max(heard_at - self._loop.time(), 0.0))  # behind what was said while a wire was slow
            await self._rest(3.0)

    async def _rest(self, seconds: float) -> None:
        """Wait until everybody has been content for so long."""
        give_up_at, rested_s = self._loop.time() + REST_LIMIT_S, 0.0
        while rested_s < seconds:
            assert self._loop.time() < give_up_at, f"no rest: {self._described()}"
            await asyncio.sleep(0.5)
            everybody: list[Person | Guest] = [*self.admitted.values(), *self._admitted_guests.values()]
            if any(person.cable.is_behind for person in everybody):
                await asyncio.sleep(0.1)  # what is told anew every few seconds may be on its way each time one looks
            is_at_rest = all(person.is_at_rest and not person.cable.is_behind for person in everybody)
            rested_s = rested_s + 0.5 if is_at_rest else 0.0
            self._look()

    @property
    def admitted(self) -> dict[str, Person]:
        """Those at desktops who may edit."""
        return {name: person for name, person in self.people.items() if name not in self.out}

    @property
    def _admitted_guests(self) -> dict[str, Guest]:
        return {name: guest for name, guest in self.guests.items() if name not in self.out}

    def _type_last_words(self) -> None:
        """What is typed now arrives, also of programs that hear nothing of what is stored."""
        for name, guest in self._admitted_guests.items():
            before = set(guest.typed)
            guest.cable.restore()  # also a wire that came late, and is slow
            self._type(guest, Step("type", name))
            self._last_words |= set(guest.typed) - before

    def _type_what_is_forbidden(self, person: Person | Guest) -> None:
        before = set(person.typed)
        self._type(person, Step("type", person.name))
        self.forbidden |= set(person.typed) - before

    def _described(self) -> dict[str, str]:
        return {
            name: f"{person.state} synced={person.sync and person.sync.is_synced}"
            f" unacknowledged={person.replica.unacknowledged()} refusals={person.replica.refusals}"
            for name, person in self.people.items()
        } | {name: f"at rest: {guest.is_at_rest}" for name, guest in self.guests.items()}

    def _look_at_rest(self) -> None:
        texts = {person.replica.text for person in self.admitted.values()}
        texts |= {guest.text for guest in self._admitted_guests.values()}
        there = _text_of([SharedDocument(self.disk.updates[DOCUMENT]).update_since()])
        assert texts == {there}, f"the copies differ: {texts}, on disk {there!r}"
        self._look_at_what_waits(self._words_on_disk() - set(there.split()))
        self._look_at_words(Counter(there.split()))
        for person in self.admitted.values():
            self._look_at_person(person)
        for each in (*self.admitted.values(), *self._admitted_guests.values()):
            self._look_at_carets(each)
        for end in self.ends:
            bound = HIGH_MARK_BYTES + HOLD_ABOVE_BYTES + 3 * end.largest_frame_bytes
            assert end.most_buffered_bytes <= bound, f"{end.most_buffered_bytes} bytes waited for a slow reader"

    def _look_at_what_waits(self, words: set[str]) -> None:
        """On the disk, and shown to nobody: edits whose predecessors were refused because their author was put out."""
        theirs = {word for name in self.out for word in self._everybody[name].typed}
        assert words <= theirs, f"kept and never shown: {words - theirs}"

    def _look_at_words(self, words: Counter[str]) -> None:
        """Every word once; of those who were shut out, what they did last may be there or not."""
        everybody = self._everybody.values()
        typed = {word for person in everybody for word in person.typed}
        deleted = {word for person in everybody for word in person.deleted}
        surely_deleted = {word for name, person in self.people.items() for word in self._surely(name, person.deleted)}
        surely_typed = {word for name, person in self.people.items() for word in self._surely(name, person.typed)}
        surely_typed |= self._last_words
        for guest in self._admitted_guests.values():
            surely_typed |= set(guest.typed) if guest.keeps_what_was_typed else set()
        assert max(words.values(), default=1) == 1, f"doubled: {words}"
        assert surely_typed - deleted <= set(words), f"lost: {surely_typed - deleted - set(words)}"
        assert set(words) <= typed - surely_deleted, f"came back: {set(words) - (typed - surely_deleted)}"
        assert not self.forbidden & set(words), f"written without the right to: {self.forbidden & set(words)}"

    def _surely(self, name: str, edits: dict[str, int]) -> set[str]:
        row = self.people[name].replica.acknowledged_row
        return {word for word, at in edits.items() if name not in self.out or at <= row}

    def _look_at_person(self, person: Person) -> None:
        assert person.was_barred or not person.replica.refusals, f"{person.name} was refused: {person.replica.refusals}"
        came_again = set() if person.was_barred else set(person.replica.came_again.values())
        barred = {_shown_as(each) for each in self._everybody.values() if each.was_barred}
        assert came_again <= barred | self._unsure, f"{person.name} saw go and come {came_again - barred}"
        here = Counter(each.display_name for each in person.replica.participants if each.state == "here")
        viewers = [self._everybody[name] for name, kind in self.out.items() if kind == "viewer"]
        admitted = [*self.admitted, *(guest.shown_as for guest in self._admitted_guests.values())]
        maybe_here = [_shown_as(each) for each in viewers]
        assert Counter(admitted) <= here <= Counter([*admitted, *maybe_here]), f"{person.name} sees {here}"

    def _look_at_carets(self, person: Person | Guest) -> None:
        seen = _seen_by(person)
        if seen is None or (isinstance(person, Browser) and self._is_clock_set_back):
            return
        viewers = [self._everybody[name] for name, kind in self.out.items() if kind == "viewer"]
        here = [*self.admitted.values(), *self._admitted_guests.values()]
        others = {client_id for each in here for client_id in _carets(each)} - _carets(person)
        maybe = {client_id for each in viewers for client_id in _carets(each)}
        missing, more = others - seen, seen - others - maybe
        assert not missing, f"{person.name} does not see the carets {missing}"
        assert not more, f"{person.name} sees the carets {more}, which are nobody's"

    # ── at the end ──────────────────────────────────────────────────────────────────────────────────────

    async def _let_everybody_go(self) -> None:
        """After everybody has gone and every grace period is over, the server holds nothing of them."""
        for person in self._everybody.values():
            person.stop()
        await asyncio.sleep(self.config.dead_after_s + self.config.idle_document_s + 31.0)
        await asyncio.sleep(self.config.grace_s + 5.0 if self.config.grace_s < 100 else 0.0)
        server = self.machine.server
        assert server is not None
        assert not server.peers, "connections are left"
        assert not server.admission.is_full, "places are left"
        assert _remains(server.admission) == {}, f"places are left: {_remains(server.admission)}"
        assert _remains(server.documents) == {}, f"documents are left: {_remains(server.documents)}"
        if self.config.grace_s < 100:
            assert server.documents is not None
            assert len(server.documents._places) == 0, "somebody is kept in a document"
            assert _remains(server.front_desk) == {}, f"sessions are left: {_remains(server.front_desk)}"


def _shown_as(person: Person | Guest) -> str:
    return person.name if isinstance(person, Person) else person.shown_as


def _furnish(records: Records, chance: random.Random, people: tuple[str, ...]) -> dict[str, str]:
    """Make the document and an invite for everybody; return the tokens."""
    owner = UserId(_user_id(0))
    records.put_document(
        DocumentRecord(document_id=DOCUMENT, title="Paper", lineage=LINEAGE, owner_id=owner, updated_at=0.0)
    )
    return {
        name: issue_invite(
            records, chance.randbytes, 0.0, role=role, document_id=DOCUMENT, uses=chance.choice([1, None])
        ).token
        for name, role in ROLES.items()
        if name in people
    }


def _user_id(number: int) -> str:
    return f"33333333-3333-4333-8333-33333333333{number}"


def _carets(person: Person | Guest) -> set[int]:
    """Return the client ids under which somebody shows a caret."""
    if isinstance(person, Person):
        return {person.replica.document.client_id}
    return {person.replica.client_id} if isinstance(person, Browser) else set()


def _seen_by(person: Person | Guest) -> set[int] | None:
    """Return whose carets somebody sees besides their own; None for a program that knows of no carets."""
    if isinstance(person, Person):
        return set(person.replica.others.states) - _carets(person)
    return set(person.awareness.states) - _carets(person) if isinstance(person, Browser) else None


def _text_of(updates: list[bytes]) -> str:
    """Return what the paper says, read with nothing but the CRDT library."""
    document: pycrdt.Doc[Any] = pycrdt.Doc()
    for update in updates:
        document.apply_update(update)
    files = document.get("files", type=pycrdt.Map).to_py() or {}
    return "".join(str(document.get(TEXT_ROOT + file_id, type=pycrdt.Text)) for file_id in files)


def _remains(part: object) -> dict[str, Any]:
    """Return what is left in the containers of one part of the server."""
    found: dict[str, Any] = {}
    for name, value in vars(part).items():
        inner = _remains(value) if isinstance(value, SessionRegistry | IdleWatch | RoomEffects) else None
        if inner:
            found[name] = inner
        elif isinstance(value, dict | set | list | Deadlines) and len(value) and name != "_damaged":
            found[name] = value
    return found


@contextmanager
def _listening_to_logs() -> Iterator[list[str]]:
    """Take what the packages log: an exception with a traceback is a failure, anything else may be said."""
    listener = _Listener()
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(listener)
        logger.propagate, listener.handlers[logger.name] = (
            False,
            [each for each in logger.handlers if each is not listener],
        )
        for each in listener.handlers[logger.name]:
            logger.removeHandler(each)
    try:
        yield listener.failures
    finally:
        logging.disable(before)
        for logger in loggers:
            logger.removeHandler(listener)
            logger.propagate = True
            for each in listener.handlers[logger.name]:
                logger.addHandler(each)


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.failures: list[str] = []
        self.handlers: dict[str, list[logging.Handler]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.CRITICAL:
            self.failures.append(self.format(record))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
