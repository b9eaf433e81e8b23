"""Puts the files that a source reads into the source, so that TeX sees the same as before. Pure.

A file that is put in begins on a line of its own, as TeX begins it, and ends as it ended: a comment in its last line
must not swallow what follows, and no empty line may come about that was none, as it would be a paragraph's end. What
cannot be put in safely stays a file: within braces (an argument of a macro), where only a condition ends the file, in
another encoding, and files that read themselves. One thing does change: where a paragraph goes on after a file, TeX saw
two spaces, the end of the file's line and that of the `\\input`, and now sees one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from texswarm_desktop.core.latex_mask import Source, read_source
from texswarm_desktop.core.latex_references import Need, Reference
from texswarm_desktop.core.latex_uses import Use

_ENDINGS: Final = (".tex", ".ltx", ".latex", ".tikz")
#: Files that read two others, which read two others: a few lines that would fill a memory.
_MOST_CHARS: Final = 50_000_000
#: TeX itself does not go deeper.
_MOST_DEEP: Final = 15
_CONDITIONAL_END: Final = "\\endinput"
#: A command in letters swallows the blanks after it, and the end of the line.
_LAST_COMMAND: Final = re.compile(r"(?<!\\)(?:\\\\)*\\[a-zA-Z@]+[ \t]*\n?\Z")

NewName = Callable[[Use], str | None]
"""Says by which name a use finds its file from now on, None where the old one does."""


class Flattener:
    """Makes one text of a source and what it reads. `flattened`: the files that are in it."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        uses: Mapping[str, Iterable[Use]],
        *,
        alike: frozenset[str],
        new_name: NewName,
        keeps_includes: bool,
    ) -> None:
        """`alike`: the sources in the main file's encoding. `keeps_includes`: an `\\include` stays one."""
        self._sources = sources
        self._uses = uses
        self._alike = alike
        self._new_name = new_name
        self._keeps_includes = keeps_includes
        self._left_chars = _MOST_CHARS
        self.flattened: list[str] = []
        self.kept: set[str] = set()

    def text_of(self, path: str, above: tuple[str, ...] = (), *, puts_in: bool = True) -> str:
        """Return the text of `path`, its names as they are now, with everything in it that can be."""
        source = self._sources[path]
        pieces = _Pieces()
        at = 0
        for use in sorted(self._uses[path], key=lambda use: use.reference.name_span):
            start, stop = use.reference.span
            if start < at and use.reference.name_span[0] < at:
                continue
            child = self._child(use, (*above, path)) if puts_in else None
            if child is not None:
                pieces.add(source.text[at:start])
                at = self._put_in(pieces, source, use.reference, self.text_of(child, (*above, path)), stop)
                self.flattened.append(child)
                continue
            self.kept.update(use.found.paths)
            new = self._new_name(use)
            if new is not None:
                name_start, name_stop = use.reference.name_span
                pieces.add(source.text[at:name_start] + new)
                at = name_stop
        pieces.add(source.text[at : max(at, source.end)])
        return pieces.text()

    def _child(self, use: Use, above: tuple[str, ...]) -> str | None:
        """Return the file that takes the place of a use, None where it must stay a file."""
        need, depth = use.reference.need, use.reference.depth
        if need is not Need.INPUT and (need is not Need.INCLUDE or self._keeps_includes or len(above) > 1):
            return None
        if depth or len(use.found.paths) != 1 or use.is_computed or len(above) > _MOST_DEEP:
            return None
        (path,) = use.found.paths
        source = self._sources.get(path)
        if source is None or path in above or path not in self._alike or not path.lower().endswith(_ENDINGS):
            return None
        if _CONDITIONAL_END in source.masked[: source.end] or len(source.text) > self._left_chars:
            return None
        self._left_chars -= len(source.text) + 1
        return path

    @staticmethod
    def _put_in(pieces: "_Pieces", source: Source, reference: Reference, child: str, stop: int) -> int:
        """Add a file's text in place of what reads it, and return where the source goes on."""
        if pieces.last_line().strip():
            pieces.add("%\n")
        end_of_line = source.text.find("\n", stop)
        rest = source.text[stop : end_of_line if end_of_line >= 0 else len(source.text)]
        page = f"\\clearpage\n{child.rstrip()}\n\\clearpage\n" if reference.need is Need.INCLUDE else ""
        if rest and not rest[0].isspace():
            pieces.add(page or (child if child.endswith("\n") else f"{child or '%'}\n"))
            return stop
        body = page or _ending_in_space(child)
        if rest.strip():
            pieces.add(body)
            return stop + len(rest) - len(rest.lstrip())
        pieces.add(body.removesuffix("\n"))
        return stop + len(rest)


class _Pieces:
    """A text that grows at its end."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        if text:
            self._pieces.append(text)

    def text(self) -> str:
        return "".join(self._pieces)

    def last_line(self) -> str:
        """Return what stands in the last line so far."""
        line = ""
        for piece in reversed(self._pieces):
            head, newline, tail = piece.rpartition("\n")
            line = (tail if newline else head + tail) + line
            if newline:
                break
        return line


def _ending_in_space(text: str) -> str:
    """Return a text at whose end TeX sees a space, as it did at the end of the line that read the file."""
    text = _without_last_comment(text)
    if not text or _LAST_COMMAND.search(text):
        return text.removesuffix("\n") + "\\space\n"
    return text if text.endswith("\n") else f"{text}\n"


def _without_last_comment(text: str) -> str:
    """Return a text whose last line is no comment and has none: its end is the space that TeX sees."""
    while "%" in (last := text.removesuffix("\n").rpartition("\n")[2]):
        line = len(text.removesuffix("\n")) - len(last)
        start = next((start for start, _ in reversed(read_source(text).comments) if start >= line), None)
        if start is None:
            break
        if text[line:start].strip():
            return text[:start].rstrip() + "\n"
        text = text[:line]
    return text
