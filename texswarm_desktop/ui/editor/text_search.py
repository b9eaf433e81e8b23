"""Finding in a text: what is looked for, and where it is. Pure. Offsets in results are UTF-16 units, as Qt counts."""

import re
import warnings
from bisect import bisect_left, bisect_right
from typing import Final

import msgspec

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
#: More matches than this are not counted.
MATCH_LIMIT: Final = 9_999

Span = tuple[int, int]


class Search(msgspec.Struct, frozen=True):
    """What is looked for. With `is_regex`, `.` stops at the end of a line, and `^` and `$` are those of lines."""

    wanted: str = ""
    match_case: bool = False
    is_regex: bool = False


class Found(msgspec.Struct, frozen=True):
    """The matches of a search in a text, in order. `problem`: why the search cannot be made."""

    spans: tuple[Span, ...] = ()
    is_cut: bool = False
    problem: str = ""

    def after(self, position: int) -> int | None:
        """Return the number of the first match that begins at or behind a position; from the start at the end."""
        if not self.spans:
            return None
        return bisect_left(self.spans, (position, 0)) % len(self.spans)

    def before(self, position: int) -> int | None:
        """Return the number of the last match that begins before a position; from the end at the start."""
        if not self.spans:
            return None
        return (bisect_left(self.spans, (position, 0)) - 1) % len(self.spans)

    def within(self, start: int, end: int) -> tuple[Span, ...]:
        """Return the matches that touch a range."""
        first = bisect_right(self.spans, (start, 0)) - 1
        return self.spans[max(0, first) : bisect_left(self.spans, (end, 0))]


def compiled(search: Search) -> re.Pattern[str]:
    """Return the search as a pattern; raises `re.error` when it is not one."""
    flags = re.MULTILINE | (0 if search.match_case else re.IGNORECASE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `[[` may mean something else in a later Python
        return re.compile(search.wanted if search.is_regex else re.escape(search.wanted), flags)


def find_all(text: str, search: Search, limit: int = MATCH_LIMIT) -> Found:
    """Return where `search` matches; empty matches do not count."""
    if not search.wanted:
        return Found()
    try:
        pattern = compiled(search)
    except (re.error, OverflowError, RecursionError) as error:
        return Found(problem=str(error))
    spans: list[Span] = []
    for match in pattern.finditer(text):
        if match.end() == match.start():
            continue
        if len(spans) == limit:
            return Found(_in_u16(text, spans), is_cut=True)
        spans.append(match.span())
    return Found(_in_u16(text, spans))


def replacement(matched: str, search: Search, new: str) -> str:
    """Return what is put in place of one match; with a regular expression, `\\1` and `\\g<name>` stand for its groups.

    A replacement that names no group of the expression is put in as it is.
    """
    if not search.is_regex:
        return new
    match = compiled(search).fullmatch(matched)
    try:
        return match.expand(new) if match else new
    except (re.error, IndexError):
        return new


def _in_u16(text: str, spans: list[Span]) -> tuple[Span, ...]:
    if text.isascii() or not spans:
        return tuple(spans)
    astral = [match.start() for match in _ASTRAL.finditer(text)]
    if not astral:
        return tuple(spans)
    return tuple((start + bisect_left(astral, start), end + bisect_left(astral, end)) for start, end in spans)
