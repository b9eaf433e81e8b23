"""A file's text: edited in any unit, told of what others did, undone without touching what others wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document import FileText, ProjectDocument, TextChange
from texswarm_server.document.file_text import shifted_u16
from texswarm_server.protocol.errors import PositionError

WORDS = st.text(st.sampled_from("ab\né😀"), max_size=6)


class Pair:
    """Two replicas of one file; edits of one wait in its outbox until they are delivered."""

    def __init__(self, text: str = "") -> None:
        self.here, self.there = ProjectDocument(), ProjectDocument()
        self._out: dict[int, list[bytes]] = {0: [], 1: []}
        self.here.on_update = lambda update, is_local: self._out[0].append(update) if is_local else None
        self.there.on_update = lambda update, is_local: self._out[1].append(update) if is_local else None
        file_id = self.here.add_file("main.tex", text)
        self.deliver()
        self.mine: FileText = self.here.text(file_id)
        self.theirs: FileText = self.there.text(file_id)

    def deliver(self) -> None:
        mine, theirs = self._out[0][:], self._out[1][:]
        self._out[0].clear()
        self._out[1].clear()
        for update in mine:
            self.there.apply(update)
        for update in theirs:
            self.here.apply(update)


@given(WORDS, st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 3), WORDS, st.booleans())))
def test_replicas_converge_and_their_indexes_follow(text: str, edits: list[tuple[bool, float, int, str, bool]]) -> None:
    pair = Pair(text)
    for is_mine, where, length, new, is_delivered in edits:
        side = pair.mine if is_mine else pair.theirs
        total = side.index.total_cp
        start = round(where * total)
        side.replace_cp(start, min(total, start + length), new)
        if is_delivered:
            pair.deliver()
    pair.deliver()

    assert str(pair.mine) == str(pair.theirs) == str(pair.mine.index) == str(pair.theirs.index)


def test_a_remote_change_is_reported_in_both_units() -> None:
    pair = Pair("é😀z")
    seen: list[TextChange] = []
    pair.theirs.subscribe(seen.extend)

    pair.mine.replace_u16(3, 4, "ab")
    pair.deliver()

    assert sum(change.deleted_u16 for change in seen) == 1
    assert "".join(change.inserted for change in seen) == "ab"
    assert {(change.at_u8, change.at_u16) for change in seen} == {(6, 3)}


def test_ones_own_edit_is_not_reported_back() -> None:
    pair = Pair("abc")
    seen: list[TextChange] = []
    pair.mine.subscribe(seen.extend)

    pair.mine.replace_u16(0, 1, "x")

    assert seen == []


def test_what_another_program_wrote_is_shown_and_sent_but_not_undone() -> None:
    pair = Pair("aé😀z\n")
    pair.mine.track_undo()
    pair.mine.replace_cp(0, 0, "typed ")
    seen: list[TextChange] = []
    pair.mine.subscribe(seen.extend)
    pair.mine.merge_cp([(7, 8, "é!"), (10, 11, ""), (11, 11, "end")])
    pair.deliver()
    assert str(pair.theirs) == str(pair.mine) == str(pair.mine.index) == "typed aé!😀zend"
    assert "".join(change.inserted for change in seen) == "é!end"
    pair.mine.undo()
    assert str(pair.mine) == "aé!😀zend"


def test_what_another_program_wrote_is_by_the_disk_and_what_was_typed_is_not() -> None:
    pair = Pair("abc")
    origins: list[object] = []
    watch = pair.mine._text.observe(lambda event: origins.append(event.transaction.origin))
    pair.mine.replace_cp(0, 0, "typed ")
    pair.mine.merge_cp([(0, 1, "x")])
    assert origins == ["local", "disk"]
    pair.mine._text.unobserve(watch)


def test_a_merge_outside_the_text_changes_nothing() -> None:
    pair = Pair("abc")
    with pytest.raises(PositionError):
        pair.mine.merge_cp([(0, 1, "x"), (2, 9, "y")])
    assert str(pair.mine) == "abc"


def test_undo_takes_back_ones_own_words_only() -> None:
    pair = Pair()
    pair.mine.track_undo()
    pair.mine.replace_u16(0, 0, "mine 😀 ")
    pair.deliver()
    pair.theirs.replace_u16(0, 0, "theirs ")
    pair.deliver()

    assert pair.mine.undo()
    pair.deliver()

    assert str(pair.mine) == str(pair.theirs) == "theirs "


def test_redo_brings_the_words_back_on_both_sides() -> None:
    pair = Pair("x")
    pair.mine.track_undo()
    pair.mine.replace_u16(1, 1, "yz")
    pair.mine.undo()
    pair.mine.redo()
    pair.deliver()

    assert str(pair.theirs) == str(pair.mine.index) == "xyz"


def test_what_was_there_before_cannot_be_undone() -> None:
    pair = Pair("old")
    pair.mine.track_undo()

    assert not pair.mine.can_undo
    assert not pair.mine.undo()


def test_a_range_that_ends_before_it_starts_is_not_told_in_units_that_nobody_asked_in() -> None:
    pair = Pair("é😀z")
    with pytest.raises(PositionError, match=r"^a range ends before it starts$"):
        pair.mine.replace_cp(3, 1, "")

    assert str(pair.mine) == "é😀z"


def test_half_a_character_cannot_be_edited() -> None:
    pair = Pair("a😀z")
    with pytest.raises(PositionError):
        pair.mine.replace_u16(2, 3, "")

    assert str(pair.mine) == "a😀z"


@pytest.mark.parametrize(
    ("position", "change", "expected"),
    [
        (5, TextChange(0, 0, 2, 0, "ab"), 7),
        (2, TextChange(0, 0, 2, 0, "ab"), 2),
        (5, TextChange(0, 3, 0, 3, ""), 2),
        (2, TextChange(0, 4, 0, 4, "x"), 0),
        (1, TextChange(5, 1, 5, 1, ""), 1),
        (3, TextChange(1, 2, 1, 2, "ä"), 2),
    ],
)
def test_a_caret_moves_with_the_text_around_it(position: int, change: TextChange, expected: int) -> None:
    assert shifted_u16(position, [change]) == expected
