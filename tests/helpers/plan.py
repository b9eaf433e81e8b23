"""Seeded plans of an everyday disaster: who types what, and what happens to the cables, the server and the programs.

Pure: a plan is data. It is saved when it fails and can be replayed from that file.
"""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PEOPLE: Final = ("ann", "bob")
LINES: Final = (
    r"\section{Über die Gleichung $E = mc^2$}",
    r"Let $f\colon X \to Y$ be a morphism of schemes; see~\cite[Chapter~2]{hartshorne}.",
    r"\begin{equation}\label{eq:one} \int_0^1 x^2 \, dx = \frac{1}{3} \end{equation}",
    r"Nous avons montré que l’énergie est conservée 🎉 (voir la figure~\ref{fig:a}).",
    r"\item The naïve bound is $O(n \log n)$ % but we can do better",
    r"Zażółć gęślą jaźń \emph{and so on} --- 漢字も大丈夫です。",
    r"\begin{tabular}{l|r} one & 1 \\ two & 2 \end{tabular}",
    r"\newcommand{\R}{\mathbb{R}} \DeclareMathOperator{\rank}{rank}",
)


@dataclass(frozen=True)
class Step:
    """One thing that happens. `who`: a person or "server"; `text`, `line`: for typing; `seconds`: for delays."""

    do: str
    who: str = ""
    text: str = ""
    line: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What happens, in order; "both" steps are typed at the same time."""

    seed: int
    steps: tuple[Step, ...]

    def save(self, folder: Path) -> Path:
        """Write the plan where it can be replayed from."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"plan-{self.seed}.json"
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False), encoding="utf-8")
        return path

    @staticmethod
    def load(path: Path) -> "Plan":
        """Read a saved plan."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return Plan(data["seed"], tuple(Step(**step) for step in data["steps"]))


def make_plan(seed: int, disasters: int = 6) -> Plan:
    """Return the plan of a seed: typing at both ends around `disasters` different troubles."""
    chance = random.Random(seed)
    kinds = ["cut", "half_open", "delay", "kill_server", "expire", "kill_desktop"]
    chance.shuffle(kinds)
    steps: list[Step] = [_typing(chance, who) for who in PEOPLE]
    for number in range(disasters):
        steps += _disaster(chance, kinds[number % len(kinds)])
    return Plan(seed, tuple(steps))


def _typing(chance: random.Random, who: str) -> Step:
    text = chance.choice(LINES)
    start = chance.randrange(len(text) // 2)
    return Step("type", who, f"\n{text[start:]}", chance.randrange(1000))


def _disaster(chance: random.Random, kind: str) -> list[Step]:
    who = chance.choice(PEOPLE)
    typing = [_typing(chance, chance.choice(PEOPLE)) for _ in range(chance.randint(1, 4))]
    while_out = [_typing(chance, person) for person in PEOPLE]
    match kind:
        case "cut" | "half_open":
            return [*typing, Step(kind, who), *while_out, Step("restore", who)]
        case "delay":
            return [
                Step("delay", who, seconds=chance.choice([0.05, 0.2, 0.5])),
                *while_out,
                *typing,
                Step("restore", who),
            ]
        case "kill_server":
            return [*typing, Step("kill_server"), *while_out, Step("start_server")]
        case "expire":
            return [Step("refuse", who), *while_out, Step("expire", who), Step("restore", who), *typing]
        case _:
            out = [Step("cut", who)] if chance.random() < 0.5 else []
            return [*typing, *out, Step("kill_desktop", who), Step("restore", who), Step("start_desktop", who), *typing]
