"""A process that is killed in the middle of typing: what was said to be kept is kept, once, and the folder follows."""

import asyncio
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers import killed_writer
from tests.helpers.killed_writer import typed_by
from texswarm_desktop.services.project import Project

BEFORE = "before\n"


def type_until_killed(folder: Path, seed: int, rounds: int) -> int:
    """Return how many letters were said to be kept; the process is killed right after, wherever it is by then."""
    command = [sys.executable, str(killed_writer.__file__), str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        kept = 0
        for _ in range(rounds):
            kept = int(writer.stdout.readline())
        writer.kill()
    return kept


async def look(folder: Path, executor: ThreadPoolExecutor) -> tuple[str, int]:
    async with await Project.open(folder, store_executor=executor) as project:
        await project.flush()
        (file_id,) = project.document.files
        return str(project.document.text(file_id)), project.unacknowledged()


@pytest.mark.parametrize("seed", range(4))
def test_what_was_kept_survives_a_kill_and_is_there_once(
    tmp_path: Path, executor: ThreadPoolExecutor, seed: int
) -> None:
    (tmp_path / "main.tex").write_bytes(BEFORE.encode())
    expected = BEFORE
    for run in range(3):
        kept = type_until_killed(tmp_path, seed * 10 + run, random.Random(seed).randrange(2, 40))
        text, waiting = asyncio.run(look(tmp_path, executor))
        more = len(text) - len(expected)
        assert more >= kept
        expected += typed_by(seed * 10 + run, more)
        assert text == expected
        assert waiting >= kept
        assert (tmp_path / "main.tex").read_bytes().decode() == expected
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".texswarm-")] == []
