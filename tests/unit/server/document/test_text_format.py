import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document.text_format import PLAIN, TextFormat

ENCODINGS = [("utf-8", False), ("utf-8", True), ("latin-1", False), ("utf-16-le", True), ("utf-16-be", True)]
SPELLINGS = [TextFormat(*encoding, newline) for encoding in ENCODINGS for newline in ("\n", "\r\n", "\r")]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_what_is_said_of_a_spelling_is_read_again(spelled: TextFormat) -> None:
    assert TextFormat.from_map(spelled.to_map()) == spelled


def test_nothing_is_said_of_what_is_plain() -> None:
    assert PLAIN.to_map() == {}
    assert TextFormat("latin-1", newline="\r\n").to_map() == {"encoding": "latin-1", "newline": "crlf"}


@pytest.mark.parametrize(
    "said",
    [
        None, "latin-1", 7, [], {"encoding": "utf-7"}, {"encoding": "rot13"}, {"encoding": 1}, {"encoding": None},
        {"encoding": ["utf-8"]}, {"newline": "\n"}, {"newline": "x"}, {"bom": "yes"}, {"bom": 1},
    ],
)  # fmt: skip
def test_what_nobody_knows_is_passed_over(said: object) -> None:
    assert TextFormat.from_map(said) is None


def test_what_a_newer_program_adds_is_passed_over_and_contradictions_are_solved() -> None:
    assert TextFormat.from_map({"newline": "crlf", "tabs": 8}) == TextFormat(newline="\r\n")
    assert TextFormat.from_map({"encoding": "latin-1", "bom": True}) == TextFormat("latin-1")
    assert TextFormat.from_map({"encoding": "utf-16-le", "bom": False}) == TextFormat("utf-16-le", has_bom=True)


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_whatever_stands_there_is_a_spelling_or_none(said: object) -> None:
    assert TextFormat.from_map(said) in {None, *SPELLINGS}
