"""The table of a run: ours beside the better of the two others, and what was to be reached."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.report import median

RESULTS: Final = Path(__file__).resolve().parents[1] / "RESULTS.md"
OURS, Y, HOCUSPOCUS = "TeXSwarm", "y-websocket", "Hocuspocus"

Rounds = dict[str, dict[str, list[dict[str, float]]]]
"""Scenario, server, and what each round came to."""


@dataclass(frozen=True)
class Aim:
    """A ratio to the others that is to be reached: at most `limit`, or at least, where more is better."""

    scenario: str
    figure: str
    words: str
    limit: float
    against: str = "better"
    is_more_better: bool = False


AIMS: Final = (
    Aim("typing10", "p99_ms", "10 people, 10 type 5/s: latency p99, ms", 0.75),
    Aim("typing50", "p99_ms", "50 people, 10 type 5/s: latency p99, ms", 0.75),
    Aim("typing200", "p99_ms", "200 people, 20 type 5/s: latency p99, ms", 0.75),
    Aim("typing200", "us_per_delivery", "the same: server time per delivery, µs", 0.7),
    Aim("typing1000", "p99_ms", "1,000 people, 5 type 1/s: latency p99, ms", 0.8),
    Aim("busy50", "p99_ms", "50 people, all type 20/s: latency p99, ms", 0.4),
    Aim("flood10", "deliveries_per_s", "10 people: deliveries/s at saturation", 5, Y, is_more_better=True),
    Aim("flood50", "deliveries_per_s", "50 people: deliveries/s at saturation", 5, Y, is_more_better=True),
    Aim("flood200", "deliveries_per_s", "200 people: deliveries/s at saturation", 5, Y, is_more_better=True),
    Aim("flood10", "deliveries_per_s", "the same, 10 people", 1.5, HOCUSPOCUS, is_more_better=True),
    Aim("flood50", "deliveries_per_s", "the same, 50 people", 1.5, HOCUSPOCUS, is_more_better=True),
    Aim("flood200", "deliveries_per_s", "the same, 200 people", 1.0, HOCUSPOCUS, is_more_better=True),
    Aim("join", "cold_s", "1,000 people open a paper they do not have: s", 0.5),
    Aim("join", "warm_s", "1,000 people open a paper they have: s", 0.75),
)


@dataclass(frozen=True)
class Promise:
    """A figure of ours alone with a limit of its own."""

    scenario: str
    figure: str
    words: str
    limit: float | None = None


PROMISES: Final = (
    Promise("memory", "kb_per_connection", "resident memory of an idle connection with a document open, kB", 20),
    Promise("killed", "resumed_s", "killed with 1,000 people typing: all back after the restart, s", 3),
    Promise("killed", "lost", "the same: edits lost", 0),
    Promise("killed", "doubled", "the same: edits doubled", 0),
    Promise("killed", "typed", "the same: edits typed"),
    Promise("killed", "resumed", "the same: sessions resumed"),
    Promise("acks", "ack_p50_ms", "acknowledgement on disk at 2,000 updates/s: p50, ms"),
    Promise("acks", "ack_p99_ms", "the same: p99, ms", 15),
    Promise("acks", "fan_out_p99_ms", "the same: latency to the others meanwhile, p99, ms"),
    Promise("idle", "cpu_s_per_session_hour", "processor time of an idle session, s per hour"),
    Promise("detached", "p99_ms", "50 people, 10 type 5/s, beside 20,000 resting sessions: latency p99, ms"),
    Promise("detached", "us_per_delivery", "the same: server time per delivery, µs"),
    Promise("detached", "start_s", "start with 20,000 resting sessions, s"),
)


def write(rounds: Rounds, path: Path = RESULTS) -> str:
    """Write the table of `rounds` and return it."""
    text = "\n".join([_HEAD, *_machine(), "", _METHOD, "", *_compared(rounds), "", *_promised(rounds), ""])
    path.write_text(text, encoding="utf-8")
    return text


_HEAD: Final = """# Measured beside other servers

Made by `make bench`; every figure is the median of its rounds. Figures hold for the machine they were measured on,
ratios hold better."""

_METHOD: Final = """\
The same load generator plays the same edits, Yjs updates made beforehand, to all three servers:
each runs alone, in a fresh process on core 0, the clients are on core 1, and the servers take turns
(A B C A B C …). Delivered means: an edit of one client has arrived at another. People type at
random moments, with the same seed for all. An edit has arrived when its bytes were read; what they say is
looked into when nothing more lies there. Every round counts that each edit arrived at each client
once; otherwise there is no figure.

- **TeXSwarm** as `texswarm-server serve` starts it: every client signs in as a user of its own, roles are
  checked, and every edit is acknowledged once it is on the disk (SQLite, `synchronous=FULL`).
- **y-websocket** is `@y/websocket-server` 0.1.5 as its command starts it: no authentication, nothing is
  stored. It is run with yjs 13.6.27, the stable release, in place of the prerelease of yjs 14 that it asks
  for.
- **Hocuspocus** is `@hocuspocus/server` 4.7.0 without extensions: every token is welcome, nothing is stored.
  It asks for Node 22; it runs on the Node named above.

“Opening a paper” is connecting, signing in, opening and synchronising `automerge-paper`, a paper typed in 260,000
edits, 100 clients under way at any moment; ours are users the server knows. A paper they have: they send its state
vector."""


def _machine() -> list[str]:
    node = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True).stdout.strip()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return ["", f"{day}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, Node {node}."]


def _compared(rounds: Rounds) -> list[str]:
    lines = [
        "| | y-websocket | Hocuspocus | TeXSwarm | ratio | aim | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for aim in AIMS:
        if not {OURS, Y, HOCUSPOCUS} <= set(rounds.get(aim.scenario, {})):
            continue
        of = {name: _middle(rounds, aim.scenario, name, aim.figure) for name in (Y, HOCUSPOCUS, OURS)}
        better = (max if aim.is_more_better else min)(of[Y], of[HOCUSPOCUS])
        ratio = of[OURS] / (better if aim.against == "better" else of[aim.against])
        is_reached = ratio >= aim.limit if aim.is_more_better else ratio <= aim.limit
        bound = f"{'≥' if aim.is_more_better else '≤'} {aim.limit:g} × {aim.against}"
        shown = " | ".join(_shown(of[name]) for name in (Y, HOCUSPOCUS, OURS))
        lines.append(f"| {aim.words} | {shown} | {ratio:.2f} | {bound} | {'reached' if is_reached else 'missed'} |")
    return lines


def _promised(rounds: Rounds) -> list[str]:
    lines = ["| TeXSwarm alone | | aim | |", "|---|---:|---:|---|"]
    for promise in PROMISES:
        if OURS not in rounds.get(promise.scenario, {}):
            continue
        value = _middle(rounds, promise.scenario, OURS, promise.figure)
        limit = promise.limit
        verdict = "" if limit is None else "reached" if value <= limit else "missed"
        lines.append(f"| {promise.words} | {_shown(value)} | {'' if limit is None else f'≤ {limit:g}'} | {verdict} |")
    return lines


def _middle(rounds: Rounds, scenario: str, server: str, figure: str) -> float:
    return median([each[figure] for each in rounds[scenario][server]])


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def note(rounds: Rounds, scenario: str, server: str, figures: dict[str, Any]) -> None:
    """Add what one round came to."""
    rounds.setdefault(scenario, {}).setdefault(server, []).append(figures)
