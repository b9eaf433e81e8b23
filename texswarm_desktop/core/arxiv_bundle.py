"""Decides what goes into a bundle for arXiv, under which names, and what is to be said about it. Pure.

arXiv runs LaTeX by itself, in the bundle's own folder, without further programs: it takes only plain names, needs the
`.bbl` that BibTeX or Biber made, and publishes the sources, comments and all. Rules: arXiv's help on submitting
(La)TeX, on file names and on the `00README`.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from texswarm_desktop.core.latex_flatten import Flattener
from texswarm_desktop.core.latex_lookup import folder_of
from texswarm_desktop.core.latex_mask import read_source, verbatim_names, without_comments
from texswarm_desktop.core.latex_references import Need
from texswarm_desktop.core.latex_uses import Use, Uses, follow


class Advice(StrEnum):
    """What the author should know before the bundle is sent."""

    BBL_MISSING = "bbl_missing"
    BBL_OLD = "bbl_old"
    INDEX_MISSING = "index_missing"
    ABSOLUTE = "absolute"
    COMPUTED = "computed"
    NEEDS_SHELL = "needs_shell"
    CASE = "case"
    NOT_RENAMED = "not_renamed"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Remark:
    """One piece of advice, and what it is about: a name, a file."""

    advice: Advice
    about: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that is needed and not there: the name as it stands in `by`, in that line."""

    name: str
    by: str
    line: int


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of the bundle. `text` is None where the project's `source` goes in as it is."""

    path: str
    source: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes in, in order of the names, and the report. `flattened`: files that are inside another one now."""

    main: str
    files: tuple[BundleFile, ...]
    flattened: tuple[str, ...]
    left_out: tuple[str, ...]
    missing: tuple[Missing, ...]
    remarks: tuple[Remark, ...] = field(default=())

    @property
    def renamed(self) -> tuple[BundleFile, ...]:
        """The files that have another name in the bundle than in the project."""
        return tuple(one for one in self.files if one.source and not f"/{one.source}".endswith(f"/{one.path}"))


README: Final = "00README.json"
#: What arXiv takes without asking.
LIMIT_BYTES: Final = 50 * 1024 * 1024
_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9_+.,=-]+")
_SOURCES: Final = (".tex", ".ltx", ".latex", ".tikz")
_MADE: Final = {"printindex": ".ind", "printglossaries": ".gls", "printglossary": ".gls", "printnomenclature": ".nls"}
_NEEDS_SHELL: Final = {"minted": "-shell-escape", "svg": "Inkscape", "pythontex": "pythontex", "gnuplottex": "gnuplot"}
#: What pdfTeX makes of an EPS figure, and takes instead of it where no other program may be run.
_CONVERTED: Final = "-eps-converted-to.pdf"
_CLASS: Final = re.compile(r"\\documentclass(?![a-zA-Z])")
_INCLUDE_ONLY: Final = re.compile(r"\\includeonly(?![a-zA-Z])")


def plan_bundle(
    main: str,
    sizes: Mapping[str, int],
    texts: Mapping[str, str],
    *,
    encodings: Mapping[str, str] | None = None,
    keep_comments: bool = False,
) -> Bundle:
    """Plan the bundle of the document of `main`.

    `sizes`: every file of the project. `texts`: those that are text, by path. `encodings`: how the texts are spelled,
    where it is not all the same; a file in another spelling than the main file stays a file.
    """
    return _Planning(main, sizes, texts, encodings or {}, keep_comments=keep_comments).bundle()


class _Planning:
    """One bundle in the making."""

    def __init__(
        self,
        main: str,
        sizes: Mapping[str, int],
        texts: Mapping[str, str],
        encodings: Mapping[str, str],
        *,
        keep_comments: bool,
    ) -> None:
        self._main, self._sizes = main, sizes
        self._texts, self._encodings = texts, encodings
        self._keeps_comments = keep_comments
        self._uses: Uses = follow(main, sizes, texts)
        self._verbatim = verbatim_names(texts.values())
        self._remarks: list[Remark] = []
        self._made = self._made_files()
        names = _bundle_names(main, {*self._needed(), *self._made})
        self._names = {self._made.get(path, path): name for path, name in names.items()}

    def bundle(self) -> Bundle:
        """Flatten, name, and report."""
        flattener = Flattener(
            self._uses.sources,
            self._uses.uses,
            alike=frozenset(path for path in self._uses.sources if self._is_alike(path)),
            new_name=self._new_name,
            keeps_includes=any(_INCLUDE_ONLY.search(one.masked) for one in self._uses.sources.values()),
        )
        files = self._files(flattener)
        inside = sorted(set(flattener.flattened) - {one.source for one in files})
        known = {one.source for one in files} | set(inside)
        self._look_for_advice(files)
        return Bundle(
            main=self._names[self._main],
            files=tuple(sorted(files, key=lambda one: one.path)),
            flattened=tuple(inside),
            left_out=tuple(sorted(self._sizes.keys() - known)),
            missing=tuple(self._missing()),
            remarks=tuple(dict.fromkeys(self._remarks)),
        )

    # ── what goes in ────────────────────────────────────────────────────────────────────────────────────

    def _needed(self) -> set[str]:
        """With the bibliography that was made, those that it was made of are not needed."""
        needed = self._uses.files
        if self._bbl() in self._made:
            needed -= {path for path in needed if path.lower().endswith((".bib", ".bst"))}
        return needed

    def _bbl(self) -> str:
        return self._main.rpartition(".")[0] + ".bbl"

    def _made_files(self) -> dict[str, str]:
        """What other programs made of the document, which arXiv does not run: where it belongs, and where it is."""
        made = set()
        stem = self._main.rpartition(".")[0]
        if any(use.reference.need is Need.BIBLIOGRAPHY for use in self._uses.all):
            made.add(self._bbl())
        texts = (source.masked for path, source in self._uses.sources.items() if path.lower().endswith(_SOURCES))
        together = "\n".join(texts)
        made |= {stem + ending for command, ending in _MADE.items() if f"\\{command}" in together}
        figures = (path for use in self._uses.all for path in use.found.paths if path.endswith(".eps"))
        converted = {f"{figure.removesuffix('.eps')}{_CONVERTED}" for figure in figures}
        there = {path: place for path in made if (place := self._place_of(path)) is not None}
        for path in sorted(made - there.keys()):
            advice = Advice.BBL_MISSING if path.endswith(".bbl") else Advice.INDEX_MISSING
            self._remarks.append(Remark(advice, path))
        return there | {path: path for path in converted & self._sizes.keys()}

    def _place_of(self, path: str) -> str | None:
        """Return where a file is that a run of LaTeX made: beside the main file, or where a run was told to write.

        Such a folder has the auxiliary file of that run, and no source by which the run could be another document's.
        """
        if path in self._sizes:
            return path
        name, stem = path.rpartition("/")[2], self._main.rpartition("/")[2].rpartition(".")[0]
        found = [place for place in self._sizes if f"/{place}".endswith(f"/{name}") and self._is_of_run(place, stem)]
        likely = [place for place in found if self._has(place, f"{stem}.aux")] or found
        return min(likely, key=lambda place: (place.count("/"), place), default=None)

    def _is_of_run(self, place: str, stem: str) -> bool:
        return not any(self._has(place, stem + ending) for ending in _SOURCES)

    def _has(self, place: str, name: str) -> bool:
        return place.removesuffix(place.rpartition("/")[2]) + name in self._sizes

    def _files(self, flattener: Flattener) -> list[BundleFile]:
        """The main file first, then whatever of the rest is still a file."""
        files = [self._source_file(self._main, flattener)]
        waiting, done = sorted(flattener.kept & self._names.keys()), {self._main}
        while waiting:
            path = waiting.pop()
            if path in done:
                continue
            done.add(path)
            is_source = path in self._uses.sources
            if is_source and path.lower().endswith(_SOURCES):
                files.append(self._source_file(path, flattener))
            else:
                files.append(BundleFile(self._names[path], path, self._renamed_inside(path, flattener)))
            waiting += sorted((flattener.kept & self._names.keys()) - done)
        files += [BundleFile(self._names[path], path) for path in sorted({*self._made.values()} - done)]
        return files + self._readme(files)

    def _source_file(self, path: str, flattener: Flattener) -> BundleFile:
        text = flattener.text_of(path)
        if not self._keeps_comments:
            text = without_comments(read_source(text, self._verbatim))
        return BundleFile(self._names[path], path, text)

    def _renamed_inside(self, path: str, flattener: Flattener) -> str | None:
        """Packages and classes are left as they are, unless a name in them is another one now."""
        if path not in self._uses.sources:
            return None
        source = self._uses.sources[path]
        text = flattener.text_of(path, puts_in=False)
        return text if text != source.text[: source.end] else None

    def _readme(self, files: Iterable[BundleFile]) -> list[BundleFile]:
        """Name the main file where more than one could be it; arXiv asks for no such file otherwise."""
        several = sum(1 for one in files if one.text is not None and _CLASS.search(one.text)) > 1
        if not several:
            return []
        sources = [{"filename": self._names[self._main], "usage": "toplevel"}]
        return [BundleFile(README, "", json.dumps({"sources": sources}, indent=2) + "\n")]

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────

    def _new_name(self, use: Use) -> str | None:
        """Return what a name has to be where its file is called otherwise in the bundle."""
        if len(use.found.paths) != 1 or use.found.paths[0] not in self._names:
            if any(self._is_moved(path) for path in use.found.paths):
                self._remarks.append(Remark(Advice.NOT_RENAMED, use.name))
            return None
        (path,) = use.found.paths
        if not use.found.is_exact:
            self._remarks.append(Remark(Advice.CASE, path))
        elif not self._is_moved(path):
            return None
        return self._as_said(use, self._names[path])

    def _is_moved(self, path: str) -> bool:
        root = folder_of(self._main)
        is_outside = bool(root) and not path.startswith(f"{root}/")
        return path in self._names and (is_outside or self._names[path] != _seen_from(root, path))

    def _as_said(self, use: Use, path: str) -> str | None:
        """Return a path as the command wants it: without the ending where it adds one, from the folder it names."""
        need = use.reference.need
        if need is Need.IMPORT:
            self._remarks.append(Remark(Advice.NOT_RENAMED, use.name))
            return None
        stem, _, ending = path.rpartition(".")
        adds_ending = {Need.INCLUDE, Need.CLASS, Need.PACKAGE, Need.BIB_STYLE}
        if need in adds_ending or (need is Need.BIBLIOGRAPHY and not use.name.endswith(f".{ending}")):
            return stem
        return path

    # ── what is said ────────────────────────────────────────────────────────────────────────────────────

    def _missing(self) -> Iterable[Missing]:
        for use in self._uses.all:
            if use.is_missing and not (use.reference.need is Need.BIBLIOGRAPHY and self._bbl() in self._made):
                line = self._uses.sources[use.by].text.count("\n", 0, use.reference.name_span[0]) + 1
                yield Missing(use.name, use.by, line)

    def _look_for_advice(self, files: Iterable[BundleFile]) -> None:
        for use in self._uses.all:
            if use.is_computed and not use.found.paths and use.reference.depth == 0:
                self._remarks.append(Remark(Advice.COMPUTED, use.name))
            if use.name.startswith("/"):
                self._remarks.append(Remark(Advice.ABSOLUTE, use.name))
            if use.reference.need is Need.PACKAGE and use.name in _NEEDS_SHELL:
                self._remarks.append(Remark(Advice.NEEDS_SHELL, use.name))
        size = sum(len(one.text) if one.text is not None else self._sizes.get(one.source, 0) for one in files)
        if size > LIMIT_BYTES:
            self._remarks.append(Remark(Advice.TOO_LARGE, str(size)))

    def _is_alike(self, path: str) -> bool:
        return self._encodings.get(path, "") == self._encodings.get(self._main, "")


def _bundle_names(main: str, paths: Iterable[str]) -> dict[str, str]:
    """Return each file's name in the bundle: seen from the main file's folder, in letters that arXiv takes."""
    root = folder_of(main)
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted(paths, key=lambda path: (path != main, _plain(_seen_from(root, path)) != path, path)):
        wanted = _plain(_seen_from(root, path))
        stem, dot, ending = wanted.rpartition(".")
        name, number = wanted, 2
        while name.casefold() in taken:
            name = f"{stem}-{number}{dot}{ending}"
            number += 1
        taken.add(name.casefold())
        names[path] = name
    return names


def _seen_from(root: str, path: str) -> str:
    return path.removeprefix(f"{root}/") if root else path


def _plain(path: str) -> str:
    return "/".join(_plain_part(part) for part in path.split("/"))


def _plain_part(part: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
    plain = _FORBIDDEN.sub("_", ascii_only).lstrip(".-")
    return plain if plain.strip("_.") else f"file_{plain}"
