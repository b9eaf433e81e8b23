"""Both choices of a host's, each free of the other."""

from itertools import product

import pytest

from texswarm_desktop.core.who_joins import WhoJoins


@pytest.mark.parametrize(("is_open", "asks"), list(product((True, False), repeat=2)))
def test_each_pair_of_choices_is_one_of_four(is_open: bool, asks: bool) -> None:
    who = WhoJoins.by(is_open=is_open, asks=asks)
    assert (who.is_open, who.asks) == (is_open, asks)


def test_what_earlier_settings_hold_means_what_it_meant() -> None:
    assert [(WhoJoins(kept).is_open, WhoJoins(kept).asks) for kept in ("anybody", "asked", "invited")] == [
        (True, False),
        (True, True),
        (False, False),
    ]
