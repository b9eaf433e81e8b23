"""Keys: a new one signs, an old one verifies as long as a token of it may live."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.helpers.records import records_in_memory
from texswarm_server.sessions.records import Records
from texswarm_server.sessions.signing_keys import SIGNING_KEYS, add_key, keys_for_start, load_keys

HOUR_S = 3600.0


@pytest.fixture
def records() -> Iterator[Records]:
    with records_in_memory() as records:
        yield records


def start(records: Records, now: float, ttl_s: float = HOUR_S) -> list[str]:
    return [key.key_id for key in keys_for_start(records, os.urandom, now=now, ttl_s=ttl_s)]


def test_the_first_start_makes_a_key_and_the_next_finds_it(records: Records) -> None:
    assert load_keys(records) == []
    assert start(records, 0) == start(records, 10)


def test_an_old_key_verifies_until_its_last_token_has_expired(records: Records) -> None:
    old = start(records, 0)
    new = add_key(records, os.urandom, now=100).key_id

    assert start(records, 100 + HOUR_S - 1) == [*old, new]
    assert start(records, 100 + HOUR_S) == [new]


def test_the_longest_life_that_was_promised_counts(records: Records) -> None:
    old = start(records, 0, ttl_s=8 * HOUR_S)
    start(records, 1, ttl_s=60)
    new = add_key(records, os.urandom, now=100).key_id

    assert start(records, 100 + 7 * HOUR_S, ttl_s=60) == [*old, new]


def test_keys_that_others_may_know_are_dropped(records: Records) -> None:
    start(records, 0)
    new = add_key(records, os.urandom, now=1, drop_old=True)

    assert load_keys(records) == [new]


def test_a_key_as_the_first_version_wrote_it_is_understood(records: Records) -> None:
    records.put_setting(SIGNING_KEYS, json.dumps({"k": b64encode(b"secret").decode()}))
    key = keys_for_start(records, os.urandom, now=5, ttl_s=HOUR_S)[0]

    assert (key.key_id, key.secret, key.made_at) == ("k", b"secret", 5)
    assert load_keys(records) == [key]
