"""`python -m tests.benchmarks.load`: measure the three servers and write the table."""

from __future__ import annotations

import argparse
import sys

from tests.benchmarks.load import scenarios
from tests.benchmarks.load.edits import Paper
from tests.benchmarks.load.scenarios import Flood, Typing
from tests.benchmarks.load.servers import CLIENT_CORE, SERVERS, hold_to, install_rivals, why_not

TYPING = {
    "10": Typing(10, 10, 5),
    "50": Typing(50, 10, 5),
    "200": Typing(200, 20, 5),
    "1000": Typing(1000, 5, 1, 10.0),
    "busy": Typing(50, 50, 20),
}
FLOOD = {"10": Flood(10, 10, 40_000), "50": Flood(50, 10, 10_000), "200": Flood(200, 20, 3_000)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", default="")
    options = parser.parse_args()
    if reason := why_not() or install_rivals():
        sys.exit(reason)
    hold_to(CLIENT_CORE)
    paper = Paper() if any(what.startswith("join") for what in options.what) else None
    for what in options.what:
        for _ in range(options.rounds):
            for kind in SERVERS:
                if options.servers and kind.name[0] not in options.servers:
                    continue
                with kind() as server:
                    if what.startswith("typing"):
                        figures = scenarios.typing(server, TYPING[what[6:]])
                    elif what.startswith("flood"):
                        figures = scenarios.flood(server, FLOOD[what[5:]])
                    elif what == "join":
                        figures = scenarios.joining(server, paper)
                    else:
                        figures = scenarios.memory(server)
                print(what, kind.name, "  ".join(f"{k}={v:.4g}" for k, v in figures.items()), flush=True)


main()
