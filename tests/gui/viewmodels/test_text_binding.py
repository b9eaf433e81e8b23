"""What is on the screen and what is in the project stay one text, whoever edits and however."""

import random

import pytest
from PySide6.QtGui import QTextCursor, QTextDocument

from texswarm_desktop.viewmodels.text_binding import TextBinding, shown
from texswarm_server.document import ProjectDocument, TextChange

pytestmark = pytest.mark.usefixtures("qapp")


class Desk:
    """A project with one file on a screen, and a colleague's replica of it."""

    def __init__(self, text: str = "") -> None:
        self.project, self.colleague = ProjectDocument(), ProjectDocument()
        self.project.on_update = self._deliver
        self.sent: list[bytes] = []
        file_id = self.project.add_file("main.tex", text)
        self.text = self.project.text(file_id)
        self.theirs = self.colleague.text(file_id)
        self.binding = TextBinding(self.text)
        self.cursor = self.binding.cursor()

    def _deliver(self, update: bytes, is_local: bool) -> None:
        if is_local:
            self.sent.append(update)
            self.colleague.apply(update)

    def receive(self, start: int, end: int, new: str) -> None:
        """Let the colleague replace a range of code points, and the change arrive."""
        before = self.colleague.state_vector()
        self.theirs.replace_cp(start, end, new)
        self.project.apply(self.colleague.update_since(before))

    @property
    def screen(self) -> str:
        return on_screen(self.binding.document)

    def everything(self) -> set[str]:
        return {self.screen, shown(str(self.text)), shown(str(self.text.index)), shown(str(self.theirs))}


def on_screen(document: QTextDocument) -> str:
    cursor = QTextCursor(document)
    cursor.select(QTextCursor.SelectionType.Document)
    return cursor.selectedText().replace("\u2029", "\n")


@pytest.mark.parametrize("typed", ["a", "é", "😀", "\n", "two\nlines\n", "\u00a0", "mixed é😀\nz"])
def test_what_is_typed_reaches_the_project(typed: str) -> None:
    desk = Desk("0123")
    desk.cursor.setPosition(2)
    desk.cursor.insertText(typed)

    assert str(desk.text) == f"01{typed}23"
    assert len(desk.everything()) == 1


@pytest.mark.parametrize("text", ["a\rb\r\n", "nul \0 end", "para \u2029 line \u2028", "\ufdd0\ufdd1", "nbsp \u00a0"])
def test_characters_qt_cannot_hold_survive_editing_around_them(text: str) -> None:
    desk = Desk(text)
    desk.cursor.movePosition(QTextCursor.MoveOperation.End)
    desk.cursor.insertText("!")
    desk.cursor.setPosition(0)
    desk.cursor.insertText("?")

    assert str(desk.text) == f"?{text}!"
    assert len(desk.everything()) == 1


def test_a_paste_over_everything_is_taken_over() -> None:
    desk = Desk("old é text\n" * 3)
    desk.cursor.select(QTextCursor.SelectionType.Document)
    desk.cursor.insertText("new 😀\ntext")

    assert str(desk.text) == "new 😀\ntext"
    assert len(desk.everything()) == 1


def test_setting_the_whole_text_is_taken_over() -> None:
    desk = Desk("old")
    desk.binding.document.setPlainText("entirely\nnew")

    assert desk.everything() == {"entirely\nnew"}


def test_replacing_a_word_sends_only_what_differs() -> None:
    desk = Desk("colour and form")
    desk.sent.clear()
    desk.cursor.setPosition(0)
    desk.cursor.setPosition(6, QTextCursor.MoveMode.KeepAnchor)
    desk.cursor.insertText("color")

    assert str(desk.theirs) == "color and form"
    assert len(desk.everything()) == 1


def test_changing_how_text_looks_sends_nothing() -> None:
    desk = Desk("some text")
    desk.sent.clear()
    desk.cursor.select(QTextCursor.SelectionType.Document)
    desk.cursor.mergeCharFormat(desk.cursor.charFormat())

    assert desk.sent == []


def test_what_a_colleague_types_appears_and_is_not_sent_back() -> None:
    desk = Desk("ab")
    desk.sent.clear()
    seen: list[TextChange] = []
    desk.binding.remote_applied.connect(seen.extend)
    desk.receive(1, 1, "é😀\n")

    assert desk.everything() == {"aé😀\nb"}
    assert desk.sent == []
    assert [change.inserted for change in seen] == ["é😀\n"]


def test_undo_removes_my_words_not_a_colleagues_and_tells_where() -> None:
    desk = Desk()
    carets: list[int] = []
    desk.binding.caret_moved.connect(carets.append)
    desk.cursor.insertText("mine ")
    desk.receive(0, 0, "theirs ")
    desk.binding.undo()

    assert desk.everything() == {"theirs "}
    assert carets == [7]
    desk.binding.redo()
    assert desk.everything() == {"theirs mine "}


def test_a_closed_binding_leaves_the_document_alone() -> None:
    desk = Desk("x")
    desk.binding.close()
    desk.receive(0, 0, "later ")

    assert desk.screen == "x"
    assert str(desk.text) == "later x"


@pytest.mark.parametrize("seed", range(12))
def test_two_people_at_once_stay_together(seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk("Ein Satz é😀 und\nnoch einer.\n")
    for _ in range(150):
        new = chance.choice(["", "a", "é", "😀", "\n", "x\ny", "\r", "wort "])
        if chance.random() < 0.5:
            total = desk.theirs.index.total_cp
            start = chance.randint(0, total)
            desk.receive(start, min(total, start + chance.choice([0, 0, 1, 5])), new)
        else:
            _type_somewhere(desk, chance, new)
        if chance.random() < 0.1:
            chance.choice([desk.binding.undo, desk.binding.redo])()

    assert len(desk.everything()) == 1


def _type_somewhere(desk: Desk, chance: random.Random, new: str) -> None:
    desk.cursor.setPosition(chance.randint(0, desk.binding.document.characterCount() - 1))
    for _ in range(chance.choice([0, 0, 1, 4])):
        desk.cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
    desk.cursor.insertText(new)
