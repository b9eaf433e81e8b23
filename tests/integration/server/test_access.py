"""Changes of access act on live connections at once, and hold after reconnects and restarts, on every wire."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.helpers.fake_time import FakeTime
from tests.helpers.legacy_client import legacy_client
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from tests.helpers.yjs_client import yjs_client
from texswarm_server import record_care
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    DocumentClosed,
    DocumentList,
    Error,
    ListDocuments,
    OpenDocument,
    RedeemInvite,
    RoleChanged,
    SignOut,
    TokenRenewed,
)
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions import administration as administer
from texswarm_server.sessions.audit import OPERATOR, SERVER, AuditAction, AuditEntry
from texswarm_server.sessions.records import Invite
from texswarm_server.sessions.signing_keys import SigningKey, load_keys
from texswarm_server.storage.read_only import open_read_only
from texswarm_server.storage.schema import open_database
from texswarm_server.storage.sqlite_records import SqliteRecords, transaction
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from collections.abc import Callable


def operate(premises: Any, change: Callable[..., list[AuditEntry]], **details: object) -> list[AuditEntry]:
    """Do what a command line does beside the running server: a transaction of its own on the same database."""
    with (
        closing(open_database(database_path(premises.config.data))) as database,
        transaction(database) as records,
    ):
        return change(records, actor=OPERATOR, now=time.time(), **details)


def entries(premises: Any, *actions: AuditAction) -> list[AuditEntry]:
    with closing(open_database(database_path(premises.config.data))) as database, transaction(database) as records:
        return records.audit(actions=actions)


async def refused(url: str, **details: object) -> tuple[str | None, int]:
    async with wire_client(url) as client:
        result = await client.ask(Authentication(protocol=2, **details), AuthenticationResult)
        assert not result.ok
        return result.code, await client.closed()


async def with_paper(place: Any, ada: WireClient, role: str = "editor") -> tuple[str, str]:
    """Make Ada's document, and an invite to it."""
    opened = await ada.create_and_open("Hello")
    return opened.facts.document_id, await place.server.create_invite(role, opened.facts.document_id)


@runs_async
async def test_a_role_that_an_operator_changes_reaches_every_connection_and_stays(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id, invite = await with_paper(place, ada)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            user_id, token = bob.welcome.user_id, bob.welcome.access_token
            async with signed_in_client(place.url, token, user_id=user_id) as second:
                windows = [await each.open(document_id) for each in (bob, second)]
                operate(premises, administer.change_role, user_id=user_id, document_id=document_id, role="viewer")
                for each in (bob, second):
                    assert (await each.heard(RoleChanged)).role == "viewer"
                await windows[0].write("not taken ")
                assert (await bob.heard(Error)).code == "forbidden"
                await bob.answer(RedeemInvite(token=invite))
        async with signed_in_client(place.url, token, user_id=user_id) as again:
            assert (await again.open(document_id)).facts.role == "viewer"
        assert ada.replicas[document_id].text(ada.replicas[document_id].file_at("main.tex"))
    async with premises.running() as place, signed_in_client(place.url, token, user_id=user_id) as later:
        assert (await later.open(document_id)).facts.role == "viewer"


@pytest.mark.parametrize("ban", [False, True])
@runs_async
async def test_who_is_taken_out_of_a_document_is_out_at_once_and_for_good(premises, ban: bool) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id, invite = await with_paper(place, ada)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            await bob.open(document_id)
            details = {"user_id": bob.welcome.user_id, "document_id": document_id, "ban": ban}
            operate(premises, administer.remove_member, **details)
            closed = await bob.heard(DocumentClosed)
            assert (closed.document_id, closed.code) == (document_id, "removed")
            assert await bob.refused(OpenDocument(document_id=document_id)) == "document_not_found"
            assert (await bob.ask(ListDocuments(), DocumentList)).documents == []
            assert await bob.refused(RedeemInvite(token=invite)) == ("invite_revoked" if ban else "removed")
            welcome = bob.welcome
    async with premises.running() as place:
        for token in (welcome.access_token, welcome.refresh_token):
            async with signed_in_client(
                place.url, token, user_id=welcome.user_id, session_id=welcome.session_id
            ) as again:
                assert await again.refused(OpenDocument(document_id=document_id)) == "document_not_found"


@runs_async
async def test_others_do_not_see_the_removed_one_any_more(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id, invite = await with_paper(place, ada)
        async with signed_in_client(place.url, invite, name="Bob") as bob:
            await bob.open(document_id)
            await ada.heard(lambda fact: len(getattr(fact, "participants", ())) == 2)
            seen = len(ada.facts)
            details = {"user_id": bob.welcome.user_id, "document_id": document_id}
            operate(premises, administer.remove_member, **details)
            await ada.heard(lambda fact: len(getattr(fact, "participants", ())) == 1, after=seen)


@runs_async
async def test_a_user_removed_from_the_server_is_closed_out_until_restored(premises) -> None:
    async with premises.running() as place:
        invite = await place.server.create_invite("owner")
        async with signed_in_client(place.url, invite) as bob:
            welcome = bob.welcome
            operate(premises, administer.remove_user, user_id=welcome.user_id)
            assert await bob.closed() == 4403
        tokens = {"access": welcome.access_token, "refresh": welcome.refresh_token, "invite": invite}
        for token in tokens.values():
            for session_id in (None, welcome.session_id):
                answer = await refused(place.url, token=token, user_id=welcome.user_id, session_id=session_id)
                assert answer == ("removed", 4403)
        assert await refused(place.url, token=invite) == ("invite_revoked", 4401)
    async with premises.running() as place:
        assert await refused(place.url, token=welcome.access_token) == ("removed", 4403)
        operate(premises, administer.restore_user, user_id=welcome.user_id)
        async with signed_in_client(place.url, welcome.refresh_token, user_id=None) as again:
            assert again.welcome.user_id == welcome.user_id


@runs_async
async def test_revoked_tokens_end_every_connection_of_their_user(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as bob:
        welcome = bob.welcome
        async with signed_in_client(place.url, welcome.access_token, user_id=welcome.user_id) as second:
            operate(premises, administer.revoke_tokens, user_id=welcome.user_id)
            assert [await each.closed() for each in (bob, second)] == [4401, 4401]
        for token in (welcome.access_token, welcome.refresh_token):
            assert await refused(place.url, token=token) == ("token_revoked", 4401)


@runs_async
async def test_a_session_that_is_closed_does_not_come_back_but_its_user_does(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as bob:
        welcome = bob.welcome
        operate(premises, administer.close_session, session_id=welcome.session_id)
        assert await bob.closed() == 4410
        async with signed_in_client(
            place.url, welcome.access_token, user_id=None, session_id=welcome.session_id
        ) as again:
            assert (again.welcome.resumed, again.welcome.user_id) == (False, welcome.user_id)


@runs_async
async def test_signing_out_ends_every_connection_of_the_sign_in_and_no_other(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as bob:
        welcome = bob.welcome
        async with (
            signed_in_client(place.url, welcome.access_token, user_id=welcome.user_id) as second,
            signed_in_client(place.url, place.host_invite) as ada,
        ):
            await bob.send(SignOut())
            assert (await bob.closed(), await second.closed()) == (1000, 4401)
            assert await ada.ask(ListDocuments(), DocumentList)


@runs_async
async def test_a_refresh_token_that_was_copied_ends_the_sign_in(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        first, user_id = ada.welcome.refresh_token, ada.welcome.user_id
        async with signed_in_client(place.url, first, user_id=user_id) as lost:
            second = lost.welcome.refresh_token
        async with signed_in_client(place.url, second, user_id=user_id) as bob:
            assert await refused(place.url, token=first, user_id=user_id) == ("token_revoked", 4401)
            assert (await ada.closed(), await bob.closed()) == (4401, 4401)
            third = bob.welcome.refresh_token
        assert await refused(place.url, token=third) == ("token_revoked", 4401)
        assert [entry.user_id for entry in entries(premises, AuditAction.TOKEN_REUSED)] == [user_id]


@runs_async
async def test_the_first_generation_is_told_in_its_words(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id, invite = await with_paper(place, ada)
        async with legacy_client(place.url, invite, user_id="old") as old:
            await old.open(document_id)
            heard = len(old.heard)
            operate(premises, administer.change_role, user_id="old", document_id=document_id, role="viewer")
            await ada.heard(lambda fact: any(each.role == "viewer" for each in getattr(fact, "participants", ())))
            await old.insert(document_id, 0, "X")
            assert (await old.next("Error", heard))["code"] == "forbidden"
            await old.next("DocumentUpdate", heard)
            heard = len(old.heard)
            operate(premises, administer.remove_member, user_id="old", document_id=document_id)
            assert (await old.next("Error", heard))["code"] == "removed"
            assert (await old.refused("OpenDocument", {"document_id": document_id}))["code"] == "document_not_found"
            heard = len(old.heard)
            operate(premises, administer.remove_user, user_id="old")
            assert await old.closed() == 4403
            assert [payload.get("code") for _kind, payload in old.heard[heard:]][-1] == "removed"
        async with legacy_client(place.url) as again:
            answer = await again.refused("Authentication", {"user_id": "old", "token": invite})
            assert (answer["code"], answer["message"][:7]) == ("auth_failed", "removed")


@runs_async
async def test_a_yjs_client_is_closed_out(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id, invite = await with_paper(place, ada)
        async with yjs_client(place.url, document_id, invite) as browser:
            await browser.shows("Hello")
            guest = next(entry.user_id for entry in entries(premises, AuditAction.USER_REGISTERED) if entry.document_id)
            operate(premises, administer.remove_member, user_id=guest, document_id=document_id)
            assert await browser.closed() == 4403
        async with yjs_client(place.url, document_id, invite) as browser:
            assert await browser.closed() == 4403


@runs_async
async def test_programs_without_tokens_are_the_same_people_again(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id, _ = await with_paper(place, ada)
        invite = await place.server.create_invite("editor", document_id, uses=2)
        for _ in range(3):
            async with legacy_client(place.url) as old:
                assert "user old" in await old.sign_in(invite, "old")
                assert await old.open(document_id) == "Hello"
            async with yjs_client(place.url, document_id, invite) as browser:
                await browser.shows("Hello")
        assert len(entries(premises, AuditAction.USER_REGISTERED)) == 3


@runs_async
async def test_browsers_say_who_they_are_or_are_the_guest_of_their_invite(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, user_id="ada") as ada:
        document_id, invite = await with_paper(place, ada)
        eve = {"user_id": "eve", "name": "Eve", "color": "#00ff00"}
        async with (
            yjs_client(place.url, document_id, invite, **eve) as first,
            yjs_client(place.url, document_id, invite, **eve),
            yjs_client(place.url, document_id, invite),
            yjs_client(place.url, document_id, invite),
        ):
            await first.shows("Hello")
            told = await ada.heard(lambda fact: len(getattr(fact, "participants", ())) == 5)
            people = [(each.user_id, each.display_name, each.color) for each in told.participants]
            assert people.count(("eve", "Eve", "#00ff00")) == 2
            guests = {user_id for user_id, name, _color in people if name == "Guest"}
            assert (len(guests), len(people)) == (1, 5)
        async with yjs_client(place.url, document_id, invite, user_id="ada") as stranger:
            await stranger.shows("Hello")
            told = await ada.heard(lambda fact: len(getattr(fact, "participants", ())) == 2, after=len(ada.facts) - 1)
            assert [each.user_id for each in told.participants].count("ada") == 1


@runs_async
async def test_one_guest_may_be_many_browsers(premises) -> None:
    limits = Limits(max_sessions_per_user=1)
    async with (
        premises.running(limits=limits) as place,
        signed_in_client(place.url, place.host_invite, user_id="ada") as ada,
    ):
        document_id, invite = await with_paper(place, ada)
        async with (
            yjs_client(place.url, document_id, invite) as one,
            yjs_client(place.url, document_id, invite) as two,
        ):
            for browser in (one, two):
                await browser.shows("Hello")


@runs_async
async def test_a_young_access_token_is_used_on_and_renewed_before_its_end(premises) -> None:
    async with premises.running(access_ttl_s=2.0) as place:
        async with signed_in_client(place.url, place.host_invite) as bob:
            first = bob.welcome
        async with signed_in_client(place.url, first.access_token, user_id=first.user_id) as bob:
            assert (bob.welcome.access_token, bob.welcome.expires_at) == (first.access_token, first.expires_at)
            renewed = await bob.heard(TokenRenewed)
            assert renewed.access_token != first.access_token
            assert renewed.expires_at > first.expires_at


@runs_async
async def test_new_keys_sign_and_old_tokens_last_unless_their_key_was_dropped(premises) -> None:
    import os

    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as bob:
        first = bob.welcome.access_token
        operate(premises, administer.rotate_keys, random=os.urandom)
        async with signed_in_client(place.url, first, user_id=bob.welcome.user_id):
            pass
        operate(premises, administer.rotate_keys, random=os.urandom, drop_old=True)
        renewed = await bob.heard(TokenRenewed)
        assert await refused(place.url, token=first) == ("token_invalid", 4401)
        async with signed_in_client(place.url, renewed.access_token, user_id=bob.welcome.user_id):
            pass


async def cared_for(place: Any) -> None:
    """Wait until the server has looked after its records, and that is written."""
    since = asyncio.get_running_loop().time()
    await until(lambda: place.server._front_desk._care._due_at > since)
    await place.server._store.run(lambda _records: None)


@runs_async
async def test_a_key_that_has_signed_for_long_enough_gives_way_to_another_by_itself(premises, monkeypatch) -> None:
    day_s, clock = 86400.0, FakeTime(wall=1_000_000.0)
    monkeypatch.setattr(record_care, "_EVERY_S", 0.0)
    options = {"wall_clock": clock.wall_clock, "key_days": 30.0, "access_ttl_s": 90 * day_s}

    def keys() -> list[SigningKey]:
        with closing(open_read_only(database_path(premises.config.data))) as database:
            return load_keys(SqliteRecords(database))

    async with premises.running(**options) as place, signed_in_client(place.url, place.host_invite) as bob:
        first, user_id = bob.welcome.access_token, bob.welcome.user_id
        clock.wall_now += 29 * day_s
        await cared_for(place)
        assert (len(keys()), entries(premises, AuditAction.KEY_ROTATED)) == (1, [])
        clock.wall_now += 2 * day_s
        await until(lambda: len(keys()) == 2)
        (entry,) = entries(premises, AuditAction.KEY_ROTATED)
        assert (entry.actor, entry.reference, entry.at) == (SERVER, keys()[-1].key_id, clock.wall_now)
        await until(lambda: place.server._front_desk._welcome._tokens._current == entry.reference)
        async with signed_in_client(place.url, first, user_id=user_id) as again:
            assert jwt.get_unverified_header(again.welcome.access_token)["kid"] == entry.reference
    clock.wall_now += 91 * day_s
    async with premises.running(**options) as place:
        await until(lambda: keys()[-1].key_id != entry.reference)
        assert [key.key_id for key in keys()[:-1]] == [entry.reference], "the first one has nothing left to prove"
        assert (await refused(place.url, token=first))[0] == "token_invalid"


@runs_async
async def test_guesses_are_slowed_down_and_the_innocent_are_not(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as bob:
        for _ in range(40):
            code, close_code = await refused(place.url, token="txi_guess")
            if code == "throttled":
                break
        assert (code, close_code) == ("throttled", 1013)
        assert await refused(place.url, token=place.host_invite) == ("throttled", 1013)
        async with wire_client(place.url) as client:
            answer = await client.ask(Authentication(protocol=2, token="txi_guess"), AuthenticationResult)
            assert (answer.retryable, (answer.retry_after_s or 0) > 0) == (True, True)
        async with legacy_client(place.url) as old:
            said = await old.refused("Authentication", {"user_id": "old", "token": "txi_guess"})
            assert (said["code"], said["message"].split(":")[0]) == ("auth_failed", "throttled")
        async with signed_in_client(place.url, bob.welcome.access_token, user_id=bob.welcome.user_id):
            pass
        refusals = entries(premises, AuditAction.SIGN_IN_REFUSED)
        assert 5 < len(refusals) < 40
        assert {(entry.address, entry.detail) for entry in refusals} == {("127.0.0.1", "token_invalid")}


@runs_async
async def test_who_is_signed_in_guesses_no_faster(premises) -> None:
    """Neither by asking for more with guessed invitations, nor by signing in again and again on one connection."""
    async with premises.running() as place:
        async with signed_in_client(place.url, place.host_invite) as eve:
            codes = [await eve.refused(RedeemInvite(token=f"txi_guess{number}")) for number in range(15)]
            assert (codes[0], codes[-1]) == ("token_invalid", "throttled")
            assert 5 <= codes.count("token_invalid") <= 12
        async with legacy_client(place.url) as old:
            await old.sign_in(place.host_invite, "old")
            said = [await old.refused("Authentication", {"user_id": "old", "token": "txi_guess"}) for _ in range(15)]
            assert said[0]["code"] == said[-1]["code"] == "auth_failed"
            assert (said[0]["message"], said[-1]["message"].split(":")[0]) == ("token_invalid", "throttled")
        async with signed_in_client(place.url, place.host_invite) as newcomer:
            assert newcomer.welcome.ok
        refusals = entries(premises, AuditAction.SIGN_IN_REFUSED)
        assert {entry.detail for entry in refusals} == {"token_invalid"}


@runs_async
async def test_an_idle_session_is_ended_and_a_busy_one_is_not(premises) -> None:
    async with premises.running(idle_s=0.5) as place, signed_in_client(place.url, place.host_invite) as idle:
        async with signed_in_client(place.url, place.host_invite) as busy:
            while idle.close_code is None:
                await busy.ask(ListDocuments(), DocumentList)
        assert idle.close_code == 4410


@runs_async
async def test_the_log_tells_who_came_in_and_no_secret(premises) -> None:
    async with premises.running() as place:
        async with signed_in_client(place.url, place.host_invite, user_id="ada", client="test 1") as ada:
            welcome = ada.welcome
        found = entries(premises)
        signed_in = [entry for entry in found if entry.action is AuditAction.SIGNED_IN]
        assert [(each.user_id, each.address, each.detail, each.reference) for each in signed_in] == [
            ("ada", "127.0.0.1", "test 1", welcome.session_id)
        ]
        for secret in (place.host_invite, welcome.access_token, welcome.refresh_token):
            assert str(secret) not in str(found)
        assert Invite(token_hash="a" * 64, role="editor").invite_id == "a" * 12
