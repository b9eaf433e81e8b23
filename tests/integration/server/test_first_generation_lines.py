"""Protocol 1 held to the lines of PROTOCOL.md that no other test holds."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import uuid4

import pytest

from tests.helpers.legacy_client import LegacyClient, Payload, legacy_client
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client
from texswarm_server.protocol.messages import Participants


async def roundtrip(client: LegacyClient) -> list[tuple[str, Payload]]:
    """Return what was heard until the answer to a question that is asked now; the answer is not among it."""
    start = len(client.heard)
    await client.ask("ListDocuments", answer="DocumentList")
    return [each for each in client.heard[start:] if each[0] not in {"DocumentList", "Heartbeat"}]


def operation(document_id: str, kind: str, **fields: object) -> Payload:
    return {"operation": {kind: {"document_id": document_id, **fields}}}


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("protocol", [{}, {"protocol": 1}])
@runs_async
async def test_a_connection_of_protocol_1_stays_one_to_its_end(premises, protocol) -> None:
    async with premises.running() as place, legacy_client(place.url) as ada:
        first = {"user_id": "ada", "token": place.host_invite, **protocol}
        assert (await ada.refused("Authentication", first))["code"] == "auth_success"
        again = await ada.refused("Authentication", {"user_id": "ada", "token": place.host_invite, "protocol": 2})
        assert again == {"code": "auth_success", "message": "Authentication successful for user ada"}


@runs_async
async def test_fields_that_nobody_knows_are_passed_over(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        made = await ada.ask("CreateDocument", {"title": "A", "template": {"x": 1}}, answer="DocumentUpdate")
        assert made.keys() == {"document_id", "content", "version"}


@pytest.mark.parametrize("payload", [..., None, {}, {"timestamp": "2026-01-01T00:00:00Z"}, {"timestamp": 5}])
@runs_async
async def test_a_heartbeat_is_taken_in_every_form_and_not_answered(premises, payload) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        await ada.say("Heartbeat", payload)
        assert await roundtrip(ada) == []


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("DocumentUpdate", {"document_id": "d", "content": "x", "version": "v"}),
        ("DocumentList", {"documents": []}),
        ("Error", {"code": "auth_success", "message": "me"}),
        ("CloseDocument", {"handle": 1}),
        ("CreateDocument", {}),
        ("CreateDocument", {"title": 5}),
        ("DocumentOperation", {}),
        ("DocumentOperation", {"operation": {"Insert": {"document_id": "d", "position": 0}}}),
        ("DocumentOperation", {"operation": {"type": "Upsert", "document_id": "d"}}),
        ("PresenceUpdate", {"document_id": "d"}),
        ("Authentication", {"user_id": 5, "token": None}),
    ],
)
@runs_async
async def test_what_is_none_of_its_messages_is_a_parse_error_with_words(premises, kind, payload) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        refused = await ada.refused(kind, payload)
        assert refused.keys() == {"code", "message"}
        assert refused["code"] == "parse_error"
        assert refused["message"]
        assert await roundtrip(ada) == []


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_a_wrong_token_on_a_signed_in_connection_is_refused_and_nothing_else_changes(premises) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite, user_id="ada") as ada:
        document_id = await ada.create()
        refused = await ada.refused("Authentication", {"user_id": "ada", "token": "txi_wrong"})
        assert refused["code"] == "auth_failed"
        await ada.insert(document_id, 0, "still ada")
        await ada.shows(document_id, "still ada")


@runs_async
async def test_a_session_of_this_wire_ends_when_its_client_says_goodbye(premises) -> None:
    async with premises.running() as place, legacy_client(place.url, place.host_invite) as ada:
        assert place.server._front_desk.session_counts == {"attached": 1, "detached": 0}
        await ada.connection.close()
        await until(lambda: not place.server._peers)
        assert place.server._front_desk.session_counts == {"attached": 0, "detached": 0}


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_times_in_the_list_are_texts_with_a_zone_and_the_latest_change_comes_first(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        first, second = await ada.create("First"), await ada.create("Second")
        await ada.insert(first, 0, "x")
        await ada.shows(first, "x")
        listed = (await ada.ask("ListDocuments", answer="DocumentList"))["documents"]
        assert {each["id"] for each in listed} == {first, second}
        times = [datetime.fromisoformat(each["updated_at"]) for each in listed]
        assert all(time.tzinfo is not None for time in times)
        assert all(each.keys() == {"id", "title", "owner", "updated_at", "active_collaborators"} for each in listed)


@pytest.mark.parametrize("title", ["", "x" * 201])
@runs_async
async def test_a_title_that_cannot_be_used_makes_no_document(premises, title) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        refused = await ada.refused("CreateDocument", {"title": title, "repository_url": None})
        assert refused["code"] == "name_invalid"
        assert (await ada.ask("ListDocuments", answer="DocumentList"))["documents"] == []


@runs_async
async def test_opening_again_shows_the_text_again_and_a_version_names_it(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        document_id = await ada.create()
        await ada.insert(document_id, 0, "one")
        await ada.shows(document_id, "one")
        ask = {"document_id": document_id}
        one, same = [await ada.ask("OpenDocument", ask, answer="DocumentUpdate") for _ in range(2)]
        assert one == same == {"document_id": document_id, "content": "one", "version": one["version"]}
        await ada.insert(document_id, 3, " two")
        await ada.shows(document_id, "one two")
        other = await ada.ask("OpenDocument", ask, answer="DocumentUpdate")
        assert other["version"] != one["version"]


@runs_async
async def test_many_operations_at_once_are_done_in_order_on_the_text_as_it_becomes(premises) -> None:
    async with (
        premises.running(open=True) as place,
        legacy_client(place.url, None) as ada,
        legacy_client(place.url, None) as bob,
    ):
        document_id = await ada.create()
        await bob.open(document_id)
        words = [f"é{number}😀" for number in range(100)]
        at = 0
        for word in words:
            await ada.insert(document_id, at, word)
            at += len(word)
        await ada.shows(document_id, "".join(words))
        await bob.shows(document_id, "".join(words))


@runs_async
async def test_an_operation_that_changes_nothing_is_no_change(premises) -> None:
    async with premises.running(open=True) as place, legacy_client(place.url, None) as ada:
        document_id = await ada.create()
        await ada.insert(document_id, 0, "abc")
        await ada.shows(document_id, "abc")
        await ada.insert(document_id, 3, "")
        await ada.say("DocumentOperation", operation(document_id, "Delete", range={"start": 1, "end": 1}))
        assert await roundtrip(ada) == []


@runs_async
async def test_a_text_larger_than_a_frame_before_the_sign_in_goes_both_ways(premises) -> None:
    async with (
        premises.running(open=True) as place,
        legacy_client(place.url, None) as ada,
        legacy_client(place.url, None) as bob,
    ):
        document_id = await ada.create()
        text = "Zeile é😀\n" * 50_000
        await ada.insert(document_id, 0, text)
        await ada.shows(document_id, text)
        assert await bob.open(document_id) == text


# ── presence ────────────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_presence_carries_the_senders_true_id_and_name(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None, name="Ada") as desktop,
        legacy_client(place.url, None, user_id="mallory") as mallory,
    ):
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        await mallory.open(document_id)
        lie = {"user_id": desktop.welcome.user_id, "display_name": "Ada", "cursor_position": 2, "is_active": True}
        await mallory.say("PresenceUpdate", {"document_id": document_id, "presence": lie})
        await desktop.until(lambda: any(state and "caret" in state for state in opened.presence.values()))
        (state,) = [state for state in opened.presence.values() if state]
        assert state["user"]["id"] == "mallory"
        assert state["caret"] == {"anchor": 2, "head": 2}


@runs_async
async def test_who_is_no_longer_active_is_gone_for_everybody(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None) as desktop,
        legacy_client(place.url, None, user_id="bob") as bob,
    ):
        opened = await desktop.create_and_open("Hello")
        document_id = opened.facts.document_id
        await bob.open(document_id)
        presence = {"user_id": "bob", "display_name": "Bob", "cursor_position": 1, "is_active": True}
        await bob.say("PresenceUpdate", {"document_id": document_id, "presence": presence})
        await desktop.until(lambda: any(opened.presence.values()))
        await bob.say("PresenceUpdate", {"document_id": document_id, "presence": {**presence, "is_active": False}})
        await desktop.until(lambda: not any(opened.presence.values()))
        assert len((await desktop.heard(Participants)).participants) >= 1


@runs_async
async def test_presence_has_all_its_fields_and_a_time(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None, name="Ada") as desktop,
        legacy_client(place.url, None) as bob,
    ):
        opened = await desktop.create_and_open("Hello é😀 world")
        document_id = opened.facts.document_id
        await bob.open(document_id)
        caret = {"file": opened.replica.main_file, "caret": {"anchor": 6, "head": 9}}
        await opened.publish({"user": {}, **caret})
        presence = (await bob.next("PresenceUpdate"))["presence"]
        datetime.fromisoformat(presence.pop("last_activity"))
        assert presence == {
            "user_id": desktop.welcome.user_id,
            "display_name": "Ada",
            "cursor_position": 8,
            "selection": {"start": 6, "end": 8},
            "is_active": True,
        }


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_every_refusal_has_a_code_and_words(premises) -> None:
    async with premises.running() as place, legacy_client(place.url) as stranger:
        nowhere = {"document_id": str(uuid4())}
        for kind, payload in (
            ("ListDocuments", ...),
            ("OpenDocument", nowhere),
            ("Authentication", {"user_id": "x", "token": "txi_wrong"}),
            ("OpenDocument", nowhere),
        ):
            refused = await stranger.refused(kind, payload)
            assert refused.keys() == {"code", "message"}
            assert all(isinstance(value, str) and value for value in refused.values())
        await stranger.sign_in(place.host_invite)
        assert (await stranger.refused("OpenDocument", nowhere))["code"] == "document_not_found"


@runs_async
async def test_too_large_a_first_message_closes_the_connection(premises) -> None:
    async with premises.running() as place, legacy_client(place.url) as stranger:
        payload = {"user_id": "ada", "token": "x" * 70_000}
        await stranger.connection.send(json.dumps({"type": "Authentication", "payload": payload}))
        assert await stranger.closed() == 1009
