"""Updates of one client that come without the ones before them: what is a hole, and what is left without it."""

import pytest

from tests.helpers.stored_documents import text_of, typed_updates
from texswarm_server.document.gaps import has_hole, is_complete, is_filling, lacking, reach, without_holes
from texswarm_server.document.project_document import ProjectDocument
from texswarm_server.document.updates import EMPTY_STATE, merge_updates, read_state_vector


def state_after(updates: list[bytes]) -> bytes:
    document = ProjectDocument()
    document.apply(merge_updates(updates))
    return document.state_vector()


UPDATES = typed_updates(8, text="word ")[1]
EARLY, STATE = UPDATES[:4], state_after(UPDATES[:4])


def test_what_follows_has_no_hole_and_what_comes_too_early_has_one() -> None:
    assert not has_hole(UPDATES[4], STATE)
    assert not has_hole(UPDATES[2], STATE)
    assert not has_hole(merge_updates(UPDATES), EMPTY_STATE)
    assert has_hole(UPDATES[5], STATE)
    assert has_hole(merge_updates([UPDATES[4], UPDATES[6]]), STATE)
    assert has_hole(UPDATES[1], EMPTY_STATE)


def test_what_waits_for_another_client_has_no_hole() -> None:
    ada, bob = ProjectDocument(client_id=1), ProjectDocument(client_id=2)
    file_id = ada.add_file("main.tex", "Hello")
    bob.apply(ada.update_since())
    written: list[bytes] = []
    bob.on_update = lambda update, is_local: written.append(update)
    bob.text(file_id).replace_u16(2, 2, "!")
    assert not has_hole(written[0], EMPTY_STATE)
    assert not is_complete(lacking(written[0], EMPTY_STATE))


def test_an_update_reaches_as_far_as_it_has_no_hole() -> None:
    parts = [UPDATES[4], UPDATES[5], UPDATES[7]]
    assert read_state_vector(reach(merge_updates(parts), STATE)) == read_state_vector(state_after(UPDATES[:6]))


def test_what_fills_a_hole_is_told_from_what_only_follows() -> None:
    assert is_filling(UPDATES[4], UPDATES[5], STATE)
    assert not is_filling(UPDATES[4], UPDATES[6], STATE)
    stranger = ProjectDocument()
    stranger.add_file("other.tex")
    assert not is_filling(stranger.update_since(), UPDATES[5], STATE)


@pytest.mark.parametrize("missing", [0, 1, 4, 6])
def test_of_a_history_with_a_hole_everything_before_it_is_left(missing: int) -> None:
    history = merge_updates([*UPDATES[:missing], *UPDATES[missing + 1 :]])
    left = without_holes(history)
    assert not has_hole(left, EMPTY_STATE)
    assert text_of([left]) == "word " * max(missing - 2, 0)
    assert text_of([left, UPDATES[missing], history]) == "word " * 8
