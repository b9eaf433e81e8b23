"""What an editor had loaded, between a former state of a file and what is in it now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.loaded_text import loaded_text

LINES = [f"line number {number} of the text\n" for number in range(8)]
BEFORE = "".join(LINES)
ARRIVED = "somebody far away writes a sentence here, and another one\n"
MINE = "what the editor wrote\n"


def with_line(line: str, at: int = 3) -> str:
    return "".join([*LINES[:at], line, *LINES[at:]])


def typed(count: int) -> str:
    return ARRIVED[:-1][:count] + "\n"


@pytest.mark.parametrize("at", [0, 4, 8])
@given(st.integers(24, len(ARRIVED) - 1))
def test_of_a_new_line_that_was_being_typed_as_much_was_loaded_as_is_saved(at: int, count: int) -> None:
    loaded = with_line(typed(count), at)
    mine = with_line(typed(count).replace("\n", "; more of the editor's own words\n"), at)
    assert loaded_text(BEFORE, with_line(ARRIVED, at), mine) == loaded
    assert loaded_text(BEFORE, with_line(ARRIVED, at), f"{MINE}{MINE}{mine}") == loaded


def test_a_line_that_was_being_written_from_its_start_was_loaded_as_it_is_saved() -> None:
    old, new = "the end of a long line\n", "the very beginning, and the end of a long line\n"
    saved = with_line("the very and the end of a long line\n") + MINE
    assert loaded_text(with_line(old), with_line(new), saved) == with_line("the very and the end of a long line\n")


def test_what_is_not_saved_may_have_come_after_the_loading() -> None:
    assert loaded_text(BEFORE, with_line(ARRIVED), BEFORE + MINE) == BEFORE
    assert loaded_text(BEFORE, with_line(ARRIVED), with_line("quite another line, of the editor's\n")) == BEFORE


def test_a_word_that_was_replaced_was_loaded_if_it_is_saved() -> None:
    old, new = "a first word of ours\n", "a second word of ours\n"
    assert loaded_text(with_line(old), with_line(new), with_line("a first word of ours, and mine\n")) == with_line(old)
    assert loaded_text(with_line(old), with_line(new), with_line("a second word of ours, and mine\n")) == with_line(new)


def test_a_word_that_was_there_all_the_time_was_loaded_whether_it_is_saved_or_not() -> None:
    """The editor took it out; and what it put there begins or ends like another word by chance."""
    old = "zebras of ours, and a line that goes on for long"
    now, half = f"{old}, with more words of somebody else\n", f"{old}, with mo"
    saved = half.replace("zebras", "cobras") + "\n"
    assert loaded_text(with_line(f"{old}\n"), with_line(now), with_line(saved)) == with_line(f"{half}\n")


def test_lines_that_were_taken_out_were_loaded_only_if_they_are_saved() -> None:
    assert loaded_text(with_line(ARRIVED), BEFORE, with_line(ARRIVED) + MINE) == with_line(ARRIVED)
    assert loaded_text(with_line(ARRIVED), BEFORE, BEFORE + MINE) == BEFORE


@given(st.lists(st.sampled_from([*LINES, ARRIVED, MINE, "", "\n", "x"]), max_size=9).map("".join), st.data())
def test_who_saved_what_was_there_had_loaded_it(text: str, data: st.DataObject) -> None:
    other = data.draw(st.lists(st.sampled_from([*LINES, ARRIVED, "\n"]), max_size=9).map("".join))
    assert loaded_text(text, text, other) == text
    assert loaded_text(other, text, text) == text


@given(*(st.lists(st.sampled_from([*LINES, *map(typed, (9, 30, 40)), ARRIVED, MINE, "\n"]), max_size=8) for _ in "abc"))
def test_no_two_lines_become_one(former: list[str], last: list[str], saved: list[str]) -> None:
    text = loaded_text(*("".join(lines) for lines in (former, last, saved)))
    assert text == "" or text.endswith("\n")
    assert all(line.count("line number") + line.count("somebody") <= 1 for line in text.splitlines())
