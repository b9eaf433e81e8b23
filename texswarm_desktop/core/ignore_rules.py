"""Which files of a folder are left out of the project: what a LaTeX run makes, and what `.gitignore` says.

All of it is in git's own patterns, and the last one that fits decides, in this order:

    build products    `BUILD_PRODUCTS`, unless the project has a list of its own
    .gitignore        from the repository's folder inwards
    leave_out         the project's own wish
    share             the project's wish to share what any of these would leave out

What is inside a folder that is left out is left out too, unless `share` names it. These rules keep files from being
brought in, and nothing else: what is in the project stays in it, as git does with what it tracks.

Files of other kinds than LaTeX is written with (`core.project_files`) are brought in only where `share` names them, and
only there they are written when somebody else shares them.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_PRODUCTS: Final = (
    # TeX, LaTeX and their engines
    "*.aux *.log *.lof *.lot *.loa *.lol *.toc *.out *.fls *.fdb_latexmk *.fmt *.fot *.cb *.cb2 .*.lb *.dvi *.xdv "
    "*.synctex *.synctex.gz *.synctex(busy) *.pdfsync texput.log *-converted-to.* "
    # bibliographies
    "*.bbl-SAVE-ERROR *.bcf *.bcf-SAVE-ERROR *.blg *-blx.aux *-blx.bib *.run.xml "
    # indexes and glossaries
    "*.idx *.ilg *.ind *.acn *.acr *.glg *.glo *.gls *.glsdefs *.slg *.slo *.sls *.nlg *.nlo *.nls *.xdy "
    # beamer, and packages that write beside the source
    "*.nav *.snm *.vrb *.pre *.thm *.spl *.maf *.mlf *.mlt *.mtc[0-9]* *.brf *.trc *.tdo *.lod *.end *.soc *.upa "
    "*.upb *.pyg *.auxlock *.table *.gnuplot *.loe *.listing *.xref *.ent *.wrt *.mw *.ptc *.xcp *.lox *.cut *.cpt "
    "*.sagetex.* *.scmd *.sout pythontex-files-*/ *.pytxcode *-tikzDictionary *-figure[0-9]*.dpth *.md5 _minted*/ "
    "svg-inkscape/ latex.out/ *.tmp "
    # editors
    "*~ *.swp *.swo *.bak *.bak[0-9]* *.sav *.autosave"
)
BUILD_PRODUCTS: Final = tuple(_PRODUCTS.split())

_MAX_LINES: Final = 20_000


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """What the people of this project wish to share or not, on this computer; patterns as in `.gitignore`."""

    share: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    build_products: tuple[str, ...] = BUILD_PRODUCTS


def decode_sharing(data: bytes) -> Sharing:
    """Read what `encode_sharing` wrote, or what somebody typed; raises ValueError."""
    return msgspec.json.decode(data, type=Sharing)


def encode_sharing(sharing: Sharing) -> bytes:
    """Return the file's content, laid out for people."""
    return msgspec.json.format(msgspec.json.encode(sharing), indent=2) + b"\n"


class IgnoreFile:
    """Patterns and the folder they are said in: relative to the project's with `/`, empty for the project's own.

    They are compiled when one is first asked, which takes a while: not by whoever only makes the rules.
    """

    def __init__(self, folder: str, lines: Iterable[str], *, above: str = "") -> None:
        """`above`: where the project's folder is, seen from the folder with the patterns, if they stand above it."""
        self._folder = f"{folder}/" if folder else ""
        self._above = f"{above}/" if above else ""
        self._lines = list(lines)[:_MAX_LINES]

    @cached_property
    def _spec(self) -> "GitIgnoreSpec":
        return _compiled(self._lines)

    def says(self, path: str) -> bool | None:
        """Say whether `path` (a folder's ends in `/`) is left out; None: nothing is said of it."""
        assert path.startswith(self._folder)
        return self._spec.check_file(self._above + path[len(self._folder) :]).include


class SharedOnPurpose:
    """Which files the people here wish to share, by the patterns of `Sharing.share`."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self.patterns = tuple(patterns)
        self._file = IgnoreFile("", _shared_patterns(patterns))

    def names(self, path: str) -> bool:
        """Say whether the file at `path` is wished for."""
        return bool(self.patterns) and self._file.says(path) is False


class IgnoreRules:
    """The rules of one project. `above`: the ignore files above the project's folder, outermost first."""

    def __init__(self, sharing: Sharing, above: Sequence[IgnoreFile] = ()) -> None:
        self._first = (IgnoreFile("", sharing.build_products), *above)
        self._leave_out = IgnoreFile("", sharing.leave_out)
        self.on_purpose = SharedOnPurpose(sharing.share)
        self._shared_paths = [pattern.strip("/").split("/") for pattern in sharing.share if "/" in pattern.rstrip("/")]

    def leaves_out(self, path: str, files: Sequence[IgnoreFile], *, is_inside: bool) -> bool:
        """Say whether `path` (a folder's ends in `/`) is left out.

        `files`: the ignore files of the folders it is in, outermost first. `is_inside`: its folder is left out.
        """
        if self.on_purpose.names(path):
            return False
        if is_inside:
            return True
        rules = (*self._first, *files, self._leave_out)
        return next((said for file in reversed(rules) if (said := file.says(path)) is not None), False)

    def may_share_inside(self, folder: str) -> bool:
        """Say whether something in a folder that is left out may be shared on purpose."""
        return any(_leads_to(folder.rstrip("/").split("/"), pattern) for pattern in self._shared_paths)


def _shared_patterns(patterns: Iterable[str]) -> list[str]:
    return [f"!{pattern}" for pattern in patterns if pattern and pattern[0] not in "!#"]


def _leads_to(folder: Sequence[str], pattern: Sequence[str]) -> bool:
    for name, part in zip(folder, pattern, strict=False):
        if part == "**":
            return True
        if not fnmatchcase(name, part):
            return False
    return True


def _compiled(lines: Sequence[str]) -> "GitIgnoreSpec":
    """Lines that are no pattern are passed over, as git does."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - takes a while to load

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
