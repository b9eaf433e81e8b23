"""Figures of real projects over a real server: they arrive byte for byte, also over drops, and each once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.folder_listing import files_in
from tests.helpers.live_folder import fill
from tests.helpers.run_async import runs_async, until
from tests.helpers.small_disk import small_disk
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import Live
from texswarm_desktop.services import project_blobs
from texswarm_desktop.services.project import Project
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import NotWritableError, TexSwarmError
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.version import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor
    from pathlib import Path

LOOPBACK = "127.0.0.1"


def picture(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


@asynccontextmanager
async def server_in(folder: Path, **changes: Any) -> AsyncIterator[CollabServer]:
    config = ServerConfig(data=folder / "server", host=LOOPBACK, port=0, open=True, housekeeping_s=0.02, **changes)
    async with CollabServer(config) as server:
        yield server


@dataclass
class Peer:
    """Somebody with a project in a folder, linked to a server."""

    project: Project
    connection: Connection

    @property
    def folder(self) -> Path:
        return self.project.folder

    def put(self, path: str, data: bytes) -> None:
        """As another program does that writes into the folder."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def has(self, path: str, data: bytes) -> bool:
        target = self.folder / path
        return target.is_file() and target.read_bytes() == data

    async def gets(self, path: str, data: bytes) -> None:
        await until(lambda: self.has(path, data), f"{path} at {self.folder.name}")

    async def sent(self) -> None:
        """Everything here is at the server."""
        await until(lambda: self.project.blobs.is_settled and not self.project.unacknowledged(), "all is sent")


@asynccontextmanager
async def linked(project: Project, port: int) -> AsyncIterator[Peer]:
    connection = Connection(address=ServerAddress(LOOPBACK, port), credentials=FakeCredentials(invite=None))
    async with project, connection:
        connection.connect()
        await until(lambda: isinstance(connection.state, Live))
        yield Peer(project, connection)
        project.shared.detach()
        connection.remove(project.document_id)


@asynccontextmanager
async def two_peers(
    tmp_path: Path, server: CollabServer, executor: Executor, port: int = 0, files: dict[str, bytes] | None = None
) -> AsyncIterator[tuple[Peer, Peer]]:
    """Ada shares a project, and Bob has a replica of it; `port`: by which Ada reaches the server."""
    fill(tmp_path / "ada", {"main.tex": "Hello"})
    for path, data in (files or {}).items():
        (tmp_path / "ada" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ada" / path).write_bytes(data)
    mine = await Project.open(tmp_path / "ada", store_executor=executor)
    async with linked(mine, port or server.address.port) as ada:
        await ada.connection.request(mine.as_new_document())
        mine.shared.attach(ada.connection.add(mine.shared))
        await until(lambda: not mine.unacknowledged())
        theirs = await Project.create_replica(tmp_path / "bob", mine.document_id, mine.lineage, store_executor=executor)
        async with linked(theirs, server.address.port) as bob:
            theirs.shared.attach(bob.connection.add(theirs.shared))
            yield ada, bob


@asynccontextmanager
async def together(tmp_path: Path, executor: Executor) -> AsyncIterator[tuple[Peer, Peer]]:
    """Ada and Bob on a server of their own."""
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as peers:
        yield peers


@runs_async
async def test_a_figure_of_some_megabytes_arrives_byte_for_byte(tmp_path, executor) -> None:
    data = picture(3_000_000)
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as (ada, bob):
        ada.put("figures/plot.png", data)
        await bob.gets("figures/plot.png", data)
        await ada.sent()


@runs_async
async def test_figures_that_were_there_before_are_shared_too(tmp_path, executor) -> None:
    files = {f"figures/{number}.png": picture(1000 + number, number) for number in range(30)}
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor, files=files) as (_ada, bob):
        for path, data in files.items():
            await bob.gets(path, data)


@runs_async
async def test_changes_renames_and_deletions_arrive_at_the_other_side(tmp_path, executor) -> None:
    old, new = picture(50_000), picture(60_000, 2)
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as (ada, bob):
        ada.put("plot.png", old)
        await bob.gets("plot.png", old)
        file_id = bob.project.document.file_at("plot.png")
        bob.put("plot.png", new)
        await ada.gets("plot.png", new)
        (ada.folder / "plot.png").rename(ada.folder / "graph.png")
        await bob.gets("graph.png", new)
        assert bob.project.document.file_at("graph.png") == file_id
        await until(lambda: not (bob.folder / "plot.png").exists())
        (bob.folder / "graph.png").unlink()
        await until(lambda: not (ada.folder / "graph.png").exists())
        assert not ada.project.document.blob_files


@runs_async
async def test_what_gives_way_to_a_content_that_is_still_travelling_is_kept_beside_once(tmp_path, executor) -> None:
    old, theirs, mine = (picture(20_000, number) for number in range(3))
    async with (
        server_in(tmp_path) as server,
        TcpProxy(server.address.port) as cable,
        two_peers(tmp_path, server, executor, cable.port) as (ada, bob),
    ):
        ada.put("plot.png", old)
        await bob.gets("plot.png", old)
        await ada.sent()
        cable.refuse()
        await until(lambda: not ada.project.blobs.is_settled)
        bob.put("plot.png", theirs)
        await until(lambda: _blob_of(bob, "plot.png") == sha256(theirs).hexdigest())
        ada.project.shared.apply_remote(bob.project.shared.update_since(ada.project.shared.state_vector()))
        ada.put("plot.png", mine)
        for _ in range(3):  # the name of the new content is here, and it is not
            await ada.project.flush()
        assert files_in(ada.folder).keys() == {"main.tex", "plot.png"}
        assert ada.has("plot.png", mine)
        cable.restore()
        for peer in (ada, bob):
            await peer.gets("plot.png", theirs)
            await peer.gets("plot (2).png", mine)
        await ada.sent()
        assert files_in(bob.folder).keys() == {"main.tex", "plot.png", "plot (2).png"}
        assert len(ada.project.document.blob_files) == 2


@runs_async
async def test_of_two_who_change_one_figure_at_once_neither_loses_it(tmp_path, executor) -> None:
    contents = [picture(20_000, number) for number in range(3)]
    async with (
        server_in(tmp_path) as server,
        TcpProxy(server.address.port) as cable,
        two_peers(tmp_path, server, executor, cable.port) as (ada, bob),
    ):
        ada.put("plot.png", contents[0])
        await bob.gets("plot.png", contents[0])
        await ada.sent()
        cable.refuse()
        await until(lambda: not ada.project.blobs.is_settled)
        ada.put("plot.png", contents[1])
        bob.put("plot.png", contents[2])
        await until(lambda: _blob_of(ada, "plot.png") == sha256(contents[1]).hexdigest())
        await until(lambda: _blob_of(bob, "plot.png") == sha256(contents[2]).hexdigest())
        await bob.sent()
        cable.restore()
        wanted = {"main.tex", "plot.png", "plot (2).png"}
        await until(lambda: all(files_in(peer.folder).keys() == wanted for peer in (ada, bob)), "both have both")
        for peer in (ada, bob):
            await peer.sent()
            await peer.project.flush()
        assert files_in(ada.folder) == files_in(bob.folder)
        assert {data for path, data in files_in(ada.folder).items() if path != "main.tex"} == {*contents[1:]}
        assert not ada.project.document.lost_blobs


def _blob_of(peer: Peer, path: str) -> str | None:
    entries = peer.project.document.blob_files.values()
    return next((entry.blob.blob_hash for entry in entries if entry.path == path and entry.blob), None)


async def _sent_frames(connection: Connection, act: Callable[[], Any]) -> list[bytes]:
    """Return what is sent in binary frames while `act` is waited for."""
    frames: list[bytes] = []
    driver = connection._driver
    send = driver.send

    def note(frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            frames.append(frame)
        send(frame)

    driver.send = note  # type: ignore[method-assign]
    try:
        await act()
    finally:
        driver.send = send  # type: ignore[method-assign]
    return frames


@runs_async
async def test_an_upload_that_is_cut_goes_on_where_it_was(tmp_path, executor) -> None:
    data = picture(4_000_000)
    async with (
        server_in(tmp_path) as server,
        TcpProxy(server.address.port) as cable,
        two_peers(tmp_path, server, executor, cable.port) as (ada, bob),
    ):
        cable.cut(after_bytes=2_000_000)

        async def send() -> None:
            ada.put("plot.png", data)
            await bob.gets("plot.png", data)

        frames = await _sent_frames(ada.connection, send)
        sent = sum(map(len, frames))
        assert cable.connections > 1, "it was cut"
        assert len(data) <= sent < len(data) + 700_000, f"{sent} bytes for {len(data)}"


@runs_async
async def test_the_same_content_travels_once(tmp_path, executor) -> None:
    data = picture(500_000)
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as (ada, bob):
        ada.put("one.png", data)
        await bob.gets("one.png", data)
        await ada.sent()

        async def copy() -> None:
            ada.put("two.png", data)
            await bob.gets("two.png", data)
            await ada.sent()

        frames = await _sent_frames(ada.connection, copy)
        assert sum(map(len, frames)) < 20_000


@pytest.mark.parametrize("sizes", [(100_001,), (20_000_000, 20_000_001)], ids=["a little", "far"])
@runs_async
async def test_files_that_are_too_large_are_reported_and_the_others_go_on(tmp_path, executor, sizes) -> None:
    limits, large = Limits(max_blob_bytes=100_000), {f"large {size}.png": size for size in sizes}
    async with server_in(tmp_path, limits=limits) as server, two_peers(tmp_path, server, executor) as (ada, bob):
        for path, size in large.items():
            ada.put(path, bytes(size))
        ada.put("small.png", picture(100_000))
        await bob.gets("small.png", picture(100_000))
        await until(lambda: large.keys() <= ada.project.file_problems.keys())
        assert not large.keys() & {entry.path for entry in ada.project.document.files.values()}
        await ada.project.blobs.flush()  # comes to an end


@runs_async
async def test_one_that_was_too_large_and_is_not_any_more_is_waited_for_at_the_end(tmp_path, executor) -> None:
    limits = Limits(max_blob_bytes=100_000)
    async with server_in(tmp_path, limits=limits) as server, two_peers(tmp_path, server, executor) as (ada, _bob):
        ada.put("plot.png", bytes(100_001))
        await until(lambda: "plot.png" in ada.project.file_problems)
        ada.put("plot.png", picture(100_000))
        await ada.project.blobs.flush()
        assert "plot.png" in {entry.path for entry in ada.project.document.files.values()}


@runs_async
async def test_text_goes_on_while_a_large_figure_travels(tmp_path, executor) -> None:
    data = picture(10_000_000)
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as (ada, bob):
        ada.put("plot.png", data)
        await until(lambda: ada.project.blobs.sending)
        main = ada.project.document.file_at("main.tex")
        assert main is not None
        ada.project.document.text(main).replace_u16(0, 0, "typed meanwhile ")
        await until(lambda: "typed meanwhile" in str(bob.project.document.text(main)))
        assert ada.project.blobs.sending, "the figure is still on its way"
        await bob.gets("plot.png", data)


@runs_async
async def test_a_project_that_is_opened_again_sends_nothing_again(tmp_path, executor) -> None:
    data = picture(300_000)
    async with server_in(tmp_path) as server:
        async with two_peers(tmp_path, server, executor) as (ada, bob):
            ada.put("plot.png", data)
            await bob.gets("plot.png", data)
            await ada.sent()
        project = await Project.open(tmp_path / "ada", store_executor=executor)
        async with linked(project, server.address.port) as again:

            async def attach() -> None:
                project.shared.attach(again.connection.add(project.shared))
                await again.sent()

            frames = await _sent_frames(again.connection, attach)
            assert sum(map(len, frames)) < 20_000
            assert again.has("plot.png", data)


@runs_async
async def test_a_figure_that_was_deleted_here_comes_back_when_the_deletion_is_undone(tmp_path, executor) -> None:
    data = picture(30_000)
    fill(tmp_path / "p", {"main.tex": "Hello"})
    (tmp_path / "p" / "plot.png").write_bytes(data)
    async with await Project.open(tmp_path / "p", store_executor=executor) as project:
        await project.flush()
        file_id = project.document.file_at("plot.png")
        assert file_id is not None
        blob = project.document.files[file_id].blob
        assert blob is not None
        project.document.remove_file(file_id)
        await project.flush()
        assert not (tmp_path / "p" / "plot.png").exists()
        project.document.add_blob("plot.png", blob, file_id)
        await project.flush()
        assert (tmp_path / "p" / "plot.png").read_bytes() == data


@runs_async
async def test_what_another_program_did_while_nobody_looked_is_taken_in(tmp_path, executor) -> None:
    fill(tmp_path / "p", {"main.tex": "Hello"})
    for number, name in enumerate(("kept.png", "changed.png", "renamed.png", "deleted.png")):
        (tmp_path / "p" / name).write_bytes(picture(5000, number))
    async with await Project.open(tmp_path / "p", store_executor=executor) as project:
        await project.flush()
        ids = {entry.path: file_id for file_id, entry in project.document.blob_files.items()}
    (tmp_path / "p" / "changed.png").write_bytes(picture(6000))
    (tmp_path / "p" / "renamed.png").rename(tmp_path / "p" / "other.png")
    (tmp_path / "p" / "deleted.png").unlink()
    async with await Project.open(tmp_path / "p", store_executor=executor) as project:
        wanted = {ids["kept.png"]: "kept.png", ids["changed.png"]: "changed.png", ids["renamed.png"]: "other.png"}
        await until(lambda: {each: entry.path for each, entry in project.document.blob_files.items()} == wanted)
        await until(lambda: project.document.files[ids["changed.png"]].blob.size == 6000)


@runs_async
async def test_contents_that_nothing_names_are_collected_after_a_while(tmp_path, executor, monkeypatch) -> None:
    """Named again before that, one is kept; so is every one while the time has not run out."""
    datas = {f"{number}.png": picture(1000, number) for number in range(3)}
    fill(tmp_path, {"main.tex": "Hello"})
    for path, data in datas.items():
        (tmp_path / path).write_bytes(data)
    blobs = tmp_path / ".texswarm" / "blobs"

    async def opened(grace_s: float, *, remove: str = "", put: str = "") -> set[str]:
        monkeypatch.setattr(project_blobs, "_GRACE_S", grace_s)
        if put:
            (tmp_path / put).write_bytes(datas[put])
        async with await Project.open(tmp_path, store_executor=executor) as project:
            await project.flush()
            for path in remove.split():
                project.document.remove_file(project.document.file_at(path))
            await project.flush()
        return {path for path, data in datas.items() if (blobs / sha256(data).hexdigest()).exists()}

    assert await opened(3600.0, remove="0.png 1.png") == set(datas)
    assert await opened(3600.0, put="1.png") == set(datas)
    assert await opened(0.0) == {"1.png", "2.png"}
    assert {path.name for path in tmp_path.glob("*.png")} == {"1.png", "2.png"}


@runs_async
async def test_they_are_collected_while_a_project_stays_open(tmp_path, executor, monkeypatch) -> None:
    monkeypatch.setattr(project_blobs, "_GRACE_S", 0.0)
    monkeypatch.setattr(project_blobs, "_COLLECT_EVERY_S", 0.02)
    fill(tmp_path, {"main.tex": "Hello"})
    data, kept = picture(1000), picture(1000, 2)
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "b.png").write_bytes(kept)
    blobs = tmp_path / ".texswarm" / "blobs"
    async with await Project.open(tmp_path, store_executor=executor) as project:
        await until(lambda: project.document.file_at("a.png") and project.document.file_at("b.png"))
        await project.flush()
        (tmp_path / "a.png").unlink()
        await until(lambda: not (blobs / sha256(data).hexdigest()).exists())
        assert (blobs / sha256(kept).hexdigest()).exists()


@runs_async
async def test_what_latex_makes_is_not_shared(tmp_path, executor) -> None:
    fill(tmp_path / "p", {"main.tex": "Hello", ".gitignore": "scratch/\n"})
    for path in ("main.pdf", "figure.pdf", "scratch/x.png", "plot-eps-converted-to.pdf"):
        (tmp_path / "p" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "p" / path).write_bytes(picture(100))
    async with await Project.open(tmp_path / "p", store_executor=executor) as project:
        await project.flush()
        assert [entry.path for entry in project.document.blob_files.values()] == ["figure.pdf"]


@runs_async
async def test_what_is_no_text_under_a_texts_name_is_shared_as_it_is(tmp_path, executor) -> None:
    data, more = picture(60_000) + b"\0", picture(30_000, 2) + b"\0"
    async with together(tmp_path, executor) as (ada, bob):
        ada.put("data.dat", data)
        ada.put("notes.txt", b"plain text\n")
        await bob.gets("data.dat", data)
        await bob.gets("notes.txt", b"plain text\n")
        bob.put("data.dat", more)
        await ada.gets("data.dat", more)
        assert (ada.project.file_problems, bob.project.file_problems) == ({}, {})
        document = ada.project.document
        assert {entry.path: entry.blob is not None for entry in document.files.values()} == {
            "main.tex": False, "data.dat": True, "notes.txt": False,
        }  # fmt: skip
        (ada.folder / "data.dat").unlink()
        await until(lambda: not (bob.folder / "data.dat").exists())


@runs_async
async def test_what_is_no_text_stays_one_figure_over_an_opening(tmp_path, executor) -> None:
    data = picture(1000) + b"\0"
    fill(tmp_path, {"main.tex": "x"})
    (tmp_path / "table.csv").write_bytes(data)
    ids = []
    for _ in range(2):
        async with await Project.open(tmp_path, store_executor=executor) as project:
            await project.flush()
            ids.append(project.document.file_at("table.csv"))
            assert project.file_problems == {}
    assert ids[0] is not None
    assert (ids[0], (tmp_path / "table.csv").read_bytes()) == (ids[1], data)


SPELLINGS = [
    ("utf-8", b"", "\n"),
    ("utf-8", b"\xef\xbb\xbf", "\r\n"),
    ("utf-16-le", b"\xff\xfe", "\r\n"),
    ("utf-16-be", b"\xfe\xff", "\n"),
    ("latin-1", b"", "\r"),
]


@pytest.mark.parametrize(("encoding", "mark", "newline"), SPELLINGS)
@runs_async
async def test_a_text_keeps_its_spelling_in_every_folder(tmp_path, executor, encoding, mark, newline) -> None:
    """The one who has the file and the one who gets it both write in it, on the disk and in the document."""

    def spelled(text: str) -> bytes:
        return mark + text.replace("\n", newline).encode(encoding)

    async with together(tmp_path, executor) as (ada, bob):
        ada.put("old.tex", spelled("é one\ntwo\n"))
        await bob.gets("old.tex", spelled("é one\ntwo\n"))
        bob.put("old.tex", spelled("é one\ntwo\nthree é\n"))
        await ada.gets("old.tex", spelled("é one\ntwo\nthree é\n"))
        ada.put("old.tex", spelled("ü one\ntwo\nthree é\n"))
        await bob.gets("old.tex", spelled("ü one\ntwo\nthree é\n"))
        document = bob.project.document
        document.text(document.file_at("old.tex")).replace_cp(0, 1, "ä")
        await ada.gets("old.tex", spelled("ä one\ntwo\nthree é\n"))


@runs_async
async def test_nothing_is_written_through_a_link_or_where_no_figure_belongs(tmp_path, executor) -> None:
    fill(tmp_path / "p", {"main.tex": "Hello"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "p" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "p" / "plot.png").write_bytes(picture(100))
    async with await Project.open(tmp_path / "p", store_executor=executor) as project:
        await project.flush()
        blob = next(iter(project.document.blob_files.values())).blob
        assert blob is not None
        for path in ("link/x.png", ".git/x.png", "run.sh", "x.desktop"):
            project.document.add_blob(path, blob)
        await asyncio.sleep(0)
        with suppress(TexSwarmError):  # told for the file; the others go on
            await project.flush()
        assert set(project.file_problems) == {"link", "link/x.png", ".git/x.png", "run.sh", "x.desktop"}
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (tmp_path / "p" / "run.sh").exists()


@runs_async
async def test_a_full_disk_is_told_and_the_figure_arrives_when_there_is_room(tmp_path, executor) -> None:
    data = picture(600_000)
    with small_disk(tmp_path, 4096) as disk:
        async with server_in(tmp_path) as server:
            fill(tmp_path / "ada", {"main.tex": "Hello"})
            mine = await Project.open(tmp_path / "ada", store_executor=executor)
            async with linked(mine, server.address.port) as ada:
                await ada.connection.request(mine.as_new_document())
                mine.shared.attach(ada.connection.add(mine.shared))
                theirs = await Project.create_replica(
                    disk.root / "bob", mine.document_id, mine.lineage, store_executor=executor
                )
                async with linked(theirs, server.address.port) as bob:
                    theirs.shared.attach(bob.connection.add(theirs.shared))
                    await until((bob.folder / "main.tex").exists)
                    await theirs.flush()
                    disk.fill()
                    ada.put("plot.png", data)
                    await ada.sent()
                    await until(lambda: theirs.blobs.lacking() or theirs.problem)
                    disk.make_room()
                    await bob.gets("plot.png", data)


@runs_async
async def test_a_figure_that_cannot_be_copied_is_told_and_shared_when_there_is_room(tmp_path, executor) -> None:
    data = picture(400_000)
    with small_disk(tmp_path, 2048) as disk:
        fill(disk.root / "p", {"main.tex": "Hello"})
        async with await Project.open(disk.root / "p", store_executor=executor) as project:
            await project.flush()
            (disk.root / "p" / "plot.png").write_bytes(data)
            disk.fill()
            await until(lambda: isinstance(project.problem, NotWritableError))
            disk.make_room()
            await until(lambda: project.document.blob_files)
            await until(lambda: project.problem is None)
            assert (disk.root / "p" / "plot.png").read_bytes() == data


@runs_async
async def test_a_content_that_got_damaged_here_before_it_was_written_is_fetched_again(tmp_path, executor) -> None:
    old, new = picture(20_000), picture(20_000, 2)
    async with together(tmp_path, executor) as (ada, bob):
        ada.put("plot.png", old)
        await bob.gets("plot.png", old)
        ada.put("plot.png", new)
        await bob.gets("plot.png", new)
        damaged = bob.folder / ".texswarm" / "blobs" / sha256(old).hexdigest()
        damaged.write_bytes(picture(20_000, 3))
        ada.put("plot.png", old)
        await bob.gets("plot.png", old)
        await until(lambda: not bob.project.blobs.problems, "nothing is in trouble any more")


@runs_async
async def test_a_figure_that_had_come_whole_when_the_process_was_killed_is_there(tmp_path, executor) -> None:
    data = picture(30_000)
    async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as (ada, bob):
        folder = bob.folder
        await bob.sent()
        bob.project.shared.detach()
        bob.connection.remove(bob.project.document_id)
        await bob.project.close()
        ada.put("plot.png", data)
        await ada.sent()
        parts = folder / ".texswarm" / "blobs"
        parts.mkdir(exist_ok=True)
        (parts / f"{sha256(data).hexdigest()}.{len(data)}.part").write_bytes(data)
        again = await Project.open(folder, store_executor=executor)
        async with linked(again, server.address.port) as bob_again:
            again.shared.attach(bob_again.connection.add(again.shared))
            await bob_again.gets("plot.png", data)
            assert not again.blobs.problems
