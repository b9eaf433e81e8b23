"""The whole client over real WebSockets on loopback, through a proxy that cuts, stalls and refuses."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.fake_server import FakeServer
from tests.helpers.faulty_transport import FaultyTransport
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import runs_async, until
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import (
    Authenticating,
    Closed,
    Connecting,
    Idle,
    Live,
    NeedsUser,
    Rung,
    Syncing,
    Waiting,
)
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import (
    AuthenticationResult,
    CreateDocument,
    DocumentCreated,
    ListDocuments,
    RedeemInvite,
    TokenRenewed,
)
from texswarm_server.protocol.version import Limits

DOCUMENT = "11111111-1111-4111-8111-111111111111"
LINEAGE = "lineage-a"
#: The real thing, only in a hurry.
HASTY = replace(LAN, backoff_s=(0.0, 0.01, 0.02), close_timeout_s=0.2, probe_timeout_s=0.2, overload_wait_s=0.01)


class Desk:
    """A client with one document."""

    def __init__(self, address, *, credentials=None, transport=None, profile=HASTY):
        self.credentials = credentials or FakeCredentials()
        self.replica = ModelReplica(DOCUMENT)
        self.connection = Connection(
            address=address, credentials=self.credentials, transport=transport, profile=profile, rng=random.Random(3)
        )
        self.states = []
        self.connection.subscribe(lambda old, new: self.states.append(new))

    async def __aenter__(self):
        await self.connection.__aenter__()
        self.replica.sync = self.connection.add(self.replica)
        return self

    async def __aexit__(self, *exc):
        await self.connection.__aexit__(*exc)

    @property
    def is_live(self):
        return isinstance(self.connection.state, Live)

    @property
    def is_saved(self):
        return self.is_live and self.replica.unacknowledged() == 0

    def visited(self, kind):
        return any(isinstance(state, kind) for state in self.states)

    async def connect(self):
        self.connection.connect()
        await until(lambda: self.is_live)


def at_port(port):
    return ServerAddress("127.0.0.1", port)


@runs_async
async def test_two_people_write_together():
    async with FakeServer() as server, Desk(server.address) as ada, Desk(server.address) as bob:
        server.add_room(DOCUMENT, LINEAGE)
        ada.replica.create(LINEAGE)
        await ada.connect()
        await bob.connect()
        ada.replica.replace(0, 0, "Hello")
        await until(lambda: bob.replica.text == "Hello")
        bob.replica.replace(5, 5, ", world 😀")
        await until(lambda: ada.replica.text == "Hello, world 😀")
        await until(lambda: ada.is_saved and bob.is_saved)
        assert [type(state) for state in ada.states] == [Connecting, Authenticating, Syncing, Live]


@runs_async
async def test_a_cut_cable_is_mended_and_offline_edits_arrive():
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port)) as ada, Desk(server.address) as bob:
            ada.replica.create(LINEAGE)
            await ada.connect()
            await bob.connect()
            proxy.refuse()
            await until(lambda: ada.visited(Waiting))
            ada.replica.replace(0, 0, "offline ")
            await until(lambda: bob.replica.lineage)
            bob.replica.replace(0, 0, "meanwhile ")
            proxy.restore()
            await until(lambda: ada.is_saved and bob.is_saved)
            await until(lambda: ada.replica.text == bob.replica.text)
            assert sorted(ada.replica.text.split()) == ["meanwhile", "offline"]
            assert server.sign_ins[-1].session_id == ada.credentials.session_id
            assert server.sign_ins[-1].token == ada.credentials.access_token or server.sign_ins[-1].token == "access-1"


@pytest.mark.parametrize("after_bytes", [1, 40, 170, 230, 300, 420, 800, 1500])
@runs_async
async def test_a_cut_in_the_middle_of_anything_loses_nothing(after_bytes):
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        room = server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port)) as ada:
            ada.replica.create(LINEAGE)
            proxy.cut(after_bytes=after_bytes)
            ada.connection.connect()
            for number in range(50):
                ada.replica.replace(0, 0, f"{number} ")
                await asyncio.sleep(0)
            await until(lambda: ada.is_saved)
            file_id = room.document.file_at("main.tex")
            assert str(room.document.text(file_id)) == ada.replica.text


@runs_async
async def test_a_half_open_link_is_found_dead_and_replaced():
    profile = replace(HASTY, ping_every_s=0.5, dead_after_s=1.5)
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port), profile=profile) as ada:
            ada.replica.create(LINEAGE)
            await ada.connect()
            await until(lambda: ada.is_saved)
            proxy.half_open()
            ada.replica.replace(0, 0, "into the void")
            await until(lambda: not ada.is_live)
            proxy.restore()
            await until(lambda: ada.is_saved)


@runs_async
async def test_a_probe_finds_a_half_open_link_at_once():
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port)) as ada:
            await ada.connect()
            proxy.half_open()
            ada.connection.retry_now("wake")
            await until(lambda: ada.visited(Waiting))
            assert "ProbeTimedOut" in {state.reason for state in ada.states if isinstance(state, Waiting)}
            proxy.restore()
            await until(lambda: ada.is_live)


@runs_async
async def test_a_half_open_link_with_a_full_buffer_can_be_left():
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port)) as ada:
            ada.replica.create(LINEAGE)
            await ada.connect()
            faults = next(iter(proxy._pipes))
            faults._near.transport.pause_reading()
            for _ in range(40):
                ada.replica.replace(0, 0, "x" * 400_000)
        assert isinstance(ada.connection.state, Closed)


@runs_async
async def test_a_slow_cable_only_takes_longer():
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        proxy.delay(0.02)
        async with Desk(at_port(proxy.port)) as ada:
            ada.replica.create(LINEAGE)
            await ada.connect()
            ada.replica.replace(0, 0, "slowly")
            await until(lambda: ada.is_saved)
            assert not ada.visited(Waiting)


@runs_async
async def test_a_restarted_server_is_found_again_and_doubles_nothing():
    async with FakeServer() as server:
        room = server.add_room(DOCUMENT, LINEAGE)
        async with Desk(server.address) as ada:
            ada.replica.create(LINEAGE)
            await ada.connect()
            ada.replica.replace(0, 0, "before ")
            await until(lambda: ada.is_saved)
            await server.stop()
            await until(lambda: ada.visited(Waiting))
            ada.replica.replace(7, 7, "between ")
            await server.start()
            await until(lambda: ada.is_saved)
            assert str(room.document.text(room.document.file_at("main.tex"))) == "before between "


@runs_async
async def test_what_a_killed_server_had_not_stored_is_sent_again():
    async with FakeServer() as server:
        room = server.add_room(DOCUMENT, LINEAGE)
        async with Desk(server.address) as ada:
            ada.replica.create(LINEAGE)
            await ada.connect()
            await until(lambda: ada.is_saved)
            server.commits = False
            ada.replica.replace(0, 0, "precious")
            await until(lambda: "precious" in str(room.document.text(room.document.file_at("main.tex"))))
            assert ada.replica.unacknowledged() == 1
            await server.stop(crashes=True)
            server.commits = True
            await server.start()
            await until(lambda: ada.is_saved)
            assert str(room.document.text(room.document.file_at("main.tex"))) == "precious"


@runs_async
async def test_a_token_that_expired_while_away_is_renewed_without_a_word():
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port)) as ada:
            await ada.connect()
            proxy.refuse()
            await until(lambda: ada.visited(Waiting))
            server.refuse_with("access-1", "token_expired")
            proxy.restore()
            await until(lambda: ada.is_live)
            assert [order.token for order in server.sign_ins] == ["invite", "access-1", "refresh-1"]
            assert ada.credentials.refusals == [(Rung.ACCESS, "token_expired")]
            assert any(isinstance(state, Authenticating) and state.is_again for state in ada.states)


@runs_async
async def test_a_token_that_expires_on_a_live_link_costs_one_sign_in():
    async with FakeServer() as server:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(server.address) as ada:
            await ada.connect()
            server.refuse_with("access-1", "token_expired")
            await server.close_all(4401)
            await until(lambda: len(server.sign_ins) == 2 and ada.is_live)
            assert server.sign_ins[-1].token == "refresh-1"


@runs_async
async def test_a_token_renewed_in_band_is_used_next_time():
    async with FakeServer() as server, TcpProxy(server.port) as proxy:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(at_port(proxy.port)) as ada:
            await ada.connect()
            await server.tell(TokenRenewed(access_token="access-new", expires_at=4e9))
            await until(lambda: ada.credentials.access_token == "access-new")
            proxy.cut()
            await until(lambda: len(server.sign_ins) == 2)
            assert server.sign_ins[-1].token == "access-new"


@pytest.mark.parametrize("code", ["invite_expired", "invite_revoked", "removed", "identity_mismatch", "made_up"])
@runs_async
async def test_refused_for_good_the_user_is_asked_once(code):
    async with FakeServer() as server:
        server.refuse_with("invite", code)
        async with Desk(server.address) as ada:
            ada.connection.connect()
            await until(lambda: isinstance(ada.connection.state, NeedsUser))
            assert ada.connection.state.code == code
            assert len(server.sign_ins) == 1


@runs_async
async def test_a_server_that_is_full_is_asked_again():
    async with FakeServer() as server:
        server.add_room(DOCUMENT, LINEAGE)
        full = AuthenticationResult(ok=False, code="over_capacity", retryable=True, retry_after_s=0.01)
        server.verdict = lambda order: full if len(server.sign_ins) < 3 else None
        async with Desk(server.address) as ada:
            await ada.connect()
            assert len(server.sign_ins) == 3
            assert ada.credentials.invite is None


@pytest.mark.parametrize(
    ("close_code", "kind", "code"),
    [
        (4409, Idle, None),
        (4403, NeedsUser, "removed"),
        (4410, NeedsUser, "session_ended"),
        (4426, NeedsUser, "protocol_unsupported"),
        (1009, NeedsUser, "frame_too_big"),
    ],
)
@runs_async
async def test_a_final_close_is_final(close_code, kind, code):
    async with FakeServer() as server:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(server.address) as ada:
            await ada.connect()
            await server.close_all(close_code, "because")
            await until(lambda: isinstance(ada.connection.state, kind))
            assert getattr(ada.connection.state, "code", None) == code
            ada.connection.retry_now("wake")
            assert isinstance(ada.connection.state, kind)
            assert len(server.sign_ins) == 1


@pytest.mark.parametrize("close_code", [1001, 1012, 1013, 1011, 4408])
@runs_async
async def test_a_passing_close_passes(close_code):
    async with FakeServer() as server:
        server.add_room(DOCUMENT, LINEAGE)
        async with Desk(server.address) as ada:
            await ada.connect()
            await server.close_all(close_code)
            await until(lambda: len(server.sign_ins) == 2 and ada.is_live)


@runs_async
async def test_another_lineage_is_refused_and_the_link_stays():
    async with FakeServer() as server:
        server.add_room(DOCUMENT, "another")
        async with Desk(server.address) as ada:
            ada.replica.create(LINEAGE)
            await ada.connect()
            assert [error.code for error in ada.replica.refusals] == ["lineage_mismatch"]
            assert server.rooms[DOCUMENT].document.is_empty


@runs_async
async def test_orders_are_answered_or_refused():
    async with FakeServer() as server, Desk(server.address) as ada:
        ada.connection.remove(DOCUMENT)
        await ada.connect()
        fact = await ada.connection.request(CreateDocument(title="T", document_id=DOCUMENT, lineage=LINEAGE))
        assert isinstance(fact, DocumentCreated)
        with pytest.raises(RejectedError, match="unknown_message"):
            await ada.connection.request(RedeemInvite(token="t"))
        assert (await ada.connection.request(ListDocuments())).documents == []


@runs_async
async def test_a_project_bigger_than_a_frame_arrives_in_pieces():
    async with FakeServer(limits=Limits(max_frame_bytes=4096)) as server:
        room = server.add_room(DOCUMENT, LINEAGE)
        async with Desk(server.address) as ada:
            ada.replica.create(LINEAGE)
            for number in range(30):
                ada.replica.replace(0, 0, f"{number} " + "x" * 1000)
            await ada.connect()
            await until(lambda: ada.is_saved)
            assert str(room.document.text(room.document.file_at("main.tex"))) == ada.replica.text


@runs_async
async def test_frames_held_back_on_the_way_arrive_in_order():
    faults = FaultyTransport(websocket_transport())
    async with FakeServer() as server, Desk(server.address, transport=faults) as ada:
        room = server.add_room(DOCUMENT, LINEAGE)
        ada.replica.create(LINEAGE)
        await ada.connect()
        faults.hold()
        for number in range(10):
            ada.replica.replace(0, 0, str(number))
        faults.release()
        await until(lambda: ada.is_saved)
        assert str(room.document.text(room.document.file_at("main.tex"))) == "9876543210"


@pytest.mark.parametrize("seed", range(6))
@runs_async
async def test_cuts_between_any_two_frames_lose_nothing(seed):
    dice, faults = random.Random(seed), FaultyTransport(websocket_transport())
    async with FakeServer() as server, Desk(server.address, transport=faults) as ada, Desk(server.address) as bob:
        server.add_room(DOCUMENT, LINEAGE)
        ada.replica.create(LINEAGE)
        await ada.connect()
        await bob.connect()
        await until(lambda: bob.replica.lineage)
        for number in range(60):
            desk = dice.choice([ada, bob])
            desk.replica.replace(0, 0, chr(0x4E00 + number))
            if dice.random() < 0.2:
                faults.cut(after_frames=dice.randint(0, 3))
            if dice.random() < 0.5:
                await asyncio.sleep(0)
        ada.connection.retry_now()
        await until(lambda: ada.is_saved and bob.is_saved)
        await until(lambda: ada.replica.text == bob.replica.text)
        assert sorted(ada.replica.text) == [chr(0x4E00 + number) for number in range(60)]


@runs_async
async def test_nobody_listens():
    async with TcpProxy(1) as proxy, Desk(at_port(proxy.port)) as ada:
        proxy.refuse()
        ada.connection.connect()
        await until(lambda: sum(isinstance(state, Waiting) for state in ada.states) >= 3)


@runs_async
async def test_something_else_listens():
    async def greet(_reader, writer):
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener, Desk(at_port(listener.sockets[0].getsockname()[1])) as ada:
        ada.connection.connect()
        await until(lambda: ada.visited(Waiting))


@runs_async
async def test_closing_while_connecting_leaves_nothing():
    async with TcpProxy(1) as proxy:
        proxy.half_open()
        async with Desk(at_port(proxy.port)) as ada:
            ada.connection.connect()
            await asyncio.sleep(0)
        assert isinstance(ada.connection.state, Closed)
