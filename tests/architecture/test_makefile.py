"""What the Makefile promises, with programs in place of the real ones."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.source_tree import ROOT


def bench(folder: Path, *, measures: int, loads: int) -> tuple[int, list[str]]:
    """Run `make bench` with two halves that end with these statuses; return its own, and which halves ran."""
    (folder / "bin").mkdir()
    for program, status in {"pytest": measures, "python": loads}.items():
        path = folder / "bin" / program
        path.write_text(f'#!/bin/sh\necho {program} >> "{folder}/ran"\nexit {status}\n')
        path.chmod(0o755)
    for stamp in (".made", ".locked", ".ready"):
        (folder / stamp).touch()
    environ = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "ARGS"}}
    done = subprocess.run(
        ["make", "bench", "--assume-old=system", f"VENV={folder}"],
        cwd=ROOT, env=environ, check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    return done.returncode, (folder / "ran").read_text().split()


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize(("measures", "loads"), [(0, 0), (1, 0), (0, 1)])
def test_both_halves_of_the_benchmarks_run_whatever_the_first_finds(tmp_path: Path, measures: int, loads: int) -> None:
    status, ran = bench(tmp_path, measures=measures, loads=loads)
    assert ran == ["pytest", "python"]
    assert (status == 0) == (measures == loads == 0)
