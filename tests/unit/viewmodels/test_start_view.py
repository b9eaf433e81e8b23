"""The first page reads well whatever the time."""

import pytest

from texswarm_desktop.viewmodels.start_view import StartView, is_address, when

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (-5.0, "just now"),
        (30.0, "just now"),
        (MINUTE, "1 minute ago"),
        (2 * HOUR - 1, "1 hour ago"),
        (23 * HOUR, "23 hours ago"),
        (DAY, "1 day ago"),
        (13 * DAY, "13 days ago"),
        (15 * DAY, "2 weeks ago"),
        (400 * DAY, "long ago"),
    ],
)
def test_when(age_s: float, words: str) -> None:
    assert when(1e9 - age_s, 1e9) == words


def test_changes_are_told_once() -> None:
    view = StartView(name="Ada")
    told: list[str] = []
    view.name_changed.connect(told.append)
    view.busy_changed.connect(told.append)
    view.set_name("Ada")
    view.set_name("Ada L.")
    view.set_busy("Opening…")
    view.set_busy("Opening…")
    assert told == ["Ada L.", "Opening…"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("texswarm://a:1/?token=x", True),
        ("orchid", True),
        ("wss://a.b/ws", True),
        ("", False),
        ("a b", False),
        ("ftp://a", False),
    ],
)
def test_an_address_is_told_from_other_words(text: str, answer: bool) -> None:
    assert is_address(text) is answer
