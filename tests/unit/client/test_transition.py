"""The whole product of states and events, the roads through it, and random walks with invariants."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from texswarm_desktop.client.effects import (
    CancelTimer,
    DropTransport,
    ForgetCredential,
    LookElsewhere,
    LoseDocuments,
    OpenDocuments,
    OpenTransport,
    Probe,
    SignIn,
    StartTimer,
    TimerKind,
)
from texswarm_desktop.client.events import (
    EVENTS,
    CloseRequested,
    ConnectRequested,
    DocumentsProgressed,
    HostAnnounced,
    HostAnswered,
    HostProved,
    KeyPressed,
    LookDue,
    Moment,
    NetworkReturned,
    NetworkWentAway,
    ProbeTimedOut,
    RetryDemanded,
    RetryDue,
    SignedIn,
    SignInRefused,
    StepTimedOut,
    TransportLost,
    TransportOpened,
    Woke,
)
from texswarm_desktop.client.states import (
    STATES,
    Authenticating,
    Closed,
    Connecting,
    Idle,
    Live,
    NeedsUser,
    Offline,
    Rung,
    StopCode,
    Syncing,
    Trouble,
    Waiting,
)
from texswarm_desktop.client.timing import LAN, REMOTE
from texswarm_desktop.client.transition import IGNORED, ILLEGAL, TABLE, step
from texswarm_server.protocol.errors import ErrorCode, LocalProtocolError

ALL_RUNGS = (Rung.ACCESS, Rung.REFRESH, Rung.INVITE)
EXAMPLES = {
    Idle: Idle(3),
    Connecting: Connecting(3, 1, 50.0),
    Authenticating: Authenticating(3, Rung.ACCESS, 1, 50.0),
    Syncing: Syncing(3, 0, 2, 1, 50.0),
    Live: Live(3, 60.0, 1),
    Waiting: Waiting(3, 1, 50.0, 90.0, 101.0, 90.0, "lost", trouble=Trouble.SILENT),
    Offline: Offline(3, 1, 50.0),
    NeedsUser: NeedsUser(3, "removed"),
    Closed: Closed(3),
}
LINKED = (Authenticating, Syncing, Live)


def example(kind, generation=3):
    return {
        SignInRefused: lambda: SignInRefused(generation, ErrorCode.REMOVED),
        DocumentsProgressed: lambda: DocumentsProgressed(generation, 1, 2),
        HostAnnounced: lambda: HostAnnounced(is_elsewhere=True),
    }.get(kind, lambda: kind(generation) if "generation" in kind.__slots__ else kind())()


def at(now=100.0, **changes):
    return Moment(now, **({"rungs": ALL_RUNGS} | changes))


def run(state, *events, moment=None, profile=LAN):
    effects = ()
    for event in events:
        state, effects = step(state, event, moment or at(), profile)
    return state, effects


# ── the product ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_pair_is_handled_ignored_or_illegal_and_only_one_of_them():
    product = set(itertools.product(STATES, EVENTS))
    assert set(TABLE) | IGNORED | ILLEGAL == product
    assert len(TABLE) + len(IGNORED) + len(ILLEGAL) == len(product)


@pytest.mark.parametrize(
    "pair", list(itertools.product(STATES, EVENTS)), ids=lambda p: f"{p[0].__name__}-{p[1].__name__}"
)
def test_each_pair_does_what_its_class_says(pair):
    state, event = EXAMPLES[pair[0]], example(pair[1])
    if pair in ILLEGAL:
        with pytest.raises(LocalProtocolError):
            step(state, event, at(), LAN)
        return
    new, effects = step(state, event, at(), LAN)
    if pair in IGNORED:
        assert (new, effects) == (state, ())
    else:
        assert new.generation >= state.generation
        assert new != state or effects


@pytest.mark.parametrize("event_type", [kind for kind in EVENTS if "generation" in kind.__slots__])
@pytest.mark.parametrize("state", list(EXAMPLES.values()), ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("generation", [2, 4])
def test_events_of_another_generation_change_nothing(state, event_type, generation):
    assert step(state, example(event_type, generation), at(), LAN) == (state, ())


@pytest.mark.parametrize("state", list(EXAMPLES.values()), ids=lambda s: type(s).__name__)
def test_closing_is_legal_everywhere_and_final(state):
    closed, _ = step(state, CloseRequested(), at(), LAN)
    assert isinstance(closed, Closed)
    for kind in EVENTS:
        assert step(closed, example(kind), at(), LAN) == (closed, ())


# ── towards a link ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_straight_road():
    state, effects = run(Idle(), ConnectRequested())
    assert (state, effects) == (Connecting(1), (OpenTransport(1), StartTimer(TimerKind.STEP, 5.0)))
    state, effects = run(state, TransportOpened(1))
    assert state == Authenticating(1, Rung.ACCESS)
    assert effects == (SignIn(Rung.ACCESS), StartTimer(TimerKind.STEP, 5.0))
    state, effects = run(state, SignedIn(1, 2))
    assert state == Syncing(1, 0, 2)
    assert effects == (CancelTimer(TimerKind.STEP), OpenDocuments())
    state, effects = run(state, DocumentsProgressed(1, 1, 2))
    assert (state, effects) == (Syncing(1, 1, 2), ())
    assert run(state, DocumentsProgressed(1, 2, 2)) == (Live(1, 100.0), ())


def test_a_sign_in_without_documents_is_live_at_once():
    assert run(Idle(), ConnectRequested(), TransportOpened(1), SignedIn(1, 0))[0] == Live(1, 100.0)


def test_a_document_added_later_is_caught_up_with():
    state, _ = run(Live(3, 99.0, 2), DocumentsProgressed(3, 1, 2))
    assert state == Syncing(3, 1, 2, failures=2)
    assert run(state, DocumentsProgressed(3, 2, 2))[0] == Live(3, 100.0, 2)


def test_a_first_sign_in_is_not_called_another_one():
    state, _ = run(Idle(), ConnectRequested(), TransportOpened(1))
    assert not state.is_again


def test_a_sign_in_after_a_loss_is_called_another_one():
    state, _ = run(EXAMPLES[Live], TransportLost(3), RetryDue(3), TransportOpened(4))
    assert isinstance(state, Authenticating)
    assert state.is_again


# ── the ladder ──────────────────────────────────────────────────────────────────────────────────────────────


def test_each_refused_rung_is_forgotten_and_the_next_one_shown_on_a_new_link():
    state, _ = run(Idle(), ConnectRequested(), TransportOpened(1))
    state, effects = run(state, SignInRefused(1, ErrorCode.TOKEN_EXPIRED))
    assert state == Connecting(2, refused=frozenset({Rung.ACCESS}))
    assert {CancelTimer(TimerKind.STEP), DropTransport(1)} <= set(effects)
    assert ForgetCredential(Rung.ACCESS, ErrorCode.TOKEN_EXPIRED) in effects
    state, _ = run(state, TransportOpened(2))
    assert state.rung is Rung.REFRESH
    assert state.is_again


def test_an_expired_token_never_loops_for_ever():
    state, rungs = Connecting(1), []
    while not isinstance(state, NeedsUser):
        state, _ = run(state, TransportOpened(state.generation))
        rungs.append(state.rung)
        state, _ = run(state, SignInRefused(state.generation, ErrorCode.TOKEN_EXPIRED, "too old"))
    assert rungs == list(ALL_RUNGS)
    assert state == NeedsUser(3, ErrorCode.TOKEN_EXPIRED, "too old")


def test_without_any_credential_the_user_is_asked():
    assert run(Connecting(1), TransportOpened(1), moment=at(rungs=()))[0] == NeedsUser(1, ErrorCode.TOKEN_MISSING)


def test_where_nothing_is_at_hand_nothing_is_shown_and_a_closed_server_says_what_it_needs():
    state, effects = run(Connecting(1), TransportOpened(1), moment=at(rungs=(Rung.OPEN,)))
    assert SignIn(Rung.OPEN) in effects
    assert run(state, SignedIn(1, 0))[0] == Live(1, 100.0)
    refused, _ = run(state, SignInRefused(1, ErrorCode.TOKEN_MISSING), moment=at(rungs=(Rung.OPEN,)))
    assert refused == NeedsUser(1, ErrorCode.TOKEN_MISSING)


def test_another_certificate_needs_the_user_and_is_not_tried_again():
    state, effects = run(Connecting(3, 1, 50.0), TransportLost(3, None, "other", StopCode.WRONG_CERTIFICATE))
    assert state == NeedsUser(3, StopCode.WRONG_CERTIFICATE, "other")
    assert not any(isinstance(effect, StartTimer) for effect in effects)


@pytest.mark.parametrize("code", [ErrorCode.THROTTLED, ErrorCode.OVER_CAPACITY])
def test_a_server_that_asks_to_wait_is_left_alone_and_said_so(code):
    told, _ = run(EXAMPLES[Authenticating], SignInRefused(3, code, "", True, 30.0))
    assert (told.asked, told.retry_at, told.not_before) == (code, 130.0, 130.0)
    full, _ = run(EXAMPLES[Connecting], TransportLost(3, 1013, code, retry_after_s=10.0))
    assert (full.asked, full.retry_at) == (code, 110.0)
    closed, _ = run(EXAMPLES[Live], TransportLost(3, 1013, code))
    assert (closed.asked, closed.retry_at) == (code, 100.0 + LAN.overload_wait_s)


@pytest.mark.parametrize("asked_s", [1e300, math.inf])
def test_no_server_makes_a_client_wait_for_ever(asked_s):
    told, _ = run(EXAMPLES[Authenticating], SignInRefused(3, ErrorCode.THROTTLED, "", True, asked_s))
    full, _ = run(EXAMPLES[Connecting], TransportLost(3, 1013, "", retry_after_s=asked_s))
    assert (told.retry_at, told.not_before, full.retry_at) == (3700.0, 3700.0, 3700.0)


@pytest.mark.parametrize("trouble", Trouble)
def test_a_lost_link_and_a_failed_attempt_say_why(trouble):
    assert run(EXAMPLES[Connecting], TransportLost(3, trouble=trouble))[0].trouble == trouble
    assert run(EXAMPLES[Live], TransportLost(3, trouble=trouble))[0].trouble == trouble


def test_silence_and_a_restart_say_why():
    assert run(EXAMPLES[Connecting], StepTimedOut(3))[0].trouble is Trouble.NO_ANSWER
    assert run(EXAMPLES[Live], ProbeTimedOut(3))[0].trouble is Trouble.SILENT
    assert run(EXAMPLES[Live], TransportLost(3, 1012))[0].trouble is Trouble.RESTARTED
    assert run(EXAMPLES[Live], ProbeTimedOut(3), moment=at(is_online=False))[0].trouble is Trouble.NO_NETWORK


@pytest.mark.parametrize("trouble", Trouble)
def test_an_answered_knock_ends_a_wait_for_packets_and_no_other(trouble):
    waiting = replace(EXAMPLES[Waiting], trouble=trouble)
    state, _ = run(waiting, HostAnswered())
    if trouble in {Trouble.SILENT, Trouble.NO_ANSWER, Trouble.NOBODY}:
        assert state == Connecting(4, waiting.failures, waiting.lost_at)
    else:
        assert state == waiting


def test_an_answered_knock_does_not_overrule_a_server_that_asked_to_wait():
    asked = replace(EXAMPLES[Waiting], asked=ErrorCode.THROTTLED, not_before=130.0)
    assert run(asked, HostAnswered())[0] == asked


def test_a_host_that_is_elsewhere_is_followed_and_one_that_is_here_is_left_alone():
    here, elsewhere = HostAnnounced(), HostAnnounced(is_elsewhere=True)
    assert run(EXAMPLES[Connecting], here)[0] == EXAMPLES[Connecting]
    assert run(EXAMPLES[Connecting], elsewhere)[0].generation == 4
    for state in (EXAMPLES[Authenticating], EXAMPLES[Syncing], EXAMPLES[Live]):
        assert run(state, here) == (state, ())
        assert run(state, elsewhere) == (state, (Probe(), StartTimer(TimerKind.LOOK, LAN.moved_timeout_s)))


def test_a_host_that_is_said_to_be_elsewhere_has_to_prove_it():
    for state in (EXAMPLES[Authenticating], EXAMPLES[Syncing], EXAMPLES[Live]):
        assert run(state, LookDue(3)) == (state, (LookElsewhere(3),))
        assert run(state, HostProved(2)) == (state, ())
        assert run(state, HostProved(3))[0].trouble is Trouble.SILENT


def test_a_thousand_retries_are_as_one():
    """Nothing grows: not the state, not the effects, and no wait is longer than the profile's longest."""
    state, seen = EXAMPLES[Live], set()
    now = 100.0
    state, _ = run(state, TransportLost(3, trouble=Trouble.NOBODY))
    for _ in range(1000):
        now = state.retry_at
        state, opening = run(state, RetryDue(state.generation), moment=at(now))
        state, waiting = run(state, TransportLost(state.generation, trouble=Trouble.NOBODY), moment=at(now, jitter=1.5))
        assert state.retry_at - now <= max(LAN.backoff_s) * 1.5
        seen.add((len(opening), len(waiting)))
    assert len(seen) == 1
    assert (state.failures, state.lost_at, state.refused) == (1001, 100.0, frozenset())
    state, _ = run(state, RetryDemanded(), TransportOpened(state.generation + 1), SignedIn(state.generation + 1))
    assert isinstance(state, Live)


def test_a_first_sign_in_that_fails_is_tried_again_and_never_called_a_loss():
    state, _ = run(Idle(), ConnectRequested(), TransportLost(1, trouble=Trouble.NOBODY))
    assert (state.lost_at, state.failures) == (None, 1)
    state, _ = run(state, RetryDue(1), TransportOpened(2), TransportLost(2))
    assert (state.lost_at, state.failures) == (None, 2)
    state, _ = run(state, RetryDue(2), TransportOpened(3))
    assert not state.is_again


def test_a_reader_who_was_too_slow_is_not_told_that_the_server_is_full():
    assert run(EXAMPLES[Live], TransportLost(3, 1013, "reads too slowly"))[0].asked == ""


def test_what_a_close_says_in_its_reason_is_believed_where_it_fits():
    alone = at(rungs=(Rung.ACCESS,))
    assert run(EXAMPLES[Live], TransportLost(3, 4401, "token_revoked"), moment=alone)[0].code == "token_revoked"
    assert run(EXAMPLES[Live], TransportLost(3, 4403, "identity_mismatch"))[0].code == "identity_mismatch"
    assert run(EXAMPLES[Live], TransportLost(3, 4403, "token_expired"))[0].code == "removed"


def test_a_refusal_of_the_person_does_not_climb_down_the_ladder():
    state, effects = run(EXAMPLES[Authenticating], SignInRefused(3, ErrorCode.REMOVED, "bye"))
    assert state == NeedsUser(3, ErrorCode.REMOVED, "bye")
    assert not any(isinstance(effect, ForgetCredential) for effect in effects)


def test_closed_for_the_token_while_signing_in_is_a_refusal():
    state, effects = run(EXAMPLES[Authenticating], TransportLost(3, 4401))
    assert isinstance(state, Connecting)
    assert ForgetCredential(Rung.ACCESS, ErrorCode.TOKEN_INVALID) in effects


def test_a_token_that_ends_on_a_standing_link_is_replaced():
    state, effects = run(EXAMPLES[Live], TransportLost(3, 4401))
    assert isinstance(state, Waiting)
    assert ForgetCredential(Rung.ACCESS, ErrorCode.TOKEN_EXPIRED) in effects
    state, _ = run(state, RetryDue(3), TransportOpened(4))
    assert state.rung is Rung.REFRESH


def test_a_token_that_ends_with_nothing_to_replace_it_needs_the_user():
    state, _ = run(EXAMPLES[Live], TransportLost(3, 4401), moment=at(rungs=(Rung.ACCESS,)))
    assert state == NeedsUser(3, ErrorCode.TOKEN_EXPIRED)


def test_refused_rungs_are_remembered_over_a_loss_and_forgotten_by_a_sign_in():
    state, _ = run(Connecting(1, refused=frozenset({Rung.ACCESS})), TransportLost(1), RetryDue(1), TransportOpened(2))
    assert state.rung is Rung.REFRESH
    state, _ = run(state, SignedIn(2, 0), TransportLost(2), RetryDue(2), TransportOpened(3))
    assert state.rung is Rung.ACCESS


# ── away from a link ────────────────────────────────────────────────────────────────────────────────────────


def test_a_settled_link_is_tried_again_at_once():
    state, effects = run(Live(3, 90.0, failures=4), TransportLost(3, None, "reset"))
    assert state == Waiting(3, 1, 100.0, 100.0, 100.0, 100.0, "reset")
    assert effects == (
        LoseDocuments(),
        CancelTimer(TimerKind.LOOK),
        CancelTimer(TimerKind.PROBE),
        DropTransport(3),
        StartTimer(TimerKind.RETRY, 0.0),
    )


def test_a_link_that_was_up_for_a_moment_does_not_reset_the_backoff():
    state, _ = run(Live(3, 99.0, failures=2), TransportLost(3))
    assert (state.failures, state.retry_at) == (3, 100.5)


def test_each_failure_waits_longer_with_jitter():
    waits = []
    state = Connecting(1)
    for _ in range(7):
        state, _ = run(state, TransportLost(state.generation), moment=at(jitter=1.5))
        waits.append(state.retry_at - state.since)
        state, _ = run(state, RetryDue(state.generation))
    assert waits == [0, 0.375, 0.75, 1.5, 3, 7.5, 7.5]


def test_the_loss_is_dated_from_the_moment_the_link_stood_last():
    state, _ = run(EXAMPLES[Live], TransportLost(3), RetryDue(3), moment=at(200.0))
    state, _ = run(state, TransportLost(4), moment=at(205.0))
    assert state.lost_at == 200.0


@pytest.mark.parametrize("code", [1001, 1012])
def test_a_restarting_server_is_not_stormed(code):
    state, _ = run(EXAMPLES[Live], TransportLost(3, code), moment=at(jitter=0.5))
    assert state.retry_at == 100.125


def test_a_full_server_is_left_alone_for_a_while():
    assert run(EXAMPLES[Live], TransportLost(3, 1013))[0].retry_at == 105.0


def test_the_server_says_how_long_to_wait_and_only_the_user_overrules_it():
    state, _ = run(EXAMPLES[Authenticating], SignInRefused(3, ErrorCode.THROTTLED, retry_after_s=60.0))
    assert (state.retry_at, state.not_before) == (160.0, 160.0)
    for hope in (Woke(), NetworkReturned(), HostAnnounced(), KeyPressed()):
        assert run(state, hope, moment=at(120.0)) == (state, ())
    assert isinstance(run(state, RetryDemanded(), moment=at(120.0))[0], Connecting)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (1009, NeedsUser(3, StopCode.FRAME_TOO_BIG, "why")),
        (4403, NeedsUser(3, ErrorCode.REMOVED, "why")),
        (4409, Idle(3)),
        (4410, NeedsUser(3, StopCode.SESSION_ENDED, "why")),
        (4412, NeedsUser(3, ErrorCode.LINEAGE_MISMATCH, "why")),
        (4426, NeedsUser(3, ErrorCode.PROTOCOL_UNSUPPORTED, "why")),
    ],
)
def test_a_final_close_code_stops(code, result):
    assert run(EXAMPLES[Live], TransportLost(3, code, "why"))[0] == result


@pytest.mark.parametrize("code", [None, 1000, 1006, 1011, 4408, 4999])
def test_any_other_end_is_an_accident(code):
    assert isinstance(run(EXAMPLES[Live], TransportLost(3, code))[0], Waiting)


@pytest.mark.parametrize("kind", [Connecting, Authenticating])
def test_a_step_that_takes_too_long_is_a_loss(kind):
    assert isinstance(run(EXAMPLES[kind], StepTimedOut(3))[0], Waiting)


# ── hope and doubt ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", LINKED)
@pytest.mark.parametrize(("event", "patience_s"), [(Woke(), 1.0), (NetworkReturned(), 0.15), (NetworkWentAway(), 1.0)])
def test_a_standing_link_is_probed_when_in_doubt(kind, event, patience_s):
    """Soon where this machine got other addresses: most links do not live through that."""
    state, effects = run(EXAMPLES[kind], event)
    assert state == EXAMPLES[kind]
    assert effects == (Probe(), StartTimer(TimerKind.PROBE, patience_s))
    assert isinstance(run(state, ProbeTimedOut(3))[0], Waiting)


@pytest.mark.parametrize("event", [Woke(), NetworkReturned()])
def test_an_attempt_from_before_sleep_begins_afresh(event):
    state, effects = run(EXAMPLES[Connecting], event)
    assert state == Connecting(4, 0, 50.0)
    assert effects[:3] == (CancelTimer(TimerKind.STEP), DropTransport(3), OpenTransport(4))


@pytest.mark.parametrize("event", [Woke(), NetworkReturned(), HostAnnounced(), RetryDemanded(), ConnectRequested()])
@pytest.mark.parametrize("kind", [Waiting, Offline])
def test_hope_ends_a_wait(kind, event):
    state, effects = run(EXAMPLES[kind], event)
    assert state == Connecting(4, 0, 50.0)
    assert OpenTransport(4) in effects


def test_the_first_key_press_after_five_seconds_ends_a_wait():
    waiting = replace(EXAMPLES[Waiting], retry_at=120.0)
    assert run(waiting, KeyPressed(), moment=at(94.9)) == (waiting, ())
    assert run(waiting, KeyPressed(), moment=at(95.0))[0] == Connecting(4, 1, 50.0)


def test_without_a_network_a_wait_turns_into_offline_and_back():
    state, effects = run(EXAMPLES[Waiting], NetworkWentAway())
    assert (state, effects) == (Offline(3, 1, 50.0), (CancelTimer(TimerKind.RETRY),))
    assert isinstance(run(state, NetworkReturned())[0], Connecting)


def test_a_loss_without_a_network_is_offline():
    assert isinstance(run(EXAMPLES[Live], TransportLost(3), moment=at(is_online=False))[0], Offline)


@pytest.mark.parametrize("event", [Woke(), NetworkReturned(), HostAnnounced(), KeyPressed()])
def test_what_needs_the_user_waits_for_the_user(event):
    assert run(EXAMPLES[NeedsUser], event) == (EXAMPLES[NeedsUser], ())


def test_the_user_begins_with_a_clean_slate():
    assert run(EXAMPLES[NeedsUser], RetryDemanded())[0] == Connecting(4)


# ── random walks ────────────────────────────────────────────────────────────────────────────────────────────

CLOSE_CODES = st.sampled_from([None, 1000, 1001, 1009, 1012, 1013, 4401, 4403, 4408, 4409, 4410, 4426, 4999])
WHY = st.sampled_from([*ErrorCode, "something_new"])


def events(generation):
    progress = st.integers(0, 3).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
    special = {
        TransportLost: CLOSE_CODES.map(lambda code: TransportLost(generation, code)),
        SignedIn: st.integers(0, 3).map(lambda n: SignedIn(generation, n)),
        SignInRefused: st.builds(
            SignInRefused, st.just(generation), WHY, st.just(""), st.booleans(), st.sampled_from([None, 0.0, 30.0])
        ),
        DocumentsProgressed: progress.map(lambda pair: DocumentsProgressed(generation, *pair)),
    }
    return st.sampled_from(EVENTS).flatmap(lambda kind: special.get(kind, st.just(example(kind, generation))))


class World:
    """What a driver would hold, checked after every step."""

    def __init__(self):
        self.state, self.transports, self.timers, self.has_documents = Idle(), [], set(), False
        self.opened = []

    def take(self, event, moment, profile):
        if (type(self.state), type(event)) in ILLEGAL:
            return
        old = self.state
        self.state, effects = step(old, event, moment, profile)
        for effect in effects:
            self.act(effect)
        self.check(old, event)

    def act(self, effect):
        match effect:
            case OpenTransport(generation):
                self.transports.append(generation)
                self.opened.append(generation)
            case DropTransport(generation):
                self.transports.remove(generation)
            case StartTimer(kind, delay_s):
                assert delay_s >= 0
                self.timers.add(kind)
            case CancelTimer(kind):
                self.timers.discard(kind)
            case OpenDocuments():
                assert not self.has_documents
                self.has_documents = True
            case LoseDocuments():
                assert self.has_documents
                self.has_documents = False

    def check(self, old, event):
        state = self.state
        assert state.generation >= old.generation
        assert self.opened == sorted(set(self.opened))
        with_transport = isinstance(state, (Connecting, *LINKED))
        assert self.transports == ([state.generation] if with_transport else [])
        assert self.has_documents is isinstance(state, (Syncing, Live))
        assert (TimerKind.RETRY in self.timers) is isinstance(state, Waiting)
        assert (TimerKind.STEP in self.timers) is isinstance(state, (Connecting, Authenticating))
        assert TimerKind.PROBE not in self.timers or isinstance(state, LINKED)
        if isinstance(old, NeedsUser) and state != old:
            assert isinstance(event, (ConnectRequested, RetryDemanded, CloseRequested))
        if isinstance(old, Closed):
            assert state == old


@given(st.data())
def test_random_lives_keep_the_invariants(data):
    world, now = World(), 0.0
    for _ in range(data.draw(st.integers(1, 60))):
        now += data.draw(st.sampled_from([0.0, 0.3, 1.0, 6.0, 60.0]))
        generation = max(0, world.state.generation + data.draw(st.sampled_from([0, 0, 0, 0, -1])))
        event = data.draw(events(generation))
        if isinstance(event, (StepTimedOut, ProbeTimedOut, RetryDue)) and generation == world.state.generation:
            kind = {StepTimedOut: TimerKind.STEP, ProbeTimedOut: TimerKind.PROBE, RetryDue: TimerKind.RETRY}[
                type(event)
            ]
            if kind not in world.timers:
                continue
            world.timers.discard(kind)
        if isinstance(event, CloseRequested) and data.draw(st.integers(0, 3)):
            continue
        rungs = tuple(data.draw(st.lists(st.sampled_from(ALL_RUNGS), unique=True)))
        moment = Moment(now, data.draw(st.floats(0.5, 1.5)), data.draw(st.booleans()), rungs)
        world.take(event, moment, data.draw(st.sampled_from([LAN, REMOTE])))
