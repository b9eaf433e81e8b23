"""Writing works as one expects, undo is one's own, and others' edits leave the reader where they were."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from tests.helpers.desk import Desk
from texswarm_desktop.core.latex_tokens import Kind
from texswarm_desktop.ui.editor.text_search import Search, find_all
from texswarm_desktop.ui.theme_tokens import LIGHT, syntax_colors

NewDesk = Callable[..., Desk]
LONG = "".join(f"line {number} with $x_{number}$ and some words\n" for number in range(500))


def colors_of(desk: Desk, line: int) -> dict[str, str]:
    block = desk.editor.document().findBlockByNumber(line)
    text = block.text().encode("utf-16-le")
    return {
        text[2 * part.start : 2 * (part.start + part.length)].decode("utf-16-le"): part.format.foreground()
        .color()
        .name()
        for part in block.layout().formats()
    }


def test_typing_reaches_the_project(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": ""})
    qtbot.keyClicks(desk.editor, r"\emph{a}")
    assert desk.text == r"\emph{a}"


def test_shift_enter_is_an_ordinary_new_line(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "ab"})
    desk.editor.go_to(1)
    qtbot.keyClick(desk.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert desk.text == "a\nb"
    assert desk.editor.document().blockCount() == 2


def test_pasted_line_breaks_become_ours(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": ""})
    source = QMimeData()
    source.setText("a\r\nb\rc\u2028d\u2029e")
    desk.editor.insertFromMimeData(source)
    assert desk.text == "a\nb\nc\nd\ne"


def test_who_may_only_read_changes_nothing_by_any_key(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "x"})
    qtbot.keyClicks(desk.editor, "mine ")
    desk.project.let_read()
    source = QMimeData()
    source.setText("pasted")
    with qtbot.waitSignal(desk.editor.typing_refused):
        qtbot.keyClicks(desk.editor, "no")
    desk.editor.insertFromMimeData(source)
    desk.editor.replace(0, 1, "no")
    desk.editor.undo()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
        qtbot.keyClick(desk.editor, key)
    qtbot.keyClick(desk.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(desk.editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(desk.editor, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert desk.text == desk.editor.toPlainText() == "mine x"


def test_who_may_only_read_moves_selects_and_is_seen_where_they_are(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "some words"})
    desk.project.let_read()
    qtbot.keyClick(desk.editor, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(desk.editor, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert desk.editor.textCursor().selectedText() == "words"
    told = lambda: (desk.project.told[-1] or {}).get("caret") == {"anchor": 5, "head": 10}  # noqa: E731
    qtbot.waitUntil(lambda: bool(desk.project.told) and told())


def test_others_edits_arrive_where_one_may_only_read(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "x"})
    desk.project.let_read()
    desk.colleague_edits(0, 0, "theirs ")
    assert desk.editor.toPlainText() == "theirs x"


def test_a_promotion_lets_one_write(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "x"})
    desk.project.let_read()
    desk.project.let_read(None)
    qtbot.keyClicks(desk.editor, "mine ")
    assert desk.text == "mine x"


def test_undo_takes_back_ones_own_words_only(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "x"})
    qtbot.keyClicks(desk.editor, "mine ")
    desk.colleague_edits(0, 0, "theirs ")
    qtbot.keyClick(desk.editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert desk.text == "theirs x"
    qtbot.keyClick(desk.editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert desk.text == "theirs mine x"


def test_the_caret_stays_beside_its_word(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "one two"})
    desk.editor.go_to(4)
    desk.colleague_edits(0, 3, "a longer beginning")
    assert desk.editor.textCursor().position() == len("a longer beginning ")


def test_text_that_arrives_at_the_caret_does_not_push_it(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "one two"})
    desk.editor.go_to(4)
    desk.colleague_edits(4, 4, "and ")
    assert desk.editor.textCursor().position() == 4


def test_a_selection_stays_on_its_words(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "one two three"})
    desk.editor.go_to(7, anchor=4)
    desk.colleague_edits(4, 4, "x")
    desk.colleague_edits(8, 8, "y")
    assert desk.editor.textCursor().selectedText() == "two"


def test_lines_that_arrive_above_do_not_scroll_the_reader(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": LONG})
    desk.editor.verticalScrollBar().setValue(200)
    top = desk.editor.firstVisibleBlock().text()
    desk.colleague_edits(0, 0, "new\n" * 30)
    assert desk.editor.firstVisibleBlock().text() == top
    desk.colleague_edits(0, 0, "inside the first line ")
    assert desk.editor.firstVisibleBlock().text() == top


def test_others_edits_are_not_told_as_a_move_of_ones_own(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "one two"})
    desk.editor.go_to(5)
    told: list[tuple[int, int]] = []
    desk.editor.place_changed.connect(lambda *place: told.append(place))
    desk.colleague_edits(0, 0, "zero ")
    assert told == []
    desk.editor.go_to(2, anchor=0)
    assert told[-1] == (0, 2)


def test_a_place_that_others_edits_pushed_is_told_as_such(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "one two"})
    desk.editor.go_to(5)
    pushed: list[tuple[int, int]] = []
    desk.editor.place_pushed.connect(lambda *place: pushed.append(place))
    desk.colleague_edits(7, 7, " behind")
    assert pushed == []
    desk.colleague_edits(0, 0, "zero ")
    assert pushed == [(10, 10)]


def test_what_is_in_view_is_coloured(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "\\section{A}\n% no\n😀 $x$"})
    desk.editor.grab()
    wanted = syntax_colors(LIGHT)
    assert colors_of(desk, 0)["A"] == wanted[Kind.HEADING]
    assert colors_of(desk, 1) == {"% no": wanted[Kind.COMMENT]}
    assert colors_of(desk, 2)["x"] == wanted[Kind.MATH]


def test_only_what_is_in_view_is_coloured(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": LONG})
    desk.editor.grab()
    assert colors_of(desk, 1)
    assert not colors_of(desk, 400)
    desk.editor.verticalScrollBar().setValue(395)
    desk.editor.grab()
    assert colors_of(desk, 400)


def test_opening_verbatim_changes_the_colours_below(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "\n" + r"\emph{a}" + "\n" * 300 + "$x$"})
    desk.editor.grab()
    assert len(colors_of(desk, 1)) > 1
    qtbot.keyClicks(desk.editor, r"\begin{verbatim}")
    desk.editor.grab()
    assert colors_of(desk, 1) == {r"\emph{a}": syntax_colors(LIGHT)[Kind.VERBATIM]}
    qtbot.waitUntil(lambda: desk.editor._highlighter.is_settled)
    desk.editor.verticalScrollBar().setValue(301)
    desk.editor.grab()
    assert colors_of(desk, 301) == {"$x$": syntax_colors(LIGHT)[Kind.VERBATIM]}


def test_far_down_a_text_of_which_the_beginning_was_not_read_yet_colours_are_put_right(
    new_desk: NewDesk, qtbot: QtBot
) -> None:
    desk = new_desk({"main.tex": r"\begin{comment}" + "\n\na" * 4000})
    desk.editor.verticalScrollBar().setValue(7000)
    desk.editor.grab()
    qtbot.waitUntil(lambda: desk.editor._highlighter.is_settled)
    desk.editor.grab()
    assert colors_of(desk, 7002) == {"a": syntax_colors(LIGHT)[Kind.COMMENT]}


def test_every_line_has_the_state_that_reading_from_the_top_gives(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "a\n$$\nb\n\n\\begin{align}\nc\n\\end{align}\nd\n" * 40})
    highlighter = desk.editor._highlighter
    for position, removed, new in ((2, 2, ""), (400, 0, "$$\n"), (0, 0, "\n\n\n"), (900, 60, "x"), (5, 0, r"\[")):
        desk.editor.replace(position, position + removed, new)
    qtbot.waitUntil(lambda: highlighter.is_settled)
    state, block = 0, desk.editor.document().begin()
    while block.isValid():
        state = highlighter._state_after(block.text(), state)
        assert block.userState() % 128 == state, block.blockNumber()
        block = block.next()


def test_another_theme_changes_the_colours(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "% no"})
    desk.editor.grab()
    desk.editor._highlighter.set_colors({**syntax_colors(LIGHT), Kind.COMMENT: "#ff0000"})
    desk.editor.grab()
    assert colors_of(desk, 0) == {"% no": "#ff0000"}


def test_a_file_with_another_ending_is_coloured_otherwise(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "@book{key,"})
    desk.editor.grab()
    assert "key" not in colors_of(desk, 0)
    desk.view.rename_file(desk.view.current or "", "refs.bib")
    desk.editor.grab()
    assert colors_of(desk, 0)["key"] == syntax_colors(LIGHT)[Kind.REFERENCE]


def test_brackets_are_found_beside_the_caret(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "{a}\n"})
    desk.editor.go_to(1)
    qtbot.waitUntil(lambda: sorted(desk.editor._marks.brackets) == [0, 2])
    desk.editor.go_to(4)
    assert desk.editor._marks.brackets == ()


def test_the_text_can_be_larger_within_limits(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "a"})
    before = desk.editor.font().pixelSize()
    desk.page.area.set_zoom(3)
    assert desk.editor.font().pixelSize() == before + 3
    desk.page.area.set_zoom(1000)
    assert desk.page.area.zoom == 24


def test_a_context_menu_offers_undo_only_if_there_is_something(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "a"})

    def undo_is_on() -> bool:
        menu = desk.editor._context_menu()
        is_on = menu.actions()[0].isEnabled()
        menu.deleteLater()
        return is_on

    assert not undo_is_on()
    qtbot.keyClicks(desk.editor, "x")
    assert undo_is_on()


def test_others_in_view_are_painted_and_those_outside_the_text_do_no_harm(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": LONG})
    plain = desk.editor.grab().toImage()
    desk.project.let_be_at(7, "main.tex", 40, 20)
    desk.project.let_be_at(8, "main.tex", 10**6, 10**7, name="Lost")
    desk.editor._others.refresh()
    assert desk.editor.grab().toImage() != plain


def test_marks_of_matches_are_painted(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": "alpha beta"})
    plain = desk.editor.grab().toImage()
    desk.editor.set_found(find_all("alpha beta", Search("beta")), 0)
    assert desk.editor.grab().toImage() != plain


def test_after_the_binding_has_ended_nothing_is_written(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "a", "b.tex": ""})
    editor = desk.editor
    desk.view.close_file(desk.view.current or "")
    assert editor.binding is None
    editor.undo()
    assert str(desk.project.document.text(desk.project.file_id("main.tex"))) == "a"


@pytest.mark.parametrize("position", [0, 3, 10])
def test_going_to_a_place_brings_it_into_view(new_desk: NewDesk, position: int) -> None:
    desk = new_desk({"main.tex": LONG})
    place = desk.editor.document().findBlockByNumber(40 * position).position()
    desk.editor.go_to(place)
    cursor = QTextCursor(desk.editor.document())
    cursor.setPosition(place)
    assert desk.editor.viewport().rect().contains(desk.editor.cursorRect(cursor).center())
