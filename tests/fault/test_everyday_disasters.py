"""The main job with real processes, whatever happens to the cables, the server and the programs."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.fault.everyday_disaster import EverydayDisaster
from tests.helpers.plan import Plan, make_plan

FAILED_PLANS = Path(__file__).parent / "failed-plans"
SEEDS_IN_CI = 3
SEEDS = int(os.environ.get("TEXSWARM_SEEDS", "200"))
FIRST_SEED = int(os.environ.get("TEXSWARM_FIRST_SEED", "1000"))


async def run(plan: Plan, folder: Path) -> None:
    async with EverydayDisaster(folder) as stage:
        await stage.perform(plan)
        await stage.look()


def perform(plan: Plan, folder: Path) -> None:
    try:
        asyncio.run(run(plan, folder))
    except BaseException:
        print(f"saved: TEXSWARM_PLAN={plan.save(FAILED_PLANS)}")
        raise


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(SEEDS_IN_CI))
def test_nothing_typed_is_lost_or_doubled(seed: int, tmp_path: Path) -> None:
    perform(make_plan(seed), tmp_path)


@pytest.mark.campaign
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_campaign_of_disasters(seed: int, tmp_path: Path) -> None:
    perform(make_plan(seed), tmp_path)


@pytest.mark.campaign
@pytest.mark.timeout(300)
@pytest.mark.skipif("TEXSWARM_PLAN" not in os.environ, reason="TEXSWARM_PLAN names no saved plan")
def test_saved_plan(tmp_path: Path) -> None:
    perform(Plan.load(Path(os.environ["TEXSWARM_PLAN"])), tmp_path)
