"""Join codes: even, told apart, and understood however people type them."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.pairing.join_code import JoinCode, new_join_code, read_join_code, unknown_words
from texswarm_server.pairing.word_list import WORDS

CODE = JoinCode("417", ("otter", "maple"))


def random(seed: int = 1):
    return Random(seed).randbytes


@given(st.integers())
def test_a_code_is_read_as_it_was_printed(seed: int) -> None:
    code = new_join_code(random(seed))
    assert read_join_code(str(code)) == code
    assert unknown_words(code) == {}


@pytest.mark.parametrize(
    "typed", ["417-otter-maple", " 417 Otter  MAPLE ", "417,otter,maple", "417 – otter – maple", "417.otter/maple\n"]
)
def test_people_type_it_as_they_like(typed: str) -> None:
    assert read_join_code(typed) == CODE


@pytest.mark.parametrize(
    "typed",
    ["", "417", "417-otter", "417-otter-maple-oak", "41-otter-maple", "4171-otter-maple", "x-otter-maple",
     "417-0tter-maple",
     "texswarm://host:8091/?token=abc", "192.168.1.20:8091", "host.example.org", "٤١٧-otter-maple"],
)  # fmt: skip
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_join_code(typed) is None


@given(st.text(max_size=60))
def test_whatever_is_typed_it_is_a_code_or_none(typed: str) -> None:
    code = read_join_code(typed)
    assert code is None or read_join_code(str(code)) == code


def test_a_slip_of_the_finger_is_named_with_what_was_meant() -> None:
    assert unknown_words(JoinCode("417", ("oter", "maple"))) == {"oter": "otter"}


def test_a_number_that_is_taken_is_not_used() -> None:
    taken = [str(number) for number in range(100, 1000) if number != 555]
    assert new_join_code(random(), taken).nameplate == "555"


def test_every_word_comes_up() -> None:
    draw = random(7)
    words = [word for _ in range(8000) for word in new_join_code(draw).words]
    assert set(words) == set(WORDS)


def test_the_words_are_ten_bits_each_and_hard_to_take_for_each_other() -> None:
    assert len(set(WORDS)) == len(WORDS) == 1024
    assert all(word.isascii() and word.islower() and word.isalpha() and 3 <= len(word) <= 9 for word in WORDS)
    assert [(one, other) for one in WORDS for other in shortened(one) if other in set(WORDS)] == []


def shortened(word: str) -> list[str]:
    """What a word becomes when one letter is lost."""
    return [word[:place] + word[place + 1 :] for place in range(len(word))]
