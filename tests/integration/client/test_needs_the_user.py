"""What only the user can mend, each made with the real server: one sentence, one action, and a golden transcript."""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.golden import assert_golden
from tests.helpers.lab_desk import LabDesk
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.states import NeedsUser
from texswarm_desktop.client.transport import websocket_transport
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.messages import RemoveMember
from texswarm_server.sessions import administration
from texswarm_server.sessions.audit import OPERATOR
from texswarm_server.storage.schema import open_database
from texswarm_server.storage.sqlite_records import transaction
from texswarm_server.storage.store import database_path

#: Shown where bringing the link back takes more than a second, on a busy machine.
BY_CHANCE = ("amber  Reconnecting", "amber  Signing in again")


@asynccontextmanager
async def server_in(folder: Path, **options: Any) -> AsyncIterator[CollabServer]:
    config = ServerConfig(data=folder, name="Test", housekeeping_s=0.02, **{"port": 0} | options)
    async with CollabServer(config) as server:
        yield server


async def desk_at(server: CollabServer, title: str, **options: Any) -> LabDesk:
    desk = LabDesk(server.address, title=title, name="the server", **options)
    desk.credentials.invite = await server.create_invite("owner")
    return desk


def is_stuck(desk: LabDesk) -> bool:
    return isinstance(desk.connection.state, NeedsUser)


def assert_told(desk: LabDesk, name: str) -> None:
    """One sentence and one action in red stand at the end; and the whole reads as it should."""
    last = desk.said[-1] if "History" not in desk.said else desk.said[desk.said.index("History") - 1]
    assert last.startswith("red ")
    assert last.count("  [") == 1
    told = desk.transcript.text(time.monotonic()).splitlines(keepends=True)
    assert_golden(f"status/needs/{name}.txt", "".join(line for line in told if not line.startswith(BY_CHANCE)))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"ttl_s": -1.0}, "invitation-expired"),
        (None, "invitation-unknown"),
        ({}, "invitation-used"),
        ({"uses": 2}, "invitation-withdrawn"),
    ],
)
@runs_async
async def test_an_invitation_that_does_not_let_in(tmp_path: Path, options: dict[str, Any] | None, name: str) -> None:
    async with server_in(tmp_path) as server:
        desk = LabDesk(
            server.address, title=f"Somebody joins by an {name.replace('-', ' that is ')}", name="the server"
        )
        desk.credentials.invite = "forged" if options is None else await server.create_invite("owner", **options)
        if options == {}:
            desk.credentials.invite = await server.create_invite("owner", uses=1)
            async with LabDesk(server.address) as first:
                first.credentials.invite = desk.credentials.invite
                await first.create()
        if options == {"uses": 2}:
            _withdraw(tmp_path, desk.credentials.invite)
        async with desk:
            await desk.begin()
            await until(lambda: is_stuck(desk))
    assert_told(desk, name)


def _withdraw(data: Path, token: str | None) -> None:
    assert token is not None
    with closing(open_database(database_path(data))) as database, transaction(database) as records:
        assert administration.revoke_by_token(records, actor=OPERATOR, token=token, now=time.time())


@runs_async
async def test_access_is_revoked_by_the_operator(tmp_path: Path) -> None:
    async with server_in(tmp_path) as server:
        desk = await desk_at(server, "The operator revokes the access of somebody who writes")
        async with desk:
            await desk.create()
            desk.transcript.happens("texswarm-server revoke USER")
            _revoke(tmp_path, desk.credentials.user_id)
            await until(lambda: is_stuck(desk))
    assert_told(desk, "revoked")


def _revoke(data: Path, user_id: str | None) -> None:
    assert user_id is not None
    with closing(open_database(database_path(data))) as database, transaction(database) as records:
        administration.revoke_tokens(records, actor=OPERATOR, now=time.time(), user_id=user_id)


@runs_async
async def test_an_owner_takes_somebody_out(tmp_path: Path) -> None:
    async with server_in(tmp_path) as server:
        owner, guest = await desk_at(server, "owner"), await desk_at(server, "An owner takes somebody out who writes")
        async with owner, guest:
            await owner.create()
            guest.credentials.invite = await server.create_invite("editor", owner.replica.document_id)
            await guest.join()
            assert guest.credentials.user_id is not None
            guest.transcript.happens("the owner presses Remove")
            await owner.connection.request(
                RemoveMember(document_id=owner.replica.document_id, user_id=guest.credentials.user_id, ban=False)
            )
            await until(lambda: guest.replica.refusals)
            guest.look()
    assert_told(guest, "removed")


@pytest.mark.parametrize(
    ("spoken", "golden", "what"),
    [
        (0, "version", "The server speaks a newer version than this program"),
        (99, "older-server", "The server speaks an older version than this program"),
    ],
)
@runs_async
async def test_the_server_speaks_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoken: int, golden: str, what: str
) -> None:
    monkeypatch.setattr("texswarm_desktop.client.session.PROTOCOL_VERSION", spoken)
    async with server_in(tmp_path) as server:
        desk = await desk_at(server, what)
        async with desk:
            await desk.begin()
            await until(lambda: is_stuck(desk))
    assert_told(desk, golden)


@runs_async
async def test_the_server_has_another_history_of_the_document(tmp_path: Path) -> None:
    async with server_in(tmp_path) as server:
        owner, other = await desk_at(server, "owner"), await desk_at(server, "The server has another history")
        async with owner, other:
            await owner.create()
            other.credentials.invite = await server.create_invite("editor", owner.replica.document_id)
            other.replica.create("44444444-4444-4444-8444-444444444444")
            other.replica.sync = other.connection.add(other.replica)
            await other.begin()
            await until(lambda: other.replica.refusals)
            await until(lambda: other.is_live)
            other.look()
    assert_told(other, "other-history")


@runs_async
async def test_the_server_shows_another_certificate(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    cert, key, der = certificate(tmp_path / "one")
    other_cert, other_key, _ = certificate(tmp_path / "two")
    transport = websocket_transport(hashlib.sha256(der).hexdigest())
    async with server_in(tmp_path / "data", tls_cert=cert, tls_key=key) as server:
        port = server.address.port
        desk = await desk_at(server, "The server comes back with another certificate", transport=transport)
        await desk.__aenter__()
        await desk.create()
        desk.transcript.happens("the server restarts with another certificate")
    async with desk, server_in(tmp_path / "data", port=port, tls_cert=other_cert, tls_key=other_key):
        await until(lambda: is_stuck(desk))
    assert_told(desk, "other-certificate")
