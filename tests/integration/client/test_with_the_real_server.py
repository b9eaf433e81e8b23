"""Both ends for real: the client of the desktop against the server of this distribution, in one loop, on loopback."""

import time
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import runs_async, until
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import (
    Authenticating,
    Connecting,
    Idle,
    Live,
    NeedsUser,
    Rung,
    StopCode,
    Syncing,
    Waiting,
)
from texswarm_desktop.client.timing import LAN
from texswarm_server.app import CollabServer
from texswarm_server.cli.database import changing
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import (
    CreateDocument,
    DocumentCreated,
    DocumentList,
    ListDocuments,
    RedeemInvite,
    RemoveMember,
    UnbanMember,
)
from texswarm_server.sessions.administration import change_role

DOCUMENT = "22222222-2222-4222-8222-222222222222"
LINEAGE = "33333333-3333-4333-8333-333333333333"
HASTY = replace(LAN, backoff_s=(0.0, 0.02, 0.05), close_timeout_s=0.2, probe_timeout_s=0.3)


class WallClock:
    """The server's wall clock, which a test can set forward."""

    def __init__(self):
        self.ahead_s = 0.0

    def __call__(self):
        return time.time() + self.ahead_s


@asynccontextmanager
async def server_in(folder, *, port=0, clock=None, **options):
    config = ServerConfig(data=folder, port=port, **options)
    async with CollabServer(config, wall_clock=clock or WallClock()) as server:
        yield server


class Desk:
    """One installation: credentials, a replica, a connection."""

    def __init__(self, port, invite=None, *, credentials=None):
        self.credentials = credentials or FakeCredentials(invite=invite)
        self.replica = ModelReplica(DOCUMENT)
        self.connection = Connection(
            address=ServerAddress("127.0.0.1", port), credentials=self.credentials, profile=HASTY
        )
        self.states = []
        self.connection.subscribe(lambda old, new: self.states.append(new))

    async def __aenter__(self):
        await self.connection.__aenter__()
        return self

    async def __aexit__(self, *exc):
        await self.connection.__aexit__(*exc)

    async def connect(self):
        self.connection.connect()
        await until(lambda: self.is_live)

    async def host(self):
        """Create the document on the server and open it."""
        self.replica.create(LINEAGE)
        await self.connect()
        fact = await self.connection.request(CreateDocument(title="Paper", document_id=DOCUMENT, lineage=LINEAGE))
        assert isinstance(fact, DocumentCreated)
        self.open()
        await until(lambda: self.is_saved)

    def open(self):
        self.replica.sync = self.connection.add(self.replica)

    async def join(self):
        self.open()
        await self.connect()
        await until(lambda: self.replica.lineage)

    @property
    def is_live(self):
        return isinstance(self.connection.state, Live)

    @property
    def is_saved(self):
        return self.is_live and self.replica.unacknowledged() == 0

    def visited(self, kind):
        return any(isinstance(state, kind) for state in self.states)


async def same(*desks):
    await until(lambda: all(desk.is_saved for desk in desks))
    await until(lambda: len({desk.replica.text for desk in desks}) == 1)


@runs_async
async def test_a_server_that_was_started_open_needs_no_invitation(tmp_path):
    async with server_in(tmp_path, open=True) as server, Desk(server.address.port) as ada:
        await ada.host()
        assert ada.credentials.refresh_token


@runs_async
async def test_a_server_that_is_not_open_says_that_an_invitation_is_needed(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port) as ada:
        ada.connection.connect()
        await until(lambda: isinstance(ada.connection.state, NeedsUser))
        assert ada.connection.state.code == "token_missing"


@runs_async
async def test_who_cannot_sign_in_for_a_locked_key_ring_is_told_that_and_does_once_it_is_open(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port) as ada:
        invite = await server.create_invite("owner")
        ada.credentials.is_shut = True
        ada.connection.connect()
        await until(lambda: isinstance(ada.connection.state, NeedsUser))
        assert ada.connection.state.code == StopCode.KEY_RING_SHUT

        async def open_ring() -> None:
            ada.credentials.is_shut, ada.credentials.invite = False, invite

        ada.credentials.catch_up = open_ring
        ada.connection.retry_now()
        await until(lambda: ada.is_live)


@runs_async
async def test_before_a_refresh_token_is_shown_other_windows_are_looked_at_and_not_for_an_access_token(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, await server.create_invite("owner")) as ada:
        await ada.connect()
        assert ada.credentials.caught_up == 0
        ada.credentials.access_expires_at = 0.0
        port = server.address.port
        await server.stop()
        async with server_in(tmp_path, port=port):
            await until(lambda: ada.credentials.caught_up and ada.is_live)


@runs_async
async def test_host_and_guest_write_together(tmp_path):
    async with server_in(tmp_path) as server:
        invites = [await server.create_invite("owner"), await server.create_invite("editor")]
        async with Desk(server.address.port, invites[0]) as ada, Desk(server.address.port, invites[1]) as bob:
            await ada.host()
            bob.credentials.invite = await server.create_invite("editor", DOCUMENT)
            await bob.join()
            ada.replica.replace(0, 0, "Hello 😀")
            await until(lambda: bob.replica.text == "Hello 😀")
            bob.replica.replace(0, 0, "Ho. ")
            await same(ada, bob)
            assert ada.replica.text == "Ho. Hello 😀"
            await until(lambda: len(ada.replica.participants) == 2)
            await until(lambda: ada.replica.presence)
            assert [type(state) for state in bob.states] == [Connecting, Authenticating, Syncing, Live]


@asynccontextmanager
async def hosted_behind_a_proxy(folder, **options):
    """A server, a cable to it, and a desk that has put its document there over the cable."""
    async with server_in(folder, **options) as server, TcpProxy(server.address.port) as proxy, Desk(proxy.port) as ada:
        ada.credentials.invite = await server.create_invite("owner")
        await ada.host()
        yield proxy, ada


@runs_async
async def test_a_cut_is_mended_by_resuming_the_session(tmp_path):
    async with hosted_behind_a_proxy(tmp_path) as (proxy, ada):
        proxy.refuse()
        await until(lambda: ada.visited(Waiting))
        ada.replica.replace(0, 0, "typed without a link")
        proxy.restore()
        await until(lambda: ada.is_saved)
        assert ada.credentials.results[-1].resumed
        assert ada.credentials.results[-1].session_id == ada.credentials.results[0].session_id


@runs_async
async def test_a_half_open_link_is_replaced_by_the_same_session(tmp_path):
    async with hosted_behind_a_proxy(tmp_path) as (proxy, ada):
        proxy.half_open()
        ada.replica.replace(0, 0, "into the void")
        ada.connection.retry_now("wake")
        await until(lambda: ada.visited(Waiting))
        proxy.restore()
        await until(lambda: ada.is_saved)
        assert ada.credentials.results[-1].resumed
        assert not ada.visited(Idle)
        assert not ada.visited(NeedsUser)


@runs_async
async def test_a_restart_keeps_everything_and_doubles_nothing(tmp_path):
    async with server_in(tmp_path) as server:
        port = server.address.port
        ada = Desk(port, await server.create_invite("owner"))
        await ada.__aenter__()
        await ada.host()
        ada.replica.replace(0, 0, "before ")
        await until(lambda: ada.is_saved)
    await until(lambda: ada.visited(Waiting))
    ada.replica.replace(7, 7, "between ")
    async with server_in(tmp_path, port=port) as server, Desk(port) as bob:
        await until(lambda: ada.is_saved)
        bob.credentials.invite = await server.create_invite("viewer", DOCUMENT)
        await bob.join()
        await until(lambda: bob.replica.text == "before between ")
        await ada.__aexit__(None, None, None)


@runs_async
async def test_a_token_that_expired_while_away_is_renewed_by_itself(tmp_path):
    clock = WallClock()
    async with hosted_behind_a_proxy(tmp_path, clock=clock, access_ttl_s=60.0) as (proxy, ada):
        proxy.refuse()
        await until(lambda: ada.visited(Waiting))
        ada.replica.replace(0, 0, "patience")
        clock.ahead_s = 3600.0
        proxy.restore()
        await until(lambda: ada.is_saved)
        assert [kind for kind, _ in ada.credentials.refusals] == [Rung.ACCESS]
        assert not ada.visited(NeedsUser)


@runs_async
async def test_a_viewer_reads_and_keeps_their_edits_to_themselves(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, await server.create_invite("owner")) as ada:
        await ada.host()
        async with Desk(server.address.port, await server.create_invite("viewer", DOCUMENT)) as bob:
            await bob.join()
            ada.replica.replace(0, 0, "read this")
            await until(lambda: bob.replica.text == "read this")
            bob.replica.replace(0, 0, "mine ")
            await until(lambda: ada.is_saved)
            assert ada.replica.text == "read this"
            assert bob.replica.unacknowledged() == 1
            assert bob.is_live


async def order(host, what):
    """Let an owner change who is in the document, and return what the server says of the member."""
    return (await host.connection.request(what)).member


def let_edit_again(folder, desk):
    """Do as an operator does at the command line of the server."""
    with changing(folder) as to:
        user_id = desk.credentials.user_id
        change_role(to.records, actor=to.actor, user_id=user_id, document_id=DOCUMENT, role="editor", now=to.now)


@asynccontextmanager
async def removed_guest(folder):
    """An owner, and a guest on a cable who was in the document and is taken out of it while connected."""
    async with (
        server_in(folder) as server,
        TcpProxy(server.address.port) as cable,
        Desk(server.address.port, await server.create_invite("owner")) as ada,
    ):
        await ada.host()
        async with Desk(cable.port, await server.create_invite("editor", DOCUMENT)) as bob:
            await bob.join()
            await same(ada, bob)
            out = RemoveMember(document_id=DOCUMENT, user_id=bob.credentials.user_id, ban=True)
            assert (await order(ada, out)).is_banned
            await until(lambda: [error.code for error in bob.replica.refusals] == ["removed"])
            bob.replica.replace(0, 0, "kept ")
            yield server, cable, ada, bob


@runs_async
async def test_who_is_given_a_role_again_sees_the_document_again_on_the_link_that_stands(tmp_path):
    async with removed_guest(tmp_path) as (_server, _cable, ada, bob):
        let_edit_again(tmp_path, bob)
        await same(ada, bob)
        assert ada.replica.text == "kept "
        assert bob.replica.openings[-1].role == "editor"


@runs_async
async def test_who_is_unbanned_and_invited_again_sees_the_document_again(tmp_path):
    async with removed_guest(tmp_path) as (server, _cable, ada, bob):
        await order(ada, UnbanMember(document_id=DOCUMENT, user_id=bob.credentials.user_id))
        invite = await server.create_invite("viewer", DOCUMENT)
        await bob.connection.request(RedeemInvite(token=invite))
        ada.replica.replace(0, 0, "welcome back")
        await until(lambda: "welcome back" in bob.replica.text)


@runs_async
async def test_who_is_taken_back_while_away_sees_the_document_again_when_the_link_returns(tmp_path):
    async with removed_guest(tmp_path) as (_server, cable, ada, bob):
        cable.refuse()
        await until(lambda: isinstance(bob.connection.state, Waiting))
        let_edit_again(tmp_path, bob)
        cable.restore()
        await same(ada, bob)
        assert ada.replica.text == "kept "


@runs_async
async def test_bad_credentials_end_with_the_user(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, "not-an-invite") as ada:
        ada.connection.connect()
        await until(lambda: ada.visited(NeedsUser))
        assert ada.connection.state.code == "token_invalid"
        assert ada.credentials.refusals == [(Rung.INVITE, "token_invalid")]


@runs_async
async def test_a_used_up_invite_names_itself(tmp_path):
    async with server_in(tmp_path) as server:
        invite = await server.create_invite("editor", uses=1)
        async with Desk(server.address.port, invite) as ada, Desk(server.address.port, invite) as bob:
            await ada.connect()
            bob.connection.connect()
            await until(lambda: bob.visited(NeedsUser))
            assert bob.connection.state.code == "invite_used_up"


@runs_async
async def test_the_older_of_two_connections_of_one_session_goes_quietly(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, await server.create_invite("owner")) as ada:
        await ada.host()
        async with Desk(server.address.port, credentials=ada.credentials) as newer:
            await newer.connect()
            await until(lambda: isinstance(ada.connection.state, Idle))
            assert newer.is_live


@runs_async
async def test_another_lineage_is_refused_and_nothing_is_mixed(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, await server.create_invite("owner")) as ada:
        await ada.host()
        async with Desk(server.address.port, await server.create_invite("editor", DOCUMENT)) as bob:
            bob.replica.create("44444444-4444-4444-8444-444444444444")
            bob.open()
            await bob.connect()
            assert [error.code for error in bob.replica.refusals] == ["lineage_mismatch"]


@runs_async
async def test_what_is_not_mine_is_not_found(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, await server.create_invite("owner")) as ada:
        await ada.host()
        async with Desk(server.address.port, await server.create_invite("editor")) as bob:
            bob.open()
            await bob.connect()
            assert [error.code for error in bob.replica.refusals] == ["document_not_found"]
            assert await bob.connection.request(ListDocuments()) == DocumentList(request=2, documents=[])


@runs_async
async def test_an_order_that_is_refused_raises_its_code(tmp_path):
    async with server_in(tmp_path) as server, Desk(server.address.port, await server.create_invite("owner")) as ada:
        await ada.host()
        with pytest.raises(RejectedError, match="document_exists"):
            await ada.connection.request(CreateDocument(title="x", document_id=DOCUMENT, lineage="another"))
