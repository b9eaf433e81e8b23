"""How a folder and a document come together: two histories are never mixed unless somebody says so."""

import pytest

from texswarm_desktop.core.joining import Choice, Road, Side, copy_name, road_for

EMPTY_FOLDER = Side(None, is_empty=True)
PLAIN_FOLDER = Side(None, is_empty=False)
OURS = Side("one", is_empty=False)
OTHERS = Side("two", is_empty=False)
NEW_DOCUMENT = Side("two", is_empty=True)


@pytest.mark.parametrize("choice", Choice)
@pytest.mark.parametrize(
    ("here", "there", "road"),
    [
        (OURS, Side("one", is_empty=False), Road.GO_ON),
        (OURS, Side("one", is_empty=True), Road.GO_ON),
        (Side("one", is_empty=True), Side("one", is_empty=False), Road.GO_ON),
        (EMPTY_FOLDER, OTHERS, Road.FETCH),
        (EMPTY_FOLDER, NEW_DOCUMENT, Road.FETCH),
        (Side("one", is_empty=True), OTHERS, Road.FETCH),
        (PLAIN_FOLDER, NEW_DOCUMENT, Road.FILL),
    ],
)
def test_where_nothing_can_be_lost_nobody_has_to_choose(here: Side, there: Side, road: Road, choice: Choice) -> None:
    assert road_for(here, there, choice) is road


@pytest.mark.parametrize(("here", "there"), [(PLAIN_FOLDER, OTHERS), (OURS, OTHERS), (OURS, NEW_DOCUMENT)])
def test_two_histories_wait_for_a_choice(here: Side, there: Side) -> None:
    assert road_for(here, there, Choice.ASK) is Road.ASK
    assert road_for(here, there, Choice.TAKE_THEIRS) is Road.TAKE_THEIRS
    assert road_for(here, there, Choice.KEEP_BOTH) is Road.KEEP_BOTH


def test_two_documents_of_one_origin_wait_for_a_choice_and_can_be_merged() -> None:
    here, there = Side("one", is_empty=False, document_id="copy"), Side("one", is_empty=False, document_id="original")
    roads = {choice: road_for(here, there, choice) for choice in Choice}
    assert roads == {
        Choice.ASK: Road.ASK,
        Choice.TAKE_THEIRS: Road.TAKE_THEIRS,
        Choice.KEEP_BOTH: Road.KEEP_BOTH,
        Choice.MERGE: Road.MERGE,
    }


def test_of_two_histories_nothing_is_merged_whatever_somebody_says() -> None:
    assert road_for(OURS, OTHERS, Choice.MERGE) is Road.ASK


def test_a_copy_says_whose_it_is_and_when_it_was_made() -> None:
    assert copy_name("paper", "2026-11-26") == "paper (my copy 2026-11-26)"
