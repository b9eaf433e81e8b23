"""Text frames: what is written is read again, and whatever bytes come in, only typed answers come out."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.codec import encode, fact_codec, order_codec
from texswarm_server.protocol.errors import RemoteProtocolError
from texswarm_server.protocol.messages import FACTS, ORDERS, Authentication, DocumentList, Heartbeat, ListDocuments

PARSE_CODES = {"parse_error", "unknown_message", "invalid_payload"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELD_NAMES = st.sampled_from(sorted({name for kind in (*ORDERS, *FACTS) for name in kind.__struct_fields__}))
PAYLOADS = st.dictionaries(FIELD_NAMES, JSON_VALUES, max_size=6) | JSON_VALUES
KIND_NAMES = st.sampled_from([kind.__name__ for kind in (*ORDERS, *FACTS)])


def code_of_refusal(frame: str | bytes) -> str | None:
    try:
        order_codec.decode(frame)
    except RemoteProtocolError as error:
        return error.code
    return None


NEED_NOTHING = [kind for kind in ORDERS if not any(field.required for field in msgspec.structs.fields(kind))]


@pytest.mark.parametrize("kind", NEED_NOTHING)
def test_an_order_that_needs_nothing_is_read_without_payload(kind: type) -> None:
    for payload in ("", ', "payload": null', ', "payload": {}'):
        assert order_codec.decode(f'{{"type": "{kind.__name__}"{payload}}}') == kind()


def test_what_is_written_is_read_again() -> None:
    message = Authentication(protocol=2, token="t", user_id="u", display_name="Ada é😀", request=7)

    assert order_codec.decode(encode(message)) == message


def test_a_heartbeat_travels_both_ways_and_facts_do_not() -> None:
    assert fact_codec.decode(encode(Heartbeat(timestamp=1.5))) == Heartbeat(timestamp=1.5)
    assert code_of_refusal(encode(DocumentList(documents=[]))) == "unknown_message"


def test_unknown_fields_are_passed_over() -> None:
    assert order_codec.decode('{"type": "ListDocuments", "payload": {"new": [1]}, "more": 2}') == ListDocuments()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "parse_error"),
        ("{", "parse_error"),
        ("[]", "parse_error"),
        ('{"type": 5}', "parse_error"),
        ('{"payload": {}}', "parse_error"),
        (b"\xff\xfe", "parse_error"),
        ("[" * 100_000, "parse_error"),
        ('{"type": "Nothing"}', "unknown_message"),
        ('{"type": "OpenDocument"}', "invalid_payload"),
        ('{"type": "OpenDocument", "payload": {"document_id": 5}}', "invalid_payload"),
        ('{"type": "OpenDocument", "payload": {"document_id": ""}}', "invalid_payload"),
        ('{"type": "OpenDocument", "payload": [1]}', "invalid_payload"),
        ('{"type": "CloseDocument", "payload": {"handle": 1e400}}', "invalid_payload"),
        ('{"type": "Authentication", "payload": {"token": "' + "x" * 5000 + '"}}', "invalid_payload"),
    ],
)
def test_what_is_no_order_is_refused_with_a_code(frame: str | bytes, code: str) -> None:
    assert code_of_refusal(frame) == code


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_an_order_or_refused(frame: bytes | str) -> None:
    assert code_of_refusal(frame) in PARSE_CODES | {None}


@given(KIND_NAMES, PAYLOADS)
def test_any_payload_is_an_order_or_refused(kind: str, payload: object) -> None:
    assert code_of_refusal(json.dumps({"type": kind, "payload": payload})) in PARSE_CODES | {None}


@pytest.mark.parametrize("field", ["request", "uses"])
def test_a_number_no_database_holds_is_refused(field: str) -> None:
    frame = json.dumps({"type": "CreateInvite", "payload": {field: 2**70}})
    with pytest.raises(RemoteProtocolError) as refusal:
        order_codec.decode(frame)
    assert refusal.value.code == "invalid_payload"
