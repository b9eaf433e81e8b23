from itertools import combinations

import pytest

from texswarm_desktop.core.palette import PALETTE, color_of


def _channels(color: str) -> list[int]:
    return [int(color[at : at + 2], 16) for at in (1, 3, 5)]


def _luminance(color: str) -> float:
    """As WCAG 2 defines it."""
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in _shares(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _shares(color: str) -> list[float]:
    return [channel / 255 for channel in _channels(color)]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", ["#ffffff", "#1e1e1e"])
def test_every_colour_is_readable_on_light_and_dark_paper(paper: str) -> None:
    assert min(_contrast(color, paper) for color in PALETTE) > 3


def test_colours_are_told_apart() -> None:
    assert len(PALETTE) >= 8
    for one, other in combinations(PALETTE, 2):
        assert sum((a - b) ** 2 for a, b in zip(_channels(one), _channels(other), strict=True)) > 50**2


def test_a_user_has_the_same_colour_everywhere() -> None:
    assert color_of("c0ffee") == color_of("c0ffee") == "#c026d3"


def test_users_share_out_the_colours() -> None:
    assert {color_of(f"user-{number}") for number in range(200)} == set(PALETTE)
