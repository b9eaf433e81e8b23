"""The moment between a file's replacement, or its deletion, and the note of that, held still and looked at."""

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from texswarm_desktop.services.disk import SystemDisk
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document import ProjectDocument


class HeldWrite:
    """Stops the next write of a file right after it: `is_done` is set then, and the writer waits for `go_on`.

    The last step of a write is that its name is made durable, and of a deletion that it is removed under another name.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last_step: str = "sync_folder") -> None:
        self.is_done, self.go_on = threading.Event(), threading.Event()
        monkeypatch.setattr(SystemDisk, last_step, self._held)

    def _held(self, _path: Path) -> None:
        self.is_done.set()
        assert self.go_on.wait(30)


def replace_all(project: Project, words: str) -> None:
    (file_id,) = project.document.files
    text = project.document.text(file_id)
    text.replace_cp(0, text.index.total_cp, words)


async def crash_after_replacing(folder: Path, image: Path, executor: ThreadPoolExecutor, held: HeldWrite) -> None:
    """Leave in `image` what a crash would leave: `first` is in the file, `second` was typed and kept meanwhile."""
    project = await Project.open(folder, store_executor=executor)
    replace_all(project, "first words\n")
    flushing = asyncio.gather(project.flush())
    await asyncio.to_thread(held.is_done.wait, 30)
    replace_all(project, "second thoughts\n")
    await project.kept()
    await asyncio.to_thread(shutil.copytree, folder, image)
    held.go_on.set()
    await flushing
    await project.close()


def text_kept(image: Path, executor: ThreadPoolExecutor) -> str:
    """Return what the replica alone holds, before the folder is looked at."""

    async def look() -> str:
        store = ReplicaStore(image / ".texswarm" / "replica.db", executor=executor)
        stored = await store.load(now=0.0)
        await store.abandon()
        assert stored.updates
        document = ProjectDocument()
        document.load(stored.updates)
        (file_id,) = document.files
        return str(document.text(file_id))

    return asyncio.run(look())


def test_a_crash_right_after_a_file_was_replaced_doubles_nothing(
    tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, image = tmp_path / "project", tmp_path / "image"
    folder.mkdir()
    (folder / "main.tex").write_text("before\n")
    asyncio.run(crash_after_replacing(folder, image, executor, HeldWrite(monkeypatch)))
    assert (image / "main.tex").read_text() == "first words\n"

    async def look() -> str:
        async with await Project.open(image, store_executor=executor) as project:
            (file_id,) = project.document.files
            return str(project.document.text(file_id))

    assert asyncio.run(look()) == "second thoughts\n"
    assert (image / "main.tex").read_text() == "second thoughts\n"


def test_what_is_in_a_file_was_kept_in_the_replica_before(
    tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the same words would come back a second time, as another program's and from the server."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "main.tex").write_text("before\n")
    held = HeldWrite(monkeypatch)

    async def story() -> None:
        project = await Project.open(tmp_path / "p", store_executor=executor)
        monkeypatch.setattr(project._store, "_start", lambda: None)  # nobody but the mirror commits
        replace_all(project, "typed words\n")
        project._mirror._begin()
        await asyncio.to_thread(held.is_done.wait, 30)
        await asyncio.to_thread(shutil.copytree, tmp_path / "p", tmp_path / "image")
        monkeypatch.undo()
        held.go_on.set()
        await project.close()

    asyncio.run(story())
    assert (tmp_path / "image" / "main.tex").read_text() == "typed words\n"
    assert text_kept(tmp_path / "image", executor) == "typed words\n"


def test_a_crash_right_after_a_file_was_deleted_and_an_older_state_put_there_takes_out_no_line(
    tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`git checkout` writes what it has: the file comes back, and with it what an editor saved in it before."""
    (tmp_path / "p").mkdir()
    for name in ("main.tex", "part.tex"):
        (tmp_path / "p" / name).write_text("one\ntwo\n")

    async def story() -> None:
        project = await Project.open(tmp_path / "p", store_executor=executor)
        file_id = project.document.file_at("part.tex")
        assert file_id is not None
        (tmp_path / "p" / "part.tex").write_text("one\nsaved\ntwo\n")
        await project.taken_in()
        held = HeldWrite(monkeypatch, "remove")
        project.document.remove_file(file_id)
        flushing = asyncio.gather(project.flush())
        await asyncio.to_thread(held.is_done.wait, 30)
        await asyncio.to_thread(shutil.copytree, tmp_path / "p", tmp_path / "image")
        monkeypatch.undo()
        held.go_on.set()
        await flushing
        await project.close()

    asyncio.run(story())
    assert not (tmp_path / "image" / "part.tex").exists()
    (tmp_path / "image" / "part.tex").write_text("one\ntwo\n")

    async def look() -> None:
        async with await Project.open(tmp_path / "image", store_executor=executor) as project:
            await project.flush()

    asyncio.run(look())
    assert (tmp_path / "image" / "part.tex").read_text() == "one\nsaved\ntwo\n"


def test_a_file_that_gets_its_name_back_while_it_is_being_moved_is_moved_back(
    tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 966065 of the simulated mirror: it was where it is to be when that was asked, and elsewhere afterwards."""
    (tmp_path / "p").mkdir()
    for name in ("main.tex", "part.tex"):
        (tmp_path / "p" / name).write_text(name)

    async def story() -> None:
        async with await Project.open(tmp_path / "p", store_executor=executor) as project:
            await project.flush()
            file_id = project.document.file_at("part.tex")
            assert file_id is not None
            is_moved, go_on, move = threading.Event(), threading.Event(), SystemDisk.put_beside

            def held(disk: SystemDisk, old: Path, new: Path) -> None:
                move(disk, old, new)
                is_moved.set()
                assert go_on.wait(30)

            monkeypatch.setattr(SystemDisk, "put_beside", held)
            project.document.rename_file(file_id, "other.tex")
            flushing = asyncio.gather(project.flush())
            assert await asyncio.to_thread(is_moved.wait, 30)
            project.document.rename_file(file_id, "part.tex")
            monkeypatch.undo()
            go_on.set()
            await flushing
            await project.flush()

    asyncio.run(story())
    assert sorted(path.name for path in (tmp_path / "p").glob("*.tex")) == ["main.tex", "part.tex"]
