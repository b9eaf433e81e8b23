"""What others tell of their place is shown only if it is of our form, and moves with the text."""

import pytest

from texswarm_desktop.viewmodels.presence_view import caret_in, person_of, shifted_by_edit

CARET = {"anchor": 3, "head": 5}
GOOD = {"user": {"id": "ada", "name": "Ada", "color": "#db2777"}, "file": "f", "caret": CARET}


def test_a_caret_of_our_form_is_read() -> None:
    caret = caret_in(7, GOOD, "f")
    assert caret is not None
    assert (caret.client_id, caret.anchor_u16, caret.head_u16, caret.person.name) == (7, 3, 5, "Ada")


@pytest.mark.parametrize(
    "change",
    [
        {"file": "g"},
        {"file": None},
        {"caret": None},
        {"caret": [1, 2]},
        {"caret": {"anchor": 1}},
        {"caret": {"anchor": -1, "head": 1}},
        {"caret": {"anchor": True, "head": 1}},
        {"caret": {"anchor": 1.5, "head": 1}},
        {"caret": {"anchor": 2**40, "head": 1}},
        {"caret": {"anchor": "1", "head": "1"}},
    ],
)
def test_anything_else_is_passed_over(change: dict) -> None:
    assert caret_in(7, {**GOOD, **change}, "f") is None


@pytest.mark.parametrize("user", [None, 5, {}, {"id": 5, "name": 7, "color": "blue"}, {"id": ""}])
def test_a_client_that_does_not_say_who_it_is_is_somebody(user: object) -> None:
    assert person_of(7, user).name == "Somebody"
    assert person_of(7, user).user_id == "7"


@pytest.mark.parametrize(
    ("position", "edit", "after"),
    [
        (5, (5, 0, 3), 5),
        (6, (5, 0, 3), 9),
        (6, (5, 4, 0), 5),
        (9, (5, 4, 0), 5),
        (10, (5, 4, 0), 6),
        (2, (5, 4, 9), 2),
        (7, (5, 4, 2), 7),
    ],
)
def test_a_caret_moves_with_ones_own_edit(position: int, edit: tuple[int, int, int], after: int) -> None:
    assert shifted_by_edit(position, *edit) == after
