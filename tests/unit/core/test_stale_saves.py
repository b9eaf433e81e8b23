"""What an editor saves that has not seen what arrived since it loaded the file."""

import re

from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.stale_saves import FormerStates, former_state
from texswarm_desktop.core.text_merge import apply_edits, merge

LOADED = "".join(f"line {number} of the text\n" for number in range(30))
ARRIVED = "a sentence that somebody wrote far away\n"
LAST = LOADED.replace("line 10 ", ARRIVED + "line 10 ")


LATER = 1e6


def states(*texts: str) -> FormerStates:
    found = FormerStates()
    for at, text in enumerate(texts):
        found = found.after(former_state(text, 10.0**at))
    return found


def merged(saved: str, former: FormerStates, last: str = LAST) -> str:
    return apply_edits(last, merge(former.base_of(saved, last, LATER), saved, last))


def test_a_save_of_what_was_loaded_before_something_arrived_keeps_both() -> None:
    saved = LOADED.replace("line 20 ", "line twenty ")
    assert merged(saved, states(LOADED)) == LAST.replace("line 20 ", "line twenty ")


def test_what_arrived_may_be_a_deletion() -> None:
    saved = LAST.replace("line 20 ", "line twenty ")
    assert merged(saved, states(LAST), LOADED) == LOADED.replace("line 20 ", "line twenty ")


def test_a_save_that_has_what_arrived_is_made_from_it() -> None:
    saved = LAST.replace("line 20 ", "line twenty ").replace("far away", "near by")
    assert states(LOADED).base_of(saved, LAST, LATER) == LAST
    assert merged(saved, states(LOADED)) == saved


def test_a_former_state_is_restored_on_purpose() -> None:
    assert merged(LOADED, states(LOADED)) == LOADED


def test_a_former_state_is_restored_on_purpose_also_after_another_program_saved() -> None:
    committed = LAST.replace("line 20 ", "line twenty ")
    former = states(LOADED).carried(LAST, committed)
    assert merged(LOADED, former, committed) == LOADED
    assert merged(LOADED.replace("line 5 ", "line five "), former, committed) == LAST.replace("line 5 ", "line five ")


def test_what_came_a_moment_ago_stays_even_where_a_former_state_is_restored() -> None:
    assert apply_edits(LAST, merge(states(LOADED).base_of(LOADED, LAST, now=5.0), LOADED, LAST)) == LAST


def test_what_was_saved_under_another_name_is_not_taken_out_where_an_old_state_is_restored() -> None:
    """The file was moved, and git put its old state where it was; an editor had saved a line where it is now."""
    line, mine = "saved where the file is now\n", "saved where it was\n"
    moved = LOADED.replace("line 20 ", line + "line 20 ")
    left = LOADED.replace("line 25 ", mine + "line 25 ")
    former = states(LOADED, LOADED).carried(LOADED, moved).carried(LOADED, left)
    now = moved.replace("line 25 ", mine + "line 25 ")
    edits = merge(former.base_of(LOADED, left, now=1.0), LOADED, now)
    assert apply_edits(now, edits) == moved


def test_what_another_program_did_is_known_to_the_next_one() -> None:
    cut = LAST.replace("line 5 of the text\n", "")
    former = states(LOADED).carried(LAST, cut)
    assert [state.text for state in former.states] == [LOADED.replace("line 5 of the text\n", "")]
    saved = LOADED.replace("line 5 of the text\n", "").replace("line 20 ", "line twenty ")
    assert merged(saved, former, cut) == cut.replace("line 20 ", "line twenty ")


def test_a_save_made_between_two_known_states_keeps_what_came_after_it() -> None:
    before = LOADED.replace("line 3 ", "this was known to the editor\nline 3 ")
    last = before.replace("line 10 ", ARRIVED + "line 10 ").replace("line 25 ", "and this is the newest\nline 25 ")
    saved = before.replace("line 20 ", "line twenty ")
    assert merged(saved, states(LOADED), last) == last.replace("line 20 ", "line twenty ")


def test_the_same_words_at_another_place_are_not_what_arrived() -> None:
    loaded = "".join(f"item {number} of the list\n" for number in range(9))
    last = loaded.replace("item 3 ", "item 3a of the list\nitem 3 ")
    saved = loaded.replace("item 7 ", "item 6a of the list\nitem 7 ")
    assert merged(saved, states(loaded), last) == last.replace("item 7 ", "item 6a of the list\nitem 7 ")


def test_without_former_states_there_is_one_base() -> None:
    assert FormerStates().base_of("x", "y", LATER) == "y"
    assert states(LOADED).base_of(LAST, LAST, LATER) == LAST


def test_the_state_that_was_loaded_is_found_among_others() -> None:
    earlier = LOADED.replace("line 5 ", "line 5 as it was long ago, with many more words than now ")
    later = LAST.replace("line 25 ", "and more arrived later\nline 25 ")
    saved = LAST.replace("line 20 ", "line twenty ")
    assert states(earlier, LOADED, LAST).base_of(saved, later, LATER) == LAST


def test_states_reach_far_back_and_stay_few() -> None:
    former = FormerStates()
    for second in range(20_000):
        former = former.after(former_state(str(second), float(second)))
    ages = [20_000 - state.until for state in former.states]
    assert len(ages) <= 30
    assert ages[-1] == 1
    assert ages[0] > 3_000


@given(st.lists(st.sampled_from(["a", "b", "c", "x y"]), min_size=1, max_size=12), st.data())
def test_nothing_that_arrived_is_lost_when_a_line_is_added_to_what_was_loaded(
    lines: list[str], data: st.DataObject
) -> None:
    loaded = "".join(f"{line}\n" for line in lines)
    at, other = (data.draw(st.integers(0, len(lines))) for _ in range(2))
    last = "".join(f"{line}\n" for line in [*lines[:at], "this arrived meanwhile", *lines[at:]])
    saved = "".join(f"{line}\n" for line in [*lines[:other], "and this was written here", *lines[other:]])
    result = merged(saved, states(loaded), last)
    assert "this arrived meanwhile\n" in result
    assert "and this was written here\n" in result


def typed(line: int, text: str) -> list[str]:
    """Return the states of LOADED while somebody types at the end of a line."""
    whole = f"line {line} of the text"
    return [LOADED.replace(f"{whole}\n", f"{whole}{text[:count]}\n") for count in range(len(text) + 1)]


SENTENCE = ", and a whole sentence by somebody far away"


@given(st.integers(0, 30), st.integers(2, 9), st.sampled_from([10, 11, 20]))
def test_a_line_that_was_half_written_when_it_was_loaded_is_there_once_and_whole(
    loaded: int, step: int, line: int
) -> None:
    """Also where the editor changed that line; every `step` letters it was written. Of the last few nobody knows."""
    texts = typed(10, SENTENCE)
    former = FormerStates()
    for count in range(0, len(SENTENCE), step):
        former = former.after(former_state(texts[count], 100 + 0.2 * count))
    saved = texts[loaded].replace(f"line {line} of", f"line {line}, as the editor has it, of")
    result = merged(saved, former, texts[-1])
    assert result == texts[-1].replace(f"line {line} of", f"line {line}, as the editor has it, of")


def test_what_is_put_in_place_of_a_file_that_arrived_a_moment_ago_goes_beside_it() -> None:
    """A program that loaded the empty file saves the same: nobody can know."""
    arrived, other = "What somebody wrote.\n", "Quite different words.\n"
    former = FormerStates().after(former_state("", 1.0))
    assert {*merged(other, former, arrived).splitlines(keepends=True)} == {arrived, other}


def test_a_line_that_an_editor_and_somebody_else_went_on_writing_is_there_once() -> None:
    """The editor loaded it in the middle, between two states that are remembered, and wrote more at its end."""
    begun = "a line that somebody is about to write at some length"
    last = LOADED.replace("line 10 ", f"{begun}, and a second line besides\nline 10 ") + "the last\n"
    saved = LOADED.replace("line 10 ", f"{begun} in the editor\nline 10 ").replace("line 20 ", "line twenty ")
    result = merged(saved, states(LOADED, last.replace("the last\n", "")), last)
    assert result.count(begun) == 1
    assert {"besides", "editor", "twenty", "the last"} <= set(re.findall("the last|\\w+", result))


def test_the_end_of_a_word_that_was_just_written_is_not_lost() -> None:
    before, last = (LOADED.replace("line 10 ", f"line 10 goes on {word}, ") for word in ("sometime", "sometimes"))
    saved = LOADED.replace("line 20 of the text\n", "")
    former = FormerStates((former_state(LOADED, 1.0), former_state(before, 99.0)))
    assert apply_edits(last, merge(former.base_of(saved, last, 100.0), saved, last)) == last.replace(
        "line 20 of the text\n", ""
    )


def test_an_editor_may_have_loaded_a_large_file_long_before_its_last_few_changes() -> None:
    """Not all states of such a file are compared, or kept when a program saves; the oldest one is."""
    large = "".join(f"line {number} of a large text\n" for number in range(60_000))
    line = "line 30000 of a large text\n"
    texts = [large]
    for number in range(9):
        texts.append(texts[-1].replace(line, f"remark {number} from somebody else\n{line}"))
    former = FormerStates(tuple(former_state(text, float(at)) for at, text in enumerate(texts[:-1])))
    saved = large.replace("line 5 ", "line five ")
    assert (merged(saved, former, texts[-1]) == texts[-1].replace("line 5 ", "line five ")) is True
    assert former.carried(large, saved).states[0].text == saved
