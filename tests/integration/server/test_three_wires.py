"""The desktop, a client of the first generation and a Yjs client in one document at the same time."""

from __future__ import annotations

from tests.helpers.legacy_client import legacy_client
from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import signed_in_client
from tests.helpers.yjs_client import yjs_client


@runs_async
async def test_edits_on_all_three_wires_converge(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None) as desktop,
        legacy_client(place.url, None) as old,
    ):
        opened = await desktop.create_and_open("one two three")
        document_id = opened.facts.document_id
        assert await old.open(document_id) == "one two three"
        async with yjs_client(place.url, document_id, None) as browser:
            await browser.shows("one two three")

            operation = {"document_id": document_id, "range": {"start": 4, "end": 7}, "content": "2😀"}
            await old.say("DocumentOperation", {"operation": {"Replace": operation}})
            await opened.write(" four")
            await browser.insert(8, "and ")

            text = "one 2😀 and three four"
            await desktop.until(lambda: opened.text() == text)
            await browser.shows(text)
            await old.shows(document_id, text)


@runs_async
async def test_many_edits_at_once_converge(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None) as desktop,
        legacy_client(place.url, None) as old,
        legacy_client(place.url, None) as older,
    ):
        document_id = await old.create()
        await older.open(document_id)
        opened = await desktop.open(document_id)
        async with yjs_client(place.url, document_id, None) as browser:
            await browser.until(lambda: browser.is_synced)
            for number in range(20):
                await old.insert(document_id, 0, f"<{number}é>")
                await older.insert(document_id, 0, f"[{number}]")
                await opened.write(f"({number})")
                await browser.insert(0, f"{{{number}😀}}")
            size = sum(len(f"<{n}é>[{n}]({n}){{{n}😀}}") for n in range(20))
            await desktop.until(lambda: len(opened.text()) == size)
            for shows in (browser.shows, lambda text: old.shows(document_id, text)):
                await shows(opened.text())
            await older.shows(document_id, opened.text())
    async with premises.running(open=True) as place, legacy_client(place.url, None) as old:
        assert await old.open(document_id) == opened.text()


@runs_async
async def test_carets_are_seen_across_the_wires(premises) -> None:
    async with (
        premises.running(open=True) as place,
        signed_in_client(place.url, None, name="Ada") as desktop,
        legacy_client(place.url, None, user_id="old") as old,
    ):
        opened = await desktop.create_and_open("a😀bc")
        document_id = opened.facts.document_id
        file_id = opened.replica.main_file
        await opened.publish({"user": {}, "file": file_id, "caret": {"anchor": 3, "head": 4}})
        await old.open(document_id)
        seen = (await old.next("PresenceUpdate"))["presence"]
        assert (seen["display_name"], seen["user_id"]) == ("Ada", desktop.welcome.user_id)
        assert (seen["cursor_position"], seen["selection"]) == (3, {"start": 2, "end": 3})

        presence = {"user_id": "somebody else", "display_name": "Old", "cursor_position": 2, "is_active": True}
        await old.say("PresenceUpdate", {"document_id": document_id, "presence": presence})
        await desktop.until(lambda: len(opened.presence) == 1)
        (state,) = opened.presence.values()
        assert state == {
            "user": {"id": "old", "name": "Old"},
            "file": file_id,
            "caret": {"anchor": 3, "head": 3},
        }
