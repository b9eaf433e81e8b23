"""One update instead of many, with everything in it that does no harm."""

import pytest

from tests.helpers.stored_documents import typed_updates
from tests.helpers.time_bombs import time_bomb
from texswarm_server.document.compaction import Compacted, compact_carefully
from texswarm_server.document.loading import load_document
from texswarm_server.document.updates import compact
from texswarm_server.protocol.errors import CorruptSnapshotError


def test_without_harm_it_is_ordinary_compaction() -> None:
    _document, updates = typed_updates(5)

    assert compact_carefully(updates) == Compacted(compact(updates))


def test_what_does_harm_is_left_out_and_named_and_the_rest_loads_at_once() -> None:
    document, updates = typed_updates(6)
    bombs = [time_bomb(updates, 1, 5), time_bomb(updates, 3, 6)]
    done = compact_carefully([updates[0], bombs[0], *updates[1:3], bombs[1], *updates[3:]])

    assert done.harmful == (1, 4)
    assert load_document([done.content]).update_since() == document.update_since()


def test_what_waits_for_its_predecessors_is_kept_beside_what_does_harm() -> None:
    document, updates = typed_updates(6)
    late = updates.pop(3)
    done = compact_carefully([*updates, time_bomb(updates, 1, 5)])
    loaded = load_document([done.content])
    loaded.apply(late)

    assert done.harmful == (len(updates),)
    assert loaded.update_since() == document.update_since()


def test_nothing_is_made_of_what_stands_on_nothing() -> None:
    with pytest.raises(CorruptSnapshotError):
        compact_carefully([b"no update", *typed_updates(2)[1]])
