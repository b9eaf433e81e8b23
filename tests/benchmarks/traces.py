"""Real editing traces, read from `TEXSWARM_DATA` or `../shared/data`; benchmarks say so when they are not there."""

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

Patch = tuple[int, int, str]


@dataclass(frozen=True)
class Trace:
    """A sequence of edits (position, deleted, inserted; code points) and the text it ends in."""

    patches: list[Patch]
    end: str


def data_folder() -> Path:
    """Return the folder of real data, or skip with the reason."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("TEXSWARM_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no editing traces at {folder}; set TEXSWARM_DATA")
    return folder


def sequential_trace(name: str) -> Trace:
    """Read a trace of one person typing."""
    with gzip.open(data_folder() / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        data = json.load(file)
    patches = [tuple(patch) for transaction in data["txns"] for patch in transaction["patches"]]
    return Trace(patches, data["endContent"])
