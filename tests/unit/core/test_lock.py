"""What a host's lock took is known again."""

import pytest

from texswarm_desktop.core.lock import Lock, decode_lock, encode_lock


def test_a_lock_is_read_as_it_was_kept() -> None:
    lock = Lock(users=("bob", "cy"), doors=("invite",))
    assert decode_lock(encode_lock(lock)) == lock


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"users": 1}'])
def test_what_is_no_lock_is_none(text: str) -> None:
    assert decode_lock(text) is None


def test_a_lock_that_closes_once_more_takes_from_nobody_twice() -> None:
    assert Lock(users=("bob",)).and_also(("bob", "cy"), ("door",)) == Lock(users=("bob", "cy"), doors=("door",))
