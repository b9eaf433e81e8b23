"""`texswarm sync` against a real server: what the folder and the document become, and how the program ends."""

import signal
from pathlib import Path

from tests.helpers.folder_listing import files_in
from tests.helpers.run_async import runs_async, until
from tests.helpers.shared_folder import fill, operate, running_server, shared
from tests.helpers.sync_process import SyncProcess, sync_once, texts_in

PAPER = {"main.tex": "\\documentclass{article}\nHello, wörld.\n", "parts/one.tex": "One.\n"}


@runs_async
async def test_a_folder_goes_to_the_server_and_arrives_in_another(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        await sync_once(tmp_path / "second", paper)
        assert texts_in(tmp_path / "second") == PAPER
        fill(tmp_path / "second", {"parts/one.tex": "One, changed.\n", "two.tex": "Two.\n"})
        await sync_once(tmp_path / "second")
        await sync_once(tmp_path / "first")
    assert texts_in(tmp_path / "first") == texts_in(tmp_path / "second")
    assert texts_in(tmp_path / "first") == PAPER | {"parts/one.tex": "One, changed.\n", "two.tex": "Two.\n"}


@runs_async
async def test_two_folders_follow_each_other(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        async with SyncProcess(first) as one, SyncProcess(second, paper) as two:
            await one.until_saved()
            await two.until_saved()
            fill(first, {"main.tex": "From the first.\n"})
            await until(lambda: texts_in(second).get("main.tex") == "From the first.\n")
            (second / "parts/one.tex").unlink()
            fill(second, {"new.tex": "From the second.\n"})
            await until(lambda: texts_in(first) == {"main.tex": "From the first.\n", "new.tex": "From the second.\n"})


@runs_async
async def test_a_document_that_is_still_empty_is_filled(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        await sync_once(tmp_path / "nothing", link)
        empty = await shared(tmp_path, link, {})
        await sync_once(fill(tmp_path / "second", PAPER), empty)
        await sync_once(tmp_path / "third", empty)
    assert texts_in(tmp_path / "third") == PAPER


@runs_async
async def test_two_histories_are_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        other = fill(tmp_path / "other", {"main.tex": "Mine.\n"})
        for options in ((), ("--once",), ("--dry-run",)):
            async with SyncProcess(other, paper, *options) as process:
                assert await process.ended() == 3
            assert process.events[-1]["choices"] == ["--take theirs", "--keep-both"]
            assert texts_in(other) == {"main.tex": "Mine.\n"}
        assert [path.name for path in other.iterdir()] == ["main.tex"]
        assert "--keep-both" in process.said
        await sync_once(tmp_path / "first")
    assert texts_in(tmp_path / "first") == PAPER


@runs_async
async def test_a_dry_run_names_the_files_and_changes_none(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        other = fill(tmp_path / "other", {"main.tex": "Mine.\n", "parts/one.tex": "One.\n", "mine.tex": "x\n"})
        process = await sync_once(other, paper, "--dry-run", "--take", "theirs")
    assert [path.name for path in other.iterdir() if path.name.startswith(".")] == []
    assert [(one["path"], one["change"]) for one in process.events if one["event"] == "file"] == [
        ("main.tex", "changed"), ("mine.tex", "only here"), ("parts/one.tex", "same"),
    ]  # fmt: skip


@runs_async
async def test_theirs_is_taken_and_ours_is_kept_inside(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        other = fill(tmp_path / "other", {"main.tex": "Mine.\n", "mine.tex": "Only mine.\n"})
        process = await sync_once(other, paper, "--take", "theirs")
    assert texts_in(other) == PAPER
    (told,) = [event for event in process.events if event["event"] == "aside"]
    assert Path(told["folder"]).is_relative_to(other / ".texswarm")
    assert (Path(told["folder"]) / "main.tex").read_text() == "Mine.\n"
    assert (Path(told["folder"]) / "mine.tex").read_text() == "Only mine.\n"


@runs_async
async def test_both_are_kept_and_ours_is_a_project_of_its_own(tmp_path: Path) -> None:
    """Also where ours is on the server already: the copy must not be taken for it."""
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        other = fill(tmp_path / "other", {"main.tex": "Mine.\n"})
        await sync_once(other, link)
        process = await sync_once(other, paper, "--keep-both")
        (told,) = [event for event in process.events if event["event"] == "aside"]
        copy = Path(told["folder"])
        assert copy.parent == other.parent
        assert copy.name.startswith("other (my copy ")
        assert (texts_in(other), texts_in(copy)) == (PAPER, {"main.tex": "Mine.\n"})
        again = await sync_once(copy, link)
    (mine,) = [event["document"] for event in again.events if event["event"] == "link"]
    assert mine not in paper


@runs_async
async def test_a_copy_of_the_same_origin_is_merged_with_what_became_of_the_original(tmp_path: Path) -> None:
    """The copy has an identity of its own and the same history: both sides' edits are kept, once somebody says so."""
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        other = await sync_once(fill(tmp_path / "other", {"main.tex": "Another.\n"}), link)
        (told,) = [event["link"] for event in other.events if event["event"] == "link"]
        (aside,) = [
            event for event in (await sync_once(tmp_path / "first", told, "--keep-both")).events
            if event["event"] == "aside"
        ]  # fmt: skip
        copy = fill(Path(aside["folder"]), {"parts/one.tex": "One, in the copy.\n", "mine.tex": "Mine.\n"})
        await sync_once(tmp_path / "second", paper)
        await sync_once(fill(tmp_path / "second", {"main.tex": "Changed there.\n"}))
        asked = SyncProcess(copy, paper, "--once")
        async with asked:
            assert await asked.ended() == 3
        assert asked.events[-1]["choices"] == ["--take theirs", "--keep-both", "--merge"]
        assert texts_in(copy)["main.tex"] == PAPER["main.tex"]
        plan = await sync_once(copy, paper, "--dry-run", "--merge")
        assert [event["road"] for event in plan.events if event["event"] == "plan"] == ["merge"]
        assert {event["path"]: event["change"] for event in plan.events if event["event"] == "file"} == {
            "main.tex": "changed", "parts/one.tex": "changed", "mine.tex": "only here",
        }  # fmt: skip
        merged = await sync_once(copy, paper, "--merge")
        assert "aside" not in {event["event"] for event in merged.events}
        await sync_once(tmp_path / "second")
        await sync_once(copy)
    wanted = {"main.tex": "Changed there.\n", "parts/one.tex": "One, in the copy.\n", "mine.tex": "Mine.\n"}
    assert texts_in(copy) == texts_in(tmp_path / "second") == wanted


@runs_async
async def test_what_was_written_last_is_sent_before_it_ends(tmp_path: Path) -> None:
    first = tmp_path / "first"
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        for number, how in enumerate((signal.SIGTERM, signal.SIGINT)):
            async with SyncProcess(first) as process:
                await process.until_saved()
                fill(first, {"main.tex": f"The last words, {number}.\n"})
                assert await process.end(how) == 0
            await sync_once(tmp_path / "second", paper)
            assert texts_in(tmp_path / "second")["main.tex"] == f"The last words, {number}.\n"


@runs_async
async def test_it_goes_on_over_a_killed_server(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, PAPER)
        async with SyncProcess(first) as one, SyncProcess(second, paper) as two:
            await one.until_saved()
            await two.until_saved()
            await server.kill()
            await one.until("status", state="waiting")
            fill(first, {"main.tex": "While it was away.\n"})
            await one.until("status", state="waiting")
            await server.start()
            await one.until_saved()
            await until(lambda: texts_in(second).get("main.tex") == "While it was away.\n")


@runs_async
async def test_a_withdrawn_invitation_ends_it_with_a_sentence(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, PAPER)
        await operate(server, "revoke", paper)
        async with SyncProcess(tmp_path / "second", paper) as process:
            assert await process.ended() == 4
    assert process.events[-1]["code"] == "invite_revoked"
    assert process.said.strip().splitlines() == [f"texswarm: {process.events[-1]['sentence']}"]


@runs_async
async def test_an_invitation_that_lets_nobody_create_a_project_is_told_from_reading_only(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, _):
        link = await server.invite(f"ws://127.0.0.1:{server.port}", role="editor")
        async with SyncProcess(fill(tmp_path / "first", PAPER), link, "--once") as process:
            assert await process.ended() == 4
    assert process.events[-1]["code"] == "may_not_create"
    assert "put a project on the server" in process.said


@runs_async
async def test_a_server_that_is_not_there_is_not_waited_for_without_end(tmp_path: Path) -> None:
    async with SyncProcess(
        fill(tmp_path / "first", PAPER), "texswarm://127.0.0.1:9/?token=t", "--once", "--patience", "0.3"
    ) as process:
        assert await process.ended() == 1
    assert process.events[-1]["code"] == "LinkTimeoutError"


@runs_async
async def test_a_folder_without_a_server_wants_a_link(tmp_path: Path) -> None:
    async with SyncProcess(fill(tmp_path / "first", PAPER)) as process:
        assert await process.ended() == 2
    assert texts_in(tmp_path / "first") == PAPER


@runs_async
async def test_files_of_other_spellings_are_the_same_bytes_on_both_sides(tmp_path: Path) -> None:
    """Latin-1 with CRLF, and what another program makes of it; nothing is said on the way of what is plain."""
    old = "\\usepackage[latin1]{inputenc}\r\nn\xe4\xefve\r\n".encode("latin-1")
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "m\n"})
        (tmp_path / "first" / "old.tex").write_bytes(old)
        async with SyncProcess(tmp_path / "first") as one, SyncProcess(tmp_path / "two", paper) as two:
            await one.until_saved()
            await two.until_saved()
            await until(lambda: files_in(tmp_path / "two").get("old.tex") == old)
            (tmp_path / "two" / "old.tex").write_bytes(old + b"\xfc\r\n")
            await until(lambda: files_in(tmp_path / "first")["old.tex"] == old + b"\xfc\r\n")
            now = (old + b"\xfc\r\n").decode("latin-1").replace("\r\n", "\n").encode()
            (tmp_path / "first" / "old.tex").write_bytes(now)
            await until(lambda: files_in(tmp_path / "two")["old.tex"] == now)
            assert files_in(tmp_path / "two") == files_in(tmp_path / "first")
