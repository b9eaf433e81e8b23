"""Finds the file LaTeX is run on among those of a project that comes from elsewhere. Pure."""

import re
from collections.abc import Mapping
from typing import Final

_CLASS: Final = re.compile(r"^[^%\n]*?\\documentclass\s*(?:\[[^\]]*\]\s*)?\{\s*([\w-]+)", re.MULTILINE)
_BODY: Final = re.compile(r"^[^%\n]*?\\begin\s*\{document\}", re.MULTILINE)
#: Classes of files that are parts of another document, though they can be run by themselves.
_PARTS: Final = frozenset({"subfiles", "standalone"})
_USUAL: Final = ("main", "ms", "paper", "article", "manuscript", "thesis", "book", "report")
_ENDINGS: Final = (".tex", ".ltx", ".latex")


def main_candidate(texts: Mapping[str, str]) -> str | None:
    """Return the path of the main file among `texts` (path, text), or None when none of them can be it.

    What begins a document comes before what only has a class (a preamble has), what has a class before what reads it
    from elsewhere, then what is near the root, what has a usual name, what is longest.
    """
    sources = {path: text for path, text in texts.items() if path.lower().endswith(_ENDINGS)}
    found = [path for path, text in sources.items() if _class_in(text) or _has_body(text)]
    return min(found, key=lambda path: _rank(path, texts[path]), default=None)


def _rank(path: str, text: str) -> tuple[bool, bool, bool, int, int, int, str]:
    match = _class_in(text)
    is_part = match is not None and match[1] in _PARTS
    stem = path.rpartition("/")[2].rpartition(".")[0].lower()
    place = _USUAL.index(stem) if stem in _USUAL else len(_USUAL)
    return is_part, not _has_body(text), match is None, path.count("/"), place, -len(text), path


def _class_in(text: str) -> "re.Match[str] | None":
    return _CLASS.search(text) if "\\documentclass" in text else None


def _has_body(text: str) -> bool:
    return "{document}" in text and _BODY.search(text) is not None
