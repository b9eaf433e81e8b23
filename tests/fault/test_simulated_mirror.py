"""The folder mirror in a simulated world: other programs, typing and remote edits between any two of its steps.

A campaign is `TEXSWARM_STORIES=20000 TEXSWARM_SEED=1 pytest -m campaign tests/fault/test_simulated_mirror.py`.
"""

import os

import pytest

from tests.fault.mirroring.story import Verdict, live

#: Each lost or doubled lines once.
SEEDS = (32, 50, 53, 73, 135, 154, 161, 175, 257, 269)
SEED = int(os.environ.get("TEXSWARM_SEED", "1"))
STORIES = int(os.environ.get("TEXSWARM_STORIES", "1000"))


def check(verdict: Verdict) -> None:
    what = [*verdict.lost, *verdict.doubled]
    traced = [line for line in verdict.told if any(one in line for one in what)]
    assert (verdict.lost, verdict.unrest) == ([], ""), "\n".join(traced)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(seed: int) -> None:
    check(live(seed, kills=False))


@pytest.mark.campaign
@pytest.mark.timeout(36000)
def test_nothing_is_lost_in_many_stories() -> None:
    bad = {}
    for seed in range(SEED, SEED + STORIES):
        verdict = live(seed, kills=False)
        if verdict.lost or verdict.unrest:
            bad[seed] = (verdict.lost, verdict.unrest)
    assert bad == {}
