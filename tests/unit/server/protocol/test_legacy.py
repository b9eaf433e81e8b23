"""Messages of the first generation: both spellings are read, and whatever bytes come in, one error comes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import RemoteProtocolError
from texswarm_server.protocol.legacy import (
    LEGACY_ORDERS,
    DocumentList,
    DocumentSummary,
    DocumentUpdate,
    LegacyPresence,
    PresenceUpdate,
    TextEdit,
    decode_legacy,
)
from texswarm_server.protocol.messages import Authentication, Heartbeat, ListDocuments

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
RANGES = st.fixed_dictionaries({"start": st.integers(), "end": st.integers()})
KINDS = st.sampled_from(["Insert", "Delete", "Replace"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "document_id": st.text(max_size=8) | JSON_VALUES,
        "position": st.integers() | JSON_VALUES,
        "range": RANGES | JSON_VALUES,
        "content": st.text() | JSON_VALUES,
        "type": KINDS,
    },
)
OPERATIONS = FIELDS | st.dictionaries(KINDS, FIELDS | JSON_VALUES, max_size=3) | JSON_VALUES


def operation_frame(operation: object) -> str:
    return json.dumps({"type": "DocumentOperation", "payload": {"operation": operation}})


def refusal(frame: str | bytes) -> str | None:
    try:
        decode_legacy(frame)
    except RemoteProtocolError as error:
        return error.code
    return None


@given(
    st.text(min_size=1, max_size=64),
    st.integers(),
    st.integers(),
    st.text(),
)
def test_both_spellings_mean_the_same(document_id: str, start: int, end: int, content: str) -> None:
    span = {"start": start, "end": end}
    cases: dict[str, tuple[dict[str, object], tuple[int, int, str]]] = {
        "Insert": ({"position": start, "content": content}, (start, start, content)),
        "Delete": ({"range": span}, (start, end, "")),
        "Replace": ({"range": span, "content": content}, (start, end, content)),
    }
    for kind, (details, (first, last, new)) in cases.items():
        fields = {"document_id": document_id, **details}
        wanted = TextEdit(document_id=document_id, start=first, end=last, content=new)
        assert decode_legacy(operation_frame({kind: fields})) == wanted
        assert decode_legacy(operation_frame({"type": kind, **fields})) == wanted


@pytest.mark.parametrize("payload", ["", ', "payload": null', ', "payload": {}'])
def test_messages_that_need_nothing_need_no_payload(payload: str) -> None:
    for kind in (ListDocuments, Heartbeat, Authentication):
        assert decode_legacy(f'{{"type": "{kind.__name__}"{payload}}}') == kind()


@pytest.mark.parametrize(
    "operation",
    [
        {},
        None,
        "Insert",
        {"Insert": None},
        {"Insert": {"document_id": "d", "position": "0", "content": "x"}},
        {"Insert": {"document_id": "d", "position": 0.5, "content": "x"}},
        {"Insert": {"document_id": "", "position": 0, "content": "x"}},
        {"type": "Move", "document_id": "d"},
        {"document_id": "d", "position": 0, "content": "x"},
        {"Delete": {"document_id": "d", "range": {"start": 0}}},
        {
            "Insert": {"document_id": "d", "position": 0, "content": "x"},
            "Delete": {"document_id": "d", "range": {"start": 0, "end": 1}},
        },
    ],
)
def test_what_is_no_operation_is_refused(operation: object) -> None:
    assert refusal(operation_frame(operation)) == "parse_error"


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_an_order_or_refused(frame: bytes | str) -> None:
    assert refusal(frame) in {"parse_error", None}


@given(OPERATIONS)
def test_any_operation_is_read_or_refused(operation: object) -> None:
    assert refusal(operation_frame(operation)) in {"parse_error", None}


@given(st.sampled_from([kind.__name__ for kind in LEGACY_ORDERS]), JSON_VALUES)
def test_any_payload_is_an_order_or_refused(kind: str, payload: object) -> None:
    assert refusal(json.dumps({"type": kind, "payload": payload})) in {"parse_error", None}


def test_presence_is_read_whatever_stands_in_its_places() -> None:
    presence = {"user_id": "u", "display_name": "U", "cursor_position": {"line": 1}, "selection": 5, "is_active": True}
    frame = json.dumps({"type": "PresenceUpdate", "payload": {"document_id": "d", "presence": presence}})
    assert decode_legacy(frame).presence == LegacyPresence(**presence)


def test_facts_have_exactly_the_fields_of_the_first_generation() -> None:
    summary = DocumentSummary(id="d", title="T", owner="o", updated_at="t", active_collaborators=0)
    presence = {
        "user_id": "u",
        "display_name": "U",
        "cursor_position": None,
        "selection": None,
        "is_active": True,
        "last_activity": None,
    }
    assert json.loads(encode(DocumentUpdate(document_id="d", content="", version="initial"))) == {
        "type": "DocumentUpdate",
        "payload": {"document_id": "d", "content": "", "version": "initial"},
    }
    assert json.loads(encode(DocumentList(documents=[summary])))["payload"] == {
        "documents": [{"id": "d", "title": "T", "owner": "o", "updated_at": "t", "active_collaborators": 0}]
    }
    assert json.loads(encode(DocumentList(documents=[])))["payload"] == {"documents": []}
    update = PresenceUpdate(document_id="d", presence=LegacyPresence(user_id="u", display_name="U"))
    assert json.loads(encode(update))["payload"] == {"document_id": "d", "presence": presence}
