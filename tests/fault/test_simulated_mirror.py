"""The folder mirror in a simulated world: other programs, typing and remote edits between any two of its steps.

A campaign is `TEXSWARM_STORIES=20000 TEXSWARM_SEED=1 pytest -m campaign tests/fault/test_simulated_mirror.py`.
"""

import os

import pytest

from tests.fault.mirroring.story import Verdict, delays, live

#: Each lost or doubled lines once: without and with processes that are killed.
# fmt: off
SEEDS = (
    32, 49, 50, 53, 154, 189, 269, 326, 350, 593, 30042, 30050, 300057, 300348, 301436, 301703, 301925, 301952, 302000,
    401298, 401660, 810404, 810445, 980194, 981496, 981760, 983809, 987158,
)
KILLED = (
    1002, 1018, 1031, 1045, 1058, 1133, 1157, 2007, 2016, 2176, 10236, 10738, 10801, 10852,
    20056, 20075, 60054, 80051, 90005, 50097, 10765, 201482,
    600235, 600364, 700139, 800117, 951148, 960657, 960679, 962040, 966065, 967006,
    1900390,
)
# fmt: on
SEED = int(os.environ.get("TEXSWARM_SEED", "1"))
STORIES = int(os.environ.get("TEXSWARM_STORIES", "1000"))


def check(verdict: Verdict) -> None:
    what = [*verdict.lost, *verdict.doubled]
    traced = [line for line in verdict.told if any(one in line for one in what)]
    assert (verdict.lost, verdict.doubled, verdict.unrest) == ([], [], ""), "\n".join(traced)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled(seed: int) -> None:
    check(live(seed, kills=False))


@pytest.mark.parametrize("seed", KILLED)
def test_nothing_is_lost_or_doubled_when_processes_are_killed(seed: int) -> None:
    check(live(seed))


@pytest.mark.parametrize("seed", range(1, 41))
def test_every_folder_has_the_same_bytes_however_files_are_spelled(seed: int) -> None:
    check(live(seed, kills=seed % 2 == 0, spells=True))


@pytest.mark.parametrize("every_s", [3.0, 0.3, 0.02])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_typed_anywhere_is_in_every_folder_within_a_second(seed: int, every_s: float) -> None:
    """By the simulated clock; also while people go on typing without a pause."""
    found = delays(seed, every_s=every_s, count=40)
    assert len(found) == 40
    assert max(found) <= 1.0, found


def test_a_seed_takes_the_same_course_again() -> None:
    assert live(7).told == live(7).told


@pytest.mark.campaign
@pytest.mark.timeout(36000)
def test_nothing_is_lost_in_many_stories() -> None:
    bad = {}
    for seed in range(SEED, SEED + STORIES):
        verdict = live(seed, kills=bool(seed % 3), spells=bool(seed % 2))
        if verdict.lost or verdict.doubled or verdict.unrest:
            bad[seed] = (verdict.lost, verdict.doubled, verdict.unrest)
    assert bad == {}
