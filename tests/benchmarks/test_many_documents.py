"""Starting a server on ten thousand stored documents, against starting one on none in the same run."""

import random
import subprocess
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from tests.benchmarks.report import median, report
from texswarm_server.storage.schema import open_database, prepare_folder
from texswarm_server.storage.store import database_path

pytestmark = pytest.mark.benchmark
DOCUMENTS, PEOPLE, UPDATES = 10_000, 2_000, 20
ROUNDS = 7
FACTOR, ALLOWANCE_S = 1.25, 0.050


def fill(data: Path) -> None:
    """Store documents with a snapshot of some kilobytes and a short log each, everybody in some of them."""
    chance = random.Random(1)
    snapshot, update = chance.randbytes(6000), chance.randbytes(60)
    prepare_folder(data)
    with closing(open_database(database_path(data))) as database:
        database.execute("BEGIN")
        users = "INSERT INTO users (user_id, display_name, color, can_create, is_confirmed, is_removed)"
        database.executemany(f"{users} VALUES (?, 'Ada', '', 1, 1, 0)", [(f"u{n}",) for n in range(PEOPLE)])
        for number in range(DOCUMENTS):
            name, owner = f"document-{number}", f"u{number % PEOPLE}"
            database.execute("INSERT INTO documents VALUES (?, 'A paper', 'l', ?, ?)", (name, owner, number))
            database.execute("INSERT INTO roles (user_id, document_id, role) VALUES (?, ?, 'owner')", (owner, name))
            database.execute("INSERT INTO snapshots VALUES (?, 0, ?, ?)", (name, zlib.crc32(snapshot), snapshot))
            rows = [(name, zlib.crc32(update), update)] * UPDATES
            database.executemany("INSERT INTO updates (document_id, crc, data) VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")


def seconds_to_listening(data: Path) -> float:
    """Start the program and return the time until it says that it accepts connections."""
    command = [sys.executable, "-m", "texswarm_server", "serve", "--port", "0", "--data", str(data)]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("listening")
        passed = time.monotonic() - started
        server.terminate()
    return passed


@pytest.mark.timeout(300)
def test_ten_thousand_documents_start_like_none(tmp_path: Path) -> None:
    none, many = tmp_path / "none", tmp_path / "many"
    fill(many)
    for data in (none, many):
        seconds_to_listening(data)
    empty, full = [], []
    for _ in range(ROUNDS):
        empty.append(seconds_to_listening(none))
        full.append(seconds_to_listening(many))
    size_mb = database_path(many).stat().st_size / 1e6
    report("start with 10,000 documents", none_ms=median(empty) * 1e3, ours_ms=median(full) * 1e3, size_mb=size_mb)

    assert median(full) <= FACTOR * median(empty) + ALLOWANCE_S
