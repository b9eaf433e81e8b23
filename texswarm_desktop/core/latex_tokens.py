"""Cuts one line of LaTeX or BibTeX into coloured parts, and says in which state the next line begins.

Pure, and made for a screen, not for TeX: a line is looked at once, from left to right, with a small integer that
carries what a line cannot show by itself (inside `\\[`, inside `verbatim`, …). Inline math ends at an empty line, as
a paragraph does, so that one forgotten dollar never colours more than its paragraph. Offsets are code points.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final

Token = tuple[int, int, "Kind"]
Tokenizer = Callable[[str, int], tuple[list[Token], int]]


class Kind(IntEnum):
    """What a part of a line is; the theme gives each a colour."""

    COMMENT = 0
    COMMAND = 1
    SECTION = 2
    HEADING = 3
    ENVIRONMENT = 4
    MATH = 5
    MATH_COMMAND = 6
    DELIMITER = 7
    BRACE = 8
    REFERENCE = 9
    VERBATIM = 10
    SPECIAL = 11
    FIELD = 12


NORMAL: Final = 0
INLINE_DOLLAR: Final = 1
INLINE_PAREN: Final = 2
DISPLAY_DOLLARS: Final = 3
DISPLAY_BRACKET: Final = 4
_FIRST_MATH_ENVIRONMENT: Final = 8
_FIRST_VERBATIM: Final = 64
_FIRST_COMMENT_ENVIRONMENT: Final = 96
#: Every state is below this, so that a state fits into seven bits.
STATE_LIMIT: Final = 128

_MATH_NAMES: Final = (
    "equation",
    "align",
    "gather",
    "multline",
    "eqnarray",
    "flalign",
    "alignat",
    "math",
    "displaymath",
)
_MATH_ENVIRONMENTS: Final = tuple(name + star for name in _MATH_NAMES for star in ("", "*"))
VERBATIM_ENVIRONMENTS: Final = ("verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "filecontents")
COMMENT_ENVIRONMENTS: Final = ("comment",)

_STATE_OF_ENVIRONMENT: Final = (
    {name: _FIRST_MATH_ENVIRONMENT + i for i, name in enumerate(_MATH_ENVIRONMENTS)}
    | {name: _FIRST_VERBATIM + i for i, name in enumerate(VERBATIM_ENVIRONMENTS)}
    | {name: _FIRST_COMMENT_ENVIRONMENT + i for i, name in enumerate(COMMENT_ENVIRONMENTS)}
)
_END_OF_STATE: Final = {
    state: re.compile(rf"\\end\s*\{{({re.escape(name)})\}}") for name, state in _STATE_OF_ENVIRONMENT.items()
}

_SECTIONS: Final = "part|chapter|section|subsection|subsubsection|paragraph|subparagraph|title|author|date"
_REFERENCES: Final = (
    "[a-zA-Z]*(?:cite|ref|label)[a-zA-Z]*|bibliography(?:style)?|input|include|includegraphics|usepackage"
    "|documentclass|url|href"
)

_TEXT: Final = re.compile(
    rf"""
      (?P<comment>%.*)
    | \\(?:verb|lstinline)\*?(?P<bar>[^a-zA-Z\s*{{])(?P<raw>.*?)(?P=bar)
    | \\(?:begin|end)\s*\{{(?P<environment>[^{{}}]*)\}}
    | \\(?:{_SECTIONS})(?![a-zA-Z])\*?(?:\[[^\]]*\])?\{{(?P<heading>[^{{}}]*)
    | \\(?:{_REFERENCES})(?![a-zA-Z])\*?(?:\[[^\]]*\])*\{{(?P<reference>[^{{}}%]*)
    | (?P<math>\$\$?|\\\[|\\\()
    | (?P<command>\\(?:[a-zA-Z@]+\*?|.))
    | (?P<brace>[{{}}\[\]])
    | (?P<special>[&~^_\#])
    """,
    re.VERBOSE,
)
_MATH: Final = re.compile(
    r"""
      (?P<comment>%.*)
    | \\(?:begin|end)\s*\{(?P<environment>[^{}]*)\}
    | \\(?:[a-zA-Z]*ref|label|tag)\{(?P<reference>[^{}]*)
    | (?P<close>\$\$?|\\\]|\\\))
    | (?P<command>\\(?:[a-zA-Z@]+\*?|.))
    | (?P<brace>[{}\[\]])
    | (?P<special>[&~^_])
    """,
    re.VERBOSE,
)
_OPENS_MATH: Final = {"$": INLINE_DOLLAR, "$$": DISPLAY_DOLLARS, r"\[": DISPLAY_BRACKET, r"\(": INLINE_PAREN}
_CLOSES_MATH: Final = {INLINE_DOLLAR: "$", DISPLAY_DOLLARS: "$$", DISPLAY_BRACKET: r"\]", INLINE_PAREN: r"\)"}
_MAY_CHANGE_NORMAL: Final = re.compile(r"\$|\\[\[(]|\\begin")


def tokenize_latex(line: str, state: int = NORMAL) -> tuple[list[Token], int]:
    """Return the parts of `line`, in order and without overlaps, and the state after it."""
    tokens: list[Token] = []
    if state in (INLINE_DOLLAR, INLINE_PAREN) and (not line or line.isspace()):
        return tokens, NORMAL
    at, end = 0, len(line)
    while at < end:
        if state == NORMAL:
            at, state = _text(line, at, tokens)
        elif state >= _FIRST_VERBATIM:
            at, state = _verbatim(line, at, state, tokens)
        else:
            at, state = _math(line, at, state, tokens)
    return tokens, state


def latex_state_after(line: str, state: int = NORMAL) -> int:
    """Return the state after `line`; the same as `tokenize_latex` says, but in most lines for almost nothing."""
    if state == NORMAL:
        if _MAY_CHANGE_NORMAL.search(line) is None:
            return NORMAL
    elif state >= _FIRST_MATH_ENVIRONMENT and "\\end" not in line:
        return state
    return tokenize_latex(line, state)[1]


def _text(line: str, at: int, tokens: list[Token]) -> tuple[int, int]:
    """Read on in text until math or verbatim begins, or the line ends."""
    for match in _TEXT.finditer(line, at):
        group = match.lastgroup
        if group == "math":
            start, stop = match.span()
            tokens.append((start, stop - start, Kind.DELIMITER))
            return stop, _OPENS_MATH[match[0]]
        if group == "environment":
            state = _environment(match, tokens)
            if state != NORMAL and line.startswith("\\begin", match.start()):
                return match.end(), state
        else:
            _append_text_token(match, group or "", tokens)
    return len(line), NORMAL


def _append_text_token(match: re.Match[str], group: str, tokens: list[Token]) -> None:
    start, stop = match.span()
    kind = _SIMPLE.get(group)
    if kind is not None:
        tokens.append((start, stop - start, kind))
    elif group == "raw":
        raw = match.start("bar")
        tokens += ((start, raw - start, Kind.COMMAND), (raw, stop - raw, Kind.VERBATIM))
    else:
        _append_argument(match, group, tokens)


def _append_argument(match: re.Match[str], group: str, tokens: list[Token]) -> None:
    """Colour `\\name[…]{argument`: the name, what is between, the argument."""
    command, argument = _ARGUMENTS[group]
    start, (inner, stop) = match.start(), match.span(group)
    name_end = _name_end(match[0]) + start
    tokens.append((start, name_end - start, command))
    if inner - 1 > name_end:
        tokens += ((name_end, 1, Kind.BRACE), (inner - 2, 1, Kind.BRACE))
    tokens.append((inner - 1, 1, Kind.BRACE))
    if stop > inner:
        tokens.append((inner, stop - inner, argument))


def _name_end(text: str) -> int:
    at = 1
    while at < len(text) and text[at].isalpha():
        at += 1
    return at + 1 if text.startswith("*", at) else at


def _environment(match: re.Match[str], tokens: list[Token]) -> int:
    """Colour `\\begin{name}` or `\\end{name}` and return the state that `name` begins."""
    start, (inner, stop) = match.start(), match.span("environment")
    tokens += ((start, inner - 1 - start, Kind.COMMAND), (inner - 1, 1, Kind.BRACE))
    if stop > inner:
        tokens.append((inner, stop - inner, Kind.ENVIRONMENT))
    tokens.append((stop, 1, Kind.BRACE))
    return _STATE_OF_ENVIRONMENT.get(match["environment"], NORMAL)


def _verbatim(line: str, at: int, state: int, tokens: list[Token]) -> tuple[int, int]:
    kind = Kind.COMMENT if state >= _FIRST_COMMENT_ENVIRONMENT else Kind.VERBATIM
    found = _END_OF_STATE[state].search(line, at)
    stop = found.start() if found else len(line)
    if stop > at:
        tokens.append((at, stop - at, kind))
    return (stop, NORMAL) if found else (stop, state)


def _math(line: str, at: int, state: int, tokens: list[Token]) -> tuple[int, int]:
    """Read on in math until it closes; what is between commands, letters and numbers, is coloured as math."""
    for match in _MATH.finditer(line, at):
        start, stop = match.span()
        if start > at:
            tokens.append((at, start - at, Kind.MATH))
        at = stop
        group = match.lastgroup
        if group == "close":
            if state == INLINE_DOLLAR and match[0] == "$$":
                stop = start + 1
            tokens.append((start, stop - start, Kind.DELIMITER))
            if _is_end_of(state, match[0]):
                return stop, NORMAL
        elif group == "environment":
            _environment(match, tokens)
            if _is_end_environment(line, start, match["environment"], state):
                return stop, NORMAL
        elif group == "reference":
            _append_argument(match, group, tokens)
        else:
            kind = Kind.MATH_COMMAND if group == "command" else _SIMPLE[group or ""]
            tokens.append((start, stop - start, kind))
    if at < len(line):
        tokens.append((at, len(line) - at, Kind.MATH))
    return len(line), state


def _is_end_of(state: int, delimiter: str) -> bool:
    if state == INLINE_DOLLAR:
        return delimiter.startswith("$")
    return _CLOSES_MATH.get(state) == delimiter


def _is_end_environment(line: str, start: int, name: str, state: int) -> bool:
    return line.startswith("\\end", start) and _STATE_OF_ENVIRONMENT.get(name) == state


_SIMPLE: Final = {
    "comment": Kind.COMMENT,
    "command": Kind.COMMAND,
    "brace": Kind.BRACE,
    "special": Kind.SPECIAL,
}
_ARGUMENTS: Final = {
    "heading": (Kind.SECTION, Kind.HEADING),
    "reference": (Kind.COMMAND, Kind.REFERENCE),
}

_BIBTEX: Final = re.compile(
    r"""
      (?P<comment>^\s*%.*)
    | (?P<entry>@[a-zA-Z]+)\s*[{(]\s*(?P<key>[^\s,={}"]*)
    | ^\s*(?P<field>[a-zA-Z][\w-]*)\s*=
    | (?P<command>\\(?:[a-zA-Z]+|.))
    | (?P<brace>[{}"])
    """,
    re.VERBOSE,
)
_BIBTEX_KINDS: Final = {
    "comment": Kind.COMMENT,
    "entry": Kind.SECTION,
    "key": Kind.REFERENCE,
    "field": Kind.FIELD,
    "command": Kind.COMMAND,
    "brace": Kind.BRACE,
}


def tokenize_bibtex(line: str, _state: int = NORMAL) -> tuple[list[Token], int]:
    """Return the parts of one line of a bibliography; no state is carried."""
    tokens: list[Token] = []
    for match in _BIBTEX.finditer(line):
        for group, kind in _BIBTEX_KINDS.items():
            start, stop = match.span(group)
            if stop > start:
                tokens.append((start, stop - start, kind))
    return tokens, NORMAL


def tokenize_plain(_line: str, _state: int = NORMAL) -> tuple[list[Token], int]:
    """Return nothing to colour: a file of unknown kind."""
    return [], NORMAL


def tokenizer_for(path: str) -> Tokenizer:
    """Return the tokenizer for a file, by the ending of its name."""
    suffix = path.rpartition(".")[2].lower()
    if suffix in {"tex", "sty", "cls", "ltx", "dtx", "tikz", "bbl"}:
        return tokenize_latex
    return tokenize_bibtex if suffix == "bib" else tokenize_plain
