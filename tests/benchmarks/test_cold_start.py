"""From starting the program to a window one can write in, against an empty window of Qt in the same run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.report import median, report

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
FACTOR, ALLOWANCE_S = 1.5, 0.300

EMPTY_WINDOW = """
import time
from PySide6 import QtWidgets
application = QtWidgets.QApplication([])
window = QtWidgets.QMainWindow()
window.show()
application.processEvents()
print(time.monotonic(), flush=True)
"""

EDITABLE_WINDOW = """
import gc; gc.disable()
import asyncio, sys, time
from pathlib import Path
from texswarm_desktop.app import run

async def look(desktop):
    while desktop.editor is None or not desktop.editor.isVisible():
        await asyncio.sleep(0.002)
    desktop.editor.repaint()
    print(time.monotonic(), flush=True)
    desktop.window.close()

sys.exit(run(target=None, profile_dir=Path(sys.argv[1]), companion=look))
"""


def seconds_to(program: str, bytecode: Path, *arguments: str) -> float:
    """Start Python on `program` and return the time until it says that it is there.

    What Python compiled is kept in `bytecode`, as where a program is installed, whatever is said around here.
    """
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    return float(done.stdout.split()[0]) - started


@pytest.mark.timeout(300)
def test_a_cold_start_is_little_more_than_an_empty_window(tmp_path: Path) -> None:
    profile, bytecode = str(tmp_path / "profile"), tmp_path / "bytecode"
    seconds_to(EDITABLE_WINDOW, bytecode, profile)  # the first start makes the welcome paper, and the bytecode
    empty, ours = [], []
    for _ in range(ROUNDS):
        empty.append(seconds_to(EMPTY_WINDOW, bytecode))
        ours.append(seconds_to(EDITABLE_WINDOW, bytecode, profile))
    limit_s = FACTOR * median(empty) + ALLOWANCE_S
    report("cold start", empty_ms=median(empty) * 1e3, ours_ms=median(ours) * 1e3, limit_ms=limit_s * 1e3)

    assert median(ours) <= limit_s
