"""A server that was put back to an old backup: what it has forgotten comes back from the clients, and nothing twice."""

import shutil
from pathlib import Path

from tests.helpers.run_async import runs_async, until
from tests.helpers.server_process import ServerProcess
from tests.helpers.shared_folder import fill, operate, running_server, shared
from tests.helpers.sync_process import SyncProcess, sync_once, texts_in

BEFORE = {"main.tex": "Before the backup.\n", "old.tex": "Old.\n"}


async def put_back(server: ServerProcess, backup: Path, *noticing: SyncProcess) -> None:
    """Stop the server, let an old backup be its database, and start it again, once these have noticed."""
    await server.stop()
    for peer in noticing:  # a shorter absence would not be told
        await peer.until("status", state="waiting")
    for path in server.data.glob("texswarm.db*"):
        path.unlink()
    shutil.copy(backup, server.data / "texswarm.db")
    await server.start()


@runs_async
async def test_what_was_written_since_the_backup_comes_back_while_clients_are_there(tmp_path: Path) -> None:
    first, second, backup = tmp_path / "first", tmp_path / "second", tmp_path / "backup.db"
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, BEFORE)
        await sync_once(second, paper)
        await operate(server, "backup", str(backup))
        async with SyncProcess(first) as one, SyncProcess(second) as two:
            await one.until_saved()
            await two.until_saved()
            fill(first, {"main.tex": "Before the backup.\nAnd after it.\n", "new.tex": "New.\n"})
            (second / "old.tex").unlink()
            expected = {"main.tex": "Before the backup.\nAnd after it.\n", "new.tex": "New.\n"}
            await until(lambda: texts_in(first) == texts_in(second) == expected)
            await put_back(server, backup, one)
            await one.until_saved()
            fill(second, {"new.tex": "New, and newer.\n"})
            await until(lambda: texts_in(first).get("new.tex") == "New, and newer.\n")
        await sync_once(tmp_path / "third", paper)
    assert texts_in(tmp_path / "third") == expected | {"new.tex": "New, and newer.\n"}
    assert texts_in(first) == texts_in(second) == texts_in(tmp_path / "third")


@runs_async
async def test_it_comes_back_from_a_client_that_was_away_meanwhile(tmp_path: Path) -> None:
    """Everything it has was acknowledged; its sign-in of today is unknown to the server of yesterday."""
    first, backup = tmp_path / "first", tmp_path / "backup.db"
    async with running_server(tmp_path) as (server, link):
        paper = await shared(tmp_path, link, BEFORE)
        await operate(server, "backup", str(backup))
        after = {"main.tex": "After the backup.\n", "old.tex": "Old.\n", "parts/new.tex": "New.\n"}
        for number in range(3):
            await sync_once(fill(first, after | {"count.tex": f"{number}\n"}))
        await put_back(server, backup)
        await sync_once(first)
        await sync_once(tmp_path / "third", paper)
    assert texts_in(tmp_path / "third") == after | {"count.tex": "2\n"}
    assert texts_in(first) == texts_in(tmp_path / "third")
