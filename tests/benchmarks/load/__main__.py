"""`python -m tests.benchmarks.load`: measure the three servers and write the table.

Without names everything is measured, in about twenty minutes. With `--keep FILE` rounds are added to those that the
file has already, so that a long measurement may be made in pieces.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _pytest.outcomes import Skipped

from tests.benchmarks.load import ours, scenarios, table
from tests.benchmarks.load.edits import Paper
from tests.benchmarks.load.scenarios import Flood, Typing
from tests.benchmarks.load.servers import CLIENT_CORE, SERVERS, TexSwarmServer, hold_to, install_rivals, why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.load.servers import Process

TYPING = {
    "typing10": Typing(10, 10, 5),
    "typing50": Typing(50, 10, 5),
    "typing200": Typing(200, 20, 5),
    "typing1000": Typing(1000, 5, 1, 12.0),
    "busy50": Typing(50, 50, 20),
}
FLOOD = {"flood10": Flood(10, 10, 40_000), "flood50": Flood(50, 10, 10_000), "flood200": Flood(200, 20, 3_000)}
OURS: dict[str, Callable[[Any], dict[str, float]]] = {
    "memory": scenarios.memory,
    "acks": ours.acknowledgements,
    "killed": ours.killed,
    "idle": ours.idle,
    "detached": ours.detached,
}
EVERYTHING = (*TYPING, *FLOOD, "join", *OURS)


def measure(what: str, server: Process) -> dict[str, float]:
    if what in TYPING:
        return scenarios.typing(server, TYPING[what])
    if what in FLOOD:
        return scenarios.flood(server, FLOOD[what])
    if what == "join":
        return scenarios.joining(server, _paper())
    return OURS[what](server)


@cache
def _paper() -> Paper:
    return Paper()


def main() -> None:
    options = _options()
    if reason := why_not() or install_rivals():
        sys.exit(f"nothing is measured: {reason}")
    hold_to(CLIENT_CORE)
    rounds: table.Rounds = {}
    if options.keep and options.keep.exists():
        rounds = json.loads(options.keep.read_text())
    for what in options.what or EVERYTHING:
        kinds = (TexSwarmServer,) if what in OURS else SERVERS
        try:
            for _ in range(1 if options.quick or what in OURS else options.rounds):
                for kind in kinds:
                    with kind() as server:
                        figures = measure(what, server)
                    table.note(rounds, what, kind.name, figures)
                    shown = "  ".join(f"{key}={value:.4g}" for key, value in figures.items())
                    print(f"{what}: {kind.name}: {shown}", flush=True)
        except Skipped as reason:
            print(f"{what}: left out: {reason}", flush=True)
        if options.keep:
            options.keep.write_text(json.dumps(rounds))
    if options.write:
        print(table.write(rounds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the server beside others.")
    parser.add_argument("what", nargs="*", choices=[*EVERYTHING, []], help="what to measure (default: everything)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of each")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add to the rounds in this file")
    parser.add_argument("--write", action="store_true", help="write the table")
    return parser.parse_args()


main()
