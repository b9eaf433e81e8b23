"""Finds in a LaTeX source the names of the files it needs. Pure.

What is looked at is what TeX reads (`latex_mask`); commands are known by name, not carried out. Dead branches of a
condition count as used, a name that a macro puts together becomes a pattern, and `core.latex_lookup` says which file is
meant.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from texswarm_desktop.core.latex_mask import Source, Span


class Need(Enum):
    """What a name stands for: it decides where the file is looked for, and under which endings."""

    INPUT = "input"
    INCLUDE = "include"
    SUBFILE = "subfile"
    IMPORT = "import"
    MAYBE = "maybe"
    STANDALONE = "standalone"
    GRAPHICS = "graphics"
    SERIES = "series"
    BIBLIOGRAPHY = "bibliography"
    BIB_STYLE = "bib_style"
    BIBLATEX_STYLE = "biblatex_style"
    CLASS = "class"
    PACKAGE = "package"
    TIKZ_LIBRARY = "tikz_library"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Reference:
    """One name in a source. `name_span`: where it stands; `span`: the whole command with its arguments.

    `folder`: what it is said to be relative to. `depth`: how many braces are open around it.
    """

    need: Need
    name: str
    name_span: Span
    span: Span
    depth: int
    folder: str = ""


@dataclass(frozen=True, slots=True)
class _Command:
    """How a command is read: the argument with the name, that with the folder, whether it is a list of names."""

    need: Need
    argument: int = 0
    folder: int | None = None
    is_list: bool = False
    form: str = "{}"


_SIMPLE: Final[Mapping[Need, str]] = {
    Need.INPUT: "input",
    Need.INCLUDE: "include",
    Need.SUBFILE: "subfile subfileinclude",
    Need.MAYBE: "InputIfFileExists IfFileExists",
    Need.STANDALONE: "includestandalone",
    Need.GRAPHICS: "includegraphics includesvg includepdf includepdfmerge pgfimage adjustimage adjincludegraphics "
    "epsfbox epsffile",
    Need.BIB_STYLE: "bibliographystyle",
    Need.CLASS: "documentclass LoadClass LoadClassWithOptions",
    Need.EXACT: "lstinputlisting verbatiminput VerbatimInput BVerbatimInput LVerbatimInput verbatimtabinput "
    "pgfplotstableread pgfplotstabletypeset csvreader csvautotabular csvautolongtable csvautobooktabular "
    "csvautobooklongtable loadglsentries",
}
_LISTS: Final[Mapping[Need, str]] = {
    Need.BIBLIOGRAPHY: "bibliography addbibresource addglobalbib addsectionbib nobibliography",
    Need.PACKAGE: "usepackage RequirePackage RequirePackageWithOptions",
    Need.TIKZ_LIBRARY: "usetikzlibrary usepgflibrary",
}
_THEMES: Final = {
    "usetheme": "beamertheme{}",
    "usecolortheme": "beamercolortheme{}",
    "usefonttheme": "beamerfonttheme{}",
    "useinnertheme": "beamerinnertheme{}",
    "useoutertheme": "beameroutertheme{}",
}
_COMMANDS: Final[Mapping[str, _Command]] = (
    {name: _Command(need) for need, names in _SIMPLE.items() for name in names.split()}
    | {name: _Command(need, is_list=True) for need, names in _LISTS.items() for name in names.split()}
    | {name: _Command(Need.PACKAGE, is_list=True, form=form) for name, form in _THEMES.items()}
    | {
        name: _Command(Need.IMPORT, argument=1, folder=0)
        for name in ("import", "subimport", "includefrom", "subincludefrom", "inputfrom", "subinputfrom")
    }
    | {name: _Command(Need.EXACT, argument=1) for name in ("inputminted", "listinginput", "DTLloaddb")}
    | {"pgfdeclareimage": _Command(Need.GRAPHICS, argument=1), "animategraphics": _Command(Need.SERIES, argument=1)}
)
_COMMAND: Final = re.compile(
    rf"\\(?P<name>{'|'.join(sorted(_COMMANDS, key=len, reverse=True))})(?![a-zA-Z@])\*?"
    r"|\\begin\s*\{(?P<overpic>overpic\*?)\}"
    r"|\\(?:addplot[+3]?\*?)(?![a-zA-Z@])(?P<plot>[^;]*)"
)
_PLOTTED: Final = re.compile(r"\b(table|graphics)\s*(?:\[[^\]]*\]\s*)?\{([^{}\\\n]+)\}")
_BARE_NAME: Final = re.compile(r"\s+([^\s{}\\%#]+)")
_PATHS: Final = re.compile(r"\\(?:graphicspath|svgpath)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_WRITTEN: Final = re.compile(r"\\begin\s*\{filecontents\*?\}\s*(?:\[[^\]]*\]\s*)?\{([^{}]+)\}")
_MACRO: Final = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand)\*?\s*\{?\s*\\([a-zA-Z@]+)\s*\}?\s*\{([^{}#]*)\}"
    r"|\\def\s*\\([a-zA-Z@]+)\s*\{([^{}#]*)\}"
)
_CALL: Final = re.compile(r"\\([a-zA-Z@]+)\s*(?:\{\})?|#\d")
_ESCAPE_OR_BRACE: Final = re.compile(r"\\.|[{}]", re.DOTALL)
_BIBLATEX: Final = re.compile(r"\\(?:usepackage|RequirePackage)\s*\[([^\]]*)\]\s*\{biblatex\}")
_BIBLATEX_STYLE: Final = re.compile(r"(?:bib|cite)?style\s*=\s*\{?([\w.-]+)")
_EXPANSIONS: Final = 8


def references(source: Source) -> Iterator[Reference]:
    """Yield what a source refers to, in order."""
    depths = _Depths(source.masked)
    for match in _COMMAND.finditer(source.masked):
        depth = depths.at(match.start())
        if match["plot"] is not None:
            yield from _plotted(source, match, depth)
        elif match["overpic"] is not None:
            yield from _of_command(source, match, _Command(Need.GRAPHICS), depth)
        else:
            yield from _of_command(source, match, _COMMANDS[match["name"]], depth)
    yield from _biblatex_styles(source)


def graphics_folders(source: Source) -> list[str]:
    """Return the folders in which a source looks for figures."""
    return [
        folder.strip()
        for match in _PATHS.finditer(source.masked)
        for folder in re.findall(r"\{([^{}]*)\}", match[1]) or [match[1]]
    ]


def written_files(source: Source) -> list[str]:
    """Return the files that a source writes itself before it reads them."""
    return [name.strip() for name in _WRITTEN.findall(source.text)]


def simple_macros(source: Source) -> dict[str, str]:
    """Return the macros without arguments that a source defines, as those that hold a folder's name are."""
    found = {}
    for match in _MACRO.finditer(source.masked):
        found[match[1] or match[3]] = (match[2] if match[1] else match[4]) or ""
    return found


def expanded(name: str, macros: Mapping[str, str]) -> str:
    """Return a name with its macros carried out, as far as they are known."""
    for _ in range(_EXPANSIONS):
        once = _CALL.sub(lambda match: macros.get(match[1] or "", match[0]), name)
        if once == name:
            break
        name = once
    return name.replace('"', "").strip()


def is_computed(name: str) -> bool:
    """Say whether a name still has something in it that only TeX knows."""
    return _CALL.search(name) is not None


def as_pattern(name: str) -> str | None:
    """Return a computed name with a star where only TeX knows more; None when too little would be left."""
    pattern = _CALL.sub("*", name)
    fixed = pattern.replace("*", "").replace(".", "").replace("/", "")
    return pattern if len(fixed) > 1 else None


def _of_command(source: Source, match: "re.Match[str]", command: _Command, depth: int) -> Iterator[Reference]:
    spans, end = _arguments(source.masked, match.end(), command.argument + 1)
    if len(spans) <= command.argument:
        if command.need is not Need.INPUT or (bare := _BARE_NAME.match(source.masked, match.end())) is None:
            return
        spans, end = [bare.span(1)], bare.end()
    start, stop = spans[command.argument]
    folder = source.masked[slice(*spans[command.folder])].strip() if command.folder is not None else ""
    for span in _listed(source.masked, start, stop) if command.is_list else [_stripped(source.masked, start, stop)]:
        name = source.masked[slice(*span)]
        if name and "\n" not in name:
            yield Reference(command.need, command.form.format(name), span, (match.start(), end), depth, folder)


def _plotted(source: Source, match: "re.Match[str]", depth: int) -> Iterator[Reference]:
    for found in _PLOTTED.finditer(source.masked, *match.span("plot")):
        need = Need.EXACT if found[1] == "table" else Need.GRAPHICS
        yield Reference(need, found[2].strip(), found.span(2), found.span(), depth)


def _biblatex_styles(source: Source) -> Iterator[Reference]:
    for match in _BIBLATEX.finditer(source.masked):
        for found in _BIBLATEX_STYLE.finditer(source.masked, *match.span(1)):
            yield Reference(Need.BIBLATEX_STYLE, found[1], found.span(1), match.span(), 0)


def _arguments(text: str, at: int, count: int) -> tuple[list[Span], int]:
    """Return the first arguments in braces, whatever options in brackets stand between, and where they end."""
    spans: list[Span] = []
    while len(spans) < count:
        start = _next_printed(text, at)
        opening = text[start : start + 1]
        if opening not in {"{", "["} or (opening == "[" and "\n\n" in text[at:start]):
            break
        stop = _closing(text, start)
        if stop is None:
            break
        if opening == "{":
            spans.append((start + 1, stop))
        at = stop + 1
    return spans, at


def _next_printed(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _closing(text: str, start: int) -> int | None:
    """Return where the brace or bracket at `start` closes, None when it does not."""
    ends = "}" if text[start] == "{" else "]"
    depth = 0
    for match in re.compile(r"\\.|[{}\]]", re.DOTALL).finditer(text, start + 1):
        if match[0] == ends and depth == 0:
            return match.start()
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            return None
    return None


def _listed(text: str, start: int, stop: int) -> Iterator[Span]:
    for match in re.compile(r"[^,]+").finditer(text, start, stop):
        span = _stripped(text, *match.span())
        if span[0] < span[1]:
            yield span


def _stripped(text: str, start: int, stop: int) -> Span:
    while start < stop and text[start].isspace():
        start += 1
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    return start, stop


class _Depths:
    """How many braces are open at rising places of a text."""

    def __init__(self, text: str) -> None:
        self._braces = _ESCAPE_OR_BRACE.finditer(text)
        self._next = next(self._braces, None)
        self._depth = 0

    def at(self, place: int) -> int:
        """Return the depth at `place`, which must not be before the last one asked for."""
        while self._next is not None and self._next.start() < place:
            self._depth += {"{": 1, "}": -1}.get(self._next[0], 0)
            self._next = next(self._braces, None)
        return max(0, self._depth)
