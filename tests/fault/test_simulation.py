"""The whole system in virtual time, whatever happens to cables, clocks, disk, server and programs.

A plan that fails is saved, and replayed by `TEXSWARM_SIMULATION=FILE`.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault.simulation.script import Script, make_script
from tests.fault.simulation.world import run_script

FAILED_PLANS = Path(__file__).parent / "failed-plans"
PORTIONS_IN_CI = 10
PORTION = 100
PLANS = int(os.environ.get("TEXSWARM_PLANS", "100000"))
FIRST_PLAN = int(os.environ.get("TEXSWARM_FIRST_PLAN", "1000"))
#: In it somebody is made a reader while edits overtake each other.
BEHIND_A_HOLE = 1049177
#: In it a session's time is over while the disk is full, and the server is restarted as soon as there is room.
OVER_ON_A_FULL_DISK = 9311634
#: In it somebody signs in again over a link that carries nothing back to them, and opens the document much later.
DID_NOT_HEAR_THE_ANSWER = 9356255


@pytest.fixture(autouse=True)
def _rarely_collects_garbage() -> Iterator[None]:
    """Thousands of small worlds come and go; looking through all that lives after each is half of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    yield
    gc.set_threshold(*before)


def perform(script: Script) -> None:
    try:
        run_script(script)
    except BaseException:
        print(f"saved: TEXSWARM_SIMULATION={script.save(FAILED_PLANS)}")
        raise


@pytest.mark.parametrize("portion", range(PORTIONS_IN_CI))
def test_everything_holds_in_every_plan(portion: int) -> None:
    for seed in range(portion * PORTION, (portion + 1) * PORTION):
        perform(make_script(seed))


def test_an_edit_behind_one_that_was_refused_is_kept_and_shown_to_nobody() -> None:
    perform(make_script(BEHIND_A_HOLE))


def test_a_session_that_was_over_while_the_disk_was_full_is_over_after_a_restart() -> None:
    perform(make_script(OVER_ON_A_FULL_DISK))


def test_who_did_not_hear_that_they_are_signed_in_again_has_not_left() -> None:
    perform(make_script(DID_NOT_HEAR_THE_ANSWER))


@pytest.mark.campaign
@pytest.mark.timeout(0)
def test_campaign_of_plans() -> None:
    for seed in range(FIRST_PLAN, FIRST_PLAN + PLANS):
        perform(make_script(seed))


@pytest.mark.campaign
@pytest.mark.skipif("TEXSWARM_SIMULATION" not in os.environ, reason="TEXSWARM_SIMULATION names no saved plan")
def test_saved_plan() -> None:
    perform(Script.load(Path(os.environ["TEXSWARM_SIMULATION"])))
