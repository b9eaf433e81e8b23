"""Sessions: attached, detached, expired; taken over, never refused because they exist."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.sessions.registry import Session, SessionRegistry

ADA, BOB = UserId("ada"), UserId("bob")
GRACE_S = 100


def registry(*, max_per_user: int = 3) -> SessionRegistry:
    numbers = iter(range(10**9))
    return SessionRegistry(grace_s=GRACE_S, max_per_user=max_per_user, new_id=lambda: SessionId(f"s{next(numbers)}"))


def test_a_session_is_resumed_within_its_grace_period() -> None:
    sessions = registry()
    first = sessions.attach(ADA, None, "c1", grant_id="g").session
    assert sessions.detach(first.session_id, "c1", now=0)

    again = sessions.attach(ADA, first.session_id, "c2", grant_id="g2")

    assert (again.session, again.is_resumed, again.replaced) == (first, True, None)
    assert (first.connection, first.grant_id) == ("c2", "g2")
    assert sessions.expire(GRACE_S * 9) == []


def test_an_older_connection_gives_way() -> None:
    sessions = registry()
    first = sessions.attach(ADA, None, "c1", grant_id="g").session
    again = sessions.attach(ADA, first.session_id, "c2", grant_id="g")

    assert (again.is_resumed, again.replaced) == (True, "c1")
    assert not sessions.detach(first.session_id, "c1", now=0)
    assert first.is_attached


def test_a_session_expires_and_its_id_then_means_a_new_one() -> None:
    sessions = registry()
    first = sessions.attach(ADA, None, "c1", grant_id="g").session
    sessions.detach(first.session_id, "c1", now=5)
    assert sessions.expire(now=5 + GRACE_S - 1) == []
    assert sessions.expire(now=5 + GRACE_S) == [first]

    again = sessions.attach(ADA, first.session_id, "c2", grant_id="g")

    assert not again.is_resumed
    assert again.session.session_id != first.session_id


@pytest.mark.parametrize("wanted", ["unknown", "s0"])
def test_an_id_that_is_not_yours_means_a_new_session(wanted: str) -> None:
    sessions = registry()
    theirs = sessions.attach(BOB, None, "c1", grant_id="g").session

    mine = sessions.attach(ADA, SessionId(wanted), "c2", grant_id="g")

    assert (mine.is_resumed, mine.replaced) == (False, None)
    assert theirs.connection == "c1"


def test_sessions_of_one_user_live_side_by_side_up_to_a_limit() -> None:
    sessions = registry(max_per_user=2)
    first = sessions.attach(ADA, None, "c1", grant_id="g").session
    sessions.attach(ADA, None, "c2", grant_id="g")
    with pytest.raises(RejectedError, match="limit_exceeded"):
        sessions.attach(ADA, None, "c3", grant_id="g")
    sessions.detach(first.session_id, "c1", now=0)

    third = sessions.attach(ADA, None, "c3", grant_id="g")

    assert third.ended == [first]
    assert len(sessions.sessions_of(ADA)) == 2


def test_the_session_that_was_left_longest_ago_makes_room() -> None:
    sessions = registry(max_per_user=2)
    first, second = (sessions.attach(ADA, None, name, grant_id="g").session for name in ("c1", "c2"))
    sessions.detach(second.session_id, "c2", now=0)
    sessions.detach(first.session_id, "c1", now=1)

    assert sessions.attach(ADA, None, "c3", grant_id="g").ended == [second]


def test_a_restored_session_has_what_is_left_of_its_time_and_no_more_than_all() -> None:
    sessions = registry()
    for number, remaining_s in enumerate((-5, 30, 10**9)):
        sessions.restore(Session(SessionId(f"r{number}"), ADA, "g"), now=1000, remaining_s=remaining_s)

    assert [each.session_id for each in sessions.expire(1000)] == ["r0"]
    assert [each.session_id for each in sessions.expire(1030)] == ["r1"]
    assert [each.session_id for each in sessions.expire(1000 + GRACE_S)] == ["r2"]


def test_whoever_asks_again_for_an_expired_session_comes_to_the_one_that_stands_for_it() -> None:
    sessions = registry()
    expired = SessionId("expired")
    first = sessions.attach(ADA, expired, "c1", grant_id="g")
    again = sessions.attach(ADA, expired, "c2", grant_id="g")
    theirs = sessions.attach(BOB, expired, "c3", grant_id="g")

    assert (again.session, again.is_resumed, again.replaced) == (first.session, False, "c1")
    assert sessions.find(expired) is first.session
    assert theirs.session is not first.session

    sessions.end(first.session.session_id)
    assert sessions.find(expired) is None
    assert sessions.find(theirs.session.session_id) is theirs.session


def test_an_ended_session_is_gone() -> None:
    sessions = registry()
    session = sessions.attach(ADA, None, "c1", grant_id="g").session

    assert sessions.end(session.session_id) is session
    assert sessions.end(session.session_id) is None
    assert (len(sessions), sessions.find(session.session_id), sessions.sessions_of(ADA)) == (0, None, [])


@dataclass
class Expected:
    """What the machine's tester knows of one session."""

    user_id: UserId
    connection: int | None
    detached_at: float = 0
    order: int = field(default=0)


class RegistryMachine(RuleBasedStateMachine):
    """Random comings and goings against a plain model."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions = registry(max_per_user=4)
        self.model: dict[SessionId, Expected] = {}
        self.stands_for: dict[SessionId, SessionId] = {}
        self.known: list[SessionId] = []
        self.now = 0.0
        self.connections = 0

    @rule(user_id=st.sampled_from([ADA, BOB]), pick=st.integers(0, 10))
    def attach(self, user_id: UserId, pick: int) -> None:
        wanted = self.known[pick] if pick < len(self.known) else None
        self.connections += 1
        meant = self._meant(wanted) if wanted else None
        expected = self.model.get(meant) if meant else None
        mine = [each for each in self.model.values() if each.user_id == user_id]
        can_resume = expected is not None and expected.user_id == user_id
        if not can_resume and len(mine) == 4 and all(each.connection is not None for each in mine):
            with pytest.raises(RejectedError):
                self.sessions.attach(user_id, wanted, self.connections, grant_id="g")
            return
        attachment = self.sessions.attach(user_id, wanted, self.connections, grant_id="g")
        assert attachment.is_resumed == (can_resume and meant == wanted)
        assert attachment.replaced == (expected.connection if can_resume and expected else None)
        for ended in attachment.ended:
            assert self.model.pop(ended.session_id).connection is None
        session_id = attachment.session.session_id
        if can_resume:
            assert session_id == meant
        elif wanted and expected is None:
            self.stands_for[session_id] = wanted
        self.model[session_id] = Expected(user_id, self.connections)
        self.known = [*self.known, session_id][-11:]

    def _meant(self, wanted: SessionId) -> SessionId:
        successors = [each for each in self.model if self.stands_for.get(each) == wanted]
        assert len(successors) <= 1
        return wanted if wanted in self.model or not successors else successors[0]

    @rule(pick=st.integers(0, 10), is_stale=st.booleans())
    def detach(self, pick: int, is_stale: bool) -> None:
        if pick >= len(self.known):
            return
        expected = self.model.get(self.known[pick])
        connection = -1 if is_stale or expected is None else expected.connection
        done = self.sessions.detach(self.known[pick], connection, self.now)
        assert done == (expected is not None and connection is not None and connection == expected.connection)
        if done and expected:
            expected.connection, expected.detached_at = None, self.now

    @rule(seconds=st.sampled_from([1, 40, 99, 100, 500]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        due = {
            session_id
            for session_id, each in self.model.items()
            if each.connection is None and each.detached_at + GRACE_S <= self.now
        }
        assert {each.session_id for each in self.sessions.expire(self.now)} == due
        for session_id in due:
            del self.model[session_id]

    @invariant()
    def both_know_the_same(self) -> None:
        assert len(self.sessions) == len(self.model)
        attached = [each.connection for each in self.model.values() if each.connection is not None]
        assert self.sessions.attached_count == len(attached) == len(set(attached))


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
