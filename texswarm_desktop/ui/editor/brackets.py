"""Finds the bracket that belongs to another one. Pure; looks only so far as a screen or two."""

import re
from collections.abc import Callable
from typing import Final

_PAIRS: Final = {"{": "}", "[": "]", "(": ")"}
_BACK: Final = {close: opening for opening, close in _PAIRS.items()}
#: Brackets that count: not behind a backslash, not in a comment.
_TOKEN: Final = re.compile(r"\\.|%.*|[{}\[\]()]")
_LIMIT_LINES: Final = 300

LineAt = Callable[[int], str | None]
Place = tuple[int, int]


def match_bracket(line_at: LineAt, line: int, column: int) -> tuple[Place, Place] | None:
    """Return the places of the bracket beside a caret and of its partner, as (line, column).

    The bracket before the caret is preferred to the one behind it. `line_at` returns None outside the text. None: there
    is no bracket beside the caret, or no partner near.
    """
    brackets = _brackets(line_at(line) or "")
    for at in (column - 1, column):
        if at not in brackets:
            continue
        found = _forward(line_at, line, at) if brackets[at] in _PAIRS else _backward(line_at, line, at)
        return ((line, at), found) if found else None
    return None


def _brackets(text: str) -> dict[int, str]:
    return {match.start(): match[0] for match in _TOKEN.finditer(text) if len(match[0]) == 1 and match[0] != "%"}


def _forward(line_at: LineAt, line: int, column: int) -> Place | None:
    brackets = _brackets(line_at(line) or "")
    opening, depth = brackets[column], 0
    closing = _PAIRS[opening]
    for number in range(line, line + _LIMIT_LINES):
        if number > line:
            text = line_at(number)
            if text is None:
                return None
            brackets = _brackets(text)
        for at, bracket in brackets.items():
            if number == line and at < column:
                continue
            depth += (bracket == opening) - (bracket == closing)
            if depth == 0:
                return number, at
    return None


def _backward(line_at: LineAt, line: int, column: int) -> Place | None:
    brackets = _brackets(line_at(line) or "")
    closing, depth = brackets[column], 0
    opening = _BACK[closing]
    for number in range(line, max(-1, line - _LIMIT_LINES), -1):
        if number < line:
            brackets = _brackets(line_at(number) or "")
        for at, bracket in reversed(brackets.items()):
            if number == line and at > column:
                continue
            depth += (bracket == closing) - (bracket == opening)
            if depth == 0:
                return number, at
    return None
