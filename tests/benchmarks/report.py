"""Figures of one benchmark run: printed, and collected in a file when `TEXSWARM_BENCH_REPORT` names one."""

import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path


def report(name: str, **figures: float) -> None:
    """Show the figures of one measurement; units stand in their names."""
    shown = "  ".join(f"{key}={value:.3g}" for key, value in figures.items())
    print(f"\n[bench] {name}: {shown}")
    target = os.environ.get("TEXSWARM_BENCH_REPORT")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, **figures}) + "\n")


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of `values` lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)
