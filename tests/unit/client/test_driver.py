"""The driver with links in memory and a clock that the test moves."""

import random
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.fake_time import FakeTime
from tests.helpers.link_pair import FakeDoor, LinkPairs
from tests.helpers.model_replica import ModelReplica
from tests.helpers.room_model import RoomModel
from tests.helpers.run_async import runs_async, settle, until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.events import RetryCause
from texswarm_desktop.client.link import WrongCertificateError
from texswarm_desktop.client.states import (
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
    Waiting,
)
from texswarm_desktop.client.timing import LAN
from texswarm_server.protocol.codec import order_codec
from texswarm_server.protocol.frames import Update, decode_frame
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CloseDocument,
    Error,
    OpenDocument,
    TokenRenewed,
)
from texswarm_server.protocol.version import Limits

LINEAGE = "lineage-a"
WELCOME = AuthenticationResult(ok=True, user_id="u", session_id="s", access_token="a1", refresh_token="r1")


class Bench:
    """A connection on fake time and fake links, with the states it went through."""

    def __init__(self, host="10.0.0.5", door=None, seed=7, **credentials):
        self.time, self.links, self.door = FakeTime(), LinkPairs(), door
        self.credentials = FakeCredentials(**credentials)
        self.connection = Connection(
            address=ServerAddress(host),
            credentials=self.credentials,
            transport=self.links,
            knock=door,
            clock=self.time.clock,
            wall_clock=self.time.wall_clock,
            rng=random.Random(seed),
            call_later=self.time.call_later,
        )
        self.states = []
        self.connection.subscribe(lambda old, new: self.states.append(type(new)))

    async def __aenter__(self):
        await self.connection.__aenter__()
        return self

    async def __aexit__(self, *exc):
        await self.connection.__aexit__(*exc)
        assert self.time.pending == 0
        assert self.links.open_count == 0
        assert self.door is None or self.door.waiting == 0

    @property
    def state(self):
        return self.connection.state

    async def advance(self, seconds):
        self.time.advance(seconds)
        await settle()

    async def sign_in(self):
        self.connection.connect()
        await settle()
        self.links.last.deliver(WELCOME)
        await settle()

    def sent(self):
        return [order_codec.decode(frame) for frame in self.links.last.sent if isinstance(frame, str)]


@runs_async
async def test_the_straight_road_and_what_is_said_on_it():
    async with Bench() as bench:
        await bench.sign_in()
        assert bench.states == [Connecting, Authenticating, Live]
        (order,) = bench.sent()
        assert isinstance(order, Authentication)
        assert (order.protocol, order.token, order.display_name, order.session_id) == (2, "invite", "Ada", None)
        assert bench.credentials.refresh_token == "r1"
        assert bench.connection.welcome == WELCOME
    assert isinstance(bench.state, Closed)


@runs_async
async def test_the_next_link_resumes_the_session_with_the_access_token():
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.last.lose()
        await settle()
        await bench.advance(1)
        assert bench.links.attempts == 2
        assert (bench.sent()[0].token, bench.sent()[0].session_id) == ("a1", "s")
        assert isinstance(bench.state, Authenticating)
        assert bench.state.is_again


@runs_async
async def test_a_wrong_certificate_is_never_tried_again_but_by_the_user():
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.errors[ServerAddress("10.0.0.5")] = WrongCertificateError("another")
        bench.links.last.lose()
        await settle()
        await bench.advance(1)
        assert (type(bench.state), bench.state.code) == (NeedsUser, StopCode.WRONG_CERTIFICATE)
        tried = bench.links.attempts
        for cause in (RetryCause.WAKE, RetryCause.NETWORK, RetryCause.ANNOUNCED, RetryCause.KEY_PRESS):
            bench.connection.retry_now(cause)
        for is_online in (False, True):
            bench.connection.network_changed(is_online)
        bench.connection.seen_at([ServerAddress("10.0.0.5"), ServerAddress("10.0.0.77")])
        bench.time.sleep_machine(3600)
        await bench.advance(24 * 3600)
        assert (bench.links.attempts, type(bench.state)) == (tried, NeedsUser)
        bench.connection.retry_now(RetryCause.USER)
        await settle()
        assert bench.links.attempts > tried


@runs_async
async def test_a_token_that_expired_while_away_is_passed_over():
    async with Bench(access="old", refresh="r0", invite=None) as bench:
        bench.credentials.access_expires_at = bench.time.wall_now + 1
        bench.connection.connect()
        await settle()
        assert bench.sent()[0].token == "r0"


@runs_async
async def test_a_renewed_token_is_kept():
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.last.deliver(TokenRenewed(access_token="a2", expires_at=5.0))
        await settle()
        assert bench.credentials.access_token == "a2"


@runs_async
async def test_refused_credentials_end_with_the_user():
    async with Bench(access="a", refresh="r", invite="i") as bench:
        bench.connection.connect()
        for _ in range(3):
            await settle()
            bench.links.last.deliver(AuthenticationResult(ok=False, code="token_revoked", message="gone"))
        await settle()
        await bench.advance(600)
        assert bench.state == NeedsUser(3, "token_revoked", "gone")
        assert [rung for rung, _ in bench.credentials.refusals] == [Rung.ACCESS, Rung.REFRESH, Rung.INVITE]
        assert bench.links.attempts == 3


@runs_async
async def test_a_server_of_the_first_generation_is_too_old():
    async with Bench() as bench:
        bench.connection.connect()
        await settle()
        bench.links.last.deliver(Error(code="auth_success", message="Authentication successful for user u"))
        await settle()
        assert bench.state == NeedsUser(1, "server_too_old", "Authentication successful for user u")


@runs_async
async def test_refused_attempts_back_off_and_one_link_is_open_at_most():
    async with Bench() as bench:
        bench.links.refuses = True
        bench.connection.connect()
        await settle()
        for _ in range(20):
            await bench.advance(1)
        assert isinstance(bench.state, (Waiting, Connecting))
        assert 4 <= bench.links.attempts <= 9
        bench.links.refuses = False
        bench.connection.retry_now()
        await settle()
        assert isinstance(bench.state, Authenticating)
        assert bench.links.open_count == 1


@runs_async
async def test_an_attempt_that_hangs_is_given_up_in_time():
    async with Bench() as bench:
        bench.links.hangs = True
        bench.connection.connect()
        await bench.advance(LAN.connect_timeout_s)
        assert bench.states[:3] == [Connecting, Waiting, Connecting]


@runs_async
async def test_a_silent_link_is_dead_after_six_seconds():
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.last.answers_pings = False
        await bench.advance(5)
        assert isinstance(bench.state, Live)
        assert bench.links.last.pings >= 2
        await bench.advance(1.5)
        assert not isinstance(bench.state, Live)
        assert bench.state.lost_at is not None


@runs_async
async def test_who_gives_a_link_up_for_another_does_not_say_goodbye():
    async with Bench() as bench:
        await bench.sign_in()
        first = bench.links.last
        first.answers_pings = False
        await bench.advance(6.5)
        assert (first.is_open, first.is_for_good) == (False, False)


@runs_async
async def test_who_closes_the_connection_says_goodbye():
    async with Bench() as bench:
        await bench.sign_in()
        bench.connection.close()
        await settle()
        assert (bench.links.last.is_open, bench.links.last.is_for_good) == (False, True)


@runs_async
async def test_a_quiet_link_stays():
    async with Bench() as bench:
        await bench.sign_in()
        await bench.advance(120)
        assert isinstance(bench.state, Live)


@runs_async
async def test_a_long_upload_is_a_sign_of_life():
    async with Bench() as bench:
        await bench.sign_in()
        link = bench.links.last
        link.answers_pings = False
        for left in range(30, 0, -1):
            link.unsent_bytes = left * 1000
            await bench.advance(1)
        assert isinstance(bench.state, Live)


@runs_async
async def test_after_sleep_the_link_is_probed_and_lost_within_a_second():
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.last.answers_pings = False
        bench.time.sleep_machine(3600)
        await bench.advance(1)
        assert isinstance(bench.state, Live)
        await bench.advance(LAN.probe_timeout_s)
        assert not isinstance(bench.state, Live)


@runs_async
async def test_after_sleep_a_link_that_answers_stays():
    async with Bench() as bench:
        await bench.sign_in()
        bench.time.sleep_machine(3600)
        await bench.advance(30)
        assert bench.states == [Connecting, Authenticating, Live]


@runs_async
async def test_waking_ends_a_wait():
    async with Bench() as bench:
        bench.links.refuses = True
        bench.connection.connect()
        await settle()
        for _ in range(30):
            await bench.advance(1)
        bench.links.refuses = False
        bench.time.sleep_machine(3600)
        await bench.advance(1)
        assert isinstance(bench.state, Authenticating)


@runs_async
async def test_the_thousandth_retry_is_like_the_tenth():
    """Nothing piles up: one wait at a time, never a longer one; and then it is over."""
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.refuses = True
        bench.links.last.lose()
        await settle()
        timers, waits_s = [], []
        while bench.links.attempts < 1002:
            await bench.advance(1)
            if isinstance(bench.state, Waiting):
                waits_s.append(bench.state.retry_at - bench.time.now)
                timers.append(bench.time.pending)
        assert max(waits_s) <= LAN.backoff_s[-1] * 1.5
        assert max(timers[-100:]) <= max(timers[10:110])
        bench.links.refuses = False
        await bench.advance(LAN.backoff_s[-1] * 1.5)
        bench.links.last.deliver(WELCOME)
        await settle()
        assert isinstance(bench.state, Live)


@runs_async
async def test_a_room_of_clients_does_not_come_back_as_one():
    """Each wait is stretched by a chance of its own, evenly between a half and one and a half."""
    stretched = [await sixth_wait_s(seed) / LAN.backoff_s[5] for seed in range(40)]
    assert 0.5 <= min(stretched) < 0.7
    assert 1.3 < max(stretched) <= 1.5
    assert len({round(each, 3) for each in stretched}) > 30


async def sixth_wait_s(seed):
    """Return how long a client waits that found nobody six times."""
    waits = []
    async with Bench(seed=seed) as bench:
        bench.connection.subscribe(lambda _old, new: waits.append(new) if isinstance(new, Waiting) else None)
        bench.links.refuses = True
        bench.connection.connect()
        await settle()
        while len(waits) < 6:
            await bench.advance(0.5)
    assert waits[5].failures == 6
    return waits[5].retry_at - waits[5].since


@runs_async
async def test_without_a_network_it_rests_until_there_is_one():
    async with Bench() as bench:
        bench.connection.network_changed(False)
        bench.links.refuses = True
        bench.connection.connect()
        await settle()
        assert isinstance(bench.state, Offline)
        await bench.advance(600)
        assert bench.links.attempts == 1
        bench.links.refuses = False
        bench.connection.network_changed(True)
        await settle()
        assert isinstance(bench.state, Authenticating)


@runs_async
async def test_a_server_on_this_machine_needs_no_network():
    async with Bench("127.0.0.1") as bench:
        bench.links.refuses = True
        bench.connection.connect()
        bench.connection.network_changed(False)
        await settle()
        assert isinstance(bench.state, Waiting)


@runs_async
async def test_an_announcement_ends_a_wait():
    async with Bench() as bench:
        bench.links.refuses = True
        bench.connection.connect()
        await settle()
        for _ in range(5):
            await bench.advance(1)
        attempts = bench.links.attempts
        bench.connection.retry_now(RetryCause.ANNOUNCED)
        assert isinstance(bench.state, Connecting)
        await settle()
        assert bench.links.attempts == attempts + 1


@pytest.mark.expects_log
@runs_async
async def test_a_listener_that_fails_does_not_cost_the_link(caplog):
    async with Bench() as bench:
        bench.connection.subscribe(lambda old, new: 1 / 0)
        await bench.sign_in()
        assert isinstance(bench.state, Live)
    assert "ZeroDivisionError" in caplog.text


@runs_async
async def test_a_listener_may_close_the_connection():
    async with Bench() as bench:
        bench.connection.subscribe(lambda old, new: bench.connection.close() if isinstance(new, Live) else None)
        await bench.sign_in()
        assert isinstance(bench.state, Closed)
    assert bench.states == [Connecting, Authenticating, Live, Closed]


@pytest.mark.expects_log
@runs_async
@pytest.mark.parametrize(("code", "is_told"), [("handle_unknown", False), ("limit_exceeded", True)])
async def test_a_frame_that_crossed_the_closing_of_its_document_is_no_news(caplog, code, is_told):
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.last.deliver(Error(code=code, message="", handle=7))
        await settle()
        assert isinstance(bench.state, Live)
        warnings = [record for record in caplog.records if record.levelname == "WARNING"]
        assert bool(warnings) is is_told


@pytest.mark.expects_log
@runs_async
async def test_a_failing_effect_becomes_a_lost_link(caplog):
    async with Bench() as bench:
        bench.credentials.__class__ = type("Broken", (FakeCredentials,), {"session_id": property(lambda self: 1 / 0)})
        bench.connection.connect()
        await settle()
        assert isinstance(bench.state, Waiting)
        assert bench.state.reason == "internal error"
    assert "ZeroDivisionError" in caplog.text


@runs_async
async def test_nonsense_from_the_server_is_a_lost_link():
    for frame in ("{", b"\xff", '{"type":"AuthenticationResult","payload":{"ok":3}}'):
        async with Bench() as bench:
            await bench.sign_in()
            bench.links.last.deliver(frame)
            await settle()
            assert Waiting in bench.states


@runs_async
async def test_messages_of_a_newer_server_are_passed_over():
    async with Bench() as bench:
        await bench.sign_in()
        bench.links.last.deliver('{"type":"Fireworks","payload":{}}')
        await settle()
        assert isinstance(bench.state, Live)


@runs_async
async def test_documents_are_opened_counted_and_opened_again():
    async with Bench() as bench:
        replica = ModelReplica()
        replica.create(LINEAGE)
        replica.sync = bench.connection.add(replica)
        await bench.sign_in()
        assert bench.state == Syncing(1, 0, 1)
        room = RoomModel(replica.document_id, LINEAGE)
        await serve(bench, room)
        assert isinstance(bench.state, Live)
        bench.links.last.lose()
        await settle()
        assert replica.others_left_count == 1
        await bench.advance(1)
        bench.links.last.deliver(WELCOME)
        await settle()
        ours = replica.state_vector()
        assert bench.sent()[-1] == OpenDocument(
            request=3, document_id=replica.document_id, lineage=LINEAGE, state_vector=ours
        )


@runs_async
async def test_a_key_press_after_five_seconds_ends_a_wait():
    async with Bench() as bench:
        replica = ModelReplica()
        replica.create(LINEAGE)
        replica.sync = bench.connection.add(replica)
        bench.links.refuses = True
        bench.connection.connect()
        await settle()
        while not (isinstance(bench.state, Waiting) and bench.state.retry_at - bench.time.now > 5.2):
            await bench.advance(1 / 8)
        attempts = bench.links.attempts
        replica.replace(0, 0, "a")
        assert bench.links.attempts == attempts
        await bench.advance(5)
        replica.replace(0, 0, "b")
        await settle()
        assert bench.links.attempts == attempts + 1


@runs_async
async def test_a_document_that_is_refused_does_not_hold_up_the_rest():
    async with Bench() as bench:
        replica = ModelReplica()
        bench.connection.add(replica)
        await bench.sign_in()
        request = bench.sent()[-1].request
        bench.links.last.deliver(Error(request=request, code="document_not_found", message=""))
        await settle()
        assert isinstance(bench.state, Live)
        assert [error.code for error in replica.refusals] == ["document_not_found"]


@runs_async
async def test_an_edit_leaves_at_once_without_a_turn_of_the_loop():
    async with Bench() as bench:
        replica = ModelReplica()
        replica.create(LINEAGE)
        replica.sync = bench.connection.add(replica)
        await bench.sign_in()
        await serve(bench, RoomModel(replica.document_id, LINEAGE))
        before = len(bench.links.last.sent)
        replica.replace(0, 0, "a")
        (frame,) = bench.links.last.sent[before:]
        assert isinstance(decode_frame(frame)[1], Update)


@runs_async
async def test_a_document_added_to_a_live_link_is_caught_up_with_and_removed_again():
    async with Bench() as bench:
        await bench.sign_in()
        replica = ModelReplica()
        bench.connection.add(replica)
        assert isinstance(bench.state, Syncing)
        bench.connection.remove(replica.document_id)
        assert isinstance(bench.state, Live)
        bench.connection.remove(replica.document_id)


async def serve(bench, room):
    """Answer the opening of a document from a room, until it is quiet."""
    link, done = bench.links.last, 0
    member = None
    while done < len(link.sent):
        frame = link.sent[done]
        done += 1
        if isinstance(frame, bytes):
            room.receive(link, decode_frame(frame)[1])
        elif isinstance(order := order_codec.decode(frame), OpenDocument):
            member = room.open(link, request=order.request, state_vector=order.state_vector)
        room.commit()
        while member and member.outbox:
            link.deliver(member.outbox.pop(0))
        await settle()


@runs_async
async def test_before_connecting_nothing_runs():
    async with Bench() as bench:
        assert isinstance(bench.state, Idle)
        assert bench.time.pending == 0


# ── knocking, and a host that moves ─────────────────────────────────────────────────────────────────────────


HOME = ServerAddress("10.0.0.5")
ELSEWHERE = ServerAddress("10.0.0.77")


@asynccontextmanager
async def at_an_open_door():
    door = FakeDoor()
    door.open(HOME)
    async with Bench(door=door) as bench:
        await bench.sign_in()
        yield bench, door


async def lose_for(bench, seconds):
    """Let nothing through, until the link is given up and for so long after that."""
    bench.links.last.answers_pings, bench.door.answers = False, None
    while isinstance(bench.state, Live):
        await bench.advance(0.5)
    await bench.advance(seconds)


@runs_async
async def test_a_cable_that_is_put_back_is_found_at_once_and_not_when_the_wait_is_over():
    async with at_an_open_door() as (bench, door):
        await lose_for(bench, 20)
        attempts = bench.links.attempts
        assert bench.door.waiting == 1
        door.open(HOME)
        await settle()
        assert bench.links.attempts == attempts + 1
        assert isinstance(bench.state, Authenticating)


@runs_async
async def test_whoever_is_away_for_long_is_knocked_at_less_and_then_left_to_the_retries():
    async with at_an_open_door() as (bench, door):
        await lose_for(bench, 30)
        assert set(door.rhythms) == {LAN.knock_every_s}
        await bench.advance(200)
        assert door.rhythms[-1] == LAN.knock_every_s or max(door.rhythms) == 1.0
        await bench.advance(600)
        while not isinstance(bench.state, Waiting):
            await bench.advance(1)
        assert door.waiting == 0


@runs_async
async def test_a_server_that_lets_nobody_in_is_not_knocked_at():
    async with at_an_open_door() as (bench, door):
        bench.links.last.lose(1013, "over_capacity")
        await settle()
        assert isinstance(bench.state, Waiting)
        assert door.waiting == 0


@runs_async
async def test_a_quiet_link_over_which_packets_come_through_is_probed_and_given_up():
    async with at_an_open_door() as (bench, _door):
        bench.links.last.answers_pings = False
        for _ in range(5):
            await bench.advance(1)
        assert not isinstance(bench.state, Live)
        assert bench.state.lost_at - 1000.0 < LAN.dead_after_s


@runs_async
async def test_a_quiet_link_over_which_nothing_comes_through_is_dead_at_the_very_second():
    async with at_an_open_door() as (bench, door):
        bench.links.last.answers_pings, door.answers = False, None
        while isinstance(bench.state, Live):
            await bench.advance(1 / 8)
        assert bench.state.lost_at - 1000.0 == LAN.dead_after_s


@runs_async
async def test_a_host_that_took_another_address_is_found_there_and_remembered():
    async with at_an_open_door() as (bench, door):
        await lose_for(bench, 8)
        door.answers = ELSEWHERE
        bench.connection.seen_at([ELSEWHERE])
        await settle()
        assert bench.links.asked[-1] == ELSEWHERE
        assert bench.connection.current_address == ELSEWHERE
        bench.links.last.deliver(WELCOME)
        await settle()
        assert isinstance(bench.state, Live)
        assert bench.connection.address == HOME


@runs_async
async def test_a_host_that_says_it_is_where_it_was_disturbs_nobody():
    async with at_an_open_door() as (bench, _door):
        pings = bench.links.last.pings
        bench.connection.seen_at([ELSEWHERE, HOME])
        bench.connection.seen_at([])
        assert (bench.links.last.pings, bench.connection.current_address) == (pings, HOME)


@runs_async
async def test_nobody_who_only_knows_the_fingerprint_has_us_come_without_encryption():
    async with at_an_open_door() as (bench, door):
        bench.connection.fingerprint = "ab" * 32
        bench.links.last.answers_pings, door.answers = False, ELSEWHERE
        bench.connection.seen_at([ELSEWHERE])
        await bench.advance(LAN.moved_timeout_s)
        assert bench.links.asked == [HOME]


@runs_async
async def test_a_slow_link_has_the_time_of_a_few_round_trips_to_answer_a_probe():
    async with at_an_open_door() as (bench, door):
        await bench.advance(0.25)
        bench.links.last.answers_pings, bench.links.last.round_trip_s, door.answers = False, 0.75, None
        bench.connection.network_changed(False)
        await bench.advance(2.0)
        assert isinstance(bench.state, Live)
        await bench.advance(0.25)
        assert (type(bench.state), bench.time.now - bench.state.lost_at) == (Offline, 2.25)


# ── another address while a link stands ─────────────────────────────────────────────────────────────────

EVIL = ServerAddress("10.0.0.66")


@asynccontextmanager
async def at_a_silent_link():
    """A link that stands, and on which nothing is heard any more since a moment."""
    async with at_an_open_door() as (bench, door):
        await bench.advance(0.25)
        bench.links.last.answers_pings = False
        yield bench, door


@runs_async
async def test_a_silent_link_is_left_at_once_for_where_the_host_proves_to_be():
    async with at_a_silent_link() as (bench, door):
        door.answers = ELSEWHERE
        bench.connection.seen_at([ELSEWHERE])
        await bench.advance(LAN.moved_timeout_s)
        await bench.advance(0)
        assert (bench.connection.current_address, type(bench.state)) == (ELSEWHERE, Authenticating)


@runs_async
async def test_a_link_that_answers_is_not_looked_for_elsewhere():
    async with at_an_open_door() as (bench, door):
        pings, door.answers = bench.links.last.pings, ELSEWHERE
        bench.connection.seen_at([ELSEWHERE])
        await bench.advance(LAN.moved_timeout_s)
        assert (bench.links.last.pings, bench.links.asked) == (pings + 1, [HOME])
        assert (bench.connection.current_address, type(bench.state)) == (HOME, Live)


@runs_async
async def test_who_lies_about_a_host_ends_no_link_not_even_a_slow_one():
    """The certificate there is another one, so that the link stands until its own time is over."""
    async with at_a_silent_link() as (bench, door):
        bench.links.errors[EVIL] = WrongCertificateError("another")
        door.answers = EVIL
        for _ in range(4):
            bench.connection.seen_at([EVIL])
            await bench.advance(1)
        assert (bench.links.asked, type(bench.state)) == ([HOME, EVIL], Live), "and it is asked there once"
        bench.links.last.answers_pings, bench.links.last.heard_at = True, bench.time.now
        await bench.advance(4)
        assert isinstance(bench.state, Live)


@runs_async
async def test_a_link_that_speaks_while_the_host_is_looked_for_stays():
    async with at_a_silent_link() as (bench, door):
        door.answers = None
        bench.connection.seen_at([ELSEWHERE])
        await bench.advance(LAN.moved_timeout_s)
        bench.links.last.heard_at = bench.time.now
        door.open(ELSEWHERE)
        await settle()
        assert (bench.links.asked, type(bench.state)) == ([HOME, ELSEWHERE], Live)
        assert bench.links.open_count == 1


@runs_async
async def test_however_often_a_host_is_said_to_be_elsewhere_its_link_is_probed_four_times_a_second():
    async with at_an_open_door() as (bench, _door):
        pings = bench.links.last.pings
        for last in range(100):
            bench.connection.seen_at([ServerAddress(f"10.0.1.{last}")])
        assert bench.links.last.pings - pings == 1
        await bench.advance(0.25)
        assert bench.links.last.pings - pings == 2, "the last of them may have been true"
        await bench.advance(0.25)
        assert bench.links.last.pings - pings == 2


LIARS = [ServerAddress(f"10.0.1.{last}") for last in range(60)]


@runs_async
async def test_a_true_word_among_many_lies_is_found_to_be_true():
    async with at_an_open_door() as (bench, door):
        bench.links.errors |= {liar: WrongCertificateError("another") for liar in LIARS}
        door.others |= set(LIARS)
        for liar in LIARS:
            bench.connection.seen_at([liar])
            await bench.advance(0.125)
        bench.links.last.answers_pings, door.answers = False, ELSEWHERE
        began_at = bench.time.now
        for told in ([LIARS[5]], [ELSEWHERE], LIARS[6:14], [LIARS[14]]):
            bench.connection.seen_at(told)
        while bench.connection.current_address != ELSEWHERE:
            await bench.advance(0.125)
        assert bench.time.now - began_at <= 1.0
        assert type(bench.state) is Authenticating
        assert bench.links.open_count == 1


@runs_async
async def test_who_answers_and_then_says_nothing_keeps_nobody_from_finding_the_host_elsewhere():
    async with at_a_silent_link() as (bench, door):
        bench.links.hangs_at |= {EVIL}
        door.others |= {EVIL}
        door.answers = ELSEWHERE
        bench.connection.seen_at([EVIL, ELSEWHERE])
        await bench.advance(LAN.moved_timeout_s)
        await bench.advance(0)
        assert (bench.connection.current_address, type(bench.state)) == (ELSEWHERE, Authenticating)


@runs_async
async def test_so_many_are_asked_at_once_and_no_more():
    async with at_a_silent_link() as (bench, door):
        bench.links.hangs_at |= set(LIARS)
        door.others |= set(LIARS)
        for first in range(0, 60, 8):
            bench.connection.seen_at(LIARS[first : first + 8])
        await bench.advance(LAN.moved_timeout_s)
        for _ in range(5):
            await bench.advance(0.5)
        assert len(bench.links.asked) - 1 == 8
        assert isinstance(bench.state, Live)


@runs_async
async def test_who_answers_and_then_says_nothing_keeps_nobody_from_the_way_back(monkeypatch):
    monkeypatch.setattr("texswarm_desktop.client.way_in._TARRIES_S", 0.01)
    async with at_an_open_door() as (bench, door):
        bench.links.hangs_at |= {EVIL}
        await lose_for(bench, 8)
        bench.connection.seen_at([EVIL])
        door.others |= {EVIL}
        door.open(HOME)
        await until(lambda: isinstance(bench.state, Authenticating), "whatever time it is, for the driver")
        assert (bench.connection.current_address, bench.links.open_count) == (HOME, 1)


@runs_async
async def test_a_flood_of_news_has_nobody_connect_all_the_time():
    async with at_an_open_door() as (bench, door):
        await lose_for(bench, 8)
        door.rhythms.clear()
        for last in range(100):
            bench.connection.seen_at([ServerAddress(f"10.0.1.{last}")])
            await settle()
        assert len(door.rhythms) <= 5


@runs_async
async def test_another_certificate_where_a_host_is_only_said_to_be_stops_nobody():
    async with at_an_open_door() as (bench, door):
        bench.links.errors[EVIL] = WrongCertificateError("another")
        await lose_for(bench, 8)
        door.answers = EVIL
        bench.connection.seen_at([EVIL])
        await settle()
        door.open(HOME)
        await settle()
        assert bench.links.asked[-2:] == [EVIL, HOME]
        assert isinstance(bench.state, Authenticating)


@runs_async
async def test_another_certificate_where_the_link_led_is_told_if_the_host_is_nowhere_else():
    async with at_an_open_door() as (bench, door):
        bench.links.errors |= {address: WrongCertificateError("another") for address in (HOME, EVIL)}
        await lose_for(bench, 8)
        door.refuses, door.answers = True, EVIL
        bench.connection.seen_at([EVIL])
        await settle()
        assert isinstance(bench.state, Waiting), "somebody lies, and the host is away"
        door.open(HOME)
        await settle()
        await bench.advance(10)
        assert (type(bench.state), bench.state.code) == (NeedsUser, StopCode.WRONG_CERTIFICATE)


@runs_async
async def test_without_a_door_the_addresses_are_tried_in_turn():
    async with Bench() as bench:
        bench.links.refuses = True
        bench.connection.seen_at([ELSEWHERE])
        bench.connection.connect()
        await settle()
        for _ in range(10):
            await bench.advance(0.5)
        assert set(bench.links.asked) == {HOME, ELSEWHERE}


@runs_async
async def test_a_thousand_retries_leave_nothing_behind_and_say_nothing_in_the_log(caplog):
    caplog.set_level("INFO")
    async with Bench() as bench:
        bench.links.refuses = True
        bench.connection.connect()
        while bench.links.attempts < 50:
            await bench.advance(2)
        before = (bench.time.pending, len(bench.connection._driver._tasks), len(bench.connection._driver._queue))
        bench.links.asked.clear()
        while bench.links.attempts < 1050:
            await bench.advance(2)
        after = (bench.time.pending, len(bench.connection._driver._tasks), len(bench.connection._driver._queue))
        assert before == after == (2, 0, 0)
        assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


# ── opening with the sign-in ────────────────────────────────────────────────────────────────────────────


def project(document_id="d"):
    replica = ModelReplica(document_id)
    replica.create(LINEAGE)
    return replica


def welcome(**more):
    return msgspec.structs.replace(WELCOME, **more)


@runs_async
async def test_documents_are_opened_with_the_sign_in():
    async with Bench(session="s") as bench:
        replica = project()
        sync = replica.sync = bench.connection.add(replica)
        room = RoomModel("d", LINEAGE)
        bench.connection.connect()
        await settle()
        (order,) = bench.sent()
        (opening,) = order.open
        assert (opening.document_id, opening.state_vector) == ("d", replica.state_vector())
        replica.replace(0, 0, "typed meanwhile")
        bench.links.last.deliver(welcome(documents_follow=True))
        for message in room.open("me", request=opening.request, state_vector=opening.state_vector).outbox:
            bench.links.last.deliver(message)
        await settle()
        assert isinstance(bench.state, Live)
        assert sync.is_synced
        assert bench.sent() == [order]
        for frame in bench.links.last.sent:
            if isinstance(frame, bytes):
                room.receive("me", decode_frame(frame)[1])
        assert str(room.document.text(room.document.file_at("main.tex"))).startswith("typed meanwhile")


@runs_async
async def test_a_server_that_opens_nothing_with_the_sign_in_is_asked_after_it():
    async with Bench(session="s") as bench:
        bench.connection.add(project())
        await bench.sign_in()
        _sign_in, order = bench.sent()
        assert isinstance(order, OpenDocument)
        assert order.document_id == "d"


@runs_async
async def test_what_does_not_fit_into_the_first_message_is_opened_after_it():
    async with Bench(session="s") as bench:
        many = [f"{number:03}{'d' * 60}" for number in range(400)]
        for document_id in many:
            bench.connection.add(project(document_id))
        bench.connection.connect()
        await settle()
        (order,) = bench.sent()
        ahead = [each.document_id for each in order.open]
        assert 0 < len(ahead) < len(many)
        assert len(bench.links.last.sent[0]) < Limits().max_unauthenticated_frame_bytes
        bench.links.last.deliver(welcome(documents_follow=True))
        await settle()
        assert ahead + [each.document_id for each in bench.sent()[1:]] == many


@runs_async
async def test_a_document_that_was_left_before_the_answer_came_is_closed():
    async with Bench(session="s") as bench:
        bench.connection.add(project())
        bench.connection.connect()
        await settle()
        (opening,) = bench.sent()[0].open
        bench.connection.remove("d")
        bench.links.last.deliver(welcome(documents_follow=True))
        for message in RoomModel("d", LINEAGE).open("me", request=opening.request).outbox[:1]:
            bench.links.last.deliver(message)
        await settle()
        assert bench.sent()[1:] == [CloseDocument(handle=1)]


@runs_async
async def test_a_document_that_may_not_be_opened_is_refused_as_at_any_other_time():
    async with Bench(session="s") as bench:
        replica = project()
        sync = replica.sync = bench.connection.add(replica)
        bench.connection.connect()
        await settle()
        (opening,) = bench.sent()[0].open
        bench.links.last.deliver(welcome(documents_follow=True))
        bench.links.last.deliver(Error(code="document_not_found", message="", request=opening.request))
        await settle()
        assert sync.is_settled
        assert [error.code for error in replica.refusals] == ["document_not_found"]
        assert isinstance(bench.state, Live)


@runs_async
async def test_who_comes_for_the_first_time_opens_nothing_ahead():
    """Nobody could tell a first sign-in that arrives long after it was given up from another computer's."""
    async with Bench() as bench:
        bench.connection.add(project())
        bench.connection.connect()
        await settle()
        (order,) = bench.sent()
        assert order.open == ()
