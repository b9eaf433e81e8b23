"""Follows a document from its main file to everything it needs. Pure.

Figures' folders and macros that stand for folders may be set in a file that is found late, so that it is gone round
until nothing new is found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from texswarm_desktop.core.latex_lookup import Found, Lookup, folder_of, joined, may_be_elsewhere
from texswarm_desktop.core.latex_mask import Source, read_source, verbatim_names
from texswarm_desktop.core.latex_references import (
    Need,
    Reference,
    as_pattern,
    expanded,
    graphics_folders,
    is_computed,
    references,
    simple_macros,
    written_files,
)

#: What is looked into for further names: all that TeX itself reads.
_FOLLOWED: Final = (
    *(".tex", ".ltx", ".latex", ".sty", ".cls", ".clo", ".def", ".cfg", ".bbx", ".cbx", ".lbx", ".dbx", ".tikz"),
    *(".pgf", ".pdf_tex", ".pgf_tex", ".ldf", ".fd"),
)
#: Folders that are relative to the file itself, not to the main file.
_OWN_FOLDER: Final = frozenset({Need.SUBFILE, Need.IMPORT})


@dataclass(frozen=True, slots=True)
class Use:
    """A name in the source `by` and the files of the project it means; none of them when it is missing."""

    by: str
    reference: Reference
    name: str
    found: Found
    is_missing: bool = False
    is_computed: bool = False


@dataclass(slots=True)
class Uses:
    """All that a document needs. `folders`: where a source's names are looked for besides the main file's folder."""

    sources: dict[str, Source] = field(default_factory=dict)
    uses: dict[str, tuple[Use, ...]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)

    @property
    def all(self) -> Iterable[Use]:
        """Every use, in the order of the sources."""
        return (use for uses in self.uses.values() for use in uses)

    @property
    def files(self) -> set[str]:
        """Every file that is needed, the main file too."""
        return {*self.sources, *(path for use in self.all for path in use.found.paths)}


def follow(main: str, paths: Iterable[str], texts: Mapping[str, str]) -> Uses:
    """Return what the document of `main` needs, of the files at `paths`; `texts` holds those that are text."""
    lookup = Lookup(paths, main)
    verbatim = verbatim_names(texts.values())
    uses = Uses({main: read_source(texts[main], verbatim)}, folders={main: ""})
    known = -1
    while known != len(uses.sources):
        known = len(uses.sources)
        _go_round(uses, _Round(uses, lookup, main), texts, verbatim)
    return uses


def _go_round(uses: Uses, surroundings: "_Round", texts: Mapping[str, str], verbatim: frozenset[str]) -> None:
    uses.uses = {}
    waiting = list(uses.sources)
    while waiting:
        path = waiting.pop(0)
        if path in uses.uses:
            continue
        uses.uses[path] = surroundings.uses_of(path)
        for use in uses.uses[path]:
            for found in use.found.paths:
                if found in texts and found.lower().endswith(_FOLLOWED) and found not in uses.sources:
                    uses.sources[found] = read_source(texts[found], verbatim)
                    uses.folders[found] = _folder_for(use, found, uses.folders.get(path, ""))
                    waiting.append(found)


def _folder_for(use: Use, found: str, above: str) -> str:
    return folder_of(found) if use.reference.need in _OWN_FOLDER else above


class _Round:
    """What is known of macros and folders before one round."""

    def __init__(self, uses: Uses, lookup: Lookup, main: str) -> None:
        self._uses = uses
        self._lookup = lookup
        self._macros = {"jobname": main.rpartition("/")[2].rpartition(".")[0]}
        for source in uses.sources.values():
            self._macros |= simple_macros(source)
        self._written = {name for source in uses.sources.values() for name in written_files(source)}
        self._figures = [
            expanded(folder, self._macros) for source in uses.sources.values() for folder in graphics_folders(source)
        ]

    def uses_of(self, path: str) -> tuple[Use, ...]:
        return tuple(self._use(path, reference) for reference in references(self._uses.sources[path]))

    def _use(self, path: str, reference: Reference) -> Use:
        name = expanded(reference.name, self._macros)
        folders = self._folders(path, reference)
        if is_computed(name):
            pattern = as_pattern(name)
            found = self._lookup.matching(reference.need, pattern, folders) if pattern else Found(())
            return Use(path, reference, name, found, is_computed=True)
        if reference.need is Need.SERIES:
            return Use(path, reference, name, self._lookup.matching(reference.need, name, folders))
        found = Found(()) if name.startswith("/") else self._lookup.find(reference.need, name, folders)
        is_missing = not found.paths and not may_be_elsewhere(reference.need, name) and not self._is_written(name)
        return Use(path, reference, name, found, is_missing)

    def _is_written(self, name: str) -> bool:
        return bool(self._written & {name, f"{name}.tex", f"{name}.bib"})

    def _folders(self, path: str, reference: Reference) -> list[str]:
        """Where a name is looked for: from the main file, from the file it stands in, in the figures' folders."""
        root, own = self._lookup.root, folder_of(path)
        if reference.need is Need.IMPORT:
            folder = expanded(reference.folder, self._macros)
            return [joined(root, folder), joined(own, folder)]
        folders = [root]
        if reference.need in {Need.GRAPHICS, Need.STANDALONE, Need.SERIES}:
            folders += [joined(base, folder) for folder in self._figures for base in (root, own)]
        return [*folders, self._uses.folders.get(path, "") or own, own]
