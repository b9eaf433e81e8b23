"""Counting: bounds include what reaches them, and nothing is lost above the last."""

from texswarm_server.net.statistics import Histogram


def test_a_value_counts_for_every_bound_it_stays_within() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value)

    assert histogram.cumulative() == [("0.1", 2), ("1.0", 3), ("+Inf", 4)]
    assert histogram.total == 7.65
