"""Who writes in the demonstration, and what. Pure: data.

Each author writes three passages at one place: while all is well, while one of them is cut off, and after that.
"""

from dataclasses import dataclass
from typing import Final

FILE: Final = "sections/convergence.tex"


@dataclass(frozen=True)
class Author:
    """One of the people. `key` names files; `color` is `#rrggbb`; `below`: what stands in the line they go on after.

    `passages` are typed one after another, letter by letter; no passage is part of another one, nor of the paper.
    """

    key: str
    name: str
    color: str
    theme: str
    below: str
    passages: tuple[str, str, str]

    @property
    def first_name(self) -> str:
        """What the others call them."""
        return self.name.split()[0]


HOST: Final = Author(
    "ada",
    "Ada Lovelace",
    "#3b6fe8",
    "light",
    "nothing.",
    (
        "\n\nWe write $\\varnothing$ for the empty state; $\\varnothing \\merge s = s$ holds for every $s$.",
        "\nEvery author begins there, and catches up on what was written before with a single merge.",
        "\nNo rank is needed.",
    ),
)
PEER: Final = Author(
    "emmy",
    "Emmy Noether",
    "#c2570c",
    "light",
    r"\end{definition}",
    (
        "\n\nThese are the axioms\nof a \\emph{join semilattice}, ordered by $s \\leq t \\iff s \\merge t = t$,",
        "\nso that merging never goes down: $s \\leq s \\merge t$ for all $s$ and $t$. % no exceptions",
        "\nNothing is ever unlearned.",
    ),
)
TRAVELLER: Final = Author(
    "sofia",
    "Sofia Kovalevskaya",
    "#15803d",
    "dark",
    "again.",
    (
        "\nTo say a change $k$ times, $s \\merge c \\merge \\cdots \\merge c$, is as good as to say it once.",
        "\nThis line is written in a tunnel: $p > 0$ here, and it costs \\emph{nothing} at all.",
        "\nBack in daylight.",
    ),
)
CAST: Final = (HOST, PEER, TRAVELLER)
