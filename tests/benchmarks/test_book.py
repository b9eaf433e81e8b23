"""A whole book as a project: 119 files, 28 MB. Opened, held, replicated to another process, and edited."""

import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks.report import median, report
from tests.benchmarks.traces import Patch, data_folder, sequential_trace
from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import until
from tests.helpers.shared_folder import running_server
from tests.helpers.sync_process import SyncProcess, sync_once
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import Live
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.services.project import Project
from texswarm_server.protocol.invite_link import parse_invite_link

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(400)]
ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5

USABLE = """
import gc; gc.disable()
import asyncio, sys, time
from pathlib import Path
from texswarm_desktop.app import run

async def look(desktop):
    desktop.window.show()
    started = time.monotonic()
    await desktop.workspace.open(Path(sys.argv[2]))
    while desktop.editor is None or not desktop.editor.isVisible():
        await asyncio.sleep(0)
    desktop.editor.repaint()
    usable = time.monotonic()
    if sys.argv[3] == "whole":
        await desktop.workspace.opened.project.flush()
    closing = time.monotonic()
    await desktop.workspace.close()
    print(usable - started, closing - started, time.monotonic() - closing, flush=True)
    desktop.window.close()

sys.exit(run(target=None, profile_dir=Path(sys.argv[1]), companion=look))
"""

OPENED = """
import asyncio, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from texswarm_desktop.services.project import Project

async def main():
    with ThreadPoolExecutor(4) as executor:
        started = time.monotonic()
        async with await Project.open(Path(sys.argv[1]), store_executor=executor):
            print(time.monotonic() - started, flush=True)

asyncio.run(main())
"""

LOADED = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from texswarm_desktop.services.project import Project

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

async def main():
    before = resident()
    with ThreadPoolExecutor(4) as executor:
        async with await Project.open(Path(sys.argv[1]), store_executor=executor) as project:
            await project.flush()
            size = sum(len(str(project.document.text(one)).encode()) for one in project.document.files)
            print((resident() - before) / size, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The sources, unpacked; skips where they are not."""
    archive = data_folder() / "stacks-project.tar.xz"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    (found,) = (tmp_path / "unpacked").rglob("algebra.tex")
    return found.parent.rename(tmp_path / "first")


def numbers(program: str, *arguments: object) -> float:
    return all_numbers(program, *arguments)[0]


def all_numbers(program: str, *arguments: object) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        check=True, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    return [float(each) for each in done.stdout.split()]


def sizes_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.glob("*.tex")}


def written_at(file: Path) -> int:
    return file.stat().st_mtime_ns


def is_written_since(file: Path, before: int) -> bool:
    return written_at(file) != before


def opened(folder: Path, until_when: str) -> list[float]:
    """Open a folder in a window that remembers no other: it would open what it remembers as well."""
    with tempfile.TemporaryDirectory() as profile:
        Path(profile, "settings.json").write_text('{"has_started_before": true}')
        return all_numbers(USABLE, profile, folder, until_when)


def test_opening_the_folder_to_the_first_usable_editor(book: Path, tmp_path: Path) -> None:
    new = [tmp_path / f"copy {number}" for number in range(ROUNDS)]
    for folder in new:
        shutil.copytree(book, folder)
    first = [opened(folder, "at once") for folder in new]
    for folder in new:
        shutil.rmtree(folder / OWN_FOLDER)
    whole = [opened(folder, "whole") for folder in new]
    again = [opened(folder, "whole") for folder in new]
    report(
        "book opened",
        first_time_ms=median(one[0] for one in first) * 1e3,
        closed_at_once_ms=median(one[2] for one in first) * 1e3,
        whole_ms=median(one[1] for one in whole) * 1e3,
        closed_when_whole_ms=median(one[2] for one in whole) * 1e3,
        again_ms=median(one[0] for one in again) * 1e3,
    )
    assert max(median(one[0] for one in first), median(one[0] for one in again)) <= 1.0


def test_memory_of_the_loaded_book(book: Path) -> None:
    first, again = numbers(LOADED, book), numbers(LOADED, book)
    report("book in memory", times_the_text_first=first, times_the_text_again=again)
    assert max(first, again) <= 10


def test_replicated_to_a_second_process_and_an_edit_reaches_its_disk(book: Path, tmp_path: Path) -> None:
    asyncio.run(_replicated(book, tmp_path))


async def _replicated(book: Path, root: Path) -> None:
    async with running_server(root) as (_, link):
        shared = await sync_once(book, link)
        paper = next(event["link"] for event in shared.events if event["event"] == "link")
        second, expected = root / "second", sizes_in(book)
        started = time.monotonic()
        async with SyncProcess(second, paper) as peer:
            await until(lambda: sizes_in(second) == expected)
            whole_s = time.monotonic() - started
            await peer.until_saved()
            edits = await _edits_on_disk(second / "algebra.tex", paper)
    report("book replicated", whole_s=whole_s, edit_on_disk_ms=median(edits) * 1e3)
    assert whole_s <= 5
    assert median(edits) <= 0.3


async def _edits_on_disk(file: Path, link: str) -> list[float]:
    """Edit as a colleague does, and see how long it takes until the peer's file has it."""
    address = parse_invite_link(link)
    replica = ModelReplica(str(address.document_id))
    waited = []
    async with Connection(address=address.address, credentials=FakeCredentials(invite=address.token)) as connection:
        replica.sync = connection.add(replica)
        connection.connect()
        await until(lambda: isinstance(connection.state, Live))
        file_id = replica.document.file_at(file.name)
        assert file_id is not None
        for number in range(15):
            await asyncio.sleep(0.8)
            before, started = written_at(file), time.monotonic()
            replica.document.text(file_id).replace_u16(1000, 1000, f"% edit {number}\n")
            replica.flush()
            await until(partial(is_written_since, file, before))
            waited.append(time.monotonic() - started)
    return waited


def test_a_long_history_costs_little_at_the_start(tmp_path: Path) -> None:
    trace = sequential_trace("automerge-paper")
    asyncio.run(_typed(tmp_path / "long", trace.patches, trace.end))
    asyncio.run(_typed(tmp_path / "empty", [], ""))
    long = median([numbers(OPENED, tmp_path / "long") for _ in range(ROUNDS)])
    empty = median([numbers(OPENED, tmp_path / "empty") for _ in range(ROUNDS)])
    report("long history", long_ms=long * 1e3, empty_ms=empty * 1e3)
    assert long - empty <= 0.150


async def _typed(folder: Path, patches: list[Patch], end: str) -> None:
    """Make a project in which a paper was typed, edit by edit."""
    with ThreadPoolExecutor(2) as executor:
        async with await Project.create(folder, "Paper", {"main.tex": ""}, store_executor=executor) as project:
            (file_id,) = project.document.files
            text = project.document.text(file_id)
            for number, (at, removed, inserted) in enumerate(patches):
                text.replace_cp(at, at + removed, inserted)
                if number % 1000 == 0:
                    await asyncio.sleep(0)
            assert str(text) == end
            await project.flush()
