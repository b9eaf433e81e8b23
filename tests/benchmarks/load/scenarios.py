"""What is measured. Each function measures one server once; who compares them is `table`."""

from __future__ import annotations

import gc
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.benchmarks.load.edits import Paper, Writer
from tests.benchmarks.load.swarm import Swarm, UnreachableError
from tests.benchmarks.report import percentile

if TYPE_CHECKING:
    from tests.benchmarks.load.servers import Process

_WARM_UP_S = 2.0


@dataclass(frozen=True)
class Typing:
    """`writers` of `clients` type `per_s` edits a second each, at random moments, for `seconds`."""

    clients: int
    writers: int
    per_s: float
    seconds: float = 8.0


@dataclass(frozen=True)
class Flood:
    """`writers` of `clients` send `edits` in all, as fast as they are taken."""

    clients: int
    writers: int
    edits: int


def typing(server: Process, plan: Typing) -> dict[str, float]:
    """Return the latency of deliveries and the server's time for each."""
    swarm, dialect = gathered(server, plan.clients)
    writers = [Writer(number) for number in range(plan.writers)]
    total_s = _WARM_UP_S + plan.seconds
    chance = random.Random(plan.clients)
    schedule = sorted((due, number) for number in range(plan.writers) for due in moments(chance, plan.per_s, total_s))
    edits = [(due, number, *_framed(dialect, writers[number].type())) for due, number in schedule]
    swarm.time_deliveries()
    forget_garbage()
    started = time.perf_counter()
    warm = next(at for at, edit in enumerate(edits) if edit[0] >= _WARM_UP_S)
    _play(swarm, edits[:warm], started)
    swarm.until(lambda: len(swarm.latencies) >= warm * (plan.clients - 1), what="warm-up")
    swarm.latencies.clear()
    cpu_s, started = server.cpu_s, time.perf_counter() - edits[warm][0]
    _play(swarm, edits[warm:], started)
    expected = (len(edits) - warm) * (plan.clients - 1)
    swarm.until(lambda: len(swarm.latencies) >= expected, what="deliveries")
    used_s = server.cpu_s - cpu_s
    _check(len(swarm.latencies), expected)
    swarm.close()
    return {
        "p50_ms": percentile(swarm.latencies, 50) * 1e3,
        "p99_ms": percentile(swarm.latencies, 99) * 1e3,
        "us_per_delivery": used_s / expected * 1e6,
        "deliveries_per_s": expected / plan.seconds,
    }


def flood(server: Process, plan: Flood) -> dict[str, float]:
    """Return how many deliveries a second come out when as much as possible goes in."""
    swarm, dialect = gathered(server, plan.clients)
    writers = [Writer(number) for number in range(plan.writers)]
    each = plan.edits // plan.writers
    warm_each = max(each // 10, 10)
    warm_up = [b"".join(_framed(dialect, writer.type())[1] for _ in range(warm_each)) for writer in writers]
    edits = [b"".join(_framed(dialect, writer.type())[1] for _ in range(each)) for writer in writers]
    swarm.count_deliveries()
    forget_garbage()
    _pour(swarm, warm_up, warm_each * len(writers) * (plan.clients - 1))
    swarm.settle()
    cpu_s, started = server.cpu_s, time.perf_counter()
    expected = each * len(writers) * (plan.clients - 1)
    _pour(swarm, edits, expected)
    took_s = time.perf_counter() - started
    used_s = server.cpu_s - cpu_s
    swarm.settle()
    _check(swarm.arrived, expected)
    swarm.close()
    return {
        "deliveries_per_s": expected / took_s,
        "us_per_delivery": used_s / expected * 1e6,
        "seconds": took_s,
        "cpu_share": used_s / took_s,
    }


def joining(server: Process, paper: Paper, clients: int = 1000) -> dict[str, float]:
    """Return how long that many need to connect and synchronise a paper, without and with what they have of it."""
    dialect = server.dialect("paper", clients + 1)
    swarm = Swarm(server.port)
    swarm.connect_all(dialect, [clients])
    swarm.clients[0].send(dialect.edit(paper.update))
    swarm.settle()
    _meet_everybody(server, dialect, clients)
    rss_bytes, cpu_s = server.rss_bytes, server.cpu_s
    cold = Swarm(server.port)
    cold_s = cold.connect_all(dialect, range(clients))
    cold_cpu_s = server.cpu_s - cpu_s
    lacking = [client for client in cold.clients if client.received_bytes < len(paper.update)]
    assert not lacking, f"{len(lacking)} did not get the paper"
    cold.settle(1.0)
    per_connection = (server.rss_bytes - rss_bytes) / clients
    cold.close()
    swarm.settle(2.0)
    cpu_s = server.cpu_s
    warm = Swarm(server.port)
    warm_s = warm.connect_all(dialect, range(clients), paper.state_vector)
    warm_cpu_s = server.cpu_s - cpu_s
    warm.settle(1.0)
    warm.close()
    swarm.close()
    return {
        "cold_s": cold_s,
        "warm_s": warm_s,
        "cold_cpu_s": cold_cpu_s,
        "warm_cpu_s": warm_cpu_s,
        "kb_per_connection": per_connection / 1e3,
    }


def memory(server: Process, clients: int = 1000) -> dict[str, float]:
    """Return the resident memory of an idle connection: the second thousand against the first."""
    dialect = server.dialect("idle", 2 * clients)
    swarm = Swarm(server.port)
    swarm.connect_all(dialect, range(clients))
    swarm.settle(3.0)
    first = server.rss_bytes
    swarm.connect_all(dialect, range(clients, 2 * clients))
    swarm.settle(3.0)
    second = server.rss_bytes
    swarm.close()
    return {"kb_per_connection": (second - first) / clients / 1e3}


# ── inside ──────────────────────────────────────────────────────────────────────────────────────────────


def gathered(server: Process, clients: int) -> tuple[Swarm, Any]:
    """Return that many clients with one document open, and how they speak of it; there is room for one more."""
    dialect = server.dialect("typing", clients + 1)
    swarm = Swarm(server.port)
    swarm.connect_all(dialect, range(clients))
    swarm.settle(1.0 if clients < 500 else 3.0)
    return swarm, dialect


def _meet_everybody(server: Process, dialect: Any, clients: int) -> None:
    """Let those who need an account get one, so that what is measured is a return."""
    if hasattr(dialect, "opens"):
        dialect.opens = False
        swarm = Swarm(server.port)
        swarm.connect_all(dialect, range(clients))
        swarm.close()
        dialect.opens = True
        time.sleep(1.0)


def moments(chance: random.Random, per_s: float, total_s: float) -> list[float]:
    """Return when a person types who does so at random moments, that often on average."""
    moments, now = [], chance.expovariate(per_s)
    while now < total_s:
        moments.append(now)
        now += chance.expovariate(per_s)
    return moments


def _framed(dialect: Any, typed: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    mark, update = typed
    return mark, dialect.edit(update)


def _play(swarm: Swarm, edits: list[tuple[float, int, bytes, bytes]], started: float) -> None:
    """Send every edit when it is due; never sleeps, so that nothing waits for this process to wake up."""
    pump, now, sent_at, clients = swarm.pump, time.perf_counter, swarm.sent_at, swarm.clients
    for due, number, mark, frame in edits:
        while now() - started < due:
            pump()
        sent_at[mark] = now()
        clients[number].send(frame)


def _pour(swarm: Swarm, streams: list[bytes], expected: int) -> None:
    swarm.arrived = 0
    for client, stream in zip(swarm.clients, streams, strict=False):
        client.outgoing += stream
        swarm.watch(client, writable=True)
    swarm.until(lambda: swarm.arrived >= expected, 120, "deliveries")


def _check(arrived: int, expected: int) -> None:
    if arrived != expected:
        raise UnreachableError(f"{arrived} deliveries instead of {expected}")


def forget_garbage() -> None:
    """Collect now and not again: a pause of ours is no latency of theirs."""
    gc.collect()
    gc.freeze()
    gc.disable()
