"""A plan of one seed, lived through in a simulated world."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from unittest.mock import patch
from uuid import UUID

from tests.fault.mirroring.peer import Peer
from tests.fault.mirroring.programs import SPELLINGS
from tests.fault.mirroring.world import SimulatedLoop, World
from texswarm_desktop.core.text_bytes import encode_text
from texswarm_server.document.text_format import PLAIN

FIRST = {
    f"{name}.tex": "".join(f"first line {number} of {name}\n" for number in range(12))
    for name in ("main", "intro", "s/method", "s/results")
}
_WINDOW = ["type", "type", "type", "type", "erase", "rename", "remove"]
_DISK = [
    "write",
    "write",
    "write",
    "save_old",
    "save_old",
    "cut_line",
    "move",
    "unlink",
    "make",
    "folder",
    "move_folder",
    "unlink_folder",
    "checkout",
]
_LIFE = ["cut", "link", "kill", "wait"]
_PAUSES_S = (0.0, 0.0, 0.003, 0.05, 0.2, 0.7)


@dataclass(slots=True)
class Verdict:
    """What must be empty, and what happened."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unrest: str = ""
    told: list[str] = field(default_factory=list)


def live(seed: int, *, kills: bool = True, without: frozenset[str] = frozenset(), spells: bool = False) -> Verdict:
    """Live through the story of a seed; `without`: kinds of events that do not happen in it; `spells`: see `World`."""
    random = Random(seed)
    loop = SimulatedLoop(random)
    with (
        patch("texswarm_server.document.project_document.uuid4", lambda: UUID(int=random.getrandbits(128))),
        patch("texswarm_desktop.services.atomic_file.uuid4", lambda: UUID(int=random.getrandbits(128))),
    ):
        try:
            return loop.run_until_complete(_live(World(random, loop, kills=kills, spells=spells), without))
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


def delays(seed: int, *, every_s: float, count: int) -> list[float]:
    """Return after how long each of so many lines, typed one after the other by anybody, was in everybody's folder."""
    random = Random(seed)
    loop = SimulatedLoop(random)
    try:
        return loop.run_until_complete(_delays(World(random, loop, kills=False), every_s, count))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _delays(world: World, every_s: float, count: int) -> list[float]:
    await _begin(world)
    await world.rest()
    pending: dict[str, float] = {}
    found: list[float] = []
    typed, next_at = 0, world.loop.time()
    while typed < count or pending:
        now = world.loop.time()
        if typed < count and now >= next_at:
            known = set(world.written)
            world.type(world.random.choice(world.peers))
            pending |= dict.fromkeys(world.written.keys() - known, now)
            typed, next_at = typed + 1, now + every_s
        everywhere = ["\n".join(peer.disk.texts().values()) for peer in world.peers]
        there = [line for line in pending if all(line in texts for texts in everywhere)]
        found += [now - pending.pop(line) for line in there]
        await asyncio.sleep(0.01)
    for peer in world.peers:
        peer.kill()
        peer.database.close()
    return found


async def _live(world: World, without: frozenset[str]) -> Verdict:
    random, loop, verdict = world.random, world.loop, Verdict()
    on_disk = [*_DISK, *["convert"] * 4] if world.spells else _DISK
    try:
        await _begin(world)
        for _ in range(random.randint(8, 30)):
            kind = random.choice(random.choice((_WINDOW, on_disk, on_disk, _LIFE)))
            if kind not in without:
                await _do(world, random.choice(world.peers), kind)
            await asyncio.sleep(random.choice(_PAUSES_S))
        await world.rest()
        verdict.lost, verdict.doubled = world.lost(), world.doubled()
    except AssertionError as error:
        verdict.unrest = str(error) or repr(error)
    failures = [one for one in loop.failures if "Killed" not in one]
    if failures:
        verdict.unrest += f" {failures}"
    verdict.told = world.told
    for peer in world.peers:
        peer.kill()
        peer.database.close()
    return verdict


async def _begin(world: World) -> None:
    random = world.random
    for number in range(random.randint(2, 3)):
        world.peers.append(Peer(world, number, random, exchanges=random.random() < 0.8))
    first = world.peers[0].disk
    for path, text in FIRST.items():
        first.make_folder(path.rpartition("/")[0])
        spelled = random.choice(SPELLINGS) if world.spells else PLAIN
        first.fill(path, first.create(path), encode_text(text, spelled))
        for line in text.splitlines():
            world.written[line] = "at first"
    lines = FIRST["intro.tex"].splitlines()
    other = {**FIRST, "intro.tex": "\n".join([*lines[:3], "on the other branch", *lines[4:]]) + "\n"}
    other["extra.tex"] = "an extra file of the other branch\n"
    del other["s/results.tex"]
    world.programs.commit("one", dict(FIRST))
    world.programs.commit("two", other)
    world.is_calm = True
    for peer in world.peers:
        await peer.start()
    await world.rest()
    world.is_calm = False


async def _do(world: World, peer: Peer, kind: str) -> None:
    if kind in _WINDOW:
        getattr(world, kind)(peer)
    elif kind in _DISK or kind == "convert":
        world.programs.begin(world.peers[0] if kind == "checkout" else peer, kind)
    elif kind == "kill":
        if peer.process is None and not peer.busy:  # who opens a folder in the middle of a checkout sees half of it
            await peer.start()
            world.tell(peer.name, "is started")
            if peer.is_linked:
                world.link(peer)
        elif world.kills and peer.process is not None:
            world.tell(peer.name, "KILLED")
            peer.kill()
    elif kind == "cut":
        world.cut(peer)
    elif kind == "link":
        world.link(peer)
