"""`texswarm import` and `texswarm export` as a user runs them, where Qt is not installed."""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.helpers.source_tree import ROOT

#: What the installed program does, in an interpreter that cannot find Qt.
LAUNCH = """
import sys
sys.modules.update(dict.fromkeys(("PySide6", "shiboken6", "qasync")))
sys.argv[0] = "texswarm"
from texswarm_desktop.__main__ import main
sys.exit(main())
"""
PAPER = "\\documentclass{article}\n\\begin{document}\n\\input{a}\n\\bibliography{b}\n\\end{document}\n"


def texswarm(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", LAUNCH, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)


def packed(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_project_comes_in_and_goes_out(tmp_path: Path) -> None:
    archive = packed(tmp_path / "in.zip", {"main.tex": PAPER, "a.tex": "A\n", "../evil.tex": "x"})
    came = texswarm("import", archive, tmp_path / "paper")
    assert (came.returncode, came.stdout) == (0, "left out: ../evil.tex: its name leads out of the folder\n")
    assert came.stderr == f"imported 2 files (85 bytes) into {tmp_path / 'paper'}, 1 left out\n"

    went = texswarm("export", tmp_path / "paper", tmp_path / "out.zip")
    assert (went.returncode, went.stdout) == (0, "")
    assert went.stderr.startswith("exported 2 files (")
    with zipfile.ZipFile(tmp_path / "out.zip") as out:
        assert out.namelist() == ["a.tex", "main.tex"]


def test_a_bundle_for_arxiv_says_what_is_in_it_and_what_is_not(tmp_path: Path) -> None:
    texswarm(
        "import", packed(tmp_path / "in.zip", {"main.tex": PAPER, "a.tex": "A\n", "c.tex": ""}), tmp_path / "paper"
    )
    went = texswarm("export", tmp_path / "paper", tmp_path / "out.zip", "--arxiv")
    assert went.returncode == 0
    assert went.stdout.splitlines() == [
        "included: main.tex",
        "inside another file: a.tex",
        "left out: c.tex",
        "missing: b, needed in main.tex, line 4",
        "look at: main.bbl is not there: run LaTeX and BibTeX (or Biber) first, or arXiv shows no references.",
    ]
    assert len(went.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "nowhere.zip", "{}/new"), "Cannot be read"),
        (("import", "ext::sh -c true", "{}/new"), "Not an address for git"),
        (("import", "README.md", "{}/new"), "Not a zip archive"),
        (("export", "{}/nowhere", "{}/out.zip"), "Cannot be read"),
        (("export", "{}", "{}/out.zip", "--arxiv"), "No main file"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_status(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    answer = texswarm(*(argument.format(tmp_path) for argument in arguments))
    assert (answer.returncode, answer.stdout) == (1, "")
    (line,) = answer.stderr.splitlines()
    assert words in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and signals")
def test_a_signal_ends_a_clone_with_all_its_processes_and_leaves_nothing(tmp_path: Path) -> None:
    """A program that stands for git writes something, says so, and goes on for an hour, as its child does."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\nfor place; do :; done\n/bin/sleep 3600 &\n"
        'echo $$ $! > "$place/pids"; echo half > "$place/main.tex"; : > "$READY"; wait\n'
    )
    fake.chmod(0o755)
    ready, target = tmp_path / "ready", tmp_path / "papers" / "new"
    command = [sys.executable, "-c", LAUNCH, "import", "https://git.invalid/paper.git", str(target)]
    environment = os.environ | {"PATH": str(fake.parent), "READY": str(ready)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.01)
        (place,) = target.parent.iterdir()
        pids = [int(pid) for pid in (place / "pids").read_text().split()]
        process.terminate()
        assert process.stderr is not None
        assert process.stderr.read() == "texswarm import: cancelled\n"
    assert process.returncode == 130
    assert list(target.parent.iterdir()) == []
    assert [pid for pid in pids if _is_running(pid)] == []


def _is_running(pid: int) -> bool:
    """A process that has ended and was not waited for is as good as gone."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


@pytest.mark.parametrize("name", ["import", "export"])
def test_there_is_help_and_a_wrong_line_is_status_2(name: str) -> None:
    helped = texswarm(name, "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "exit status" in helped.stdout
    assert texswarm(name).returncode == 2


def test_a_folder_is_not_imported_but_opened(tmp_path: Path) -> None:
    answer = texswarm("import", tmp_path, tmp_path / "new")
    assert answer.returncode == 2
    assert f"`texswarm {tmp_path}` opens it" in answer.stderr
    assert not (tmp_path / "new").exists()
