"""A fingerprint in words: the same for both sides, other words for any other."""

from texswarm_server.pairing.fingerprint_words import WORD_COUNT, words_of
from texswarm_server.pairing.word_list import WORDS

FINGERPRINT = "ab" * 32


def test_the_words_are_part_of_what_people_agreed_on() -> None:
    """Two versions of the program must show the same words, so these may never change."""
    assert words_of(FINGERPRINT) == words_of("AB:" * 31 + "AB") == "fringe wheat guest magic"


def test_another_fingerprint_has_other_words() -> None:
    one, other = words_of(FINGERPRINT).split(), words_of("ab" * 31 + "ac").split()
    assert one != other
    assert all(len(words) == WORD_COUNT and set(words) <= set(WORDS) for words in (one, other))
