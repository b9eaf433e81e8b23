"""Signing in over a real connection: typed answers, typed closes, nothing disclosed before."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.helpers.run_async import runs_async, settle
from tests.helpers.wire_client import WireClient, signed_in_client, wire_client
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.frames import SyncStep1, encode_frame
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import (
    Authentication,
    AuthenticationResult,
    CreateInvite,
    DocumentList,
    DocumentOpened,
    Error,
    Heartbeat,
    InviteCreated,
    ListDocuments,
    OpenDocument,
    SignedOut,
    SignOut,
    TokenRenewed,
)
from texswarm_server.protocol.version import Limits


async def refused(client: WireClient, **details: object) -> tuple[str | None, bool, int]:
    """Try to sign in; return code, whether trying again may help, and the close code."""
    message = Authentication(**({"protocol": 2} | details))  # type: ignore[arg-type]
    answer = await client.ask(message, AuthenticationResult)
    assert not answer.ok
    assert (answer.user_id, answer.server, answer.limits, answer.access_token) == (None, None, None, None)
    return answer.code, answer.retryable, await client.closed()


@runs_async
async def test_an_invite_is_answered_with_everything_a_client_needs(premises) -> None:
    async with premises.running() as place, wire_client(place.url) as client:
        user_id = str(uuid4())
        welcome = await client.sign_in(place.host_invite, user_id=user_id, display_name="Ada")

    assert (welcome.user_id, welcome.resumed, welcome.protocol, welcome.can_create) == (user_id, False, 2, True)
    assert welcome.access_token
    assert welcome.refresh_token
    assert welcome.expires_at
    assert welcome.limits == premises.config.limits
    assert welcome.server is not None
    assert (welcome.server.name, welcome.heartbeat_s, welcome.grace_s) == ("Test", 10.0, 3 * 3600)


@runs_async
async def test_each_token_of_a_sign_in_is_the_same_user(premises) -> None:
    async with premises.running() as place:
        async with signed_in_client(place.url, place.host_invite) as client:
            first = client.welcome
        for token in (first.access_token, first.refresh_token):
            async with signed_in_client(place.url, token, user_id=first.user_id) as client:
                assert client.welcome.user_id == first.user_id
                assert client.welcome.access_token
                assert bool(client.welcome.refresh_token) == (token == first.refresh_token)


@runs_async
async def test_refusals_have_a_code_and_a_close_code(premises) -> None:
    async with premises.running() as place:
        async with signed_in_client(place.url, place.host_invite) as client:
            access = client.welcome.access_token
        expired = await place.server.create_invite("editor", ttl_s=1e-9)
        single = await place.server.create_invite("editor", uses=1)
        async with signed_in_client(place.url, single):
            pass
        cases = {
            ("token_missing", 4401): {},
            ("token_invalid", 4401): {"token": "txi_nothing"},
            ("invite_expired", 4401): {"token": expired},
            ("invite_used_up", 4401): {"token": single},
            ("identity_mismatch", 4403): {"token": access, "user_id": str(uuid4())},
            ("protocol_unsupported", 4426): {"token": access, "protocol": 3},
            ("name_invalid", 4403): {"token": access, "display_name": "x" * 100},
        }
        for (code, close_code), details in cases.items():
            async with wire_client(place.url) as client:
                assert await refused(client, **details) == (code, False, close_code)
        assert access is not None
        forged = access[:-10] + "AAAAAAAAAA"
        async with wire_client(place.url) as client:
            assert await refused(client, token=forged) == ("token_invalid", False, 4401)


@runs_async
async def test_an_expired_access_token_is_refused_and_the_refresh_token_helps(premises) -> None:
    now = 1_000_000.0
    async with premises.running(wall_clock=lambda: now, access_ttl_s=60) as place:
        async with signed_in_client(place.url, place.host_invite) as client:
            first = client.welcome
        assert first.expires_at == now + 60
        now += 61
        async with wire_client(place.url) as client:
            assert await refused(client, token=first.access_token) == ("token_expired", False, 4401)
        async with signed_in_client(place.url, first.refresh_token, user_id=None) as client:
            assert client.welcome.user_id == first.user_id
        now += premises.config.refresh_idle_s + 1
        async with wire_client(place.url) as client:
            assert await refused(client, token=first.refresh_token) == ("token_expired", False, 4401)


@runs_async
async def test_tokens_outlive_a_restart_of_the_server(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as client:
        first = client.welcome
    async with premises.running() as place, signed_in_client(place.url, first.access_token, user_id=None) as client:
        assert client.welcome.user_id == first.user_id


@runs_async
async def test_the_access_token_of_a_live_connection_is_renewed_before_it_expires(premises) -> None:
    async with premises.running(access_ttl_s=0.3) as place:
        async with signed_in_client(place.url, place.host_invite) as client:
            renewed = [await client.heard(TokenRenewed, after=count) for count in (0, 2)]
            assert renewed[0].expires_at < renewed[1].expires_at
            assert await client.ask(ListDocuments(), DocumentList)
        async with signed_in_client(place.url, renewed[1].access_token, user_id=None) as client:
            assert client.welcome.ok


@runs_async
async def test_a_token_lives_an_hour_and_is_renewed_when_a_fifth_of_that_is_left(premises) -> None:
    hour_s, busy_s = 3600.0, 60.0
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as client:
        (guest,) = place.server._front_desk._guests.values()
        due_s = guest.renewal.when() - asyncio.get_running_loop().time()
        assert client.welcome.expires_at is not None
        assert hour_s - busy_s <= client.welcome.expires_at - time.time() <= hour_s
        assert 0.8 * hour_s - busy_s <= due_s <= 0.8 * hour_s


@runs_async
async def test_signing_out_revokes_both_tokens(premises) -> None:
    async with premises.running() as place:
        async with signed_in_client(place.url, place.host_invite) as client:
            first = client.welcome
            await client.ask(SignOut(), SignedOut)
            assert await client.closed() == 1000
        for token in (first.access_token, first.refresh_token):
            async with wire_client(place.url) as client:
                assert await refused(client, token=token) == ("token_revoked", False, 4401)


@runs_async
async def test_again_on_a_live_connection_as_the_same_user_and_as_another(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as client:
        session_id = client.welcome.session_id
        again = await client.sign_in(client.welcome.refresh_token, display_name="Countess")
        assert (again.session_id, again.resumed) == (session_id, True)
        assert again.refresh_token
        async with signed_in_client(place.url, place.host_invite) as other:
            assert await refused(client, token=other.welcome.access_token) == ("identity_mismatch", False, 4403)
            assert await other.ask(ListDocuments(), DocumentList)


@runs_async
async def test_a_retry_after_a_lost_answer_is_the_same_user(premises) -> None:
    async with premises.running() as place:
        invite = await place.server.create_invite("editor", uses=1)
        user_id = str(uuid4())
        async with signed_in_client(place.url, invite, user_id=user_id):
            pass
        async with signed_in_client(place.url, invite, user_id=user_id) as client:
            assert client.welcome.user_id == user_id
            await client.ask(ListDocuments(), DocumentList)
        async with wire_client(place.url) as client:
            assert await refused(client, token=invite, user_id=user_id) == ("invite_used_up", False, 4401)


@runs_async
async def test_an_open_server_needs_no_token(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None) as ada,
        signed_in_client(place.url, None) as bob,
    ):
        created = await ada.create()
        listed = await bob.ask(ListDocuments(), DocumentList)
        assert [(each.id, each.role) for each in listed.documents] == [(created.document_id, "editor")]


@runs_async
async def test_an_invite_made_by_an_owner_over_the_wire_lets_in(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        created = await ada.create()
        invite = await ada.ask(CreateInvite(document_id=created.document_id, role="viewer"), InviteCreated)
        async with signed_in_client(place.url, invite.token) as bob:
            listed = await bob.ask(ListDocuments(), DocumentList)
            assert [each.role for each in listed.documents] == ["viewer"]
            assert await bob.refused(CreateInvite(document_id=created.document_id)) == "forbidden"


# ── before the sign-in ──────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_nothing_is_answered_before_the_sign_in(premises) -> None:
    async with premises.running() as place, wire_client(place.url, is_automatic=False) as client:
        for order in (ListDocuments(), OpenDocument(document_id="d"), SignOut()):
            assert await client.refused(order) == "authentication_required"
        await client.send_bytes(encode_frame(Handle(1), SyncStep1(b"\x00")))
        await client.send_bytes(b"junk")
        await client.send_text("junk")
        await client.until(lambda: len(client.facts) == 6)
        assert {getattr(fact, "code", None) for fact in client.facts} == {"authentication_required", "parse_error"}
        assert await client.sign_in(place.host_invite)


@pytest.mark.parametrize("noise", [None, Heartbeat(), ListDocuments()])
@runs_async
async def test_who_does_not_sign_in_in_time_is_closed_whatever_it_sends(premises, noise) -> None:
    async with premises.running(auth_timeout_s=0.3) as place, wire_client(place.url) as client:
        while noise is not None and client.close_code is None:
            with suppress(ConnectionClosed):
                await client.send(noise)
            await settle()
        assert await client.closed() == 4408


@runs_async
async def test_before_the_sign_in_frames_are_small(premises) -> None:
    async with premises.running() as place:
        async with wire_client(place.url) as client:
            await client.send_text("x" * (64 * 1024 + 1))
            assert await client.closed() == 1009
        async with signed_in_client(place.url, place.host_invite) as client:
            await client.send_text("x" * (64 * 1024 + 1))
            assert (await client.heard(Error)).code == "parse_error"


@runs_async
async def test_after_the_sign_in_frames_are_limited_too(premises) -> None:
    async with (
        premises.running(limits=Limits(max_frame_bytes=100_000)) as place,
        signed_in_client(place.url, place.host_invite) as client,
    ):
        await client.send_bytes(b"x" * 100_001)
        assert await client.closed() == 1009


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "parse_error"),
        ('{"type": "Nothing"}', "unknown_message"),
        ('{"type": "OpenDocument", "payload": {"document_id": 1}}', "invalid_payload"),
        ('{"type": "OpenDocument", "payload": {"document_id": "\\ud800"}}', None),
        (b"", "frame_invalid"),
        (b"\x01\x63", "frame_invalid"),
        (b"\x09\x00\x00\x00", "handle_unknown"),
    ],
)
@runs_async
async def test_what_makes_no_sense_is_answered_and_the_connection_stays(premises, frame, code) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as client:
        await (client.send_text(frame) if isinstance(frame, str) else client.send_bytes(frame))
        error = await client.heard(Error)
        assert error.code in {code, "document_not_found", "parse_error", "invalid_payload"} if code is None else code
        assert code is None or error.code == code
        assert await client.ask(ListDocuments(), DocumentList)


# ── opening with the sign-in ────────────────────────────────────────────────────────────────────────────


async def sign_in_and_open(client: WireClient, token: str | None, *orders: OpenDocument) -> AuthenticationResult:
    await client.send(Authentication(protocol=2, token=token, open=orders, request=90))
    answer: AuthenticationResult = await client.heard(AuthenticationResult)
    assert answer.ok
    return answer


@runs_async
async def test_who_comes_again_has_the_document_after_one_round_trip(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("Hello")
        document_id, token = mine.facts.document_id, ada.welcome.access_token
        async with wire_client(place.url) as again:
            order = OpenDocument(document_id=document_id, state_vector=EMPTY_STATE, request=7)
            answer = await sign_in_and_open(again, token, order)
            assert answer.documents_follow
            opened = await again.heard(DocumentOpened)
            assert (opened.request, opened.sync_follows, opened.role) == (7, True, "owner")
            theirs = again.documents[mine.handle]
            await again.until(lambda: theirs.is_synced)
            assert theirs.text() == "Hello"
            kinds = [type(fact) for fact in again.facts]
            assert kinds.index(AuthenticationResult) < kinds.index(DocumentOpened)
            await theirs.write("!")
            await ada.until(lambda: mine.text() == "Hello!")


@runs_async
async def test_a_document_that_lies_on_the_disk_is_loaded_for_who_signs_in(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create_and_open("Hello")).facts.document_id
    async with premises.running() as place, wire_client(place.url) as again:
        order = OpenDocument(document_id=document_id, state_vector=EMPTY_STATE, request=7)
        await sign_in_and_open(again, ada.welcome.access_token, order)
        opened = await again.heard(DocumentOpened)
        theirs = again.documents[opened.handle]
        await again.until(lambda: theirs.is_synced)
        assert theirs.text() == "Hello"


@runs_async
async def test_what_may_not_be_opened_is_refused_one_by_one_and_the_rest_opened(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = (await ada.create_and_open("Hello")).facts
        other = (await ada.create_and_open("Other")).facts
        bob_invite = await place.server.create_invite("viewer", mine.document_id)
        async with signed_in_client(place.url, bob_invite) as bob:
            token = bob.welcome.access_token
        async with wire_client(place.url) as bob:
            await sign_in_and_open(
                bob,
                token,
                OpenDocument(document_id=other.document_id, request=1),
                OpenDocument(document_id=str(uuid4()), request=2),
                OpenDocument(document_id=mine.document_id, lineage="another", request=3),
                OpenDocument(document_id=mine.document_id, state_vector=b"\xff", request=4),
                OpenDocument(document_id=mine.document_id, request=5),
            )
            opened = await bob.heard(DocumentOpened)
            assert (opened.request, opened.role, opened.sync_follows) == (5, "viewer", False)
            await bob.until(lambda: sum(isinstance(fact, Error) for fact in bob.facts) == 4)
            codes = {fact.request: fact.code for fact in bob.facts if isinstance(fact, Error)}
            not_there = "document_not_found"
            assert codes == {1: not_there, 2: not_there, 3: "lineage_mismatch", 4: "update_invalid"}


@runs_async
async def test_too_many_documents_are_refused_as_too_many(premises) -> None:
    async with (
        premises.running(limits=Limits(max_open_documents=1)) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        made = [await ada.create(f"Paper {number}") for number in range(2)]
        async with wire_client(place.url) as again:
            orders = [OpenDocument(document_id=one.document_id, request=at) for at, one in enumerate(made)]
            await sign_in_and_open(again, ada.welcome.access_token, *orders)
            refusal = await again.heard(Error)
            assert (refusal.code, refusal.request) == ("limit_exceeded", 1)
            assert [fact.request for fact in again.facts if isinstance(fact, DocumentOpened)] == [0]


@runs_async
async def test_what_a_lost_answer_would_have_opened_does_not_use_the_invite_up(premises) -> None:
    """What is sent before the answer is no sign that the answer, and the tokens in it, have arrived."""
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create_and_open("Hello")).facts.document_id
        invite, user_id = await place.server.create_invite("editor", document_id, uses=1), str(uuid4())
        for _ in range(2):
            async with wire_client(place.url, is_automatic=False) as bob:
                order = OpenDocument(document_id=document_id, request=7)
                await bob.send(Authentication(protocol=2, token=invite, user_id=user_id, open=(order,)))
                answer = await bob.heard(AuthenticationResult)
                assert (answer.ok, answer.user_id) == (True, user_id)
                assert (await bob.heard(DocumentOpened)).request == 7
                bob.cut()


@runs_async
async def test_nothing_is_opened_for_who_is_refused_or_signed_in_already(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        document_id = (await ada.create("Paper")).document_id
        order = OpenDocument(document_id=document_id, request=7)
        again = await ada.ask(
            Authentication(protocol=2, user_id=ada.welcome.user_id, open=(order,)), AuthenticationResult
        )
        assert (again.ok, again.documents_follow) == (True, False)
        await ada.ask(ListDocuments(), DocumentList)
        async with wire_client(place.url) as eve:
            await eve.send(Authentication(protocol=2, token="wrong", open=(order,)))
            answer = await eve.heard(AuthenticationResult)
            assert (answer.ok, answer.documents_follow) == (False, False)
            await eve.closed()
            assert [type(fact) for fact in eve.facts] == [AuthenticationResult]
        assert not any(isinstance(fact, DocumentOpened) for fact in ada.facts)
