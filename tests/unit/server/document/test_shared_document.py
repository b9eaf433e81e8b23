"""A server's copy of a document: what an update changed, and what is contained already."""

import gc
import random
import time
import weakref

import pycrdt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.scattered_edits import scattered_edits
from tests.helpers.stored_documents import text_of
from texswarm_server.document import ProjectDocument
from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import check_update, merge_updates
from texswarm_server.protocol.errors import DamagedDocumentError, MalformedUpdateError
from texswarm_server.protocol.ids import Lineage


def typed(words: str = "abcdef") -> tuple[ProjectDocument, list[bytes]]:
    """A document with one letter per update."""
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    document.initialise("A paper", Lineage("l-1"))
    file_id = document.add_file("main.tex")
    for letter in words:
        document.text(file_id).replace_u16(0, 0, letter)
    return document, updates


def test_an_update_in_order_changes_exactly_what_it_says() -> None:
    _document, updates = typed()
    shared = SharedDocument()

    assert [shared.apply(update) for update in updates] == updates


@pytest.mark.parametrize("kind", [SharedDocument, ProjectDocument])
def test_a_document_that_nobody_needs_any_more_is_forgotten(kind, monkeypatch) -> None:
    taken_off, unobserve = [], pycrdt.Doc.unobserve
    monkeypatch.setattr(pycrdt.Doc, "unobserve", lambda doc, each: (taken_off.append(each), unobserve(doc, each)))
    _document, updates = typed()
    document = kind()
    document.apply(merge_updates(updates))
    weak = weakref.ref(document)
    del document
    gc.collect()

    assert weak() is None
    assert len(taken_off) == 1  # else pycrdt keeps the content


@pytest.mark.parametrize("kind", [SharedDocument, ProjectDocument])
@pytest.mark.parametrize("state_vector", [b"", b"\x80", b"\x01", b"\xff\xff\xff\x3f", b"\xff\xff\xff\xff\xff\x0f"])
def test_a_state_vector_that_claims_more_than_it_holds_costs_nothing(kind, state_vector) -> None:
    before = time.process_time()
    with pytest.raises(MalformedUpdateError):
        kind().update_since(state_vector)
    assert time.process_time() - before < 1.0  # pycrdt alone: 4 s for the fourth, and no end to the last


def test_an_update_sent_again_changes_nothing_and_is_contained() -> None:
    _document, updates = typed()
    shared = SharedDocument()
    shared.apply(merge_updates(updates))

    assert shared.apply(updates[2]) is None
    assert shared.contains(updates[2])


def test_an_update_without_its_predecessor_shows_nothing_and_is_not_contained() -> None:
    document, updates = typed()
    shared = SharedDocument([*updates[:3], updates[4]])
    assert [shared.apply(update) for update in updates[5:]] == [None] * len(updates[5:])
    assert not shared.contains(updates[5])
    freed = shared.apply(updates[3])

    assert freed is not None
    assert len(freed) > len(updates[3])
    assert (shared.update_since(), shared.is_torn) == (document.update_since(), False)


def test_a_document_says_when_it_took_in_what_should_have_waited() -> None:
    _document, updates = typed()
    shared = SharedDocument(updates[:3])
    shared.apply(updates[4])
    assert shared.is_torn
    again = SharedDocument([*updates[:3], updates[4]])
    assert not again.is_torn
    assert again.update_since() == SharedDocument(updates[:3]).update_since()


def test_where_one_of_several_holes_is_filled_the_document_says_that_there_is_more_to_show() -> None:
    _document, updates = typed()
    shared = SharedDocument([*updates[:2], updates[3], updates[5]])
    assert (shared.apply(updates[2]), shared.is_torn) == (updates[2], True)
    again = SharedDocument([*updates[:4], updates[5]])
    assert again.update_since() == SharedDocument(updates[:4]).update_since()


def test_beside_what_waits_others_go_on() -> None:
    document, updates = typed()
    shared = SharedDocument([*updates[:3], *updates[4:]])
    stranger = ProjectDocument()
    stranger.add_file("other.tex")
    change = shared.apply(stranger.update_since())
    follower = SharedDocument([shared.update_since()])
    assert change is not None
    assert (shared.is_torn, follower.contains(change)) == (False, True)
    shared.apply(updates[3])
    assert shared.contains(document.update_since())


def test_what_waits_is_not_looked_at_for_every_letter_when_it_is_much(monkeypatch) -> None:
    document, updates = typed("ab" + "x" * 10_000)
    looks: list[bytes] = []
    look = SharedDocument._look_at_waiting
    monkeypatch.setattr(
        SharedDocument, "_look_at_waiting", lambda self, *given: (looks.append(given[0]), look(self, *given))
    )
    shared = SharedDocument([*updates[:3], merge_updates(updates[4:])])
    stranger, letters = ProjectDocument(), list[bytes]()
    stranger.on_update = lambda update, is_local: letters.append(update)
    file_id = stranger.add_file("other.tex")
    for _ in range(120):
        stranger.text(file_id).replace_u16(0, 0, "y")
    for letter in letters[:100]:
        shared.apply(letter)
    assert 1 < len(looks) < 40
    for update in [updates[3], *letters[100:]]:
        shared.apply(update)
    assert shared.contains(document.update_since())


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
@pytest.mark.parametrize("kind", [SharedDocument, CarefulDocument])
def test_in_whatever_order_edits_come_all_are_shown_and_followers_see_the_same(kind, chance) -> None:
    edits = scattered_edits(chance)
    given_so_far, shared, follower = [edits.first], kind([edits.first]), ProjectDocument()
    follower.apply(edits.first)
    for turn in edits.in_turns(chance):
        given_so_far.append(turn)
        change = shared.apply(turn)
        if shared.is_torn:
            shared = kind(given_so_far)
            change = shared.update_since(follower.state_vector())
        if change is not None:
            follower.apply(change)
        assert text_of([follower.update_since()]) == text_of([shared.update_since()])
        assert shared.contains(follower.update_since())  # the bytes may differ: neighbours are joined or not
        assert SharedDocument([follower.update_since()]).contains(shared.update_since())
    assert text_of([shared.update_since()]) == edits.text


def test_a_deletion_that_is_not_known_is_not_contained() -> None:
    document, updates = typed()
    shared = SharedDocument()
    shared.apply(merge_updates(updates))
    file_id = document.file_at("main.tex")
    assert file_id is not None
    document.text(file_id).replace_u16(1, 4, "")
    deletion = updates[-1]
    assert not shared.contains(deletion)
    shared.apply(deletion)

    assert shared.contains(deletion)
    assert shared.contains(document.update_since(shared.state_vector))
    assert shared.contains(document.update_since())


def test_title_and_lineage_are_what_the_members_wrote() -> None:
    document, _updates = typed()
    shared = SharedDocument()
    assert (shared.title, shared.lineage) == ("", None)
    shared.apply(document.update_since())

    assert (shared.title, shared.lineage) == ("A paper", "l-1")


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\xff\xff\xff", b"hello"])
def test_bytes_that_are_nothing_are_refused(junk: bytes) -> None:
    shared = SharedDocument()
    with pytest.raises(MalformedUpdateError):
        shared.contains(junk)
    with pytest.raises(MalformedUpdateError):
        shared.update_since(b"\xff" + junk)


def test_only_documented_errors_come_out_of_mutated_updates() -> None:
    chance = random.Random(11)
    document, updates = typed("some é😀 text")
    good = document.update_since()
    for _ in range(600):
        bad = bytearray(chance.choice([good, *updates]))
        for _ in range(chance.randint(1, 4)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        shared = SharedDocument()
        try:
            shared.apply(good)
            check_update(bytes(bad))
            shared.contains(bytes(bad))
            shared.apply(bytes(bad))
            shared.update_since()
        except (MalformedUpdateError, DamagedDocumentError):
            continue
