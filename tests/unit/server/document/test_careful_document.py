"""A document that survives updates which break it: the right one is left out, everything else stays."""

import pytest

from tests.helpers.time_bombs import time_bomb
from texswarm_server.document import ProjectDocument
from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import merge_updates
from texswarm_server.protocol.errors import DamagedDocumentError


def typed() -> list[bytes]:
    """The updates that made a document: a file, then one letter each."""
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    file_id = document.add_file("main.tex")
    for number in range(6):
        document.text(file_id).replace_u16(number, number, "abcdef"[number])
    return updates


def whole(updates: list[bytes]) -> bytes:
    document = SharedDocument()
    document.apply(merge_updates(updates))
    return document.update_since()


def test_a_time_bomb_is_taken_in_and_breaks_an_ordinary_document_later() -> None:
    updates = typed()
    document = SharedDocument()
    document.apply(updates[0])
    document.apply(time_bomb(updates, 0, 5))
    with pytest.raises(DamagedDocumentError):
        document.apply(merge_updates(updates[1:]))


def test_without_harm_it_is_like_any_other() -> None:
    updates, plain = typed(), SharedDocument()
    careful = CarefulDocument(updates[:2])
    plain.apply(merge_updates(updates[:2]))

    assert [careful.apply(update) for update in updates[2:]] == [plain.apply(update) for update in updates[2:]]
    assert (careful.update_since(), careful.harmful) == (plain.update_since(), [])


def test_what_waited_and_breaks_is_left_out_and_the_innocent_update_applied() -> None:
    updates = typed()
    bomb = time_bomb(updates, 2, 5)
    careful = CarefulDocument([updates[0], bomb])
    changes = [careful.apply(update) for update in updates[1:]]

    assert careful.harmful == [bomb]
    assert careful.update_since() == whole(updates)
    assert all(changes)


def test_several_are_left_out_also_when_they_wait_for_the_same() -> None:
    updates = typed()
    bombs = [time_bomb(updates, 1, 5), time_bomb(updates, 1, 6), time_bomb(updates, 4, 7)]
    careful = CarefulDocument([updates[0], *bombs, *updates[1:]])

    assert sorted(careful.harmful) == sorted(bombs)
    assert careful.update_since() == whole(updates)


def test_an_update_that_breaks_by_itself_is_refused_and_nothing_changes() -> None:
    updates = typed()
    bomb = time_bomb(updates, 1, 5)
    careful = CarefulDocument(updates)
    with pytest.raises(DamagedDocumentError):
        careful.apply(bomb)

    assert careful.update_since() == whole(updates)
    assert CarefulDocument([*updates, bomb]).harmful == [bomb]


def test_what_waits_without_harm_is_kept() -> None:
    updates = typed()
    waiting, bomb = updates[4], time_bomb(updates, 1, 5)
    careful = CarefulDocument([updates[0], waiting, bomb, *updates[1:4]])
    careful.apply(merge_updates(updates[5:]))

    assert careful.harmful == [bomb]
    assert careful.update_since() == whole(updates)
