"""Updates as bytes: what is one, what many say in one, and what a short form of them keeps."""

import pytest

from texswarm_server.document import ProjectDocument
from texswarm_server.document.updates import (
    EMPTY_STATE,
    EMPTY_UPDATE,
    check_state_vector,
    check_update,
    compact,
    merge_updates,
    read_state_vector,
)
from texswarm_server.protocol.errors import MalformedUpdateError, RemoteProtocolError
from texswarm_server.protocol.frames import write_varuint


def recorded() -> tuple[ProjectDocument, list[bytes]]:
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    return document, updates


def test_what_an_empty_document_says_is_empty() -> None:
    document = ProjectDocument()

    assert (document.update_since(), document.state_vector()) == (EMPTY_UPDATE, EMPTY_STATE)
    check_update(EMPTY_UPDATE)
    check_state_vector(EMPTY_STATE)


@pytest.mark.parametrize("junk", [b"", b"\x01", b"hello", b"\xff" * 40, b"\x00"])
def test_what_is_no_update_is_refused_alone_and_among_others(junk: bytes) -> None:
    document, updates = recorded()
    document.add_file("a.tex", "x")
    for refused in (lambda: check_update(junk), lambda: merge_updates([*updates, junk])):
        with pytest.raises(MalformedUpdateError):
            refused()


@pytest.mark.parametrize("claimed", [2**20, 2**28, 2**40])
def test_a_state_vector_may_not_claim_more_entries_than_its_bytes_hold(claimed: int) -> None:
    with pytest.raises(MalformedUpdateError):
        check_state_vector(write_varuint(claimed))


def test_a_state_vector_tells_the_next_clock_of_each_client_and_has_nothing_behind() -> None:
    document = ProjectDocument(client_id=7)
    document.add_file("a.tex", "abc")
    vector = document.state_vector()

    assert set(read_state_vector(vector)) == {7}
    assert read_state_vector(vector)[7] > 3
    with pytest.raises(RemoteProtocolError):
        read_state_vector(vector + b"\x00")


def test_compaction_keeps_updates_whose_predecessors_are_missing() -> None:
    document, updates = recorded()
    file_id = document.add_file("a.tex")
    for letter in "abcd":
        document.text(file_id).replace_u16(0, 0, letter)
    late = updates.pop(2)

    compacted = compact(updates)
    copy = ProjectDocument()
    copy.apply(compacted)
    copy.apply(late)

    assert str(copy.text(file_id)) == "dcba"


def test_merging_says_the_same_as_one_by_one() -> None:
    document, updates = recorded()
    file_id = document.add_file("a.tex")
    for letter in "abc":
        document.text(file_id).replace_u16(0, 0, letter)
    copy = ProjectDocument()
    copy.apply(merge_updates(updates))

    assert str(copy.text(file_id)) == "cba"


def test_many_updates_are_merged_into_one_that_says_the_same() -> None:
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    text = document.text(document.add_file("main.tex"))
    for number in range(300):
        text.replace_u16(number, number, "x")
    copy = ProjectDocument()
    copy.apply(merge_updates(updates))

    assert len(updates) > 300
    assert copy.update_since() == document.update_since()
