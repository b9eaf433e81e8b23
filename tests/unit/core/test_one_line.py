"""What somebody wrote, on one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.one_line import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [("  On\tswarms\n", "On swarms"), ("a\x00b\u202ec", "a b c"), ("\n \t", ""), ("äé😀", "äé😀")],
)
def test_spaces_and_control_characters_are_one_space(text: str, shown: str) -> None:
    assert one_line(text, 20) == shown


def test_what_is_too_long_is_cut_and_does_not_end_with_a_space() -> None:
    assert one_line("ab cd", 3) == "ab"


@given(st.text(), st.integers(1, 30))
def test_it_is_printable_short_and_stays_as_it_is(text: str, most: int) -> None:
    line = one_line(text, most)
    assert line.isprintable()
    assert len(line) <= most
    assert one_line(line, most) == line == line.strip()
