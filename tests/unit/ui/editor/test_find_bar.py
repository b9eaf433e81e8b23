"""The number of matches is said in words."""

import pytest

from texswarm_desktop.ui.editor.find_bar import count_words
from texswarm_desktop.ui.editor.text_search import Found, Search


@pytest.mark.parametrize(
    ("found", "current", "words"),
    [
        (Found(), -1, "No matches"),
        (Found(((0, 1),)), -1, "1 match"),
        (Found(((0, 1), (2, 3))), -1, "2 matches"),
        (Found(((0, 1), (2, 3))), 1, "2 of 2"),
        (Found(((0, 1),) * 9999, is_cut=True), -1, "9,999+ matches"),
        (Found(problem="missing )"), -1, "Not an expression"),
    ],
)
def test_count(found: Found, current: int, words: str) -> None:
    assert count_words(Search("a"), found, current) == words


def test_nothing_is_said_while_nothing_is_looked_for() -> None:
    assert count_words(Search(), Found(), -1) == ""
