"""What is on the screen is what painting everything anew would show, and little is painted for one letter."""

import random
from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QImage, QRegion, QTextCursor
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.helpers.desk import Desk
from texswarm_desktop.qtx.paint_pace import paint_at_once
from texswarm_desktop.ui.editor import remote_carets
from texswarm_desktop.ui.editor.latex_editor import bands

NewDesk = Callable[..., Desk]
PAPER = "".join(f"Line {n} with \\emph{{words}} and $x_{n}$ % and more\n\n" for n in range(40))
PIECES = ["a", "$", "%", "\\section{", "}", "\n", "\n\n", "x\ny", "wide " * 30, "\\begin{verbatim}\n"]


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> None:
    """Nothing blinks and nothing fades."""
    monkeypatch.setattr(remote_carets, "flag_opacity", lambda _age_s: 1.0)
    qapp.setCursorFlashTime(0)


class PaintedRects(QObject):
    """Notes which parts of a widget are painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.seen: list[QRect] = []
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Paint:
            self.seen.append(event.rect())  # type: ignore[attr-defined]
        return False


def on_screen(desk: Desk) -> QImage:
    window, viewport = desk.window, desk.editor.viewport()
    whole = window.screen().grabWindow(window.winId()).toImage()
    return whole.copy(QRect(viewport.mapTo(window, QPoint(0, 0)), viewport.size()))


def settle(desk: Desk) -> None:
    while desk.editor._brackets_timer.is_running:
        QApplication.processEvents()
    for _ in range(3):  # to paint may find that something is elsewhere, and ask for that to be painted
        QApplication.processEvents()
        desk.editor._others.refresh()
        paint_at_once(desk.editor)


@pytest.mark.parametrize("seed", range(4))
def test_the_screen_shows_what_painting_everything_would(new_desk: NewDesk, qtbot: QtBot, seed: int) -> None:
    desk, chance = new_desk({"main.tex": PAPER}), random.Random(seed)
    for step in range(25):
        deed = chance.choice([own_edit, others_edit, others_edit, caret_moves, caret_moves, scroll, both_edit])
        deed(desk, chance)
        settle(desk)
        shown = on_screen(desk)
        desk.editor.viewport().update()
        settle(desk)
        again = on_screen(desk)
        assert shown == again, f"step {step}: {deed.__name__}, {difference(shown, again)}"


def difference(one: QImage, other: QImage) -> QRect:
    """Return where two pictures of one size differ."""
    region = QRegion()
    for y in range(one.height()):
        for x in range(one.width()):
            if one.pixel(x, y) != other.pixel(x, y):
                region += QRect(x, y, 1, 1)
    return region.boundingRect()


def own_edit(desk: Desk, chance: random.Random) -> None:
    cursor = desk.editor.textCursor()
    start = chance.randrange(300)
    cursor.setPosition(start)
    cursor.setPosition(start + chance.choice([0, 0, 1, 30]), QTextCursor.MoveMode.KeepAnchor)
    cursor.insertText(chance.choice(PIECES))
    desk.editor.setTextCursor(cursor)


def others_edit(desk: Desk, chance: random.Random) -> None:
    start = chance.randrange(400)
    desk.colleague_edits(start, start + chance.choice([0, 0, 1, 60]), chance.choice(PIECES))


def both_edit(desk: Desk, chance: random.Random) -> None:
    others_edit(desk, chance)
    own_edit(desk, chance)
    caret_moves(desk, chance)


def caret_moves(desk: Desk, chance: random.Random) -> None:
    head = chance.randrange(500)
    anchor = max(0, head - chance.choice([0, 0, 40]))
    desk.project.let_be_at(1 + chance.randrange(3), "main.tex", anchor, head, "Ada with a long name")


def scroll(desk: Desk, chance: random.Random) -> None:
    desk.editor.verticalScrollBar().setValue(chance.choice([0, 1, 3, 10]))


def test_one_letter_paints_one_line(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": PAPER})
    desk.editor.go_to(10)
    settle(desk)
    painted = PaintedRects(desk.editor.viewport())
    qtbot.keyClicks(desk.editor, "x")
    line = desk.editor.fontMetrics().lineSpacing()
    assert painted.seen
    assert max(rect.height() for rect in painted.seen) < 3 * line


def test_a_colleagues_letter_paints_one_line(new_desk: NewDesk) -> None:
    desk = new_desk({"main.tex": PAPER})
    settle(desk)
    painted = PaintedRects(desk.editor.viewport())
    desk.colleague_edits(10, 10, "x")
    settle(desk)
    line = desk.editor.fontMetrics().lineSpacing()
    assert painted.seen
    assert max(rect.height() for rect in painted.seen) < 3 * line


def test_a_key_is_on_the_screen_when_it_has_been_handled(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk({"main.tex": "a"})
    settle(desk)
    before = on_screen(desk)
    qtbot.keyClick(desk.editor, Qt.Key.Key_Z)
    assert on_screen(desk) != before


def test_places_far_apart_are_painted_by_themselves() -> None:
    near, next_to_it, far = QRect(0, 0, 10, 10), QRect(50, 12, 10, 10), QRect(0, 400, 10, 10)
    assert bands(QRegion(near) + next_to_it + far) == [QRect(0, 0, 60, 22), far]
    many = QRegion()
    for top in range(0, 4000, 40):
        many += QRect(0, top, 5, 5)
    assert bands(many) == [many.boundingRect()]
