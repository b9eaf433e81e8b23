"""Seeded plans: who types what, and what happens to cables, clocks, disk, server and programs, and when.

A plan is data. It is saved when it fails, can be replayed from that file, and can be made smaller.
"""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PEOPLE: Final = ("ann", "bob", "cyd")
#: By a browser, and by a program of the first generation.
GUESTS: Final = ("web", "old")
ROLES: Final = {"ann": "owner", "bob": "editor", "cyd": "editor", "web": "editor", "old": "editor"}


@dataclass(frozen=True)
class Step:
    """One thing that happens, `after` seconds behind the step before. `x`: how long or how much; `n`: which one."""

    do: str
    who: str = ""
    after: float = 0.0
    x: float = 0.0
    n: int = 0


@dataclass(frozen=True)
class Script:
    """What happens, in order; the seed also decides what no step says: latencies, waits, settings."""

    seed: int
    steps: tuple[Step, ...]
    people: tuple[str, ...] = PEOPLE
    guests: tuple[str, ...] = ()

    def save(self, folder: Path) -> Path:
        """Write the plan where it can be replayed from."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"simulation-{self.seed}.json"
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        return path

    @staticmethod
    def load(path: Path) -> "Script":
        """Read a saved plan."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return Script(
            data["seed"],
            tuple(Step(**step) for step in data["steps"]),
            tuple(data["people"]),
            tuple(data.get("guests", ())),
        )


#: What can happen, how often against each other, and with which range of `x` (seconds unless said otherwise).
FAULTS: Final[dict[str, tuple[int, float, float]]] = {
    "cut": (6, 0.0, 3.0),
    "refuse": (2, 0.1, 4.0),
    "hang": (2, 0.5, 8.0),
    "freeze": (4, 0.0, 3.0),
    "freeze_up": (2, 0.0, 3.0),
    "freeze_down": (2, 0.0, 3.0),
    "lag": (4, 0.05, 12.0),
    "stray": (2, 4.0, 15.0),
    "read_slowly": (5, 20.0, 400.0),  # bytes a second
    "kill_server": (6, 0.0, 4.0),
    "restart_server": (2, 0.0, 0.0),
    "fill_disk": (3, 0.1, 8.0),
    "stall_disk": (3, 0.05, 2.0),
    "compact": (2, 0.0, 0.0),
    "kill_desktop": (4, 0.0, 3.0),
    "lose_network": (2, 0.1, 4.0),
    "demote": (2, 0.0, 6.0),
    "remove_member": (2, 0.0, 6.0),
    "remove_user": (2, 0.0, 0.0),
    "revoke_tokens": (1, 0.0, 0.0),
    "close_session": (1, 0.5, 3.0),
    "guess": (1, 5.0, 60.0),  # times
    "rotate_keys": (1, 0.0, 0.0),
    "set_clock": (2, -4000.0, 4000.0),
    "set_server_clock": (3, -7200.0, 7200.0),
}
_NOBODYS: Final = frozenset(
    {"kill_server", "restart_server", "fill_disk", "stall_disk", "compact", "set_server_clock", "rotate_keys"}
)
#: What an operator does to somebody who is not the owner.
_OF_MEMBERS: Final = frozenset({"demote", "remove_member", "remove_user", "revoke_tokens"})
#: What happens to guests as well; the rest is about the desktop's program or its tokens.
_OF_GUESTS: Final = frozenset(
    {"cut", "refuse", "hang", "freeze", "freeze_up", "freeze_down", "lag", "stray", "read_slowly"}
    | {"demote", "remove_member", "remove_user", "guess"}
)
#: Faults that matter most when much is under way.
_IN_BETWEEN: Final = frozenset({"kill_server", "restart_server", "read_slowly", "fill_disk", "cut", "freeze_down"})


@dataclass(frozen=True)
class Subject:
    """What plans are about: the faults that may happen, and the guests who are in each of them (none: that varies)."""

    faults: tuple[str, ...] = tuple(FAULTS)
    guests: tuple[str, ...] = ()


ANYTHING: Final = Subject()


def make_script(seed: int, faults: int = 5, about: Subject = ANYTHING) -> Script:
    """Return the plan of a seed: people who type, and up to `faults` troubles among them."""
    chance = random.Random(f"script {seed}")
    weights = [FAULTS[kind][0] for kind in about.faults]
    kinds = chance.choices(about.faults, weights, k=chance.randint(1, faults))
    people = PEOPLE[: chance.choice([2, 2, 3])]
    guests = chance.choice([(), (), (), GUESTS[:1], GUESTS[1:], GUESTS])
    everybody = (*people, *(guests := about.guests or guests))
    steps: list[Step] = []
    for kind in kinds:
        steps += _typing(chance, everybody, chance.randint(1, 3))
        steps += _hurry(chance, everybody, kind)
        steps.append(_fault(chance, everybody if kind in _OF_GUESTS else people, kind))
        steps += _typing(chance, everybody, chance.randint(0, 2)) + _hurry(chance, everybody, kind)
    return Script(seed, tuple(steps), people, guests)


def _fault(chance: random.Random, people: tuple[str, ...], kind: str) -> Step:
    _weight, least, most = FAULTS[kind]
    who = "" if kind in _NOBODYS else chance.choice(people[1:] if kind in _OF_MEMBERS else people)
    return Step(kind, who, _pause(chance), round(chance.uniform(least, most), 3), chance.randrange(1000))


def _hurry(chance: random.Random, people: tuple[str, ...], kind: str) -> list[Step]:
    """Around the faults that cut in between a key press and its acknowledgement, people sometimes type fast."""
    if kind not in _IN_BETWEEN or chance.random() < 0.6:
        return []
    return [
        Step("type", chance.choice(people), round(chance.uniform(0.0, 0.012), 4), 0.0, chance.randrange(1000))
        for _ in range(chance.randint(*(20, 40) if kind == "read_slowly" else (4, 16)))
    ]


def _typing(chance: random.Random, people: tuple[str, ...], count: int) -> list[Step]:
    kinds = chance.choices(["type", "delete", "caret"], [6, 2, 1], k=count)
    return [Step(kind, chance.choice(people), _pause(chance), 0.0, chance.randrange(1000)) for kind in kinds]


def _pause(chance: random.Random) -> float:
    """Mostly in each other's way, sometimes long enough for a time limit to pass."""
    return round(chance.choice([0.0, 0.002, 0.02, 0.2, 0.2, 1.0, 1.0, 4.0, 9.0]) * chance.random(), 4)
