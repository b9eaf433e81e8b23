"""The real y-websocket client, in Node, beside a desktop; skipped where Node or its registry is missing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SCRIPT = Path(__file__).with_name("y_websocket_client.mjs")
PACKAGES = ("y-websocket@3.0.0", "yjs@13.6.27", "ws@8.18.3")
INSTALL_LIMIT_S = 60


@pytest.fixture
def node_script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The script beside its packages, which are kept in pytest's cache for the next run, once per worker."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    cache = getattr(request.config, "cache", None)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder = cache.mkdir(f"y-websocket-{worker}") if cache else tmp_path
    done = folder / " ".join(PACKAGES).replace("/", "-")
    if not done.exists():
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--prefix", str(folder)]
        command = [npm, "install", *options, *PACKAGES]
        try:
            answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
        except subprocess.TimeoutExpired:
            pytest.skip("npm took too long to install y-websocket")
        if answer.returncode:
            pytest.skip(f"npm cannot install y-websocket: {answer.stderr.strip()[-200:]}")
        done.touch()
    return Path(shutil.copy(SCRIPT, folder))


@asynccontextmanager
async def node(script: Path, *arguments: str) -> AsyncIterator[tuple[list[dict[str, Any]], asyncio.StreamWriter]]:
    """Run the script; yield what it tells, line by line, and where to write to have it connect again."""
    process = await asyncio.create_subprocess_exec(
        "node", str(script), *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    told: list[dict[str, Any]] = []
    assert process.stdin is not None

    async def read() -> None:
        async for line in process.stdout:
            told.append(json.loads(line))  # noqa: PERF401 - looked at while it grows

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(), name="node")
        try:
            yield told, process.stdin
        finally:
            process.stdin.close()
            await process.wait()


@runs_async
async def test_the_real_client_writes_with_a_desktop(premises, node_script) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite, name="Ada") as desktop:
        opened = await desktop.create_and_open("Hello é😀")
        await opened.publish({"user": {}})
        document_id = opened.facts.document_id
        token = await place.server.create_invite("editor", document_id)
        address = place.url.removesuffix("/ws") + "/yjs"
        text_name = f"text:{opened.replica.main_file}"
        async with node(node_script, address, document_id, token, text_name, " Node?", " Yes, Ada.") as (told, again):
            await until(lambda: [each["synced"] for each in told if "synced" in each] == ["Hello é😀"])
            await opened.write(", Node?")
            await opened.shows("Hello é😀, Node? Yes, Ada.")
            await until(lambda: any({"Ada", "Node"} <= set(each.get("present", [])) for each in told))
            await desktop.until(
                lambda: any(state and state["user"]["name"] == "Node" for state in opened.presence.values())
            )
            again.write(b"again")
            await until(lambda: sum("synced" in each for each in told) == 2)
            assert set(next(each["with"] for each in reversed(told) if "synced" in each)) == {"Ada", "Node"}
        assert not any("closed" in each and each["closed"] not in {None, 1000, 1005} for each in told)


@runs_async
async def test_the_real_client_is_told_by_a_code_that_it_may_not_come_in(premises, node_script) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as desktop:
        created = await desktop.create()
        address = place.url.removesuffix("/ws") + "/yjs"
        async with node(node_script, address, created.document_id, "nothing", "text:main", "?", "!") as (told, _again):
            await until(lambda: {"closed": 4401} in told)
            assert not any("text" in each for each in told)
