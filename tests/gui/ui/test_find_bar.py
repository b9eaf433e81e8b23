"""Finding goes round, counts, and replaces without touching what is between."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.helpers.desk import Desk
from texswarm_desktop.ui.editor.find_bar import FindBar
from texswarm_desktop.ui.editor.text_search import Search

NewDesk = Callable[..., Desk]
TEXT = "Alpha beta\nalpha gamma ALPHA\n"


@pytest.fixture
def desk(new_desk: NewDesk) -> Desk:
    return new_desk({"main.tex": TEXT, "other.tex": "alpha"})


def opened(desk: Desk, *, with_replace: bool = False) -> FindBar:
    bar = desk.page.area.find_bar
    bar.open_bar(with_replace=with_replace)
    return bar


def selection(desk: Desk) -> tuple[int, int]:
    cursor = desk.editor.textCursor()
    return cursor.selectionStart(), cursor.selectionEnd()


def test_where_one_may_only_read_is_found_and_not_replaced(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "a b a"})
    desk.project.let_read()
    bar = desk.page.area.find_bar
    bar.open_bar(with_replace=True)
    bar.look_for(Search("a"))
    bar.replace_all()
    assert (desk.text, bar._all.isEnabled(), bar._next.isEnabled()) == ("a b a", False, True)
    desk.project.let_read(None)
    assert bar._all.isEnabled()


def test_next_and_previous_go_round(desk: Desk) -> None:
    bar = opened(desk)
    bar.look_for(Search("alpha"))
    places = []
    for _ in range(4):
        bar.find_next()
        places.append(selection(desk)[0])
    assert places == [0, 11, 23, 0]
    bar.find_previous()
    assert selection(desk)[0] == 23
    assert bar.count_words == "3 of 3"


def test_what_is_selected_is_looked_for(desk: Desk) -> None:
    desk.editor.go_to(10, anchor=6)
    bar = opened(desk)
    assert bar._wanted.text() == "beta"
    assert bar.count_words == "1 of 1"


def test_case_and_expressions(desk: Desk) -> None:
    bar = opened(desk)
    bar.look_for(Search("alpha", match_case=True))
    assert bar.count_words == "1 match"
    bar.look_for(Search(r"^\w+ b", is_regex=True))
    assert bar.count_words == "1 of 1"
    bar.look_for(Search("(", is_regex=True))
    assert bar.count_words == "Not an expression"
    bar.find_next()


def test_typing_searches_a_moment_later_and_enter_goes_on(desk: Desk, qtbot: QtBot) -> None:
    bar = opened(desk)
    qtbot.keyClicks(bar._wanted, "gamma")
    qtbot.keyClick(bar._wanted, Qt.Key.Key_Return)
    assert selection(desk) == (17, 22)
    qtbot.keyClick(bar._wanted, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert selection(desk) == (17, 22)


def test_escape_closes_and_takes_the_marks_away(desk: Desk, qtbot: QtBot) -> None:
    bar = opened(desk)
    bar.look_for(Search("alpha"))
    qtbot.keyClick(bar._wanted, Qt.Key.Key_Escape)
    assert bar.isHidden()
    assert desk.editor._marks.found.spans == ()


def test_replacing_one_goes_to_the_next(desk: Desk) -> None:
    bar = opened(desk, with_replace=True)
    bar.look_for(Search("alpha"))
    bar._new.setText("x")
    bar.find_next()
    bar.replace_one()
    assert desk.text == "x beta\nalpha gamma ALPHA\n"
    assert selection(desk) == (7, 12)


def test_replacing_all_is_one_step_back(desk: Desk) -> None:
    bar = opened(desk, with_replace=True)
    bar.look_for(Search("(al)(pha)", is_regex=True))
    bar._new.setText(r"\2\1")
    bar.replace_all()
    assert desk.text == "phaAl beta\nphaal gamma PHAAL\n"
    assert bar.count_words == "3 replaced"
    desk.editor.undo()
    assert desk.text == TEXT


def test_replacing_all_keeps_others_carets_where_they_are(desk: Desk) -> None:
    desk.project.let_be_at(7, "main.tex", 8)
    bar = opened(desk, with_replace=True)
    bar.look_for(Search("alpha"))
    bar._new.setText("x")
    bar.replace_all()
    assert desk.page._presence.place_of("ada") == (desk.view.current, 4)


def test_edits_change_the_count(desk: Desk, qtbot: QtBot) -> None:
    bar = opened(desk)
    bar.look_for(Search("alpha", match_case=True))
    desk.colleague_edits(0, 0, "alpha ")
    qtbot.waitUntil(lambda: bar.count_words.startswith(("1 of 2", "2 match")))


def test_another_file_is_searched_when_it_is_turned_to(desk: Desk) -> None:
    bar = opened(desk)
    bar.look_for(Search("alpha"))
    desk.view.open_file(desk.project.file_id("other.tex"))
    assert bar.count_words == "1 of 1"
