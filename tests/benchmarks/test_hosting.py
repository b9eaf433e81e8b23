"""What hosting costs: to start and stop, to be joined, for guests while the host is busy, and for the host's keys."""

import asyncio
import logging
import random
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtNetwork import QNetworkInformation
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from tests.benchmarks.report import median, percentile, report
from tests.helpers.desktop_process import DesktopProcess
from tests.helpers.live_desktops import Desks
from tests.helpers.run_async import until
from tests.helpers.wire_client import Opened, WireClient, wire_client
from texswarm_desktop.qtx.loop import loop_factory
from texswarm_desktop.services.embedded_server import EmbeddedServer, HostConfig, load_ahead
from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300), pytest.mark.qt_log_ignore("propagateSizeHints")]
START_LIMIT_S = STOP_LIMIT_S = 0.300
JOIN_LIMIT_S = 3.0
GUEST_P99_LIMIT_S = 0.025
KEY_ALLOWANCE_S = 0.008
#: An empty widget that takes longer says that other programs have the processors.
AT_REST_P99_S = 0.03
GUESTS = 20
KEY_ROUNDS = 6
KEYS = 100


@pytest.fixture(scope="module", autouse=True)
def _network_information(qapp: QApplication) -> None:
    """Qt's view of the network is one for the process, and keeps its sockets until the end."""
    QNetworkInformation.loadDefaultBackend()


def test_starting_and_stopping(tmp_path: Path) -> None:
    load_ahead()
    identity = HostIdentity(tmp_path / "identity")

    async def round_of(number: int) -> tuple[float, float]:
        config = HostConfig(data=tmp_path / f"host-{number % 2}", host="", port=0)
        server, begin = EmbeddedServer(config, identity=identity), time.perf_counter()
        started = await server.start()
        start_s = time.perf_counter() - begin
        async with AsyncExitStack() as guests:
            for _ in range(5):
                url = started.address.url
                client = await guests.enter_async_context(wire_client(url, ssl=anything()))
            client.connection.transport.pause_reading()  # one of them hears nothing
            begin = time.perf_counter()
            await server.stop()
            stop_s = time.perf_counter() - begin
            client.connection.transport.resume_reading()
        return start_s, stop_s

    rounds = [asyncio.run(round_of(number)) for number in range(10)]
    starts, stops = [one[0] for one in rounds], [one[1] for one in rounds]
    report("hosting: start", median_ms=median(starts) * 1000, worst_ms=max(starts) * 1000)
    report("hosting: stop, one of five guests silent", median_ms=median(stops) * 1000, worst_ms=max(stops) * 1000)
    assert max(starts) < START_LIMIT_S
    assert max(stops) < STOP_LIMIT_S


def test_from_host_to_an_editable_document_at_somebody_who_had_only_the_start_page(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story() -> float:
        desks = Desks(qapp, tmp_path)
        try:
            ada, bob = await desks.start_with("ada", "paper"), desks.begin("bob")
            await until(lambda: bob.editor is not None)
            bob.window.leave_requested.emit()
            await until(lambda: bob.window.page is None)
            begin = time.perf_counter()
            press(ada.window, "Share")
            await until(lambda: ada.window.findChild(HostSheet) is not None)
            link = ada.window.findChild(HostSheet).link.text()
            press_named(bob.window, "Join")
            dialog = bob.window.findChild(JoinDialog)
            dialog.link.setText(link)
            dialog.name.setText("Bob")
            press(dialog, "Join")
            await until(lambda: bob.text == "paper" and bob.is_live)
            bob.type("x")
            await until(lambda: "x" in ada.text)
            return time.perf_counter() - begin
        finally:
            await desks.close()

    with asyncio.Runner(loop_factory=loop_factory(qapp)) as runner:
        took_s = runner.run(story())
    report("from Host to the first letter of a guest, at the host", seconds=took_s)
    assert took_s < JOIN_LIMIT_S


def press(widget: QWidget, words: str) -> None:
    next(one for one in widget.findChildren(QPushButton) if one.text() == words).click()


def press_named(widget: QWidget, words: str) -> None:
    next(one for one in widget.findChildren(QPushButton) if words in f"{one.text()} {one.accessibleName()}").click()


@pytest.mark.parametrize("trouble", ["nothing", "window busy", "build"])
def test_guests_of_a_busy_host(tmp_path: Path, trouble: str) -> None:
    async def story() -> list[float]:
        async with hosting(tmp_path) as (host, link), guests_of(link, 2) as (one, two):
            exchange = asyncio.get_running_loop().create_task(exchanged(one, two, 6.0))
            if trouble == "window busy":
                while not exchange.done():
                    await host.do("busy", seconds=0.5)
                    await asyncio.sleep(0.8)
            if trouble == "build":
                program = "while True: sum(range(1000))"
                build = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
                await exchange
                build.kill()
                await build.wait()
            return await exchange

    seen = asyncio.run(story())
    name = f"between two guests of one host, {trouble}"
    report(name, median_ms=median(seen) * 1000, p99_ms=percentile(seen, 99) * 1000, worst_ms=max(seen) * 1000)
    assert percentile(seen, 99) < GUEST_P99_LIMIT_S


def test_the_hosts_own_keys_with_twenty_guests(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In rounds of both, because a machine is not as quick in one minute as in the next."""
    caplog.set_level(logging.WARNING)  # to write down each frame would cost the guests more than the frame

    async def story() -> list[tuple[list[float], list[float]]]:
        async with hosting(tmp_path) as (host, link), guests_of(link, GUESTS) as guests:
            loop = asyncio.get_running_loop()
            typing = [loop.create_task(types(guest, place)) for place, guest in enumerate(guests)]
            rounds = []
            for _ in range(KEY_ROUNDS):
                empty = await host.do("own_keys", count=KEYS, pause_s=0.03, empty=True)
                rounds.append((empty, await host.do("own_keys", count=KEYS, pause_s=0.03)))
            for task in typing:
                assert not task.done(), "a guest stopped typing"
                task.cancel()
            await asyncio.gather(*typing, return_exceptions=True)
            return rounds

    rounds = asyncio.run(story())
    for number, (empty, own) in enumerate(rounds):
        report(
            f"own key press to paint, twenty guests typing, round {number + 1}",
            empty_median_ms=median(empty) * 1000,
            empty_p99_ms=percentile(empty, 99) * 1000,
            own_median_ms=median(own) * 1000,
            own_p99_ms=percentile(own, 99) * 1000,
            more_ms=(percentile(own, 99) - percentile(empty, 99)) * 1000,
        )
    rounds = [(empty, own) for empty, own in rounds if percentile(empty, 99) < AT_REST_P99_S]
    if len(rounds) < KEY_ROUNDS // 2:
        pytest.skip("the machine is too busy for a figure")
    more = [percentile(own, 99) - percentile(empty, 99) for empty, own in rounds]
    all_empty = [each for empty, _ in rounds for each in empty]
    all_own = [each for _, own in rounds for each in own]
    all_more = percentile(all_own, 99) - percentile(all_empty, 99)
    report(
        "the same, 99th percentiles of all rounds at rest",
        more_ms=all_more * 1000,
        median_of_rounds_ms=median(more) * 1000,
    )
    assert all_more < KEY_ALLOWANCE_S
    assert median(more) < KEY_ALLOWANCE_S


@asynccontextmanager
async def hosting(folder: Path) -> AsyncIterator[tuple[DesktopProcess, InviteLink]]:
    async with DesktopProcess(folder / "host") as host:
        await host.until("ready", bool)
        yield host, parse_invite_link((await host.do("host"))["link"])


@asynccontextmanager
async def guests_of(link: InviteLink, count: int) -> AsyncIterator[list[Opened]]:
    async with AsyncExitStack() as stack:
        yield [await guest_of(stack, link, number) for number in range(count)]


async def guest_of(stack: AsyncExitStack, link: InviteLink, number: int) -> Opened:
    client: WireClient = await stack.enter_async_context(wire_client(link.address.url, ssl=anything()))
    await client.sign_in(link.token, display_name=f"Guest {number}")
    assert link.document_id is not None
    return await client.open(link.document_id)


async def exchanged(one: Opened, two: Opened, seconds: float) -> list[float]:
    """Let one write and the other see, and return how long each took."""
    seen, chance, end = [], random.Random(7), time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        words, begin = f" w{number}.", time.perf_counter()
        await one.write(words, "notes.tex")
        await two.shows(words, "notes.tex")
        seen.append(time.perf_counter() - begin)
        await asyncio.sleep(chance.uniform(0.005, 0.02))
    return seen


async def types(guest: Opened, place: int) -> None:
    """Type five letters a second into the file that the host has open, at one's own line of it, and show the caret.

    What the others do is not taken in: guests are on computers of their own, and cost the host's nothing.
    """
    guest.client.is_automatic = False
    chance, clock = random.Random(place), 0
    file_id = guest.replica.file_at("main.tex")
    assert file_id is not None
    text = guest.replica.text(file_id)
    lines = str(text).split("\n")
    line = place % len(lines)
    at = len("\n".join(lines[: line + 1]).encode("utf-16-le")) // 2
    user = {"id": f"guest-{place}", "name": f"Guest {place}", "color": f"#{place * 9 + 30:02x}60a0"}
    while True:
        text.replace_u16(at, at, chance.choice("abcdefg "))
        at, clock = at + 1, clock + 1
        await guest.flush()
        await guest.publish({"user": user, "file": file_id, "caret": {"anchor": at, "head": at}}, clock)
        guest.client.frames.clear()
        await asyncio.sleep(chance.uniform(0.1, 0.3))


def anything() -> ssl.SSLContext:
    """Take any certificate: who is measured is known."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
