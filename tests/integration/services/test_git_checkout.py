"""Git knows what it replaces: a checkout takes out what was committed elsewhere, however shortly before it came."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.helpers.live_folder import fill, git, opened, text_at, texts_of
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.services.figure_record import stamp_of
from texswarm_desktop.services.git_hand import written_by_git

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

TEXT = "".join(f"line {number} of a text\n" for number in range(20))
OTHER = TEXT.replace("line 15 ", "line fifteen ")
REMARK = "a remark from elsewhere\n"


def two_branches(top: Path, root: Path) -> None:
    """A repository with a branch that differs in a line; the project is the folder `root` in it."""
    fill(top, {"README": "About"})
    git(top, "init", "-q")
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


def test_what_an_editor_saved_is_not_gits(tmp_path: Path) -> None:
    two_branches(tmp_path, tmp_path)
    file = tmp_path / "main.tex"
    assert written_by_git(tmp_path, {"main.tex": stamp_of(file.stat())}) == {"main.tex"}
    file.write_text(OTHER + "more\n")
    assert written_by_git(tmp_path, {"main.tex": stamp_of(file.stat())}) == set()
    assert written_by_git(tmp_path / "nowhere", {"main.tex": stamp_of(file.stat())}) == set()
