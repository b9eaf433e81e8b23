"""People are counted in words."""

import pytest

from texswarm_desktop.ui.dialogs.host_sheet import people_words


@pytest.mark.parametrize(("count", "words"), [(0, "Nobody"), (1, "1 person"), (7, "7 people")])
def test_people_are_counted(count: int, words: str) -> None:
    assert people_words(count).startswith(words)
