"""People with folders, editors, other programs and a link that fails: at rest all is equal, and nothing is lost."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.helpers.mirrored_peers import KINDS, Verdict, live_through

SEED = int(os.environ.get("TEXSWARM_SEED", "1"))
STORIES = int(os.environ.get("TEXSWARM_STORIES", "40"))

step = st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 40), st.integers(0, 40))
plans = st.lists(step, min_size=10, max_size=30)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=2) as executor:
        yield executor


def live(executor: ThreadPoolExecutor, count: int, plan: list[tuple[str, int, int, int]]) -> Verdict:
    return asyncio.run(live_through(Path(tempfile.mkdtemp(prefix="peers-")), executor, count, plan))


def check(verdict: Verdict) -> None:
    """Whether something is doubled is asked where each story takes the same course again: test_simulated_mirror."""
    assert verdict.lost == []
    assert verdict.folders_differ == []


few = settings(
    max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
)
many = settings(few, max_examples=STORIES)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@needs_git
@seed(SEED)
@few
@given(count=st.integers(2, 3), plan=plans)
def test_at_rest_all_folders_are_equal_and_nothing_is_lost(
    executor: ThreadPoolExecutor, count: int, plan: list[tuple[str, int, int, int]]
) -> None:
    check(live(executor, count, plan))


@needs_git
@pytest.mark.campaign
@pytest.mark.timeout(3600)
@seed(SEED)
@many
@given(count=st.integers(2, 3), plan=plans)
def test_many_stories(executor: ThreadPoolExecutor, count: int, plan: list[tuple[str, int, int, int]]) -> None:
    check(live(executor, count, plan))
