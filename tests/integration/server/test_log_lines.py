"""The log of a busy server: one event a line, and no secret, name or word of a document in it, however it came in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.helpers.legacy_client import legacy_client
from tests.helpers.plain_http import get
from tests.helpers.run_async import runs_async
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import signed_in_client, wire_client
from tests.helpers.yjs_client import yjs_client
from texswarm_server.protocol.frames import Update, encode_frame
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.protocol.messages import Authentication, CreateInvite, InviteCreated

if TYPE_CHECKING:
    from pathlib import Path

TYPED, TITLE, NAME, WRONG = "Entzifferte Handschrift", "Nachlass", "Heimlich", "txi_erfundenes-geheimnis"


async def busy_run(server: ServerProcess) -> list[str]:
    """Do all kinds of things, right and wrong; return what nobody may find in a log."""
    url = f"ws://127.0.0.1:{server.port}/ws"
    invite = parse_invite_link(await server.invite(url)).token
    async with signed_in_client(url, invite, name=NAME, client="tests 1.0") as ada:
        opened = await ada.create_and_open(TYPED)
        document_id = opened.facts.document_id
        await ada.create(TITLE)
        await opened.publish({"user": {}, "words": TYPED})
        made = await ada.ask(CreateInvite(document_id=document_id, role="editor"), InviteCreated)
        async with legacy_client(url, made.token) as old, yjs_client(url, document_id, made.token) as browser:
            await old.open(document_id)
            await old.insert(document_id, 0, TYPED)
            await browser.shows(TYPED + TYPED)
            await old.connection.send(f'{{"type": "DocumentOperation", "payload": "{TYPED}"}}')
            await old.insert(document_id, 10_000, TYPED)
            await browser.connection.send(TYPED.encode())
        await ada.send_text(f'{{"type": "{WRONG}", "payload": {{"token": "{invite}"}}}}')
        await ada.send_bytes(encode_frame(opened.handle, Update(TYPED.encode())))
        await ada.send_bytes(TYPED.encode())
        await ada.answer(Authentication(protocol=2, token=ada.welcome.refresh_token, display_name=NAME))
        secrets: list[Any] = [
            invite,
            made.token,
            ada.welcome.refresh_token,
            ada.welcome.access_token,
            ada.welcome.session_id,
        ]
    await go_wrong(url, document_id, invite)
    return [*secrets, TYPED, TITLE, NAME, WRONG]


async def go_wrong(url: str, document_id: str, invite: str) -> None:
    async with wire_client(url) as stranger:
        await stranger.send(Authentication(protocol=2, token=WRONG))
        await stranger.closed()
    async with yjs_client(url, document_id, WRONG) as stranger:
        await stranger.closed()
    async with wire_client(url) as stranger:
        await stranger.send_text(invite * 2000)
        await stranger.closed()
    async with wire_client(url) as stranger:
        stranger.connection.transport.write(b"\xff" + invite.encode())
        with suppress(ConnectionClosed):
            await stranger.closed()
    with pytest.raises(InvalidStatus):
        await connect(url.replace("/ws", f"/nowhere?token={invite}"))
    with suppress(OSError, IndexError, ValueError):
        await get(url, f"/ {invite} nonsense")
    with suppress(OSError, IndexError, ValueError):
        await get(url, "/ws", Upgrade="websocket", Sec_WebSocket_Key=invite)


@pytest.mark.parametrize("log_format", ["text", "json"])
@runs_async
async def test_nothing_that_is_nobodys_business_is_logged(tmp_path: Path, log_format: str) -> None:
    async with ServerProcess(tmp_path / "data", "--log-level", "debug", "--log-format", log_format) as server:
        secret = await busy_run(server)
        await server.stop()
    log = (tmp_path / "server.log").read_text("utf-8")
    lines = log.splitlines()

    assert [words for words in secret if words in log] == []
    assert "Traceback" not in log
    for event in ("listening", "signed in", "sign-in refused", "connection ended", "draining", "stopped"):
        assert any(event in line for line in lines), event
    if log_format == "json":
        assert all({"time", "level", "logger", "event"} <= json.loads(line).keys() for line in lines)
        refused = [json.loads(line) for line in lines if "sign-in refused" in line]
        assert {(each["code"], each["wire"], each["address"]) for each in refused} == {
            ("token_invalid", "protocol_2", "127.0.0.1"),
            ("token_invalid", "yjs", "127.0.0.1"),
        }
