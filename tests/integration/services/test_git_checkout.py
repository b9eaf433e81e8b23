"""Git knows what it replaces: a checkout takes out what was committed elsewhere, however shortly before it came."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.live_folder import fill, git, opened, text_at, texts_of
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.services.figure_record import stamp_of
from texswarm_desktop.services.git_hand import written_by_git

if TYPE_CHECKING:
    from concurrent.futures import Executor

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

TEXT = "".join(f"line {number} of a text\n" for number in range(20))
OTHER = TEXT.replace("line 15 ", "line fifteen ")
REMARK = "a remark from elsewhere\n"


def two_branches(top: Path, root: Path, *options: str) -> None:
    """A repository with a branch that differs in a line; the project is the folder `root` in it."""
    fill(top, {"README": "About"})
    git(top, "init", "-q", *options)
    fill(root, {"main.tex": TEXT})
    git(top, "add", ".")
    git(top, "commit", "-qm", "one")
    git(top, "checkout", "-qb", "other")
    fill(root, {"main.tex": OTHER})
    git(top, "commit", "-qam", "two")
    git(top, "checkout", "-q", "main")


@pytest.mark.parametrize("inside", ["", "paper"])
@runs_async
async def test_what_arrived_and_was_committed_is_not_in_the_other_branch(
    tmp_path: Path, executor: Executor, inside: str
) -> None:
    root = tmp_path / inside
    two_branches(tmp_path, root)
    async with opened(root, executor) as project:
        file = root / "main.tex"
        text_at(project, "main.tex").replace_cp(0, 0, REMARK)
        await until(lambda: file.read_text() == REMARK + TEXT)
        git(tmp_path, "commit", "-qam", "remark")
        git(tmp_path, "checkout", "-q", "other")
        await until(lambda: texts_of(project)["main.tex"] == OTHER, "as the branch has it")
        await project.flush()
        assert git(tmp_path, "status", "--porcelain", "--untracked-files=no") == ""
        git(tmp_path, "checkout", "-q", "main")
        await until(lambda: texts_of(project)["main.tex"] == REMARK + TEXT, "and back")
        await project.flush()
        assert git(tmp_path, "status", "--porcelain", "--untracked-files=no") == ""


@runs_async
async def test_a_checkout_while_nobody_looks_is_taken_as_it_is(tmp_path: Path, executor: Executor) -> None:
    two_branches(tmp_path, tmp_path)
    async with opened(tmp_path, executor) as project:
        text_at(project, "main.tex").replace_cp(0, 0, REMARK)
        await project.flush()
    git(tmp_path, "commit", "-qam", "remark")
    git(tmp_path, "checkout", "-q", "other")
    async with opened(tmp_path, executor) as project:
        assert texts_of(project)["main.tex"] == (tmp_path / "main.tex").read_text() == OTHER


def found(top: Path) -> set[str]:
    """Return which of the files git is said to have written."""
    files = {path.relative_to(top).as_posix(): path for path in top.rglob("*.tex") if ".git" not in path.parts}
    return {*written_by_git(top, {name: stamp_of(path.stat()) for name, path in files.items()})}


def test_what_an_editor_saved_is_not_gits(tmp_path: Path) -> None:
    two_branches(tmp_path, tmp_path)
    file = tmp_path / "main.tex"
    assert found(tmp_path) == {"main.tex"}
    file.write_text(OTHER + "more\n")
    assert found(tmp_path) == set()
    assert written_by_git(tmp_path / "nowhere", {"main.tex": stamp_of(file.stat())}) == set()


@pytest.mark.parametrize("objects", ["sha1", "sha256"])
@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_kind_of_repository_is_read(tmp_path: Path, objects: str, version: int) -> None:
    two_branches(tmp_path, tmp_path, f"--object-format={objects}")
    git(tmp_path, "update-index", "--index-version", str(version))
    names = ["chapters/é.tex", *(f"chapters/of the book/chapter {number}.tex" for number in range(30))]
    fill(tmp_path, {**dict.fromkeys(names, TEXT), "chapters/later.tex": TEXT})
    git(tmp_path, "add", *names)
    git(tmp_path, "commit", "-qm", "many")
    if version == 3:
        git(tmp_path, "add", "--intent-to-add", "chapters/later.tex")  # only the third version can say that
    git(tmp_path, "checkout", "-q", "other")
    assert not (tmp_path / names[0]).exists()
    git(tmp_path, "checkout", "-q", "main")
    assert (tmp_path / ".git" / "index").read_bytes()[7] == version
    assert found(tmp_path) == {"main.tex", *names}
    git(tmp_path, "worktree", "add", "-q", str(linked := tmp_path / "beside"), "other")
    git(linked, "checkout", "-q", "--detach", "main")
    assert found(linked) == {"main.tex", *names}


def test_a_name_that_is_no_text_hides_no_other(tmp_path: Path) -> None:
    two_branches(tmp_path, tmp_path)
    odd = os.fsdecode(b"caf\xe9.tex")
    (tmp_path / odd).write_text(TEXT)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "three")
    git(tmp_path, "checkout", "-q", "other")
    git(tmp_path, "checkout", "-q", "main")
    assert found(tmp_path) == {"main.tex", odd}


@pytest.mark.parametrize("has_log", [True, False])
def test_what_an_editor_saved_is_not_gits_when_it_is_committed_at_once(tmp_path: Path, has_log: bool) -> None:
    two_branches(tmp_path, tmp_path)
    git(tmp_path, "config", "core.logAllRefUpdates", str(has_log).lower())
    leave_behind(tmp_path)
    for commit in (["-qm", "three"], ["-q", "--amend", "--no-edit"]):
        fill(tmp_path, {"main.tex": TEXT + commit[0]})
        git(tmp_path, "commit", "-a", *commit)
        assert found(tmp_path) == set()
    git(tmp_path, "checkout", "-q", "other")
    assert found(tmp_path) == {"main.tex"}


def leave_behind(top: Path) -> None:
    """Let what git did until now be long ago."""
    log = top / ".git" / "logs" / "HEAD"
    heads = [top / ".git" / name for name in ("HEAD", "ORIG_HEAD")]
    if git(top, "config", "core.logAllRefUpdates").strip() == "true":
        log.write_text(re.sub(r"> (\d+) ", lambda found: f"> {int(found[1]) - 60} ", log.read_text()))
    else:
        log.unlink()
    objects = (path for path in (top / ".git" / "objects").rglob("*") if path.is_file())
    for path in (*filter(Path.exists, heads), *objects):
        os.utime(path, (path.stat().st_mtime - 60,) * 2)


@pytest.mark.parametrize(
    "command",
    [
        "switch -q other",
        "checkout -q --detach other",
        "reset -q --hard other",
        "merge -q other",
        "merge -q --no-ff -m merged other",
        "rebase -q other",
        "cherry-pick other",
        "stash -q",
        "pull -q . other",
    ],
)
def test_whatever_puts_other_files_in_place_is_git(tmp_path: Path, command: str) -> None:
    two_branches(tmp_path, tmp_path)
    leave_behind(tmp_path)
    if command.startswith("stash"):
        fill(tmp_path, {"main.tex": TEXT + "more"})
    if command.startswith("cherry"):
        git(tmp_path, "checkout", "-q", "--orphan", "bare")
        git(tmp_path, "reset", "-q", "--hard", "main")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "nothing")
        leave_behind(tmp_path)
    git(tmp_path, "-c", "core.editor=true", *command.split())
    assert found(tmp_path) == {"main.tex"}


@pytest.mark.parametrize("command", ["checkout -q -- main.tex", "restore main.tex", "checkout -q other -- main.tex"])
@pytest.mark.parametrize("stored", ["as they are", "packed", "elsewhere"])
def test_a_single_file_that_is_put_back_is_gits(tmp_path: Path, command: str, stored: str) -> None:
    """HEAD stays where it is; but what git puts in place it had before."""
    top, first = tmp_path / "top", tmp_path / ("first" if stored == "elsewhere" else "top")
    two_branches(first, first)
    if stored == "elsewhere":
        git(tmp_path, "clone", "-q", "--shared", "first", "top")
        git(top, "branch", "-q", "other", "origin/other")
    if stored == "packed":
        git(top, "gc", "-q", "--prune=now")
    for repository in {top, first}:
        leave_behind(repository)
    fill(top, {"main.tex": TEXT + "more\n"})
    assert found(top) == set()
    git(top, *command.split())
    assert found(top) == {"main.tex"}


@pytest.mark.parametrize("is_packed", [True, False])
def test_what_an_editor_saved_is_not_gits_when_it_is_added_and_was_there_once(tmp_path: Path, is_packed: bool) -> None:
    two_branches(tmp_path, tmp_path)
    if is_packed:
        git(tmp_path, "gc", "-q", "--prune=now")
    leave_behind(tmp_path)
    fill(tmp_path, {"main.tex": OTHER})
    git(tmp_path, "add", "main.tex")
    assert found(tmp_path) == set()


@pytest.mark.parametrize("version", [2, 4])
def test_an_index_in_two_parts_is_read_as_one(tmp_path: Path, version: int) -> None:
    two_branches(tmp_path, tmp_path)
    names = [f"chapters/chapter {number}.tex" for number in range(150)]
    fill(tmp_path, dict.fromkeys(names, TEXT))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "many")
    git(tmp_path, "checkout", "-q", "other")
    git(tmp_path, "checkout", "-q", "main")
    git(tmp_path, "config", "splitIndex.maxPercentChange", "100")
    git(tmp_path, "update-index", "--index-version", str(version))
    git(tmp_path, "update-index", "--split-index")
    assert b"link" in (tmp_path / ".git" / "index").read_bytes()
    assert found(tmp_path) == {"main.tex", *names}
    leave_behind(tmp_path)
    fill(tmp_path, {names[7]: OTHER, names[70]: OTHER, "later.tex": OTHER})
    git(tmp_path, "rm", "-q", "--cached", names[3])
    git(tmp_path, "add", names[70], "later.tex")
    git(tmp_path, "checkout", "-q", "--", names[7])
    assert found(tmp_path) >= {names[7]}
    assert not found(tmp_path) & {names[3], names[70], "later.tex"}
    for shared in (tmp_path / ".git").glob("sharedindex.*"):
        shared.unlink()
    assert found(tmp_path) == set()


def test_of_a_repository_that_keeps_its_references_in_tables_single_objects_are_known(tmp_path: Path) -> None:
    """There is no log, and HEAD is never written (extensions.refStorage=reftable)."""
    two_branches(tmp_path, tmp_path)
    leave_behind(tmp_path)
    fill(tmp_path, {"main.tex": TEXT + "more\n"})
    git(tmp_path, "checkout", "-q", "--", "main.tex")
    shutil.rmtree(tmp_path / ".git" / "logs")
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")
    os.utime(tmp_path / ".git" / "HEAD", (0, 0))
    assert found(tmp_path) == {"main.tex"}


@runs_async
async def test_what_came_a_moment_ago_goes_where_git_puts_a_file_back(tmp_path: Path, executor: Executor) -> None:
    two_branches(tmp_path, tmp_path)
    leave_behind(tmp_path)
    async with opened(tmp_path, executor) as project:
        text_at(project, "main.tex").replace_cp(0, 0, REMARK)
        await until(lambda: (tmp_path / "main.tex").read_text() == REMARK + TEXT)
        git(tmp_path, "checkout", "-q", "--", "main.tex")
        await until(lambda: texts_of(project)["main.tex"] == TEXT, "as git has it")
        await project.flush()
        assert git(tmp_path, "status", "--porcelain", "--untracked-files=no") == ""


@runs_async
async def test_what_arrived_stays_where_an_editor_that_did_not_know_of_it_saves_and_commits(
    tmp_path: Path, executor: Executor
) -> None:
    two_branches(tmp_path, tmp_path)
    leave_behind(tmp_path)
    async with opened(tmp_path, executor) as project:
        file = tmp_path / "main.tex"
        text_at(project, "main.tex").replace_cp(0, 0, REMARK)
        await until(lambda: file.read_text() == REMARK + TEXT)
        file.write_text(OTHER)
        git(tmp_path, "commit", "-qam", "as it was loaded")
        await until(lambda: file.read_text() == REMARK + OTHER, "both are there")
        await project.flush()
        assert texts_of(project)["main.tex"] == REMARK + OTHER
