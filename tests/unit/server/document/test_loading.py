"""A stored document is made at once where that works, and carefully where something in it does harm."""

import pytest

from tests.helpers.stored_documents import typed_updates
from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.loading import load_document
from texswarm_server.protocol.errors import CorruptSnapshotError


def test_updates_that_are_sound_make_an_ordinary_document() -> None:
    document, updates = typed_updates(5)
    loaded = load_document(updates)

    assert not isinstance(loaded, CarefulDocument)
    assert loaded.update_since() == document.update_since()
    assert load_document([]).title == ""


def test_what_cannot_be_applied_is_left_out_and_named() -> None:
    document, updates = typed_updates(5)
    loaded = load_document([*updates[:3], b"no update", *updates[3:]])

    assert isinstance(loaded, CarefulDocument)
    assert loaded.harmful == [b"no update"]
    assert loaded.update_since() == document.update_since()


def test_a_suspect_document_is_loaded_carefully_at_once() -> None:
    assert isinstance(load_document(typed_updates(2)[1], is_suspect=True), CarefulDocument)


def test_nothing_is_shown_that_stands_on_nothing() -> None:
    with pytest.raises(CorruptSnapshotError):
        load_document([b"no update", *typed_updates(2)[1]])
