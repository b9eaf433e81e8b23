"""A figure of twenty megabytes over loopback: how fast it goes up and down, and what text pays for it meanwhile."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.benchmarks.report import median, percentile, report
from tests.helpers.run_async import runs_async, until
from tests.integration.services.test_figures import Peer, server_in, two_peers

pytestmark = pytest.mark.benchmark

MEGABYTES = 20
KEYS = 60
#: How much longer than in silence an edit may be on its way while a figure travels; the program's own work is in it.
FACTOR, ALLOWANCE_S = 4.0, 0.030


async def latencies(ada: Peer, bob: Peer, goes_on: Callable[[], bool]) -> list[float]:
    """Type at one side and return how long each letter is on its way to the document of the other."""
    taken = []
    file_id = ada.project.document.file_at("main.tex")
    assert file_id is not None
    mine, theirs = ada.project.document.text(file_id), bob.project.document.text(file_id)
    for number in range(KEYS):
        if not goes_on():
            break
        word = f"<{number}>"
        started = time.perf_counter()
        mine.replace_u16(0, 0, word)
        while not str(theirs).startswith(word):  # noqa: ASYNC110 - what is measured
            await asyncio.sleep(0.0005)
        taken.append(time.perf_counter() - started)
        await asyncio.sleep(0.005)
    return taken


@pytest.mark.timeout(300)
@runs_async
async def test_twenty_megabytes_and_text_beside_them(tmp_path: Path) -> None:
    data = Random(1).randbytes(MEGABYTES * 1024 * 1024)
    with ThreadPoolExecutor(2) as executor:
        async with server_in(tmp_path) as server, two_peers(tmp_path, server, executor) as (ada, bob):
            file_id = ada.project.document.file_at("main.tex")
            await until(lambda: file_id in bob.project.document.files)
            silent = await latencies(ada, bob, lambda: True)
            started = time.perf_counter()
            ada.put("plot.png", data)
            await until(lambda: ada.project.blobs.sending)
            sent_from = time.perf_counter()
            busy = await latencies(ada, bob, lambda: ada.project.blobs.sending is not None)
            await until(lambda: ada.project.blobs.is_settled)
            sent_s = time.perf_counter() - sent_from
            await bob.gets("plot.png", data)
            there_s = time.perf_counter() - started
            silent += await latencies(ada, bob, lambda: True)
    ratio = median(busy) / median(silent)
    report(
        "figure of 20 MB",
        up_mb_per_s=MEGABYTES / sent_s,
        on_the_other_disk_s=there_s,
        text_silent_ms=median(silent) * 1000,
        text_busy_ms=median(busy) * 1000,
        text_busy_p95_ms=percentile(busy, 95) * 1000,
        text_ratio=ratio,
    )
    assert len(busy) > 5
    assert median(busy) < FACTOR * median(silent) + ALLOWANCE_S
