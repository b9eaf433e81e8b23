"""`texswarm sync` on a folder that another program has open: it is attached to that one, and takes over in the end."""

import signal
import socket
from pathlib import Path

from tests.helpers.folder_listing import files_in
from tests.helpers.run_async import runs_async, until
from tests.helpers.shared_folder import fill, running_server, shared
from tests.helpers.sync_process import SyncProcess, sync_once, texts_in
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.services.folder_lock import holder_of
from texswarm_desktop.services.project_entry import lock_path

PAPER = {"main.tex": "One.\n"}
HERE = {"host": socket.gethostname()}


async def attached(peer: SyncProcess, to: SyncProcess) -> None:
    await peer.until("attached", program="texswarm sync", pid=to.pid, **HERE)


@runs_async
async def test_the_second_says_who_has_the_folder_and_how_that_one_stands(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (server, link):
        await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            async with SyncProcess(folder) as second:
                await attached(second, first)
                await second.until_saved()
                await server.kill()
                await first.until("status", state="waiting")
                await second.until("status", state="waiting")
            assert second.events[-1] == {"event": "ended", "status": 0, "code": "", "sentence": "", "choices": []}
            await server.start()
            await first.until_saved()


@runs_async
async def test_the_second_takes_over_when_the_first_is_killed(tmp_path: Path) -> None:
    folder, other = tmp_path / "first", tmp_path / "other"
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first, SyncProcess(other, paper):
            await first.until_saved()
            async with SyncProcess(folder) as second:
                await attached(second, first)
                await first.end(signal.SIGKILL)
                fill(folder, {"new.tex": "Written while nobody had the folder.\n"})
                await second.until("attached", program=None, pid=None)
                await second.until_saved()
                await until(lambda: texts_in(other) == PAPER | {"new.tex": "Written while nobody had the folder.\n"})
                fill(other, {"main.tex": "Two.\n"})
                await until(lambda: texts_in(folder)["main.tex"] == "Two.\n")


def has(peer: SyncProcess) -> bool:
    """Whether this one has the folder, as the folder itself says."""
    held = holder_of(lock_path(peer.folder))
    return held is not None and held.pid == peer.pid


@runs_async
async def test_of_two_that_wait_one_takes_over_and_the_other_is_attached_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (_, link):
        await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            async with SyncProcess(folder) as second, SyncProcess(folder) as third:
                await attached(second, first)
                await attached(third, first)
                await first.end()
                await until(lambda: has(second) or has(third))
                holder, left = (second, third) if has(second) else (third, second)
                await attached(left, holder)
                await left.until_saved()


@runs_async
async def test_once_ends_when_the_first_has_stored_what_was_in_the_folder(tmp_path: Path) -> None:
    """Also what was written a moment before, of which the system has not told the first yet; and figures."""
    folder, picture = tmp_path / "first", b"\x89PNG" + bytes(200_000)
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            for number in range(3):
                fill(folder, {"main.tex": f"Version {number}.\n"})
                (folder / "figure.png").write_bytes(picture + bytes([number]))
                second = await sync_once(folder)
                assert [one["pid"] for one in second.events if one["event"] == "attached"] == [first.pid]
                await sync_once(tmp_path / f"other {number}", paper)
                assert files_in(tmp_path / f"other {number}") == files_in(folder)


@runs_async
async def test_once_waits_for_a_server_that_is_away_and_no_longer_than_it_has_patience(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            await server.kill()
            await first.until("status", state="waiting")
            async with SyncProcess(folder, None, "--once", "--patience", "0.5") as impatient:
                assert await impatient.ended() == 1
            assert impatient.events[-1]["code"] == "LinkTimeoutError"
            async with SyncProcess(folder, None, "--once") as second:
                await attached(second, first)
                await second.until("status")
                fill(folder, {"main.tex": "Written meanwhile.\n"})
                await server.start()
                assert await second.ended() == 0
            await sync_once(tmp_path / "other", paper)
    assert texts_in(tmp_path / "other") == {"main.tex": "Written meanwhile.\n"}


@runs_async
async def test_once_does_not_take_another_document_for_what_was_asked(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (_, link):
        await shared(tmp_path, link, PAPER)
        other = await sync_once(fill(tmp_path / "other", {"main.tex": "Other.\n"}), link)
        (told,) = [event["link"] for event in other.events if event["event"] == "link"]
        async with SyncProcess(folder) as first:
            await first.until_saved()
            async with SyncProcess(folder, told, "--once") as second:
                assert await second.ended() == 1
    assert second.events[-1]["code"] == "ProjectInUseError"
    assert str(first_pid(second)) in second.events[-1]["sentence"]
    assert texts_in(folder) == PAPER


def first_pid(peer: SyncProcess) -> int:
    (attached,) = [one for one in peer.events if one["event"] == "attached"]
    return int(attached["pid"])


@runs_async
async def test_a_signal_ends_the_attached_one_and_leaves_the_first_alone(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            for how in (signal.SIGTERM, signal.SIGINT):
                async with SyncProcess(folder) as second:
                    await attached(second, first)
                    assert await second.end(how) == 0
            async with SyncProcess(folder) as second:
                await attached(second, first)
                await second.end(signal.SIGKILL)
            fill(folder, {"main.tex": "Two.\n"})
            await sync_once(folder)
            await sync_once(tmp_path / "other", paper)
    assert texts_in(tmp_path / "other") == {"main.tex": "Two.\n"}


@runs_async
async def test_of_two_that_begin_at_once_one_makes_the_folder(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, PAPER)
        for number in range(3):
            folder = tmp_path / f"new {number}"
            async with SyncProcess(folder, paper, "--once") as one, SyncProcess(folder, paper, "--once") as two:
                assert (await one.ended(), await two.ended()) == (0, 0), (one.events, two.events, one.said)
            assert texts_in(folder) == PAPER


@runs_async
async def test_the_second_passes_on_which_files_are_in_trouble_and_which_are_not_shared(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (_, link):
        await shared(tmp_path, link, PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            async with SyncProcess(folder) as second:
                await attached(second, first)
                (folder / "run.py").write_text("pass\n")
                await second.until("file_problem", path="run.py", is_note=True)
                (folder / "main.tex").unlink()
                (folder / "main.tex").write_bytes(b"\x00\x01 no text \xff")
                told = await second.until("file_problem", path="main.tex")
                assert told["sentence"] == (await first.until("file_problem", path="main.tex"))["sentence"]
                (folder / "main.tex").write_text("Two.\n")
                await second.until("file_problem", path="main.tex", sentence=None)


@runs_async
async def test_the_second_passes_on_how_far_figures_are(tmp_path: Path) -> None:
    """Over a line on which all takes its time."""
    folder = tmp_path / "first"
    async with running_server(tmp_path) as (server, _), TcpProxy(server.port) as line:
        await shared(tmp_path, await server.invite(f"ws://127.0.0.1:{line.port}"), PAPER)
        async with SyncProcess(folder) as first:
            await first.until_saved()
            async with SyncProcess(folder) as second:
                await attached(second, first)
                await second.until_saved()
                line.delay(0.2)
                (folder / "plot.png").write_bytes(bytes(8_000_000))
                told = await second.until("transfer", fetching=None)
                assert told["sending"]["total"] == 8_000_000
                line.delay(0)
                await second.until("transfer", sending=None)
                assert [one["sending"] for one in second.events if one["event"] == "transfer"][-1] is None
