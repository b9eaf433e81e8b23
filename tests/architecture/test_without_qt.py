"""`texswarm` where Qt is not installed: one line that says how to add it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.source_tree import PACKAGES

# What the installed program does, in an interpreter that cannot find Qt.
LAUNCH: Final = """
import sys
sys.modules.update(dict.fromkeys(("PySide6", "shiboken6", "qasync")))
sys.argv[0] = "texswarm"
from texswarm_desktop.__main__ import main
sys.exit(main())
"""

pytestmark = pytest.mark.skipif(
    not (PACKAGES["texswarm_desktop"] / "__main__.py").exists(), reason="the program does not exist yet"
)


def launch(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", LAUNCH, *arguments],
        check=False, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=home,
    )  # fmt: skip


def test_launching_says_in_one_line_how_to_add_qt(tmp_path: Path) -> None:
    answer = launch(tmp_path, "--profile-dir", str(tmp_path))
    assert answer.returncode != 0
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert "texswarm[desktop]" in line


@pytest.mark.parametrize("arguments", [["--help"], ["sync", "--help"]])
def test_help_needs_no_qt(tmp_path: Path, arguments: list[str]) -> None:
    answer = launch(tmp_path, *arguments)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "usage" in answer.stdout.lower()


def test_a_folder_is_kept_in_sync_without_qt(tmp_path: Path) -> None:
    """As far as it can get without a server: it says so, and not that something is missing."""
    arguments = ("sync", "paper", "texswarm://127.0.0.1:9/?token=t", "--once", "--patience", "0.1")
    answer = launch(tmp_path, *arguments, "--profile-dir", str(tmp_path / "profile"))
    assert answer.returncode == 1
    assert "No answer" in answer.stderr
