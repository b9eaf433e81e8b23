"""Whether what appears under a former name is the file that was there, saved once more."""

import pytest

from texswarm_desktop.core.former_names import Left

TEXT = "".join(f"line {number}\n" for number in range(20))
EARLIER = TEXT.replace("line 3\n", "").replace("line 4\n", "")


@pytest.mark.parametrize(
    ("saved", "is_that_one"),
    [
        (TEXT + "a new line\n", True),
        (TEXT.replace("line 7\n", "line seven\n"), True),
        (TEXT, False),
        ("line 1\n", False),
        ("Something else\nthat has nothing to do with it\n", False),
        ("", False),
    ],
)
def test_an_editor_had_it_where_nearly_all_of_it_is_there_and_something_new(saved: str, is_that_one: bool) -> None:
    assert Left("1", TEXT).loaded_for(saved) == ([TEXT] if is_that_one else [])


def test_an_editor_may_have_had_an_earlier_state_of_it() -> None:
    saved = EARLIER + "a new line\n"
    assert Left("1", TEXT + "much more\n" * 20, (EARLIER,)).loaded_for(saved) == [EARLIER]
    assert Left("1", TEXT + "much more\n" * 20).loaded_for(saved) == []


def test_an_earlier_state_proves_nothing_where_most_of_what_was_saved_is_of_another_file() -> None:
    saved = "one\n" + "".join(f"of another file {number}\n" for number in range(40))
    assert Left("1", TEXT, ("one\n",)).loaded_for(saved) == []


def test_what_is_lacking_under_the_former_name_was_taken_out_by_nobody() -> None:
    left = Left("1", TEXT)
    assert left.base_of(EARLIER + "a new line\n") == EARLIER
    assert left.base_of("of another file\n") == ""
