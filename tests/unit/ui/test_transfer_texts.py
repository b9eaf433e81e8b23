"""Nothing is left out, and nothing advised, without words."""

import pytest

from texswarm_desktop.core.arxiv_bundle import Advice, Remark
from texswarm_desktop.core.zip_check import Refusal
from texswarm_desktop.ui.transfer_texts import REFUSAL_WORDS, advice_words, file_count, size_words


def test_every_refusal_has_words() -> None:
    assert set(REFUSAL_WORDS) == set(Refusal)


@pytest.mark.parametrize("advice", Advice)
def test_every_advice_is_a_sentence_about_something(advice: Advice) -> None:
    words = advice_words(Remark(advice, "main.xyz"))
    assert "main.xyz" in words
    assert words.endswith(".")


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_200, "1.2 kB"), (34_567, "35 kB"), (2_345_678, "2.3 MB"), (3e9, "3.0 GB")],
)
def test_sizes_are_short(size: int, words: str) -> None:
    assert size_words(size) == words


def test_files_are_counted() -> None:
    assert (file_count(1), file_count(2)) == ("1 file", "2 files")
