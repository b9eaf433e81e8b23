"""The generation to collect is the one Python would collect."""

import pytest

from texswarm_desktop.qtx.garbage import due_generation

THRESHOLDS = (700, 10, 10)


@pytest.mark.parametrize(
    ("counts", "generation"),
    [
        ((700, 0, 0), None),
        ((701, 0, 0), 0),
        ((701, 10, 10), 0),
        ((701, 11, 10), 1),
        ((701, 11, 11), 2),
        ((0, 99, 99), None),
    ],
)
def test_due_generation(counts: tuple[int, int, int], generation: int | None) -> None:
    assert due_generation(counts, THRESHOLDS) == generation


def test_a_threshold_of_zero_turns_it_off() -> None:
    assert due_generation((10**6, 99, 99), (0, 10, 10)) is None
