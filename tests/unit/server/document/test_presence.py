"""Awareness updates: read as written, only frame_invalid for other bytes, and the newer clock wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document.presence import Presence, PresenceEntry, decode_presence, encode_presence
from texswarm_server.protocol.errors import RemoteProtocolError


def refusal(update: bytes) -> str | None:
    try:
        decode_presence(update)
    except RemoteProtocolError as error:
        return error.code
    return None


VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
STATES = st.none() | st.dictionaries(st.text(max_size=8), VALUES, max_size=4)
ENTRIES = st.lists(st.builds(PresenceEntry, st.integers(0, 2**53), st.integers(0, 2**53), STATES), max_size=5)


@given(ENTRIES)
def test_an_update_is_read_as_it_was_written(entries: list[PresenceEntry]) -> None:
    assert decode_presence(encode_presence(entries)) == entries


@given(st.binary(max_size=80))
def test_any_bytes_are_an_update_or_invalid(update: bytes) -> None:
    assert refusal(update) in {None, "frame_invalid"}


@given(ENTRIES.filter(bool), st.data())
def test_an_update_cut_anywhere_is_invalid(entries: list[PresenceEntry], data: st.DataObject) -> None:
    update = encode_presence(entries)
    with pytest.raises(RemoteProtocolError):
        decode_presence(update[: data.draw(st.integers(0, len(update) - 1))])


@pytest.mark.parametrize("state", [b"5", b"[]", b'"x"', b"{", b"\xff", b"[" * 5000, b'{"a":NaN}'])
def test_a_state_that_is_no_object_is_invalid(state: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_presence(b"\x01\x05\x01" + _length(state) + state)


def test_more_entries_than_anybody_needs_are_invalid() -> None:
    with pytest.raises(RemoteProtocolError):
        decode_presence(b"\xff\xff\x03")


def test_a_newer_clock_wins_and_leaving_wins_a_tie() -> None:
    presence = Presence()
    here = PresenceEntry(1, 3, {"at": 1})
    assert presence.apply([here]) == [here]
    assert presence.apply([PresenceEntry(1, 2, {"at": 0}), PresenceEntry(1, 3, {"at": 9})]) == []
    gone = PresenceEntry(1, 3, None)

    assert presence.apply([gone]) == [gone]
    assert presence.states == {}


def test_somebody_unknown_who_leaves_is_no_news() -> None:
    assert Presence().apply([PresenceEntry(1, 3, None)]) == []


def test_publishing_leaving_and_clearing() -> None:
    presence = Presence()
    presence.publish(1, {"a": 1})
    second = presence.publish(1, {"a": 2})

    assert presence.entries() == [second]
    assert presence.leave([1, 2]) == [PresenceEntry(1, 3, None)]
    presence.clear()
    assert presence.publish(1, {}).clock == 1


def _length(data: bytes) -> bytes:
    size, out = len(data), bytearray()
    while size > 0x7F:
        out.append(0x80 | (size & 0x7F))
        size >>= 7
    return bytes([*out, size])
