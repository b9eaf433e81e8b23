"""Protocol 1, message by message, over real connections."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from tests.helpers.legacy_client import LegacyClient, legacy_client
from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import WireClient, signed_in_client
from texswarm_server.net.legacy_peer import LegacyPeer
from texswarm_server.protocol.messages import Participants

SPELLINGS = [
    lambda kind, fields: {kind: fields},
    lambda kind, fields: {"type": kind, **fields},
]


async def codes(client: LegacyClient) -> list[str]:
    return [payload["code"] for kind, payload in client.heard if kind == "Error"]


@runs_async
async def test_signing_in_again_is_answered_the_same(premises) -> None:
    async with premises.running() as place, legacy_client(place.url) as ada:
        user_id = str(uuid4())
        first = await ada.sign_in(place.host_invite, user_id)
        assert first == f"Authentication successful for user {user_id}"
        assert await ada.sign_in(place.host_invite, user_id) == first
        document_id = await ada.create()
        assert await ada.sign_in(None, user_id) == first
        await ada.insert(document_id, 0, "still here")
        await ada.shows(document_id, "still here")


@runs_async
async def test_an_invite_for_one_lets_its_user_sign_in_again_on_the_same_connection(premises) -> None:
    async with premises.running() as place:
        invite = await place.server.create_invite("owner", uses=1)
        async with legacy_client(place.url, invite, user_id="ada") as ada:
            assert await ada.sign_in(invite, "ada") == "Authentication successful for user ada"


@runs_async
async def test_signing_in_as_somebody_else_changes_the_user(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None, user_id="ada") as client:
        document_id = await client.create()
        assert await client.sign_in(None, "bob") == "Authentication successful for user bob"
        await client.insert(document_id, 0, "x")
        await client.shows(document_id, "x")
        listed = await client.ask("ListDocuments", answer="DocumentList")
        assert [each["owner"] for each in listed["documents"]] == ["ada"]
        assert listed["documents"][0]["active_collaborators"] == 1


@runs_async
async def test_a_wrong_token_is_refused_and_a_right_one_may_follow(premises) -> None:
    async with premises.running() as place, legacy_client(place.url) as ada:
        for token in ("nothing", "txi_wrong", None):
            refused = await ada.refused("Authentication", {"user_id": "ada", "token": token})
            assert refused["code"] == "auth_failed"
        assert (await ada.refused("ListDocuments"))["code"] == "authentication_required"
        await ada.sign_in(place.host_invite)


@runs_async
async def test_nothing_is_done_before_signing_in(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url) as ada:
        for kind in ("ListDocuments", "DocumentOperation", "PresenceUpdate"):
            assert (await ada.refused(kind))["code"] == "authentication_required"


@runs_async
async def test_an_access_token_signs_in_as_its_user(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        welcome = desktop.welcome
        async with legacy_client(place.url, welcome.access_token, user_id=welcome.user_id) as ada:
            assert str(welcome.user_id) in json.dumps(ada.heard)


@runs_async
async def test_without_token_only_an_open_server_lets_in(premises) -> None:
    async with (
        premises.running(open=True) as place,
        legacy_client(place.url, None) as ada,
        legacy_client(place.url, None) as bob,
    ):
        document_id = await ada.create("Open paper")
        listed = await bob.ask("ListDocuments", answer="DocumentList")
        assert [each["id"] for each in listed["documents"]] == [document_id]


@pytest.mark.parametrize("payload", [..., None, {}])
@runs_async
async def test_the_list_needs_no_payload(premises, payload) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite, user_id="ada") as ada:
        document_id = await ada.create("Paper é")
        (listed,) = (await ada.ask("ListDocuments", payload, answer="DocumentList"))["documents"]
        updated_at = listed.pop("updated_at")
        assert isinstance(updated_at, str)
        assert listed == {"id": document_id, "title": "Paper é", "owner": "ada", "active_collaborators": 1}


@runs_async
async def test_a_created_document_has_title_lineage_and_a_main_file(premises) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite) as ada:
        document_id = await ada.create("Paper")
        invite = await place.server.create_invite("editor", document_id)
        async with signed_in_client(place.url, invite) as bob:
            opened = await bob.open(document_id)
            assert (opened.replica.title, opened.replica.lineage) == ("Paper", opened.facts.lineage)
            assert [each.path for each in opened.replica.files.values()] == ["main.tex"]


@runs_async
async def test_what_was_written_is_there_after_a_restart(premises) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite) as ada:
        document_id = await ada.create()
        await ada.insert(document_id, 0, "kept é😀")
        await ada.shows(document_id, "kept é😀")
    async with premises.running() as place:
        invite = await place.server.create_invite("viewer", document_id)
        async with legacy_client(place.url, invite) as bob:
            assert await bob.open(document_id) == "kept é😀"


@pytest.mark.parametrize("spelling", SPELLINGS)
@runs_async
async def test_operations_count_code_points_and_reach_everybody(premises, spelling) -> None:
    async with (
        premises.running(open=True) as place,
        legacy_client(place.url, None) as ada,
        legacy_client(place.url, None) as bob,
    ):
        document_id = await ada.create()
        assert await bob.open(document_id) == ""

        async def operate(kind: str, **fields: object) -> None:
            await ada.say("DocumentOperation", {"operation": spelling(kind, {"document_id": document_id, **fields})})

        for kind, fields, text in (
            ("Insert", {"position": 0, "content": "a😀é"}, "a😀é"),
            ("Insert", {"position": 2, "content": "b"}, "a😀bé"),
            ("Delete", {"range": {"start": 1, "end": 2}}, "abé"),
            ("Replace", {"range": {"start": 2, "end": 3}, "content": "c😀"}, "abc😀"),
            ("Replace", {"range": {"start": 4, "end": 4}, "content": "!"}, "abc😀!"),
        ):
            await operate(kind, **fields)
            await ada.shows(document_id, text)
            await bob.shows(document_id, text)
        assert await codes(ada) == ["auth_success"]


@runs_async
async def test_an_operation_needs_no_opening(premises) -> None:
    async with (
        premises.running(open=True) as place,
        legacy_client(place.url, None) as ada,
        legacy_client(place.url, None) as bob,
    ):
        document_id = await ada.create()
        await bob.insert(document_id, 0, "unseen")
        await ada.shows(document_id, "unseen")
        assert document_id not in bob.texts


@runs_async
async def test_a_document_that_does_not_exist_is_not_made(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        nowhere = str(uuid4())
        operation = {"Insert": {"document_id": nowhere, "position": 0, "content": "x"}}
        presence = {"user_id": "a", "display_name": "A", "is_active": True}
        for kind, payload in (
            ("DocumentOperation", {"operation": operation}),
            ("OpenDocument", {"document_id": nowhere}),
            ("PresenceUpdate", {"document_id": nowhere, "presence": presence}),
        ):
            refused = await ada.refused(kind, payload)
            assert (refused["code"], refused["message"]) == (
                "document_not_found",
                f"Document branch not found: {nowhere}",
            )
        assert (await ada.ask("ListDocuments", answer="DocumentList"))["documents"] == []


@runs_async
async def test_somebody_elses_document_is_answered_like_none(premises) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite) as ada:
        document_id = await ada.create()
        async with legacy_client(place.url, place.host_invite) as bob:
            refused = await bob.refused("OpenDocument", {"document_id": document_id})
            assert refused["message"] == f"Document branch not found: {document_id}"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Insert", {"position": 4, "content": "x"}),
        ("Insert", {"position": -1, "content": "x"}),
        ("Insert", {"position": 2**70, "content": "x"}),
        ("Delete", {"range": {"start": 2, "end": 1}}),
        ("Delete", {"range": {"start": 0, "end": 4}}),
        ("Replace", {"range": {"start": -1, "end": 1}, "content": "x"}),
        ("Replace", {"range": {"start": 3, "end": 2}, "content": "x"}),
    ],
)
@runs_async
async def test_what_is_no_range_of_the_text_changes_nothing(premises, kind, fields) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        document_id = await ada.create()
        await ada.insert(document_id, 0, "abc")
        await ada.shows(document_id, "abc")
        operation = {kind: {"document_id": document_id, **fields}}
        assert (await ada.refused("DocumentOperation", {"operation": operation}))["code"] == "invalid_operation"
        assert await ada.open(document_id) == "abc"


@runs_async
async def test_a_viewer_is_refused_and_shown_what_the_document_says(premises) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite) as ada:
        document_id = await ada.create()
        await ada.insert(document_id, 0, "Hello")
        await ada.shows(document_id, "Hello")
        invite = await place.server.create_invite("viewer", document_id)
        async with legacy_client(place.url, invite) as bob:
            assert await bob.open(document_id) == "Hello"
            start = len(bob.heard)
            for _ in range(3):
                await bob.insert(document_id, 0, "not ")
            await bob.until(lambda: [kind for kind, _ in bob.heard[start:]].count("DocumentUpdate") == 3)
            assert await codes(bob) == ["auth_success", "forbidden", "forbidden", "forbidden"]
            await ada.insert(document_id, 5, "!")
            await bob.shows(document_id, "Hello!")
            await ada.shows(document_id, "Hello!")


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", "null", '{"type": 5}', '{"type": "Nonsense"}', '{"type": "OpenDocument"}', b"\x00\xff", "[" * 9999],
)
@runs_async
async def test_what_is_no_message_is_answered_and_the_connection_stays(premises, frame) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite) as ada:
        start = len(ada.heard)
        await ada.connection.send(frame)
        assert (await ada.next("Error", start))["code"] == "parse_error"
        await ada.create()


@runs_async
async def test_the_server_gives_signs_of_life(premises) -> None:
    async with premises.running(heartbeat_s=0.02) as place, legacy_client(place.url, place.host_invite) as ada:
        await ada.say("Heartbeat", {"timestamp": "now"})
        await ada.until(lambda: [kind for kind, _ in ada.heard].count("Heartbeat") >= 3)
        assert isinstance((await ada.next("Heartbeat"))["timestamp"], str)


@runs_async
async def test_a_sign_of_life_comes_every_ten_seconds_however_seldom_the_server_pings(premises) -> None:
    now = asyncio.get_running_loop().time
    async with premises.running(heartbeat_s=60.0, dead_after_s=120.0) as place, legacy_client(place.url) as ada:
        await ada.sign_in(place.host_invite, "ada")
        (peer,) = (each for each in place.server._peers if isinstance(each, LegacyPeer))
        assert 0 < peer._heartbeat.when() - now() < 10
        peer._heartbeat.cancel()
        peer._beat()
        await ada.next("Heartbeat")
        assert 0 < peer._heartbeat.when() - now() < 10


@runs_async
async def test_who_never_gets_in_is_closed(premises) -> None:
    async with premises.running(auth_timeout_s=0.2) as place, legacy_client(place.url) as ada:
        await ada.refused("Authentication", {"user_id": "ada", "token": "wrong"})
        assert await ada.closed() == 4408


@runs_async
async def test_presence_of_the_first_generation_meets_itself(premises) -> None:
    async with (
        premises.running(open=True) as place,
        legacy_client(place.url, None) as ada,
        legacy_client(place.url, None, user_id="bob") as bob,
    ):
        document_id = await ada.create()
        await ada.insert(document_id, 0, "a😀bc")
        await ada.shows(document_id, "a😀bc")
        await bob.open(document_id)
        presence = {
            "user_id": "bob",
            "display_name": "Bob",
            "cursor_position": 3,
            "selection": {"start": 1, "end": 3},
            "is_active": True,
            "last_activity": "2025-01-01T00:00:00Z",
        }
        await bob.say("PresenceUpdate", {"document_id": document_id, "presence": presence})
        seen = await ada.next("PresenceUpdate")
        assert seen["document_id"] == document_id
        assert isinstance(seen["presence"].pop("last_activity"), str)
        presence.pop("last_activity")
        assert seen["presence"] == presence

        start = len(ada.heard)
        await bob.connection.close()
        gone = (await ada.next("PresenceUpdate", start))["presence"]
        assert (gone["user_id"], gone["is_active"]) == ("bob", False)


def states(desktop: WireClient) -> list[list[str]]:
    """How all others were shown, in the order in which that was told."""
    lists = [fact.participants for fact in desktop.facts if isinstance(fact, Participants)]
    told: list[list[str]] = [
        [each.state for each in people if each.user_id != desktop.welcome.user_id] for people in lists
    ]
    return [each for each, before in zip(told, [None, *told], strict=False) if each != before]


@runs_async
async def test_nobody_lingers_who_says_goodbye(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        invite = await place.server.create_invite("editor", opened.facts.document_id)
        async with legacy_client(place.url, invite) as bob:
            await bob.open(opened.facts.document_id)
            await desktop.until(lambda: states(desktop)[-1:] == [["here"]])
        await desktop.until(lambda: states(desktop)[-1:] == [[]])
        assert states(desktop) == [[], ["here"], []]


@runs_async
async def test_who_is_lost_and_comes_back_as_the_same_user_is_not_seen_to_go_and_come(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        async with legacy_client(place.url, invite, user_id="bob") as bob:
            await bob.open(document_id)
            bob.connection.transport.abort()
            await desktop.until(lambda: states(desktop)[-1:] == [["reconnecting"]])
        async with legacy_client(place.url, invite, user_id="bob") as bob:
            await bob.open(document_id)
            await desktop.until(lambda: states(desktop)[-1:] == [["here"]])
            assert states(desktop) == [[], ["here"], ["reconnecting"], ["here"]]
            assert place.server._front_desk.session_counts == {"attached": 2, "detached": 0}


@runs_async
async def test_who_is_lost_and_does_not_come_back_is_gone_and_leaves_no_session(premises) -> None:
    async with (
        premises.running(presence_grace_s=0.2) as place,
        signed_in_client(place.url, place.host_invite) as desktop,
    ):
        opened = await desktop.create_and_open("Hello")
        invite = await place.server.create_invite("editor", opened.facts.document_id)
        async with legacy_client(place.url, invite) as bob:
            await bob.open(opened.facts.document_id)
            bob.connection.transport.abort()
            await desktop.until(lambda: states(desktop)[-1:] == [["reconnecting"]])
            await desktop.until(lambda: states(desktop)[-1:] == [[]])
            assert place.server._front_desk.session_counts == {"attached": 1, "detached": 0}


@runs_async
async def test_who_is_back_before_the_loss_of_the_old_connection_is_noticed_is_there_once(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        invite = await place.server.create_invite("editor", document_id)
        async with legacy_client(place.url, invite, user_id="bob") as half_open:
            await half_open.open(document_id)
            async with legacy_client(place.url, invite, user_id="bob") as bob:
                await bob.open(document_id)
                await desktop.until(lambda: states(desktop)[-1:] == [["here", "here"]])
                half_open.connection.transport.abort()
                await desktop.until(lambda: states(desktop)[-1:] == [["here"]])
                assert [each for each in states(desktop) if "reconnecting" in each] == []
