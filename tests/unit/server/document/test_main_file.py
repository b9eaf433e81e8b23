"""The main file as one text in code points: edits, what is made where nothing is, and carets in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document.main_file import MainFile, version_of
from texswarm_server.document.project_document import ProjectDocument
from texswarm_server.protocol.errors import PositionError
from texswarm_server.protocol.ids import Lineage
from texswarm_server.protocol.legacy import LegacyPresence

TEXTS = st.text(st.sampled_from("ab\né😀"), max_size=12)


def filled(text: str) -> MainFile:
    file = MainFile()
    file.initialise("Paper", Lineage("l"))
    file.replace(0, 0, text)
    return file


@given(TEXTS, st.integers(-2, 14), st.integers(-2, 14), TEXTS)
def test_an_edit_does_what_slicing_does_or_nothing(text: str, start: int, end: int, new: str) -> None:
    file = filled(text)
    if 0 <= start <= end <= len(text):
        file.replace(start, end, new)
        assert file.text == text[:start] + new + text[end:]
    else:
        with pytest.raises(PositionError):
            file.replace(start, end, new)
        assert file.text == text


def test_its_updates_tell_another_replica_everything() -> None:
    file, other = MainFile(), ProjectDocument()
    updates = [file.initialise("Paper", Lineage("l")), file.replace(0, 0, "a😀b"), file.replace(1, 2, "é")]
    for update in updates:
        other.apply(update)
    assert (other.title, other.lineage) == ("Paper", "l")
    assert str(other.text(other.main_file)) == file.text == "aéb"


def test_what_changes_nothing_is_no_update() -> None:
    assert filled("abc").replace(1, 1, "") is None
    assert MainFile().replace(0, 0, "") is None


def test_others_edits_are_shown() -> None:
    file, other = filled("abc"), ProjectDocument()
    other.apply(file._project.update_since())
    other.text(other.main_file).replace_u16(3, 3, "d😀")
    file.apply(other.update_since())
    assert file.text == "abcd😀"
    file.replace(5, 5, "!")
    assert file.text == "abcd😀!"


def test_a_project_without_main_file_gets_one_with_the_first_words() -> None:
    file = MainFile()
    assert (file.is_empty, file.text) == (True, "")
    with pytest.raises(PositionError):
        file.replace(0, 1, "x")
    assert file.is_empty
    file.replace(0, 0, "x")
    assert file.text == "x"


def test_two_who_make_the_main_file_at_once_make_one() -> None:
    one, other = MainFile(), MainFile()
    first, second = one.replace(0, 0, "x"), other.replace(0, 0, "y")
    one.apply(second)
    other.apply(first)
    assert one.text == other.text
    assert sorted(one.text) == ["x", "y"]


@pytest.mark.parametrize(
    ("cursor", "selection"),
    [(0, None), (3, None), (3, {"start": 1, "end": 3}), (1, {"start": 1, "end": 3}), (None, None)],
)
def test_a_caret_survives_the_way_there_and_back(cursor: int | None, selection: dict[str, int] | None) -> None:
    file = filled("a😀b")
    presence = LegacyPresence(user_id="u", display_name="U", cursor_position=cursor, selection=selection)
    assert file.presence_of(file.state_of(presence)) == presence


def test_a_caret_is_told_in_the_units_of_the_others() -> None:
    file = filled("a😀b")
    state = file.state_of(LegacyPresence(user_id="u", display_name="U", cursor_position=2))
    assert state is not None
    assert state["caret"] == {"anchor": 3, "head": 3}


@pytest.mark.parametrize("cursor", [-1, 9, "1", {"line": 1}])
def test_a_caret_that_is_none_is_left_out(cursor: object) -> None:
    state = filled("abc").state_of(LegacyPresence(user_id="u", cursor_position=cursor))
    assert state is not None
    assert "caret" not in state


def test_who_is_not_active_has_no_state() -> None:
    assert MainFile().state_of(LegacyPresence(user_id="u", is_active=False)) is None


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"user": 5},
        {"user": {"id": 7}, "file": "main", "caret": 3},
        {"file": "main", "caret": {"anchor": "a", "head": 1}},
        {"file": "main", "caret": {"anchor": 2, "head": 2}},
        {"file": "main", "caret": {"anchor": -1, "head": 99}},
        {"file": "other", "caret": {"anchor": 0, "head": 0}},
        {"cursor": {"anchor": {}, "head": {}}},
    ],
)
def test_states_of_other_programs_are_somebody_without_a_caret(state: dict[str, object]) -> None:
    presence = filled("a😀b").presence_of(state)
    assert (presence.cursor_position, presence.selection, presence.is_active) == (None, None, True)


def test_a_version_names_a_text() -> None:
    assert version_of("a") == version_of("a") != version_of("b")
