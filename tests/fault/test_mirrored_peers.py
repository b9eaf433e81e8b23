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

from tests.helpers.mirrored_peers import FIGURE_KINDS, KINDS, Verdict, live_through

SEED = int(os.environ.get("TEXSWARM_SEED", "1"))
STORIES = int(os.environ.get("TEXSWARM_STORIES", "40"))

step = st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 40), st.integers(0, 40))
plans = st.lists(step, min_size=10, max_size=30)
with_figures = st.tuples(st.sampled_from(FIGURE_KINDS), st.integers(0, 2), st.integers(0, 40), st.integers(0, 40))
plans_with_figures = st.lists(with_figures, min_size=10, max_size=30)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=2) as executor:
        yield executor


def live(executor: ThreadPoolExecutor, count: int, plan: list[tuple[str, int, int, int]]) -> Verdict:
    return asyncio.run(live_through(Path(tempfile.mkdtemp(prefix="peers-")), executor, count, plan))


def check(verdict: Verdict) -> None:
    """Whether something is doubled is asked where each story takes the same course again: test_simulated_mirror."""
    assert (verdict.lost, verdict.lost_figures, verdict.doubled_figures) == ([], [], [])
    assert verdict.folders_differ == []


#: Everybody at work at once, a link that is cut, and what was done meanwhile; many other stories are in the campaign.
SHORT = [
    ("type", 0, 1, 3),
    ("write", 1, 2, 5),
    ("save", 0, 3, 8),
    ("make_file", 1, 1, 4),
    ("drop", 1, 0, 0),
    ("type", 1, 2, 7),
    ("write", 0, 0, 11),
    ("cut_line", 1, 1, 6),
    ("folder", 0, 1, 1),
    ("type", 0, 3, 2),
    ("mend", 1, 0, 2),
    ("save", 1, 0, 3),
]
many = settings(
    max_examples=STORIES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
#: A figure that one changes and the other deletes while apart, one that both change, and one that is renamed as well.
FIGURES = [
    ("draw", 0, 0, 3),
    ("draw", 0, 4, 8),
    ("draw", 1, 8, 5),
    ("mend", 1, 0, 4),
    ("drop", 1, 0, 0),
    ("draw", 0, 1, 6),
    ("unlink_figure", 1, 1, 0),
    ("draw", 0, 2, 7),
    ("draw", 1, 1, 9),
    ("move_figure", 0, 2, 1),
    ("remove_figure", 1, 2, 0),
    ("draw", 0, 5, 4),
    ("mend", 1, 0, 4),
    ("rename_figure", 0, 1, 2),
]
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@needs_git
def test_at_rest_all_folders_are_equal_and_nothing_is_lost(executor: ThreadPoolExecutor) -> None:
    check(live(executor, 2, SHORT))


@needs_git
def test_at_rest_no_figure_is_lost_and_none_is_there_twice(executor: ThreadPoolExecutor) -> None:
    check(live(executor, 2, FIGURES))


@needs_git
@pytest.mark.campaign
@pytest.mark.timeout(3600)
@seed(SEED)
@many
@given(count=st.integers(2, 3), plan=plans_with_figures)
def test_many_stories_with_figures(
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
