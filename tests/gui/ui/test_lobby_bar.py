"""Who asks to be let in is shown in the window, a few at a time, and answered by one press."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QPushButton

from texswarm_desktop.ui.lobby_bar import LobbyBar
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.lobby_view import Answer, LetIn, SendAway, Visitor
from texswarm_desktop.viewmodels.people import Person

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def bar(theme: Theme) -> Iterator[LobbyBar]:
    bar = LobbyBar(theme)
    yield bar
    bar.close()
    bar.deleteLater()


def visitor(number: int, role: str = "editor") -> Visitor:
    return Visitor(Person(f"u{number}", f"Guest {number}", "#336699"), role)  # type: ignore[arg-type]


def shown(bar: LobbyBar) -> list[str]:
    QApplication.processEvents()
    return [
        one.accessibleName() for one in bar.findChildren(QFrame) if one.objectName() == "Notice" and not one.isHidden()
    ]


def press(bar: LobbyBar, words: str) -> list[Answer]:
    answers: list[Answer] = []
    bar.answered.connect(answers.append)
    next(one for one in bar.findChildren(QPushButton) if one.text() == words).click()
    return answers


def test_nobody_at_the_door_is_no_bar(bar: LobbyBar) -> None:
    bar.show_visitors([])
    assert bar.isHidden()


def test_each_has_a_bar_and_the_rest_one_together(bar: LobbyBar) -> None:
    bar.show_visitors([visitor(number) for number in range(5)])
    assert not bar.isHidden()
    assert shown(bar) == [*(f"Guest {number} asks to join" for number in range(3)), "2 more ask to join"]
    bar.show_visitors([visitor(4)])
    assert shown(bar) == ["Guest 4 asks to join"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [("Let in", LetIn("u1", "editor")), ("To read only", LetIn("u1", "viewer")), ("Decline", SendAway("u1"))],
)
def test_one_press_answers(bar: LobbyBar, words: str, answer: Answer) -> None:
    bar.show_visitors([visitor(1)])
    assert press(bar, words) == [answer]


def test_who_came_to_read_is_not_offered_less(bar: LobbyBar) -> None:
    bar.show_visitors([visitor(1, "viewer")])
    assert "To read only" not in {one.text() for one in bar.findChildren(QPushButton)}
    assert press(bar, "Let in") == [LetIn("u1", "viewer")]


def test_all_can_be_let_in_at_once(bar: LobbyBar) -> None:
    bar.show_visitors([visitor(number) for number in range(4)])
    assert press(bar, "Let all 4 in") == [LetIn(f"u{number}", "editor") for number in range(4)]


def test_of_a_long_name_the_middle_is_left_out_so_that_it_still_says_what_is_asked(bar: LobbyBar) -> None:
    bar.resize(520, 60)
    bar.show_visitors([Visitor(Person("u1", "a name without end " * 9, "#336699"), "editor")])
    bar.show()
    QApplication.processEvents()
    (words,) = [one.text() for one in bar.findChildren(QLabel) if "…" in one.text()]
    assert words.endswith("asks to join")
