"""Operators' commands against a server that runs: what they show, and what they do to people who are connected."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.server_process import ServerProcess
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from texswarm_server.cli.program import main
from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, Error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TITLE = "On the Analytical Engine"


@dataclass
class Scene:
    """Ada made a document, and Bob is in it by an invite of the operator's."""

    data: Path
    document: str
    link: str
    ada: WireClient
    bob: WireClient
    capsys: pytest.CaptureFixture[str]

    async def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command on this server; return status, standard output and standard error."""
        self.capsys.readouterr()
        status = await asyncio.to_thread(main, [*words, "--data", str(self.data)])
        return (status, *self.capsys.readouterr())

    async def told(self, *words: str) -> str:
        status, out, err = await self.run(*words)
        assert (status, err) == (0, "")
        return out

    async def json(self, *words: str) -> Any:
        return json.loads(await self.told(*words, "--json"))

    async def refused(self, *words: str) -> str:
        status, out, err = await self.run(*words)
        assert (status, out, err.count("\n")) == (1, "", 1)
        return err

    def id_of(self, client: WireClient) -> str:
        assert client.welcome is not None
        assert client.welcome.user_id is not None
        return client.welcome.user_id


@pytest.fixture
def scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Scene]:
        data = tmp_path / "data"
        async with ServerProcess(data) as server:
            url = f"ws://127.0.0.1:{server.port}/ws"
            host = parse_invite_link(await server.invite(url))
            async with signed_in_client(url, host.token, name="Ada") as ada:
                document = (await ada.create_and_open("Hello", title=TITLE)).facts.document_id
                link = await server.invite(url, document=document, role="editor")
                async with signed_in_client(url, parse_invite_link(link).token, name="小林") as bob:
                    await bob.open(document)
                    yield Scene(data, document, link, ada, bob, capsys)

    return opened


@runs_async
async def test_everything_can_be_listed_while_the_server_runs(scene: Any) -> None:
    async with scene() as here:
        users = {user["user_id"]: user for user in await here.json("users", "list")}
        (document,) = await here.json("documents", "list")
        members = await here.json("documents", "members", here.document)
        sessions = await here.json("sessions", "list")
        invites = await here.json("invites", "list", "--document", here.document[:8])

        assert {user["display_name"] for user in users.values()} == {"Ada", "小林"}
        assert users[here.id_of(here.ada)]["can_create"]
        assert (document["title"], document["members"], document["owner_name"]) == (TITLE, 2, "Ada")
        assert [(each["display_name"], each["role"]) for each in members] == [("Ada", "owner"), ("小林", "editor")]
        assert {each["detached_at"] for each in sessions} == {None}
        assert [(each["role"], each["uses"], each["title"]) for each in invites] == [("editor", 1, TITLE)]


@runs_async
async def test_people_read_tables_and_one_user_whole(scene: Any) -> None:
    async with scene() as here:
        bob = here.id_of(here.bob)
        for words in (("users", "list"), ("documents", "members", here.document), ("sessions", "list")):
            head, *rows = (await here.told(*words)).splitlines()
            assert head == head.upper()
            assert any("小林" in row for row in rows)
        shown = await here.told("users", "show", bob[:6])
        assert all(words in shown for words in (bob, "小林", TITLE, "use the documents below"))
        assert (await here.json("users", "show", bob))["documents"][0]["title"] == TITLE


@runs_async
async def test_a_user_who_is_removed_is_out_at_once_and_may_be_let_in_again(scene: Any) -> None:
    async with scene() as here:
        bob = here.id_of(here.bob)
        out = await here.told("users", "remove", bob)
        assert out.startswith(f"小林 ({bob[:8]}) was removed from the server.\nInvite ")
        assert await here.bob.closed() == 4403
        assert [user["user_id"] for user in await here.json("users", "list", "--removed")] == [bob]
        assert await here.told("users", "remove", bob) == "Nothing to change: it is so already.\n"
        assert "may come in again" in await here.told("users", "restore", bob)


@runs_async
async def test_tokens_that_are_revoked_end_the_connection(scene: Any) -> None:
    async with scene() as here:
        await here.told("revoke", "--user", here.id_of(here.bob))
        assert await here.bob.closed() == 4401


@runs_async
async def test_who_was_signed_out_everywhere_comes_back_as_the_same_person_by_one_link(scene: Any) -> None:
    async with scene() as here:
        bob = here.id_of(here.bob)
        await here.told("users", "revoke", bob)
        assert await here.bob.closed() == 4401
        link = parse_invite_link((await here.told("users", "invite", bob[:8], "--ttl", "1h")).strip())
        (listed, *_rest) = await here.json("invites", "list")
        assert (listed["for_user"], listed["max_uses"]) == (bob, 1)
        assert "the server, as 小林" in await here.told("invites", "list")
        async with signed_in_client(link.address.url, link.token, name="小林") as again:
            assert here.id_of(again) == bob
            opened = await again.open(here.document)
            assert (opened.facts.role, opened.text()) == ("editor", "Hello")
            async with wire_client(link.address.url) as thief:
                refused = await thief.ask(Authentication(protocol=2, token=link.token), AuthenticationResult)
                assert (refused.ok, refused.code) == (False, "invite_used_up")
        assert "may sign in again by invite" in await here.told("audit")
        await here.told("users", "remove", bob)
        assert "removed" in await here.refused("users", "invite", bob)


@runs_async
async def test_a_link_by_which_others_came_is_named_when_somebody_is_removed(scene: Any) -> None:
    async with scene() as here:
        link, bob = parse_invite_link(here.link), here.id_of(here.bob)
        async with signed_in_client(link.address.url, link.token, name="Eve") as eve:
            out = await here.told("documents", "ban", here.document, bob)
            assert " stays. Whoever has it" in out
            await eve.open(here.document)
            out = await here.told("users", "remove", bob, "--shared-invites")
            assert out.count("Invite ") == 1
            assert "was revoked" in out


@runs_async
async def test_who_is_taken_out_of_a_document_cannot_come_as_somebody_new_by_the_same_link(scene: Any) -> None:
    async with scene() as here:
        link, bob = parse_invite_link(here.link), here.id_of(here.bob)
        assert "was revoked" in await here.told("documents", "remove", here.document, bob)
        async with wire_client(link.address.url) as nobody:
            answer = await nobody.ask(Authentication(protocol=2, token=link.token), AuthenticationResult)
            assert answer.code == ErrorCode.INVITE_REVOKED


@runs_async
async def test_a_role_is_given_and_a_member_banned_and_unbanned(scene: Any) -> None:
    async with scene() as here:
        bob, ada = here.id_of(here.bob), here.id_of(here.ada)
        (entry,) = await here.json("documents", "role", here.document, bob, "viewer")
        assert (entry["action"], entry["role"], entry["actor"]) == ("role_changed", "viewer", "operator")
        assert "say --force" in await here.refused("documents", "role", here.document, ada, "viewer")
        assert "was banned from" in await here.told("documents", "ban", here.document, bob)
        states = {each["user_id"]: each["state"] for each in await here.json("documents", "members", here.document)}
        assert states == {ada: "member", bob: "banned"}
        assert "may be invited" in await here.told("documents", "unban", here.document, bob)
        assert "was not removed" in await here.refused("documents", "unban", here.document, bob)


@runs_async
async def test_what_is_typed_after_a_command_has_returned_is_judged_by_it(scene: Any) -> None:
    async with scene() as here:
        bob = here.id_of(here.bob)
        opened = await here.bob.open(here.document)
        await here.told("documents", "role", here.document, bob, "viewer")
        await opened.write(", too late")
        assert (await here.bob.heard(Error)).code == ErrorCode.FORBIDDEN
        link = parse_invite_link(here.link)
        async with signed_in_client(link.address.url, link.token) as eve:
            assert (await eve.open(here.document)).text() == "Hello"


@runs_async
async def test_an_invite_is_revoked_by_its_link(scene: Any) -> None:
    async with scene() as here:
        (entry,) = await here.json("revoke", here.link)
        assert entry["action"] == "invite_revoked"
        assert entry["reference"] not in [each["invite_id"] for each in await here.json("invites", "list")]
        assert "revoked" in await here.told("invites", "list", "--all")


@runs_async
async def test_a_session_is_closed(scene: Any) -> None:
    async with scene() as here:
        (session,) = await here.json("sessions", "list", "--user", here.id_of(here.bob))
        assert "was closed" in await here.told("sessions", "close", session["session_id"])
        assert await here.bob.closed() in {4401, 4403, 4410}


@runs_async
async def test_what_happened_is_read_from_the_log(scene: Any) -> None:
    async with scene() as here:
        await here.told("keys", "rotate")
        assert "signed with a new key" in await here.told("audit", "--limit", "1")
        about_bob = await here.json("audit", "--user", here.id_of(here.bob))
        assert {each["user_id"] for each in about_bob} == {here.id_of(here.bob)}
        assert [each["action"] for each in await here.json("audit", "--action", "key_rotated")] == ["key_rotated"]
        text = await here.told("audit", "--limit", "1000")
        token = parse_invite_link(here.link).token
        assert token is not None
        assert token not in text


@runs_async
async def test_everything_is_copied_and_looked_through_while_the_server_runs(scene: Any, tmp_path: Path) -> None:
    async with scene() as here:
        assert (await here.json("backup", str(tmp_path / "copy.db")))["documents"] == 1
        assert (tmp_path / "copy.db").stat().st_size > 0
        assert ": sound. 1 document, " in await here.told("check")


@runs_async
async def test_what_does_not_exist_or_is_not_clear_is_one_line(scene: Any) -> None:
    async with scene() as here:
        for words, said in {
            ("users", "remove", "nobody"): "no user has the id 'nobody'; `texswarm-server users list`",
            ("documents", "members", here.document[:2]): "is too short to name a document",
            ("sessions", "close", "none-such"): "no session has the id",
            ("revoke",): "say what to revoke",
            ("revoke", "texswarm://here/"): "this link holds no invitation",
            ("revoke", "0000000"): "no invite has the id",
        }.items():
            assert said in await here.refused(*words)


def test_where_there_is_no_server_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["users", "list"], ["check"], ["backup", str(tmp_path / "b")], ["audit"], ["keys", "rotate"]):
        assert main([*words, "--data", str(tmp_path / "none")]) == 1
        assert "there is no database " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_server_on_which_nothing_happened_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "data")]
    main(["invite", *data, "--ttl", "1h"])
    capsys.readouterr()
    said = {}
    for group in ("users", "documents", "sessions"):
        assert main([group, "list", *data]) == 0
        said[group] = capsys.readouterr().out
    assert said == {
        "users": "Nobody yet; `texswarm-server invite` makes a way in.\n",
        "documents": "No documents yet.\n",
        "sessions": "No sessions.\n",
    }
