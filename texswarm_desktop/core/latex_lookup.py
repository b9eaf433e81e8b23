"""Which file of a project a name in a source means: TeX's own guesses at endings and folders. Pure.

TeX runs in the folder of the main file. What is found nowhere in the project may belong to the TeX distribution, as
most packages do; a figure or a chapter does not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from texswarm_desktop.core.latex_references import Need

#: In the order in which they are tried: pdfTeX's, then those that are converted.
GRAPHICS: Final = (".pdf", ".png", ".jpg", ".mps", ".jpeg", ".jbig2", ".jb2", ".eps", ".ps", ".svg")
#: What the TeX distribution may have, so that nothing is missing where the project has it not.
_FROM_ELSEWHERE: Final = frozenset(
    {Need.CLASS, Need.PACKAGE, Need.BIB_STYLE, Need.BIBLATEX_STYLE, Need.TIKZ_LIBRARY, Need.MAYBE}
)
_INPUTS_FROM_ELSEWHERE: Final = frozenset(
    ("binhex", "epsf", "glyphtounicode", "insdljs", "pgf", "pgfplots", "pstricks", "tikz", "xy", "xypic")
)


@dataclass(frozen=True, slots=True)
class Found:
    """The files that a name means; `is_exact`: with this very letter case."""

    paths: tuple[str, ...]
    is_exact: bool = True


class Lookup:
    """The paths of a project, and the main file in it."""

    def __init__(self, paths: Iterable[str], main: str) -> None:
        self._paths = frozenset(paths)
        self._folded: dict[str, str] = {}
        for path in sorted(self._paths, reverse=True):
            self._folded[path.casefold()] = path
        self.root = folder_of(main)

    def find(self, need: Need, name: str, folders: Sequence[str]) -> Found:
        """Return the files that `name` means, looked for in `folders` of the project, the main file's first."""
        choices = _choices(need, name)
        for folder in folders:
            found = [path for path in (joined(folder, choice) for choice in choices) if path in self._paths]
            if found:
                return Found(_first_or_all(need, found))
        for folder in folders:
            paths = (joined(folder, choice) for choice in choices)
            same = [self._folded[path.casefold()] for path in paths if path and path.casefold() in self._folded]
            if same:
                return Found(_first_or_all(need, same), is_exact=False)
        return Found(())

    def matching(self, need: Need, pattern: str, folders: Sequence[str]) -> Found:
        """Return the files that a name with stars in it may mean."""
        has_ending = "." in pattern.rpartition("/")[2]
        choices = [choice for choice in _choices(need, pattern) if has_ending or choice != pattern]
        patterns = [joined(folder, choice) for folder in folders for choice in choices]
        found = {path for pattern in patterns if pattern for path in self._paths if fnmatchcase(path, pattern)}
        return Found(tuple(sorted(found)))


def may_be_elsewhere(need: Need, name: str) -> bool:
    """Say whether a name that the project does not have may be one of the TeX distribution's."""
    if need in _FROM_ELSEWHERE:
        return True
    if need is Need.GRAPHICS:
        return name.startswith("example-")
    return need is Need.INPUT and name.removesuffix(".tex") in _INPUTS_FROM_ELSEWHERE


def joined(folder: str, name: str) -> str:
    """Return `name` as a path of the project, seen from `folder`; empty when it leads out of the project."""
    parts = [part for part in folder.split("/") if part]
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def folder_of(path: str) -> str:
    """Return the folder of a path, empty for the project's own."""
    return path.rpartition("/")[0]


def _first_or_all(need: Need, found: Sequence[str]) -> tuple[str, ...]:
    takes_all = need in {Need.BIBLATEX_STYLE, Need.TIKZ_LIBRARY, Need.CLASS, Need.PACKAGE}
    return tuple(found) if takes_all else (found[0],)


def _choices(need: Need, name: str) -> tuple[str, ...]:
    """Return the names that are tried, in order."""
    if need in {Need.INPUT, Need.SUBFILE, Need.IMPORT, Need.MAYBE}:
        return (f"{name}.tex", name)
    if need is Need.GRAPHICS:
        return (name, *(name + ending for known in GRAPHICS for ending in (known, known.upper())))
    if need is Need.STANDALONE:
        return (f"{name}.tex", *(name + ending for ending in GRAPHICS))
    if need is Need.SERIES:
        return tuple(f"{name}*{ending}" for ending in GRAPHICS)
    if need is Need.BIBLIOGRAPHY:
        return (name,) if name.endswith(".bib") else (f"{name}.bib", name)
    return tuple(form.format(name) for form in _FORMS[need])


_FORMS: Final = {
    Need.INCLUDE: ("{}.tex",),
    Need.BIB_STYLE: ("{}.bst",),
    Need.BIBLATEX_STYLE: ("{}.bbx", "{}.cbx", "{}.dbx", "{}.lbx"),
    Need.CLASS: ("{}.cls", "{}.cfg"),
    Need.PACKAGE: ("{}.sty", "{}.cfg"),
    Need.TIKZ_LIBRARY: ("tikzlibrary{}.code.tex", "pgflibrary{}.code.tex"),
    Need.EXACT: ("{}", "{}.tex"),
}
