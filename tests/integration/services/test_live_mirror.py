"""An open project and other programs in its folder, at the same time, on a real disk."""

import asyncio
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.helpers.run_async import runs_async, settle, until
from texswarm_desktop.services.folder_watch import FolderWatch
from texswarm_desktop.services.project import Project
from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.errors import FilePathError

LINES = "".join(f"line {number} of a text\n" for number in range(40))


def fill(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.tex").write_text(text)


@asynccontextmanager
async def opened(folder: Path, executor: ThreadPoolExecutor, **files: str):
    fill(folder, files)
    async with await Project.open(folder, store_executor=executor) as project:
        await project.flush()
        yield project


def texts(project: Project) -> dict[str, str]:
    document = project.document
    return {entry.path: str(document.text(file_id)) for file_id, entry in document.files.items()}


def text_of(project: Project, path: str):
    return project.document.text(project.document.file_at(path))


def size_of(changes) -> tuple[int, str]:
    return sum(change.deleted_u8 for change in changes), "".join(change.inserted for change in changes)


def save_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def save_by_rename(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def save_with_a_backup(path: Path, text: str) -> None:
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(text)


def save_by_deleting(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


SAVES = [save_in_place, save_by_rename, save_with_a_backup, save_by_deleting]


@pytest.mark.parametrize("save", SAVES)
@runs_async
async def test_what_another_program_saves_comes_in_as_the_edit_it_is(save, tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main=LINES) as project:
        file_id, seen = project.document.file_at("main.tex"), []
        project.document.text(file_id).subscribe(seen.extend)
        save(tmp_path / "main.tex", LINES.replace("line 20 of", "line twenty of"))
        await until(lambda: "twenty" in texts(project)["main.tex"])
        assert texts(project)["main.tex"] == LINES.replace("line 20 of", "line twenty of")
        assert size_of(seen) == (2, "twenty")
        assert project.document.file_at("main.tex") == file_id
        assert project.unacknowledged() > 0


@runs_async
async def test_a_file_in_the_middle_of_being_saved_is_not_taken(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main=LINES) as project:
        seen = []
        text_of(project, "main.tex").subscribe(seen.extend)
        with (tmp_path / "main.tex").open("w") as file:
            await settle()
            file.write(LINES[:200])
            file.flush()
            type_at_end(project, "main.tex", "typed here\n")
            await until(lambda: project._mirror._intake._sights)
            file.write(LINES[200:].replace("line 39", "the last line"))
        await until(lambda: "the last line" in texts(project)["main.tex"])
        assert texts(project)["main.tex"] == LINES.replace("line 39", "the last line") + "typed here\n"
        assert all(change.deleted_u8 < 20 for change in seen)
        await until(lambda: (tmp_path / "main.tex").read_text() == texts(project)["main.tex"])


def type_at_end(project: Project, path: str, words: str) -> None:
    text = text_of(project, path)
    text.replace_cp(text.index.total_cp, text.index.total_cp, words)


@runs_async
async def test_what_is_typed_here_reaches_the_disk_by_itself(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main="a\n") as project:
        type_at_end(project, "main.tex", "b\n")
        await until(lambda: (tmp_path / "main.tex").read_text() == "a\nb\n")


@runs_async
async def test_both_sides_at_once_lose_nothing(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main=LINES) as project:
        save_in_place(tmp_path / "main.tex", "written on disk\n" + LINES)
        type_at_end(project, "main.tex", "typed here\n")
        both = "written on disk\n" + LINES + "typed here\n"
        await until(lambda: texts(project)["main.tex"] == both)
        await until(lambda: (tmp_path / "main.tex").read_text() == both)


@runs_async
async def test_a_file_keeps_its_encoding_and_line_endings_both_ways(tmp_path: Path, executor) -> None:
    (tmp_path / "main.tex").write_bytes("é\r\nb\r\n".encode("latin-1"))
    async with opened(tmp_path, executor) as project:
        (tmp_path / "main.tex").write_bytes("é\r\nb\r\nö\r\n".encode("latin-1"))
        await until(lambda: texts(project)["main.tex"] == "é\nb\nö\n")
        type_at_end(project, "main.tex", "ü\n")
        await until(lambda: (tmp_path / "main.tex").read_bytes() == "é\r\nb\r\nö\r\nü\r\n".encode("latin-1"))


@runs_async
async def test_files_come_and_go(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main="m", old="o") as project:
        (tmp_path / "sections" / "deep").mkdir(parents=True)
        (tmp_path / "sections" / "deep" / "new.tex").write_text("n")
        (tmp_path / "old.tex").unlink()
        await until(lambda: texts(project) == {"main.tex": "m", "sections/deep/new.tex": "n"})
        (tmp_path / "sections" / "deep" / "new.tex").write_text("changed")
        await until(lambda: texts(project)["sections/deep/new.tex"] == "changed")


@pytest.mark.parametrize("name", ["other.tex", "MAIN.tex", "sub/main.tex"])
@runs_async
async def test_a_moved_file_keeps_its_history(name: str, tmp_path: Path, executor) -> None:
    (tmp_path / "sub").mkdir()
    async with opened(tmp_path, executor, main=LINES, rest="r") as project:
        file_id = project.document.file_at("main.tex")
        (tmp_path / "main.tex").rename(tmp_path / name)
        with (tmp_path / name).open("a") as file:
            file.write("and a new line\n")
        await until(lambda: texts(project) == {name: LINES + "and a new line\n", "rest.tex": "r"})
        assert project.document.file_at(name) == file_id


@runs_async
async def test_a_file_renamed_here_is_renamed_on_disk_in_its_place(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main=LINES) as project:
        inode = (tmp_path / "main.tex").stat().st_ino
        project.document.rename_file(project.document.file_at("main.tex"), "sub/Main.tex")
        await until((tmp_path / "sub" / "Main.tex").exists)
        await project.flush()
        assert not (tmp_path / "main.tex").exists()
        assert (tmp_path / "sub" / "Main.tex").stat().st_ino == inode


@runs_async
async def test_a_file_deleted_by_one_and_changed_by_another_stays(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main=LINES, rest="r") as project:
        (tmp_path / "main.tex").unlink()
        type_at_end(project, "main.tex", "typed here\n")
        await until(lambda: (tmp_path / "main.tex").exists() and "typed" in (tmp_path / "main.tex").read_text())
        assert texts(project)["main.tex"] == LINES + "typed here\n"
        file_id = project.document.file_at("main.tex")
        save_in_place(tmp_path / "main.tex", LINES + "typed here\nand on disk\n")
        project.document.remove_file(file_id)
        await until(lambda: texts(project).get("main.tex") == LINES + "typed here\nand on disk\n")
        assert project.document.file_at("main.tex") == file_id


@runs_async
async def test_something_else_in_the_place_of_a_file_is_reported_and_left_alone(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main="m", rest="r") as project:
        (tmp_path / "main.tex").write_bytes(b"\0\0\0")
        await until(lambda: isinstance(project.file_problems.get("main.tex"), FilePathError))
        (tmp_path / "rest.tex").write_text("goes on")
        await until(lambda: texts(project)["rest.tex"] == "goes on")
        assert (tmp_path / "main.tex").read_bytes() == b"\0\0\0"
        (tmp_path / "main.tex").write_text("better")
        await until(lambda: texts(project)["main.tex"] == "better")
        await until(lambda: not project.file_problems and project.problem is None)


@runs_async
async def test_a_folder_that_is_away_deletes_nothing(tmp_path: Path, executor) -> None:
    folder = tmp_path / "project"
    async with opened(folder, executor, main="m") as project:
        folder.rename(tmp_path / "elsewhere")
        project._mirror.hint()
        await until(lambda: project.problem)
        (tmp_path / "elsewhere").rename(folder)
        project._mirror.hint()
        await until(lambda: project.problem is None)
        assert texts(project) == {"main.tex": "m"}


@pytest.mark.skipif(os.name == "nt", reason="there nobody can take away a folder that is open")
@runs_async
async def test_a_folder_that_was_taken_away_and_begun_anew_is_another_one(tmp_path: Path, executor) -> None:
    folder = tmp_path / "project"
    async with opened(folder, executor, main="m") as project:
        (folder / "figure.png").write_bytes(b"a figure")
        await until(lambda: project.document.file_at("figure.png"))
        folder.rename(tmp_path / "elsewhere")
        async with opened(folder, executor, main="m", other="o") as other:
            type_at_end(project, "main.tex", "typed in what is gone\n")
            await until(lambda: project.problem)
            type_at_end(other, "main.tex", "typed in what is there\n")
            await until(lambda: "typed in what is there" in (folder / "main.tex").read_text())
            await project.close(discard=True)
            await other.flush()
            assert str(text_of(project, "main.tex")) == "mtyped in what is gone\n"
            assert texts(other) == {"main.tex": "mtyped in what is there\n", "other.tex": "o"}
            assert not (folder / "figure.png").exists()


@pytest.mark.parametrize("away", [False, True])
@runs_async
async def test_a_folder_that_takes_nothing_keeps_nobody_from_closing(away: bool, tmp_path: Path, executor) -> None:
    """What was typed is in the replica; where that is away as well, it is given up on demand only."""
    folder = tmp_path / "project"
    fill(folder, {"main": "m", "rest": "r"})
    project = await Project.open(folder, store_executor=executor)
    await project.flush()
    if away:
        folder.rename(tmp_path / "elsewhere")
    else:
        (folder / "main.tex").write_bytes(b"\0\0\0")
    type_at_end(project, "main.tex", "typed here\n")
    await asyncio.wait_for(project.close(discard=away), 30)
    if not away:
        assert (folder / "main.tex").read_bytes() == b"\0\0\0"


@runs_async
async def test_a_file_deleted_here_that_is_written_on_disk_keeps_its_history(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main=LINES, rest="r") as project:
        await project._mirror.stop()
        project._mirror._is_stopped = False
        project._mirror.watch(FolderWatch(project._mirror.hint, poll_s=60, can_watch=False))
        await project.flush()
        file_id = project.document.file_at("main.tex")
        save_in_place(tmp_path / "main.tex", LINES + "on disk\n")
        project.document.remove_file(file_id)
        await until(lambda: texts(project).get("main.tex") == LINES + "on disk\n")
        assert project.document.file_at("main.tex") == file_id


@runs_async
async def test_a_checkout_of_another_branch_is_merged(tmp_path: Path, executor) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True,
                       capture_output=True)  # fmt: skip

    (tmp_path / "main.tex").write_text(LINES)
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    (tmp_path / "main.tex").write_text(LINES.replace("line 3 ", "line three "))
    (tmp_path / "extra.tex").write_text("extra")
    git("add", ".")
    git("commit", "-qm", "two")
    async with opened(tmp_path, executor) as project:
        git("checkout", "-q", "main")
        await until(lambda: texts(project) == {"main.tex": LINES})
        git("checkout", "-q", "other")
        await until(lambda: texts(project) == {
            "main.tex": LINES.replace("line 3 ", "line three "), "extra.tex": "extra"})  # fmt: skip


@runs_async
async def test_where_the_system_does_not_watch_the_folder_is_looked_at_now_and_then(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main="m") as project:
        await project._mirror.stop()
        project._mirror._is_stopped = False
        project._mirror.watch(FolderWatch(project._mirror.hint, poll_s=0.02, can_watch=False))
        (tmp_path / "main.tex").write_text("more")
        await until(lambda: texts(project)["main.tex"] == "more")


@runs_async
async def test_one_line_of_a_large_file_is_one_small_edit(tmp_path: Path, executor) -> None:
    text = "".join(f"line {number} of a very long text about algebra\n" for number in range(47_885))
    async with opened(tmp_path, executor, algebra=text) as project:
        changes = []
        text_of(project, "algebra.tex").subscribe(changes.extend)
        save_by_rename(tmp_path / "algebra.tex", text.replace("line 30000 ", "line thirty thousand "))
        await until(lambda: changes)
        assert size_of(changes) == (5, "thirty thousand")


@runs_async
async def test_remote_edits_while_a_large_file_is_merged_are_kept(tmp_path: Path, executor) -> None:
    rng = random.Random(7)
    text = "".join(f"{rng.random()} {number}\n" for number in range(3_000))
    async with opened(tmp_path, executor, main=text) as project:
        other = ProjectDocument()
        other.apply(project.document.update_since())
        save_in_place(tmp_path / "main.tex", text + "on disk\n")
        file_id = other.file_at("main.tex")
        before = other.state_vector()
        for number in range(50):
            other.text(file_id).replace_cp(0, 0, f"remote {number}\n")
            project.shared.apply_remote(other.update_since(before))
            before = other.state_vector()
            await settle()
        remote = "".join(f"remote {number}\n" for number in reversed(range(50)))
        await until(lambda: texts(project)["main.tex"] == remote + text + "on disk\n")
        await until(lambda: (tmp_path / "main.tex").read_text() == texts(project)["main.tex"])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
@runs_async
async def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path, executor) -> None:
    async with opened(tmp_path, executor, main="m") as project:
        (tmp_path / "secret.tex").write_text("s")
        (tmp_path / "secret.tex").chmod(0)
        (tmp_path / "main.tex").write_text("more")
        await until(lambda: texts(project)["main.tex"] == "more")
        await until(lambda: "secret.tex" in project.file_problems)


@runs_async
async def test_undo_takes_back_what_was_typed_and_nothing_that_another_program_wrote(tmp_path, executor) -> None:
    """Also where it wrote between two words of the same line, and by saving over what was typed."""
    folder = tmp_path / "paper"
    async with opened(folder, executor, main="one two three\n") as project:
        text = text_of(project, "main.tex")
        text.track_undo()
        text.replace_cp(4, 4, "typed ")
        await project.flush()
        save_by_rename(folder / "main.tex", "one typed two and more three\n")
        await until(lambda: "and more" in str(text))
        assert text.undo()
        assert str(text) == "one two and more three\n"
        assert not text.can_undo
        assert text.redo()
        assert str(text) == "one typed two and more three\n"
        await project.flush()
    assert (folder / "main.tex").read_text() == "one typed two and more three\n"
