"""What a document says of a binary file."""

import pytest

from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.ids import BlobHash

HASH = BlobHash("0a" * 32)


@pytest.mark.parametrize("size", [0, 5, 2**53])
def test_it_comes_back_as_it_was_written(size: int) -> None:
    assert BlobRef.from_map(BlobRef(HASH, size).to_map()) == BlobRef(HASH, size)


def test_numbers_of_a_program_that_knows_only_one_kind_are_read() -> None:
    assert BlobRef.from_map({"hash": HASH, "size": 5.0}) == BlobRef(HASH, 5)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        {},
        {"hash": HASH},
        {"hash": HASH, "size": -1},
        {"hash": HASH, "size": 0.5},
        {"hash": HASH, "size": float("inf")},
        {"hash": HASH, "size": True},
        {"hash": HASH, "size": 2**54},
        {"hash": HASH.upper(), "size": 1},
        {"hash": HASH[1:], "size": 1},
        {"hash": HASH + "\n", "size": 1},
        {"hash": 5, "size": 1},
    ],
)
def test_anything_else_is_none(value: object) -> None:
    assert BlobRef.from_map(value) is None
