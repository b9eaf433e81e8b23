"""What a new project may begin as, and how a template becomes somebody's own.

A template is a small project that compiles as it is; where title and author belong it has a placeholder. Pure.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Template(StrEnum):
    """The templates that come with the program, in the order they are offered; each is the name of its folder."""

    ARTICLE = "article"
    REPORT = "report"
    BOOK = "book"
    THESIS = "thesis"
    BEAMER = "beamer"
    LETTER = "letter"
    BLANK = "blank"


_TITLE: Final = "<<title>>"
_AUTHOR: Final = "<<author>>"
_ESCAPED: Final = {character: f"\\{character}" for character in "#$%&_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def filled_in(files: Mapping[str, str], *, title: str, author: str) -> dict[str, str]:
    """Return a template's files (path, text) with title and author in them, which read as they were typed."""
    values = {_TITLE: _as_latex(title), _AUTHOR: _as_latex(author)}
    return {path: _replaced(text, values) for path, text in files.items()}


def _replaced(text: str, values: Mapping[str, str]) -> str:
    """Fill in from left to right, so that a title that looks like a placeholder is left alone."""
    for placeholder, value in values.items():
        head, found, tail = text.partition(placeholder)
        if found:
            return _replaced(head, values) + value + _replaced(tail, values)
    return text


def _as_latex(words: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in words)
