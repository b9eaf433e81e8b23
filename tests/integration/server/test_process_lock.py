"""A lock holds against other processes, waits if asked to, and ends with its process."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from texswarm_server.process_lock import LockHeldError, ProcessLock

HOLDER = """
import sys
from pathlib import Path
from texswarm_server.process_lock import ProcessLock
lock = ProcessLock(Path(sys.argv[1]), b"somebody")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_a_second_one_is_refused_and_reads_the_note(path: Path) -> None:
    with ProcessLock(path, b"first"), pytest.raises(LockHeldError) as refused:
        ProcessLock(path, b"second")
    assert refused.value.note == b"first"


def test_a_refused_one_leaves_the_note_alone(path: Path) -> None:
    with ProcessLock(path, b"first"):
        for _ in range(2):
            with pytest.raises(LockHeldError, match="locked"):
                ProcessLock(path, b"second")
        assert path.read_bytes() == b"first"


def test_a_released_lock_is_free_and_a_shorter_note_replaces_a_longer_one(path: Path) -> None:
    lock = ProcessLock(path, b"a long note")
    lock.release()
    lock.release()
    with ProcessLock(path, b"short"):
        assert path.read_bytes() == b"short"


def test_a_lock_ends_with_its_process(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockHeldError) as refused:
            ProcessLock(path)
        holder.kill()
        holder.wait()
        ProcessLock(path).release()
    assert refused.value.note == b"somebody"


def test_one_that_waits_gets_it_next(path: Path) -> None:
    first = ProcessLock(path)
    with ThreadPoolExecutor(1) as executor:
        second = executor.submit(ProcessLock, path, b"second", waits=True)
        first.release()
        second.result(timeout=30).release()
    assert path.read_bytes() == b"second"


def test_a_folder_that_is_not_there_is_trouble_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ProcessLock(tmp_path / "nowhere" / "a.lock")
