"""A damaged database: what can be read is shown, nothing is stored over what cannot, and the reason is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.helpers.legacy_client import legacy_client
from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from tests.helpers.yjs_client import yjs_client
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CreateDocument,
    Error,
    OpenDocument,
    RedeemInvite,
)
from texswarm_server.sessions.audit import AuditAction
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from pathlib import Path


def harm_last_update(data: Path, document_id: str) -> list[tuple[object, ...]]:
    """Change what was written last into a document, and return the whole log of updates."""
    with closing(sqlite3.connect(database_path(data))) as database:
        last = "SELECT max(number) FROM updates WHERE document_id = ?"
        database.execute(f"UPDATE updates SET data = x'0000ff' WHERE number = ({last})", (document_id,))
        database.commit()
    return log_of(data)


def log_of(data: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database_path(data))) as database:
        return database.execute("SELECT * FROM updates").fetchall()


async def refused_edit(client: WireClient, document_id: str) -> Error:
    """Open a document and write into it; return what the server says to that."""
    opened = await client.open(document_id)
    await opened.write(" in vain")
    refusal: Error = await client.heard(lambda fact: isinstance(fact, Error) and fact.code == "document_read_only")
    assert refusal.handle == opened.handle
    assert opened.acknowledged < opened.sent
    return refusal


@pytest.mark.expects_log
@runs_async
async def test_the_good_part_of_a_damaged_document_is_shown_on_every_wire_and_never_changed(premises, caplog) -> None:
    data = premises.config.data
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        paper = await ada.create_and_open("sound")
        other = await ada.create_and_open("untouched")
        await paper.write(" and lost")
        await paper.acknowledged_all()
        document_id, token = paper.facts.document_id, ada.welcome.access_token
    before = harm_last_update(data, document_id)
    async with premises.running() as place, signed_in_client(place.url, token, user_id=None) as again:
        opened = await again.open(document_id)
        assert (opened.text(), opened.facts.read_only, opened.facts.role) == ("sound", "document_damaged", "owner")
        assert (await refused_edit(again, document_id)).message.endswith("document_damaged")
        invite = await place.server.create_invite("editor", document_id)
        async with legacy_client(place.url, invite) as old:
            assert await old.open(document_id) == "sound"
            edit = {"document_id": document_id, "position": 0, "content": "x"}
            refusal = await old.refused("DocumentOperation", {"operation": {"Insert": edit}})
            assert refusal["code"] == "document_read_only"
            await old.shows(document_id, "sound")
        async with yjs_client(place.url, document_id, token) as browser:
            await browser.shows("sound")
            await browser.insert(0, "x")
            await browser.publish({"user": {}})
        fine = await again.open(other.facts.document_id)
        await fine.write(", goes on")
        await fine.acknowledged_all()
        assert fine.facts.read_only is None
        again_opened = await again.open(document_id)
        assert again_opened.facts.read_only == "document_damaged"
    assert log_of(data)[: len(before)] == before
    assert [row[1] for row in log_of(data)[len(before) :]] == [other.facts.document_id]
    assert "takes no edits: update" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_a_database_without_its_head_is_served_read_only(premises, caplog) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        paper = await ada.create_and_open("all of it")
        document_id, token = paper.facts.document_id, ada.welcome.access_token
    path = database_path(premises.config.data)
    path.write_bytes(harmed := b"\xff" * 4096 + path.read_bytes()[4096:])
    for _ in range(2):
        async with premises.running() as place, signed_in_client(place.url, token, user_id=None) as again:
            opened = await again.open(document_id)
            assert (opened.text(), opened.facts.read_only) == ("all of it", "database_damaged")
            await refused_edit(again, document_id)
            assert await again.refused(CreateDocument(title="New")) == "storage_unavailable"
            assert not place.server._is_ready()
    assert path.read_bytes() == harmed
    assert caplog.text.count("is served read-only") == 2


def spoil_root(data: Path, table: str) -> None:
    """Write noise over the first page of a table."""
    path = database_path(data)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        root = database.execute(query, (table,)).fetchone()[0]
    with path.open("rb+") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xee" * 4096)


@pytest.mark.parametrize("table", ["users", "grants", "refresh_tokens"])
@pytest.mark.expects_log
@runs_async
async def test_nobody_is_told_to_forget_a_sign_in_that_may_have_been_lost(premises, caplog, table: str) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        await ada.create_and_open("words")
        token = ada.welcome.refresh_token
    spoil_root(premises.config.data, table)
    async with premises.running() as place, wire_client(place.url) as again:
        result = await again.ask(Authentication(protocol=2, token=token), AuthenticationResult)
        assert (result.ok, result.code, result.retryable) == (False, "storage_unavailable", True)
        assert await again.closed() == CloseCode.TRY_AGAIN_LATER
    assert "is served read-only" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_guesses_are_slowed_down_and_noted_while_the_database_is_damaged_as_well(premises, caplog) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        await ada.create_and_open("words")
        token, user_id = ada.welcome.access_token, ada.welcome.user_id
    spoil_root(premises.config.data, "documents")
    codes: list[str | None] = []
    async with premises.running() as place:
        while "throttled" not in codes and len(codes) < 60:
            async with wire_client(place.url) as eve:
                result = await eve.ask(Authentication(protocol=2, token="txi_guess"), AuthenticationResult)
                codes.append(result.code)
        assert codes == ["storage_unavailable"] * (len(codes) - 1) + ["throttled"]
        async with signed_in_client(place.url, token, user_id=user_id) as innocent:
            assert innocent.welcome.ok
        noted = await place.server._store.run(lambda records: records.audit(actions=[AuditAction.SIGN_IN_REFUSED]))
        assert {entry.detail for entry in noted} == {"token_invalid"}
        assert len(noted) == len(codes) - 1
    assert "is served read-only" in caplog.text


@pytest.mark.expects_log
@runs_async
async def test_a_document_that_may_have_been_lost_is_refused_for_now(premises, caplog) -> None:
    unknown = "7c9ff4a3-9a5f-4a3e-8ad1-0b7c5f7f4b11"
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        await ada.create_and_open("words")
        token = ada.welcome.access_token
        assert await ada.refused(OpenDocument(document_id=unknown)) == "document_not_found"
    spoil_root(premises.config.data, "documents")
    async with premises.running() as place, signed_in_client(place.url, token, user_id=None) as again:
        assert await again.refused(OpenDocument(document_id=unknown)) == "storage_unavailable"
        assert await again.refused(RedeemInvite(token="txi_unknown")) == "storage_unavailable"
    assert "is served read-only" in caplog.text
