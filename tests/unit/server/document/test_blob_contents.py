"""What is told of the contents of binary files: read with care, and what lost is found."""

from typing import Any

import pytest

from texswarm_server.document.blob_contents import SET, ChangedBlob, change_key, lost_contents, read_changes
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.ids import BlobHash

ONE, TWO, THREE = (BlobRef(BlobHash(digit * 64), 1) for digit in "123")


def named(*blobs: BlobRef) -> dict[str, Any]:
    """The part of a file's entry that names contents."""
    return {SET + blob.blob_hash: blob.to_map() for blob in blobs}


def test_changes_are_read_by_file() -> None:
    told = {change_key("a", one.blob_hash): {"path": "a.png", **one.to_map()} for one in (ONE, TWO)}
    assert read_changes(told) == {"a": [ChangedBlob("a.png", ONE), ChangedBlob("a.png", TWO)]}


@pytest.mark.parametrize(
    "value", [None, 1, {}, ONE.to_map(), {"path": "../a.png", **ONE.to_map()}, {"path": "a.png", **TWO.to_map()}]
)
def test_what_is_not_of_this_form_is_passed_over(value: object) -> None:
    assert read_changes({change_key("a", ONE.blob_hash): value}) == {}


def test_what_others_named_beside_the_content_that_won_has_lost() -> None:
    assert lost_contents(TWO, named(ONE, TWO), []) == [ONE]
    assert lost_contents(TWO, named(TWO), [ChangedBlob("a.png", THREE)]) == [THREE]
    assert lost_contents(TWO, named(TWO), []) == []


def test_of_a_content_that_is_not_named_twice_nothing_is_known() -> None:
    assert lost_contents(TWO, named(ONE), []) == []
    assert lost_contents(None, named(ONE), []) == []


def test_a_name_that_is_not_that_of_its_value_names_nothing() -> None:
    assert lost_contents(TWO, {**named(TWO), SET + ONE.blob_hash: THREE.to_map()}, []) == []
