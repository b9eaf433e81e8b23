"""Files of other kinds than LaTeX is written with: told of, and shared where people on both sides wish so."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.live_folder import everything_in, fill, opened, texts_of, type_at_end
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_server.protocol.errors import (
    KindNotSharedError,
    KindNotTakenError,
    KindNotWantedError,
    NotSharedError,
    ObeyedFileError,
    SpecialFileError,
)


@runs_async
async def test_what_is_not_shared_is_told_without_alarm(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    files = {"main.tex": "m", "Makefile": "all:", "run.py": "1", ".latexmkrc": "1", ".editorconfig": "", "main.log": ""}
    async with opened(tmp_path, executor, files) as project:
        await until(lambda: set(project.file_problems) == {"Makefile", "run.py", ".latexmkrc"})
        assert isinstance(project.file_problems["Makefile"], ObeyedFileError)
        assert isinstance(project.file_problems["run.py"], KindNotSharedError)
        assert project.problem is None
        (tmp_path / "Makefile").unlink()
        fill(tmp_path, {"later.py": "1"})
        await until(lambda: set(project.file_problems) == {"run.py", ".latexmkrc", "later.py"})
        assert texts_of(project) == {"main.tex": "m"}


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
@runs_async
async def test_what_is_no_file_is_told_by_its_name_and_keeps_nothing_else(
    tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    os.mkfifo(tmp_path / "pipe.tex")
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        async with opened(tmp_path, executor, {"main.tex": "m"}) as project:
            await until(lambda: set(project.file_problems) == {"pipe.tex", "pipe.png", "socket"})
            assert {type(error) for error in project.file_problems.values()} == {SpecialFileError}
            assert project.problem is None
            assert texts_of(project) == {"main.tex": "m"}
            for name in ("pipe.tex", "pipe.png", "socket"):
                (tmp_path / name).unlink()
            await until(lambda: not project.file_problems)


@runs_async
async def test_a_file_of_another_kind_is_shared_once_it_is_wished_for(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", "run.py": "1\n", "latexmkrc": "1"}) as project:
        await project.set_sharing(Sharing(share=("*.py", "latexmkrc")))
        await until(lambda: texts_of(project) == {"main.tex": "m", "run.py": "1\n"})
        await until(lambda: set(project.file_problems) == {"latexmkrc"})
        type_at_end(project, "run.py", "2\n")
        await until(lambda: (tmp_path / "run.py").read_text() == "1\n2\n")
        await project.set_sharing(Sharing())
        fill(tmp_path, {"run.py": "1\n2\n3\n"})
        await until(lambda: texts_of(project)["run.py"] == "1\n2\n3\n")
    async with opened(tmp_path, executor) as project:  # what is in the project stays in it
        assert (tmp_path / "run.py").read_text() == texts_of(project)["run.py"] == "1\n2\n3\n"
        assert set(project.file_problems) == {"latexmkrc"}


@runs_async
async def test_what_others_share_of_such_a_kind_is_written_here_once_it_is_wished_for(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m", "tool.py": "mine\n"}) as project:
        before = everything_in(tmp_path)
        for path in ("run.py", "tool.py", "run.sh", "Makefile"):
            project.document.add_file(path, "theirs\n")
        await project.flush()
        assert everything_in(tmp_path) == before
        told = {path: type(error) for path, error in project.file_problems.items()}
        assert told == {
            "run.py": KindNotWantedError, "tool.py": KindNotWantedError,
            "run.sh": KindNotTakenError, "Makefile": KindNotTakenError,
        }  # fmt: skip
        await project.set_sharing(Sharing(share=("*.py", "*.sh", "Makefile")))
        await until((tmp_path / "run.py").exists)
        await until(lambda: sorted(texts_of(project)["tool.py"].split()) == ["mine", "theirs"])
        assert set(project.file_problems) == {"run.sh", "Makefile"}
        assert not (tmp_path / "run.sh").exists()


@runs_async
async def test_a_file_that_is_there_for_a_moment_is_told_to_nobody(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m"}) as project:
        fill(tmp_path, {"4913": "", "x.tex": "x"})
        await until(lambda: "x.tex" in texts_of(project))
        assert not any(isinstance(error, NotSharedError) for error in project.file_problems.values())
        (tmp_path / "4913").unlink()
        fill(tmp_path, {"Makefile": "all:"})
        await until(lambda: set(project.file_problems) == {"Makefile"})
