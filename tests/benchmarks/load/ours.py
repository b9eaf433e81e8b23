"""What ours promises alone: acknowledgements, coming back after a kill, resting and idle sessions."""

from __future__ import annotations

import random
import time
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pycrdt

from tests.benchmarks.load.edits import TEXT_NAME, Writer
from tests.benchmarks.load.scenarios import Typing, forget_garbage, gathered, moments, typing
from tests.benchmarks.load.swarm import Client, Swarm
from tests.benchmarks.load.wire import read_varuint, varuint
from tests.benchmarks.report import percentile
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.sessions.records import StoredSession, User
from texswarm_server.storage.schema import open_database
from texswarm_server.storage.sqlite_records import transaction
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.load.servers import TexSwarmServer

_ACKNOWLEDGED = 100


def acknowledgements(server: TexSwarmServer, per_s: float = 2000.0, seconds: float = 8.0) -> dict[str, float]:
    """Return how long it takes until an edit is known to be on the disk, and to reach the others meanwhile."""
    writers = 20
    swarm, dialect = gathered(server, writers)
    pens = [Writer(number) for number in range(writers)]
    chance = random.Random(1)
    schedule = sorted(
        (due, number) for number in range(writers) for due in moments(chance, per_s / writers, seconds + 2)
    )
    edits = [(due, number, *pens[number].type()) for due, number in schedule]
    framed = [(due, number, mark, dialect.edit(update)) for due, number, mark, update in edits]
    swarm.time_deliveries()
    waits: list[float] = []
    sent: list[deque[float]] = [deque() for _ in range(writers)]
    settled = [0] * writers
    for client in swarm.clients:
        client.listen = _acknowledgement_timer(client, dialect.handle, sent, settled, waits)
    forget_garbage()
    started = time.perf_counter()
    for due, number, mark, frame in framed:
        while time.perf_counter() - started < due:
            swarm.pump()
        now = swarm.sent_at[mark] = time.perf_counter()
        sent[number].append(now)
        swarm.clients[number].send(frame)
    swarm.until(lambda: not any(sent), what="acknowledgements")
    swarm.settle()
    warm = len([due for due, *_rest in framed if due < 2])
    swarm.close()
    return {
        "ack_p50_ms": percentile(waits[warm:], 50) * 1e3,
        "ack_p99_ms": percentile(waits[warm:], 99) * 1e3,
        "fan_out_p99_ms": percentile(swarm.latencies[warm * (writers - 1) :], 99) * 1e3,
        "acknowledged_per_s": (len(waits) - warm) / seconds,
    }


def idle(server: TexSwarmServer, clients: int = 1000, seconds: float = 30.0) -> dict[str, float]:
    """Return what a session costs while nobody does anything, pings and housekeeping included."""
    swarm, _dialect = gathered(server, clients)
    swarm.settle(13.0, 30.0)
    cpu_s, started = server.cpu_s, time.perf_counter()
    while time.perf_counter() - started < seconds:
        swarm.pump(0.05)
    used_s = server.cpu_s - cpu_s
    swarm.close()
    return {"cpu_s_per_session_hour": used_s / clients / seconds * 3600, "share_of_core": used_s / seconds}


def detached(server: TexSwarmServer, sessions: int = 20_000) -> dict[str, float]:
    """Return what typing is like for 50 people while that many sessions of others rest."""
    server.end()
    with closing(open_database(database_path(server.data))) as database, transaction(database) as records:
        for number in range(sessions):
            user_id = UserId(f"resting-{number}")
            records.put_user(User(user_id=user_id, is_confirmed=True))
            records.put_session(
                StoredSession(
                    session_id=SessionId(f"resting-{number}"),
                    user_id=user_id,
                    grant_id="none",
                    detached_at=time.time(),
                )
            )
    started = time.perf_counter()
    server.start()
    start_s = time.perf_counter() - started
    return {**typing(server, Typing(50, 10, 5)), "start_s": start_s}


def killed(server: TexSwarmServer, clients: int = 1000, per_s: float = 100.0) -> dict[str, float]:
    """Kill the server while everybody types, start it again, and count what everybody typed."""
    swarm, dialect = gathered(server, clients)
    people = [_Person(Writer(client.number), client, dialect) for client in swarm.clients]
    chance = random.Random(3)
    _type_for(swarm, people, chance, per_s, 3.0)
    server.end()
    _type_for(swarm, people, chance, per_s, 1.0)
    server.start()
    started = time.perf_counter()
    back = Swarm(server.port)
    _come_back(back, dialect, people, chance, per_s)
    resumed_s = time.perf_counter() - started
    resumed = sum(person.client.is_resumed for person in people)
    _type_for(back, people, chance, per_s, 2.0)
    back.until(lambda: not any(person.waiting for person in people), 60, "acknowledgements")
    acknowledged_s = time.perf_counter() - started
    typed = [mark for person in people for mark in person.typed]
    text = _text_of(server, dialect, clients)
    swarm.close()
    back.close()
    return {
        "resumed_s": resumed_s,
        "resumed": resumed,
        "all_saved_s": acknowledged_s,
        "typed": len(typed),
        "lost": sum(text.count(mark.decode()) == 0 for mark in typed),
        "doubled": sum(text.count(mark.decode()) > 1 for mark in typed),
    }


# ── inside ──────────────────────────────────────────────────────────────────────────────────────────────


class _Person:
    """Keeps what it typed until the server says that it is stored, as a client has to."""

    def __init__(self, writer: Writer, client: Client, dialect: Any) -> None:
        self._writer, self._dialect = writer, dialect
        self.client = client
        self.typed: list[bytes] = []
        self.waiting: deque[bytes] = deque()
        self._settled = 0
        self._before = 0
        self.sit_at(client)

    def sit_at(self, client: Client) -> None:
        """Go on at another connection, and send again what was not acknowledged."""
        self.client, self._settled, self._before = client, 0, client.answered
        client.listen = self._listen
        for frame in self.waiting:
            client.send(frame)

    def type(self) -> None:
        mark, update = self._writer.type()
        frame = self._dialect.edit(update)
        self.typed.append(mark)
        self.waiting.append(frame)
        if self.client.close_code is None and self.client.listen is not None:
            self.client.send(frame)

    def _listen(self, payload: bytes) -> None:
        count = acknowledged(payload, self._dialect.handle)
        if count is None:
            return
        for _ in range(max(count - self._before, 0) - self._settled):
            self.waiting.popleft()
            self._settled += 1


def acknowledged(payload: bytes, handle: int) -> int | None:
    """Return the count of an acknowledgement, None for anything else."""
    if payload[:1] == b"{":
        return None
    told, at = read_varuint(payload, 0)
    if told != handle or payload[at] != _ACKNOWLEDGED:
        return None
    return read_varuint(payload, at + 1)[0]


def _acknowledgement_timer(
    client: Client, handle: int, sent: list[deque[float]], settled: list[int], waits: list[float]
) -> Callable[[bytes], None]:
    time_it, number, before = client.listen, client.number, client.answered
    assert time_it is not None
    start = varuint(handle) + bytes((_ACKNOWLEDGED,))

    def listen(payload: bytes) -> None:
        if not payload.startswith(start):
            time_it(payload)
            return
        count = read_varuint(payload, len(start))[0] - before
        while settled[number] < count:
            waits.append(client.heard_at - sent[number].popleft())
            settled[number] += 1

    return listen


def _type_for(swarm: Swarm, people: list[_Person], chance: random.Random, per_s: float, seconds: float) -> None:
    started, due = time.perf_counter(), 0.0
    while due < seconds:
        while time.perf_counter() - started < due:
            swarm.pump(0.001)
        chance.choice(people).type()
        due += chance.expovariate(per_s)


def _come_back(swarm: Swarm, dialect: Any, people: list[_Person], chance: random.Random, per_s: float) -> None:
    """Connect everybody again, all at once, while they type on; return when everybody has the document."""
    clients = [swarm.connect(dialect, person.client.number) for person in people]
    missing = dict(zip(clients, people, strict=True))
    started, due = time.perf_counter(), 0.0
    while missing:
        swarm.pump(0.002)
        for client in [client for client in missing if client.is_synced]:
            missing.pop(client).sit_at(client)
        for client in missing:
            assert client.close_code is None, f"closed with {client.close_code}"
        while due < time.perf_counter() - started:
            chance.choice(people).type()
            due += chance.expovariate(per_s)
        assert due < 60, f"{len(missing)} did not come back"


def _text_of(server: TexSwarmServer, dialect: Any, clients: int) -> str:
    """Return the text as a newcomer gets it."""
    updates: list[bytes] = []
    swarm = Swarm(server.port)
    reader = swarm.connect(dialect, clients)
    reader.keep = updates.append
    swarm.until(lambda: reader.is_synced)
    swarm.close()
    document: pycrdt.Doc[Any] = pycrdt.Doc()
    document.apply_update(updates[0])
    return str(document.get(TEXT_NAME, type=pycrdt.Text))
