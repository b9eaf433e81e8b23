"""The form of ids on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.ids import is_uuid


@given(st.uuids())
def test_a_uuid_in_its_canonical_form_is_one(value: object) -> None:
    assert is_uuid(str(value))


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "123e4567e89b12d3a456426614174000", "123E4567-E89B-12D3-A456-426614174000"]
)
def test_other_forms_are_not(text: str) -> None:
    assert not is_uuid(text)
