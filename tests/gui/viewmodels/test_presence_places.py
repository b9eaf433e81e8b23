"""Carets of others stay beside their words while anybody edits, and one's own place is told once a moment."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.fake_project import FakeProject
from texswarm_desktop.viewmodels.people import Person
from texswarm_desktop.viewmodels.presence_view import FilePresence, PresenceView
from texswarm_desktop.viewmodels.text_binding import TextBinding
from texswarm_server.document import FileId

pytestmark = pytest.mark.usefixtures("qapp")

ADA = 77


class Desk:
    def __init__(self) -> None:
        self.project = FakeProject({"main.tex": "one two three", "b.tex": ""})
        self.file_id = FileId(self.project.file_id("main.tex"))
        self.text = self.project.document.text(self.file_id)
        self.binding = TextBinding(self.text)
        self.view = PresenceView(self.project, Person("me", "Me", "#123456"))
        self.presence: FilePresence = self.view.follow(self.file_id, self.binding)

    def ada(self) -> tuple[int, int] | None:
        caret = self.presence.carets.get(ADA)
        return (caret.anchor_u16, caret.head_u16) if caret else None


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.view.close()
    desk.binding.close()


def test_a_caret_is_shown_where_it_was_told(desk: Desk) -> None:
    told: list[int] = []
    desk.presence.caret_told.connect(told.append)
    desk.project.let_be_at(ADA, "main.tex", 4, 7)
    assert desk.ada() == (4, 7)
    assert told == [ADA]


def test_typing_before_a_caret_moves_it(desk: Desk) -> None:
    desk.project.let_be_at(ADA, "main.tex", 4)
    cursor = desk.binding.cursor()
    cursor.insertText("ab")
    assert desk.ada() == (6, 6)


def test_text_that_arrives_at_a_caret_pushes_it_as_its_author_did(desk: Desk) -> None:
    other = FakeProject().document
    other.apply(desk.project.document.update_since())
    desk.project.let_be_at(ADA, "main.tex", 4)
    before = other.state_vector()
    other.text(desk.file_id).replace_u16(4, 4, "xy")
    desk.project.document.apply(other.update_since(before))
    assert desk.ada() == (6, 6)


def test_another_persons_move_does_not_set_a_caret_back(desk: Desk) -> None:
    desk.project.let_be_at(ADA, "main.tex", 4)
    desk.binding.cursor().insertText("ab")
    desk.project.let_be_at(5, "main.tex", 0, name="Bob")
    assert desk.ada() == (6, 6)


def test_somebody_who_turns_to_another_file_or_leaves_is_not_shown(desk: Desk) -> None:
    desk.project.let_be_at(ADA, "main.tex", 4)
    desk.project.let_be_at(ADA, "b.tex", 0)
    assert desk.ada() is None
    desk.project.let_be_at(ADA, "main.tex", 1)
    desk.project.let_everybody_leave()
    assert desk.ada() is None


def test_somebodys_place_is_found(desk: Desk) -> None:
    desk.project.let_be_at(ADA, "main.tex", 4)
    desk.binding.cursor().insertText("ab")
    assert desk.view.place_of("ada") == (desk.file_id, 6)
    assert desk.view.place_of("nobody") is None


def test_ones_own_place_is_told_once_for_many_moves(desk: Desk, qtbot: QtBot) -> None:
    for position in range(5):
        desk.view.set_place(desk.file_id, position, position)
    assert desk.project.told == []
    qtbot.waitUntil(lambda: bool(desk.project.told))
    (state,) = desk.project.told
    assert state == {
        "user": {"id": "me", "name": "Me", "color": "#123456"},
        "file": desk.file_id,
        "caret": {"anchor": 4, "head": 4},
    }


def test_a_place_that_others_edits_pushed_is_told_again_when_they_pause(desk: Desk, qtbot: QtBot) -> None:
    for position in range(5):
        desk.view.push_place(desk.file_id, position, position)
    qtbot.waitUntil(lambda: bool(desk.project.told))
    (state,) = desk.project.told
    assert state is not None
    assert (state["caret"], state["pushed"]) == ({"anchor": 4, "head": 4}, 5)


def test_a_move_is_told_as_one_even_if_others_push_it_at_once(desk: Desk, qtbot: QtBot) -> None:
    desk.view.set_place(desk.file_id, 1, 1)
    desk.view.push_place(desk.file_id, 3, 3)
    qtbot.waitUntil(lambda: bool(desk.project.told))
    assert desk.project.told[0] is not None
    assert "pushed" not in desk.project.told[0]


def test_somebody_who_was_only_pushed_shows_no_name(desk: Desk) -> None:
    moved: list[int] = []
    desk.presence.caret_told.connect(moved.append)
    state = {"file": desk.file_id, "caret": {"anchor": 2, "head": 2}, "pushed": 1}
    desk.project.let_tell(ADA, state)
    assert desk.ada() == (2, 2)
    assert moved == []


def test_a_place_told_again_counts_though_it_has_the_same_number(desk: Desk) -> None:
    state = {"file": desk.file_id, "caret": {"anchor": 4, "head": 4}}
    desk.project.let_tell(ADA, {**state, "pushed": 1})
    desk.binding.cursor().insertText("ab")
    desk.project.let_tell(ADA, {**state, "pushed": 2})
    assert desk.ada() == (4, 4)


def test_nothing_is_told_after_the_end(desk: Desk, qtbot: QtBot) -> None:
    desk.view.set_place(desk.file_id, 1, 1)
    desk.view.push_place(desk.file_id, 1, 1)
    desk.view.close()
    assert not desk.view._tick.is_pending
    assert not desk.view._pushed.is_running
