"""What is not shared of an open folder, and what is shared on purpose."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.live_folder import everything_in, fill, git, opened, texts_of, type_at_end
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_server.protocol.errors import NotReadableError


@runs_async
async def test_opening_a_folder_changes_none_of_its_files(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    fill(tmp_path, {"main.tex": "m", "main.aux": "a", "a/b.tex": "b", ".gitignore": "*.md\n", "n.md": "n"})
    (tmp_path / "latin.tex").write_bytes("é\r\nb\r".encode("latin-1"))
    before = everything_in(tmp_path)
    async with opened(tmp_path, executor) as project:
        assert set(texts_of(project)) == {"main.tex", "a/b.tex", "latin.tex"}
    assert everything_in(tmp_path) == before


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@runs_async
async def test_git_sees_nothing_of_an_open_project(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    git(tmp_path, "init", "-q")
    async with opened(tmp_path, executor, {"main.tex": "m"}):
        assert git(tmp_path, "status", "-s") == "?? main.tex\n"


@runs_async
async def test_an_ignored_file_is_brought_in_when_it_no_longer_is(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", "out/x.tex": "x", ".gitignore": "out/\n"}) as project:
        assert set(texts_of(project)) == {"main.tex"}
        fill(tmp_path, {"out/y.tex": "y", "z.tex": "z"})
        await until(lambda: set(texts_of(project)) == {"main.tex", "z.tex"})
        (tmp_path / ".gitignore").write_text("out/y.tex\n")
        await until(lambda: set(texts_of(project)) == {"main.tex", "z.tex", "out/x.tex"})


@runs_async
async def test_what_is_in_the_project_stays_in_it(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", "out/x.tex": "x"}) as project:
        (tmp_path / ".gitignore").write_text("out/\n")
        type_at_end(project, "out/x.tex", " typed")
        await until(lambda: (tmp_path / "out" / "x.tex").read_text() == "x typed")
    async with opened(tmp_path, executor, {"out/x.tex": "x typed and written"}) as project:
        assert texts_of(project)["out/x.tex"] == "x typed and written"
        (tmp_path / "out" / "x.tex").write_text("later")
        await until(lambda: texts_of(project)["out/x.tex"] == "later")


@runs_async
async def test_a_file_of_the_project_that_is_left_out_here_is_written(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", "out/x.tex": "mine", ".gitignore": "out/\n"}) as project:
        project.document.add_file("out/x.tex", "theirs")
        project.document.add_file("out/y.tex", "theirs")
        await until((tmp_path / "out" / "y.tex").exists)
        await until(lambda: sorted(texts_of(project)["out/x.tex"].split()) == ["mine", "theirs"])


@runs_async
async def test_a_moved_file_stays_shared_under_a_name_that_is_left_out(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    files = {"main.tex": "one\ntwo\n", "b.tex": "b", ".gitignore": "old-*.tex\n"}
    async with opened(tmp_path, executor, files) as project:
        file_id = project.document.file_at("main.tex")
        (tmp_path / "main.tex").rename(tmp_path / "old-main.tex")
        await until(lambda: project.document.file_at("old-main.tex") == file_id)


@runs_async
async def test_the_projects_wishes_are_obeyed_while_it_is_open(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", "out/x.tex": "x", ".gitignore": "out/\n"}) as project:
        await project.set_sharing(Sharing(share=("out/x.tex",), leave_out=("private.tex",)))
        fill(tmp_path, {"private.tex": "p"})
        await until(lambda: set(texts_of(project)) == {"main.tex", "out/x.tex"})
        (tmp_path / ".texswarm" / "settings.json").write_text("{")
        fill(tmp_path, {"new.tex": "n"})
        await until(lambda: isinstance(project.file_problems.get(".texswarm/settings.json"), NotReadableError))
        assert set(texts_of(project)) == {"main.tex", "out/x.tex"}
