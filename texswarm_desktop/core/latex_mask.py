"""Tells what TeX reads in a source from what it does not: comments, and text that is shown as it stands.

The cut into colours (`latex_tokens`) is made for a screen and may be wrong by a word; here an answer decides what is
thrown away, so that this follows TeX more closely: a per cent sign in a web address is no comment, and a source may
name environments of its own for text as it stands. Offsets are code points. Pure.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from texswarm_desktop.core.latex_tokens import COMMENT_ENVIRONMENTS, VERBATIM_ENVIRONMENTS

Span = tuple[int, int]

_MORE_VERBATIM: Final = (
    "alltt",
    "BVerbatim",
    "BVerbatim*",
    "LVerbatim",
    "LVerbatim*",
    "SaveVerbatim",
    "Verbatim*",
    "filecontents*",
    "lstlisting*",
    "minted*",
    "tcblisting",
    "pycode",
    "luacode",
    "luacode*",
)
_DEFINES_VERBATIM: Final = re.compile(
    r"\\(?:lstnewenvironment|(?:Custom|Recustom|Define)VerbatimEnvironment|newtcblisting|newmintedfile|newverbatim)"
    r"\s*(?:\[[^\]]*\]\s*)?\{\s*([A-Za-z@*]+)\s*\}"
)
_RAW_ARGUMENT: Final = r"url|path|nolinkurl|href|hyperref|lstinline|Verb|mintinline(?:\[[^\]\n]*\])?\{\w*\}"
#: One that stands in a condition does not always end the file.
_END: Final = re.compile(r"\\end\s*\{document\}|^[^\S\n]*(?P<input>\\endinput)[^\S\n]*$", re.MULTILINE)
_BRACES: Final = re.compile(r"\\.|[{}\n]", re.DOTALL)
#: Comments that a program reads.
_SPOKEN: Final = re.compile(r"%&|%\s*auto-ignore|%\s*!\s*(?:TeX|BIB)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A source and what in it is not read. `masked`: the same text with blanks there, of the same length.

    `end`: where TeX stops reading: after the end of the document, or before an `\\endinput` on a line of its own.
    """

    text: str
    masked: str
    comments: tuple[Span, ...]
    end: int


def verbatim_names(texts: Iterable[str]) -> frozenset[str]:
    """Return the environments that these sources define for text as it stands."""
    return frozenset(name for text in texts for name in _DEFINES_VERBATIM.findall(text))


def read_source(text: str, verbatim: Iterable[str] = ()) -> Source:
    """Look through a source; `verbatim`: names of further environments for text as it stands."""
    comments: list[Span] = []
    raw: list[Span] = []
    for is_comment, span in _unread(text, _pattern(verbatim)):
        (comments if is_comment else raw).append(span)
    masked = _blanked(text, sorted(comments + raw))
    ended = _END.search(masked)
    by_input = ended is not None and ended["input"] is not None
    end = len(text) if ended is None else ended.start() if by_input else _end_of_line(text, ended.end())
    return Source(text, masked[:end] + " " * (len(text) - end), tuple(comments), end)


def without_comments(source: Source) -> str:
    """Return the text without its comments, and without what follows the end of the document.

    A line that is nothing but a comment goes; where one ends a line, its per cent sign stays, as the line's end would
    be a space otherwise.
    """
    kept, at = [], 0
    for start, stop in source.comments:
        if start >= source.end:
            break
        if _SPOKEN.match(source.text, start):
            continue
        line = source.text.rfind("\n", 0, start) + 1
        if source.text[line:start].strip() or source.masked[line:start].strip() or line < at:
            kept.append(source.text[at : start + 1])
            at = stop
        else:
            kept.append(source.text[at:line])
            at = min(stop + 1, len(source.text))
    kept.append(source.text[at : max(at, source.end)])
    return "".join(kept)


def _pattern(verbatim: Iterable[str]) -> "re.Pattern[str]":
    names = "|".join(re.escape(name) for name in {*VERBATIM_ENVIRONMENTS, *_MORE_VERBATIM, *verbatim})
    comments = "|".join(re.escape(name) for name in COMMENT_ENVIRONMENTS)
    return re.compile(
        rf"""
          (?P<comment>%[^\n]*)
        | \\begin\s*\{{(?P<shown>{names})\}}
        | \\begin\s*\{{(?P<hidden>{comments})\}}
        | \\(?:verb|lstinline|Verb)(?![a-zA-Z])\*?(?:\[[^\]\n]*\])?(?P<bar>[^a-zA-Z\s*{{\[])(?P<raw>[^\n]*?)(?P=bar)
        | \\(?:{_RAW_ARGUMENT})(?![a-zA-Z])\s*(?:\[[^\]\n]*\])?(?P<open>\{{)
        | \\.
        """,
        re.VERBOSE | re.DOTALL,
    )


def _unread(text: str, pattern: "re.Pattern[str]") -> Iterator[tuple[bool, Span]]:
    """Yield the spans that TeX does not read as it reads the rest, in order; True for what may be thrown away."""
    at = 0
    while (match := pattern.search(text, at)) is not None:
        at = match.end()
        group = match.lastgroup
        if group == "comment":
            yield True, match.span()
        elif group == "shown":
            at = _end_of_environment(text, at, match[group])
            yield False, (match.end(), at)
        elif group == "hidden":
            at = _end_of_environment(text, at, match[group])
            whole = match.start(), text.find("}", at) + 1 or len(text)
            is_alone = _is_alone(text, whole)
            yield is_alone, whole if is_alone else (match.end(), at)
        elif group == "raw":
            yield False, match.span("raw")
        elif group == "open":
            at = _end_of_argument(text, at)
            if "%" in text[match.end() : at]:
                yield False, (match.end(), at)


def _is_alone(text: str, span: Span) -> bool:
    """Say whether nothing else stands in the lines of `span`."""
    before, after = text[: span[0]].rpartition("\n")[2], text[span[1] :].partition("\n")[0]
    return not before.strip() and not after.strip()


def _end_of_environment(text: str, at: int, name: str) -> int:
    found = re.compile(rf"\\end\s*\{{{re.escape(name)}\}}").search(text, at)
    return found.start() if found is not None else len(text)


def _end_of_argument(text: str, at: int) -> int:
    """Return where the brace that is open at `at` closes; one that is open at the end of its line is left alone."""
    depth = 1
    for match in _BRACES.finditer(text, at):
        if match[0] == "\n":
            break
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return at


def _blanked(text: str, spans: Iterable[Span]) -> str:
    parts, at = [], 0
    for start, stop in spans:
        parts.append(text[at:start])
        parts.append("".join("\n" if character == "\n" else " " for character in text[start:stop]))
        at = stop
    parts.append(text[at:])
    return "".join(parts)


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return found + 1 if found >= 0 else len(text)
